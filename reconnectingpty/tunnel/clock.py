"""The clocks a supervisor goes by, and how it notices that the machine was asleep.

Linux's monotonic clock stands still while the machine sleeps, and so do asyncio's timers: a poll that was due in ten
minutes is still due in ten minutes after a night. The boot-time clock goes on, and so a jump between both tells.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

TICK = 10.0
"""Seconds between looks at the clocks: one timer for all supervisors of a loop."""
ASLEEP = 5.0
"""Seconds of difference that make a sleep."""
STEPPED = 30.0
"""Seconds by which the wall clock must leap to be a virtual machine's pause rather than a correction."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment, in seconds."""

    monotonic: float
    boot: float
    wall: float

    @classmethod
    def now(cls) -> Reading:
        """The machine's."""
        return cls(time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time())

    def asleep_since(self, before: Reading) -> float:
        """Seconds for which the machine slept, or was paused, since then; 0.0 when it was awake."""
        awake = self.monotonic - before.monotonic
        slept = self.boot - before.boot - awake
        if slept >= ASLEEP:
            return slept
        leapt = self.wall - before.wall - awake
        return leapt if leapt >= STEPPED else 0.0


class WakeWatch:
    """Tells its subscribers when the machine has slept. Runs a timer only while there is one."""

    def __init__(self, read: Callable[[], Reading] = Reading.now, tick: float = TICK) -> None:
        self._read = read
        self._tick = tick
        self._told: dict[Callable[[float], None], None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._last = read()

    def subscribe(self, tell: Callable[[float], None]) -> None:
        """Call `tell` with the seconds slept, after each sleep, until :meth:`unsubscribe`."""
        self._told[tell] = None
        if self._timer is None:
            self._last = self._read()
            self._timer = asyncio.get_running_loop().call_later(self._tick, self.look)

    def unsubscribe(self, tell: Callable[[float], None]) -> None:
        """Call it no more."""
        self._told.pop(tell, None)
        if not self._told and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> None:
        """Look at the clocks now."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._tick, self.look)
        now = self._read()
        slept, self._last = now.asleep_since(self._last), now
        if slept:
            for tell in list(self._told):
                tell(slept)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, WakeWatch] = WeakKeyDictionary()


def wake_watch() -> WakeWatch:
    """The running loop's own."""
    loop = asyncio.get_running_loop()
    found = _watches.get(loop)
    if found is None:
        found = _watches[loop] = WakeWatch()
    return found
