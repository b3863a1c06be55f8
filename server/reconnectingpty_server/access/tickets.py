"""Tickets: one use, short-lived, for clients that can set no header where they connect to a terminal."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

from .shares import Share, Shares
from .users import digest
from .visitor import Visitor

SECONDS = 30.0
MAX_TICKETS = 4096
MAX_OF_ONE = 64
"""Tickets of one user, or of the guests of one link; beyond, their own oldest goes."""


class Tickets:
    """Those that were given out and not used."""

    def __init__(self) -> None:
        self._held: Shares[Visitor] = Shares(MAX_OF_ONE, MAX_TICKETS, time.monotonic)

    def give(self, visitor: Visitor) -> str:
        """A ticket that lets its bearer in once as `visitor`."""
        ticket = secrets.token_urlsafe(24)
        self._held.put(Share(visitor.who, digest(ticket), time.monotonic() + SECONDS, replace(visitor, ticket=True)))
        return ticket

    def look(self, ticket: str) -> Visitor | None:
        """Whose ticket it is, while it counts."""
        held = self._held.get(digest(ticket))
        return held.value if held is not None else None

    def use(self, ticket: str) -> None:
        """It counts no more."""
        self._held.remove(digest(ticket))
