"""The Prometheus collectors, in one place.

Nothing here is touched by a byte on its way: a session keeps plain integers, and they are summed when Prometheus
asks. A finished session's integers are added to the totals once, so that the number of series never grows.
"""

from __future__ import annotations

import platform
import time
from collections import Counter as Tally
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .state import State

CODER_ERROR_TYPES = (
    "create_command",
    "input_writer",
    "resize",
    "output_reader",
    "write_buffer",
    "write",
    "screen_spawn",
    "screen_output_reader",
    "screen_write",
    "screen_wait",
)
"""The values of `error_type` that Coder's agent has."""

OWN_ERROR_TYPES = ("spawn", "protocol", "input_stalled", "end", "internal", "recording")
ERROR_TYPES = CODER_ERROR_TYPES + OWN_ERROR_TYPES
BACKENDS = ("buffered", "screen")
REPLIES = ("delta", "snapshot", "none")
END_REASONS = ("exit", "timeout", "killed", "shutdown", "error")
HOLDERS = ("viewer", "model", "rate")
"""For what a program may have to wait with its output."""
START_TROUBLE = ("spawn", "screen_spawn", "screen_wait")
"""Error types by which this machine could not start a command; that there is no such command is none of them."""
ECHO_SECONDS = 5.0
"""Output that comes later than this after a key is no echo: the program had something to do, or echoes nothing."""

_LATENCY = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BYTES = (256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304)


class Observed(Protocol):
    """What a session lets Prometheus see of it."""

    bytes_in: int
    bytes_out: int

    @property
    def backend(self) -> str:
        """Its backend's name."""
        ...

    @property
    def state(self) -> State:
        """Where it is in its life."""
        ...

    @property
    def viewer_count(self) -> int:
        """Clients attached now."""
        ...

    @property
    def model_lag(self) -> int:
        """Bytes of output that its terminal model has not seen."""
        ...

    @property
    def held_by(self) -> str:
        """One of HOLDERS, or empty."""
        ...


class Metrics:
    """The collectors of one program; `prefix` (`agent` gives Coder's names) stands before every name."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, registry: CollectorRegistry | None = None, prefix: str = "") -> None:
        self.registry = registry or CollectorRegistry()
        name = f"{prefix}_reconnecting_pty" if prefix else "reconnecting_pty"
        self.prefix = f"{name}_"
        """What every name begins with."""
        self.connections = Counter(
            f"{name}_connections", "Connections that asked for a session.", registry=self.registry
        )
        self.errors = Counter(
            f"{name}_errors",
            "Errors by type; a client leaving or a command ending is none.",
            ["error_type"],
            registry=self.registry,
        )
        self.replies = Counter(
            f"{name}_replies",
            "What an attach began with: a delta, a snapshot, or nothing.",
            ["kind"],
            registry=self.registry,
        )
        self.resyncs = Counter(
            f"{name}_resyncs", "Viewers that fell off the log and got a picture.", registry=self.registry
        )
        self.ends = Counter(f"{name}_ends", "Ended sessions by reason.", ["reason"], registry=self.registry)
        self.attach_seconds = Histogram(
            f"{name}_attach_seconds", "From attach() to the first message.", buckets=_LATENCY, registry=self.registry
        )
        self.spawn_seconds = Histogram(
            f"{name}_spawn_seconds", "From fork to exec.", buckets=_LATENCY, registry=self.registry
        )
        self.echo_seconds = Histogram(
            f"{name}_echo_seconds", "From a key to the program's next output.", buckets=_LATENCY, registry=self.registry
        )
        self.snapshot_bytes = Histogram(
            f"{name}_snapshot_bytes", "Sizes of pictures sent.", buckets=_BYTES, registry=self.registry
        )
        for counter, values in ((self.errors, ERROR_TYPES), (self.replies, REPLIES), (self.ends, END_REASONS)):
            for value in values:
                counter.labels(value)
        build = Info(f"{name}_build", "The program.", registry=self.registry)
        build.info({"version": _version(), "python": platform.python_version()})
        self.failed_starts = 0
        """Commands in a row that this machine could not start, the latest ones."""
        self.failed_start_at = float("-inf")
        """When the last of them failed, on the monotonic clock."""
        self._sessions = _Sessions(name)
        self.registry.register(self._sessions)

    def watch(self, session: Observed) -> None:
        """Count a session from now on."""
        self._sessions.live.add(session)

    def retire(self, session: Observed, reason: str) -> None:
        """Count a session no more: it is done. What it carried stays in the totals."""
        if session in self._sessions.live:
            self._sessions.live.discard(session)
            self._sessions.past_in += session.bytes_in
            self._sessions.past_out += session.bytes_out
            self.ends.labels(reason).inc()

    def error(self, error_type: str) -> None:
        """Count an error."""
        self.errors.labels(error_type).inc()
        if error_type in START_TROUBLE:
            self.failed_starts += 1
            self.failed_start_at = time.monotonic()

    def started(self, seconds: float) -> None:
        """Count a command that runs, and how long its start took."""
        self.spawn_seconds.observe(seconds)
        self.failed_starts = 0

    def render(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)


class _Sessions(Collector):
    """What is read off the living sessions at each scrape."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.live: set[Observed] = set()
        self.past_in = 0
        self.past_out = 0

    def collect(self) -> Iterator[Metric]:
        name, live = self.name, self.live
        tally = Tally((session.state.name.lower(), session.backend) for session in live)
        sessions = GaugeMetricFamily(f"{name}_sessions", "Sessions by state and backend.", labels=["state", "backend"])
        for state in State:
            for backend in BACKENDS:
                sessions.add_metric([state.name.lower(), backend], tally[state.name.lower(), backend])
        yield sessions
        yield GaugeMetricFamily(f"{name}_viewers", "Attached clients.", value=sum(s.viewer_count for s in live))
        lag = max((session.model_lag for session in live), default=0)
        yield GaugeMetricFamily(
            f"{name}_model_lag_bytes", "Output that the terminal model furthest behind has not seen.", value=lag
        )
        held = Tally(session.held_by for session in live)
        waiting = GaugeMetricFamily(f"{name}_held_programs", "Programs whose output waits, by what for.", labels=["by"])
        for holder in HOLDERS:
            waiting.add_metric([holder], held[holder])
        yield waiting
        carried = CounterMetricFamily(f"{name}_bytes", "Bytes to (in) and from (out) programs.", labels=["direction"])
        carried.add_metric(["in"], self.past_in + sum(s.bytes_in for s in live))
        carried.add_metric(["out"], self.past_out + sum(s.bytes_out for s in live))
        yield carried


def _version() -> str:
    try:
        return version("reconnectingpty")
    except PackageNotFoundError:
        return "unknown"
