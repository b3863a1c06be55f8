"""How many file descriptors this process may still open. Each session and each client takes a few of them."""

from __future__ import annotations

import os
import resource
import time

SECONDS = 1.0
"""How long an answer holds: looking takes a millisecond for each few thousand descriptors."""
SPARE = 64
"""Enough for a few more sessions with their clients."""


class Descriptors:
    """Counts this process's descriptors when asked."""

    def __init__(self) -> None:
        self._looked = float("-inf")
        self._free = 0

    @property
    def limit(self) -> int:
        """How many there may be (RLIMIT_NOFILE)."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return soft if soft != resource.RLIM_INFINITY else 1 << 30

    @property
    def free(self) -> int:
        """How many more there may be; 0 also where there is none left to look with."""
        now = time.monotonic()
        if now - self._looked > SECONDS:
            self._looked = now
            self._free = max(0, self.limit - self._used())
        return self._free

    @property
    def scarce(self) -> bool:
        """Whether there are too few for a few more sessions."""
        return self.free < min(SPARE, self.limit // 4)

    def _used(self) -> int:
        try:
            return len(os.listdir("/proc/self/fd")) - 1  # its own is in it
        except OSError:
            return self.limit
