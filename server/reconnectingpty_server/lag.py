"""How late the event loop is: a timer that says when it should have rung, and when it did.

Everything a client feels waits for this one loop, so its lag is the first thing to look at. Four wake-ups a second are
all that this costs. A loop that stands still can't tell; systemd's watchdog is for that.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from time import perf_counter

from prometheus_client import CollectorRegistry, Histogram

PERIOD = 0.25
"""Seconds between two looks."""
RECENT = 10.0
"""Seconds for which a lag counts as present."""
STALL = 1.0
"""Seconds of lag that are a stall: worth a line in the log, and not ready while it is recent."""
BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

log = logging.getLogger(__name__)


class LoopLag:
    """Watches the running event loop between :meth:`start` and :meth:`close`."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        self._seconds = Histogram(
            f"{prefix}loop_lag_seconds", "How late the event loop came to a timer.", buckets=BUCKETS, registry=registry
        )
        self._recent: deque[tuple[float, float]] = deque(maxlen=int(RECENT / PERIOD))
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        """Watch the running loop; again changes nothing."""
        if self._timer is None:
            self._arm()

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def worst(self) -> float:
        """The worst lag of the last `RECENT` seconds, in seconds."""
        since = perf_counter() - RECENT
        return max((lag for at, lag in self._recent if at >= since), default=0.0)

    def _arm(self) -> None:
        # Not by the loop's clock, which may stand still within a turn, and counts milliseconds in some loops.
        self._due = perf_counter() + PERIOD
        self._timer = asyncio.get_running_loop().call_later(PERIOD, self._ring)

    def _ring(self) -> None:
        now = perf_counter()
        lag = max(0.0, now - self._due)
        self._seconds.observe(lag)
        self._recent.append((now, lag))
        if lag >= STALL:
            log.warning("the event loop was held up for %.1f s: every client waited", lag)
        self._arm()
