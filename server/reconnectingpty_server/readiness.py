"""Whether a new session would start and be served well now, and what stands in the way: what /readyz answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from reconnectingpty import Metrics

from .descriptors import Descriptors
from .lag import RECENT, STALL, LoopLag
from .reserve import Reserve
from .sessions import Sessions

FAILED_STARTS = 3
"""Commands in a row that this machine could not start, after which it is not ready ..."""
FORGIVEN = 60.0
"""... for this many seconds since the last: then somebody may try again."""
CAUSES = ("stopping", "full", "descriptors", "starts", "loop")
"""What there may be, by the names that metrics and /readyz have for it."""


class Readiness:
    """Looks at the parts of a server when it is asked, and keeps nothing."""

    def __init__(
        self,
        sessions: Sessions,
        metrics: Metrics,
        lag: LoopLag,
        descriptors: Descriptors,
        reserve: Reserve,
        stopping: Callable[[], bool],
    ) -> None:
        self._sessions = sessions
        self._descriptors = descriptors
        self._reserve = reserve
        self._metrics = metrics
        self._lag = lag
        self._stopping = stopping

    def failing(self) -> dict[str, str]:
        """What is not as it should be, by its name out of `CAUSES`, in words; empty when all is well."""
        found: dict[str, str] = {}
        if self._stopping():
            found["stopping"] = "the server is shutting down"
        if self._sessions.full:
            found["full"] = f"there are {self._sessions.limit} sessions, the most that are allowed"
        if self._descriptors.scarce or self._reserve.touched:
            free, limit = self._descriptors.free, self._descriptors.limit
            found["descriptors"] = f"only {free} of {limit} file descriptors are free"
        failed = self._metrics.failed_starts
        if failed >= FAILED_STARTS and time.monotonic() - self._metrics.failed_start_at < FORGIVEN:
            found["starts"] = f"the last {failed} commands could not be started"
        if (worst := self._lag.worst) >= STALL:
            found["loop"] = f"the event loop was held up for {worst:.1f} s in the last {RECENT:.0f}"
        return found
