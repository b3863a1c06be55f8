"""How fast a session's output may come in the long run. Knows no clock of its own."""

from __future__ import annotations

BURST_SECONDS = 1.0
"""What was not used of the allowance can be used up to so long after."""


class Rate:
    """An allowance of so many bytes a second. Invariant: over any time `t`, at most `(t + 1) * per_second` plus what
    one call spends.
    """

    __slots__ = ("_free_at", "per_second")

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._free_at = float("-inf")

    def spend(self, count: int, now: float) -> float:
        """Spend `count` bytes at the time `now`; the seconds until more may be spent, 0 or less for at once."""
        self._free_at = max(self._free_at, now - BURST_SECONDS) + count / self.per_second
        return self._free_at - now
