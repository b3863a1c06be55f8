"""Logins that were ended before their time: none of them counts again while its cookie would.

Each is remembered by its id. Of a party that ends very many some are forgotten, and in their stead is remembered since
when a login must be to count: what it forgets of its own costs its own older logins, and nobody else anything.
"""

from __future__ import annotations

import time

from .shares import Share, Shares
from .visitor import Visitor

MAX_OUT = 65_536
MAX_OF_ONE = 1024
"""Of one user, or of the guests of one link."""


class Logouts:
    """The logins that count no more."""

    def __init__(self) -> None:
        self._out: Shares[float] = Shares(MAX_OF_ONE, MAX_OUT, time.time)  # with when they began
        self._older: dict[str, tuple[float, float]] = {}  # by party: those begun until then are over, until when

    def end(self, visitor: Visitor, until: float) -> None:
        """End the login that a visitor came by, which would count until then."""
        gone = self._out.put(Share(visitor.who, visitor.login, until, visitor.began))
        if gone is None:
            return
        now = time.time()
        self._older = {who: older for who, older in self._older.items() if older[1] > now}
        began, over = self._older.get(gone.who, (gone.value, gone.until))
        self._older[gone.who] = max(began, gone.value), max(over, gone.until)

    def ended(self, visitor: Visitor) -> bool:
        """Whether the login that a visitor comes by was ended; one who came by none has none to end."""
        if not visitor.login:
            return False
        older = self._older.get(visitor.who)
        return self._out.get(visitor.login) is not None or (older is not None and visitor.began <= older[0])
