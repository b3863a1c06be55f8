"""Tickets: one use, short-lived, for clients that can set no header where they connect."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict

from .users import digest
from .visitor import Visitor

SECONDS = 30.0
MAX_TICKETS = 4096


class Tickets:
    """Those that were given out and not used."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[float, Visitor]] = OrderedDict()

    def give(self, visitor: Visitor) -> str:
        """A ticket that lets its bearer in once as `visitor`."""
        ticket = secrets.token_urlsafe(24)
        self._held[digest(ticket)] = (time.monotonic() + SECONDS, visitor)
        while len(self._held) > MAX_TICKETS:
            self._held.popitem(last=False)
        return ticket

    def look(self, ticket: str) -> Visitor | None:
        """Whose ticket it is, while it counts."""
        until, visitor = self._held.get(digest(ticket), (0.0, None))
        return visitor if until > time.monotonic() else None

    def use(self, ticket: str) -> None:
        """It counts no more."""
        self._held.pop(digest(ticket), None)
