"""How long to wait before the next attempt. Pure: chance and time are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits in seconds: anything up to `first`, up to twice that, and so on up to `longest`.

    Full jitter: a thousand clients that lost one server don't come back at the same moment. A connection that lasted
    for `steady` seconds was a good one, after which the waits begin at `first` again.
    """

    first: float = 0.25
    longest: float = 30.0
    steady: float = 5.0

    def wait(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds before attempt number `attempt`, from 1 on; `random` gives a number from 0 to 1."""
        return random() * min(self.first * 2.0 ** min(attempt - 1, 64), self.longest)
