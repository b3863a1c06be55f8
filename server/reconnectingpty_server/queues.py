"""One thing at a time for each party: who asks for much waits for themselves, and for nobody else."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Queues:
    """A queue for each party that is in one, in the order of coming."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._locks)

    def of(self, who: str) -> asyncio.Lock:
        """That party's, for an `async with`."""
        lock = self._locks.get(who)
        if lock is None:
            lock = self._locks[who] = asyncio.Lock()
        return lock
