"""What many parties leave here for a while, in bounded memory: whoever leaves much loses their own, and nobody else's.

Pure but for the clock that it is given. Tickets are kept like this, and the logins that were ended.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Share(Generic[T]):
    """One thing that is kept: whose it is, what it is found by, until when it is worth something."""

    who: str
    key: str
    until: float
    value: T


class Shares(Generic[T]):
    """At most `each` things of one party, and `most` in all: then whoever has the most loses the one left first."""

    def __init__(self, each: int, most: int, clock: Callable[[], float]) -> None:
        self._each = each
        self._most = most
        self._clock = clock
        self._all: dict[str, Share[T]] = {}
        self._of: dict[str, OrderedDict[str, None]] = {}  # keys by party, the oldest first
        self._over = math.inf  # when the next of them is

    def __len__(self) -> int:
        return len(self._all)

    def put(self, share: Share[T]) -> Share[T] | None:
        """Keep it; what had to go for it, though it was still worth something."""
        self._all[share.key] = share
        self._over = min(self._over, share.until)
        own = self._of.setdefault(share.who, OrderedDict())
        own[share.key] = None
        if len(own) > self._each or len(self._all) > self._most:
            self._sweep()
        if len(own) > self._each:
            return self._let_go(own)
        if len(self._all) > self._most:
            return self._let_go(max(self._of.values(), key=len))
        return None

    def get(self, key: str) -> Share[T] | None:
        """What is found by that, while it is worth something."""
        share = self._all.get(key)
        return share if share is not None and share.until > self._clock() else None

    def remove(self, key: str) -> None:
        """Keep it no longer."""
        share = self._all.pop(key, None)
        if share is not None:
            own = self._of[share.who]
            del own[key]
            if not own:
                del self._of[share.who]

    def _sweep(self) -> None:
        """Let go what is over; all are looked at only where there is such a one."""
        now = self._clock()
        if self._over > now:
            return
        for key in [key for key, share in self._all.items() if share.until <= now]:
            self.remove(key)
        self._over = min((share.until for share in self._all.values()), default=math.inf)

    def _let_go(self, own: OrderedDict[str, None]) -> Share[T]:
        oldest = self._all[next(iter(own))]
        self.remove(oldest.key)
        return oldest
