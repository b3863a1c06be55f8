"""What Prometheus is told of the server around the sessions: who was refused, what is not ready, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconnectingpty import Metrics, ReconnectingPTYError

from .descriptors import Descriptors
from .exchange import Request, Response
from .readiness import CAUSES, Readiness
from .sessions import Sessions

REFUSALS = {400: "invalid", 403: "forbidden", 429: "throttled", 503: "unavailable"}
"""Reasons by the status that tells them; a 401 has two."""
REASONS = ("credentials", "anonymous", "guessing", "quota", *REFUSALS.values())
"""`guessing` and `quota` are 429, too: too many wrong tokens, and as many sessions as one user may have."""
CARRIERS = ("token", "ticket", "share")
"""Query parameters that carry credentials."""


class Refusals:
    """Counts the requests that were turned away. A label's values are ours, whatever clients send."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        self._count = Counter(
            f"{prefix}refusals", "Requests turned away; credentials: wrong ones.", ["reason"], registry=registry
        )
        for reason in REASONS:
            self._count.labels(reason)

    def see(self, request: Request, response: Response) -> None:
        """Count a request if that answer turns it away."""
        if response.status == 401:
            self._count.labels("credentials" if _tried(request) else "anonymous").inc()
        elif response.status in REFUSALS and request.path != "/readyz":
            self._count.labels(response.refusal or REFUSALS[response.status]).inc()


def _tried(request: Request) -> bool:
    """Whether it came with what should let it in. An old cookie is no attempt: every browser has one some day."""
    return (
        request.path == "/api/login"
        or "authorization" in request.headers
        or any(request.first(name) for name in CARRIERS)
    )


class Surroundings(Collector):
    """What is read off the server at each scrape."""

    def __init__(self, prefix: str, sessions: Sessions, readiness: Readiness, descriptors: Descriptors) -> None:
        self._prefix = prefix
        self._sessions = sessions
        self._readiness = readiness
        self._descriptors = descriptors

    def collect(self) -> Iterator[Metric]:
        """How it is now."""
        prefix = self._prefix
        yield GaugeMetricFamily(
            f"{prefix}sessions_limit", "Sessions that there may be at a time.", value=self._sessions.limit
        )
        yield GaugeMetricFamily(
            f"{prefix}free_descriptors", "File descriptors that may still be opened.", value=self._descriptors.free
        )
        failing = self._readiness.failing()
        not_ready = GaugeMetricFamily(f"{prefix}not_ready", "Whether that keeps /readyz from 200.", labels=["cause"])
        for cause in CAUSES:
            not_ready.add_metric([cause], cause in failing)
        yield not_ready


def register_process(registry: CollectorRegistry) -> None:
    """Prometheus's own names for a process: memory, CPU time, descriptors, start. They have no prefix of ours."""
    ProcessCollector(registry=registry)


@contextmanager
def defects_counted(metrics: Metrics) -> Iterator[None]:
    """Count what nobody foresaw, and let it go on to whoever logs it."""
    try:
        yield
    except ReconnectingPTYError:
        raise
    except Exception:
        metrics.error("internal")
        raise
