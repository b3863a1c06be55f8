"""The ends that come to a session whoever looks on: it has lived long enough, or has been silent for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .errors import Expired


class Expiry:
    """Two timers, either of which may be None; seconds. A byte that passes costs nothing: the timer looks back.

    Holds on to whom it ends only while it counts, so that a session that has ended is nobody's any more.
    """

    __slots__ = ("_idle", "_life", "_loop", "max_idle", "max_life")

    def __init__(self, max_life: float | None, max_idle: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self.max_life = max_life
        self.max_idle = max_idle
        self._life: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None

    def start(self, lived: float, expire: Callable[[Expired], None], last_active: Callable[[], float]) -> None:
        """Count from now on, for a session that has lived so long already. `last_active` is the loop's time."""
        self.stop()
        if self.max_life is not None:
            error = Expired(f"this session has lived for {self.max_life:g} s, the longest that it may")
            self._life = self._loop.call_later(max(self.max_life - lived, 0.0), expire, error)
        if self.max_idle is not None:
            self._watch_idle(self.max_idle, expire, last_active)

    def _watch_idle(self, max_idle: float, expire: Callable[[Expired], None], last_active: Callable[[], float]) -> None:
        due = last_active() + max_idle
        if self._loop.time() >= due:
            expire(Expired(f"nothing went in or out of this session for {max_idle:g} s"))
        else:
            self._idle = self._loop.call_at(due, self._watch_idle, max_idle, expire, last_active)

    def stop(self) -> None:
        """End nothing any more."""
        for timer in (self._life, self._idle):
            if timer is not None:
                timer.cancel()
        self._life = self._idle = None
