"""Who may do a slice of background work next: one at each turn of the event loop, however many sessions want to.

Without it, a thousand sessions that fall quiet together would each take their slice in the same turn, and every key
typed meanwhile would wait for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

Slice = Callable[[], None]


class Turns:
    """A queue of slices of work; each one asked for is done once, in the order of asking."""

    def __init__(self) -> None:
        self._waiting: dict[Slice, None] = {}
        self._handle: asyncio.Handle | None = None

    def ask(self, act: Slice) -> None:
        """Have `act` called in a turn of its own; asking again before that changes nothing."""
        self._waiting[act] = None
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._next)

    def forget(self, act: Slice) -> None:
        """Don't call it any more."""
        self._waiting.pop(act, None)

    def _next(self) -> None:
        self._handle = None
        if not self._waiting:
            return
        act = next(iter(self._waiting))
        del self._waiting[act]
        if self._waiting:
            self._handle = asyncio.get_running_loop().call_soon(self._next)
        act()


async def turn() -> None:
    """Return when it is the caller's turn to do a slice of work."""
    mine = asyncio.get_running_loop().create_future()

    def give() -> None:
        if not mine.done():
            mine.set_result(None)

    turns().ask(give)
    await mine


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns() -> Turns:
    """The running loop's own queue."""
    loop = asyncio.get_running_loop()
    found = _turns.get(loop)
    if found is None:
        found = _turns[loop] = Turns()
    return found
