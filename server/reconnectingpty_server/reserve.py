"""Descriptors that no client gets: kept back so that sessions that live can go on, end, and be looked at.

The kernel gives out the lowest number that is free (POSIX, 2.6 of General Information). So a number near the limit
says that nearly all others are taken, and nothing has to be counted: looking costs two system calls.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable

from .descriptors import SPARE

PER_START = 8
"""Descriptors that a session may take while its command starts: a terminal, a pidfd, pipes."""


class Reserve:
    """The last descriptors that this process may open. `starting` tells how many commands are on their way."""

    def __init__(self, starting: Callable[[], int]) -> None:
        self._starting = starting

    @property
    def touched(self) -> bool:
        """Whether one more client of a session would have to live off the reserve."""
        begin, _ = _bounds()
        try:
            lowest = os.open("/", os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return True
        os.close(lowest)
        room = begin - lowest
        return room <= PER_START * self._starting()

    def depth(self, descriptor: int) -> float:
        """How deep in the reserve a descriptor lies: below 0 outside of it, 1 at its end."""
        begin, end = _bounds()
        return (descriptor - begin) / (end - begin)


def _bounds() -> tuple[int, int]:
    """The first number of the reserve, and the one behind its last."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        soft = 1 << 30
    return soft - max(1, min(SPARE, soft // 4)), soft
