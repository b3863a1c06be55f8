"""A listener of ours, published on another machine: a supervised `ssh -R` that belongs to a server.

Knows no HTTP and no server: it is given an address, and tells its state. A server's life does not depend on it; what
ends a supervisor (no ssh on this machine, a refused login) is tried again here for as long as the server runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..errors import OptionError
from .builder import SshSupervisorBuilder
from .errors import TunnelError
from .logs import Plain
from .policy import Reason
from .settings import Alive, Monitor
from .status import State, Status
from .supervisor import SshSupervisor

log = logging.getLogger("reconnectingpty.tunnel")

AGAIN = 60.0
"""Seconds between supervisors, where one has given up."""
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 (what a listener may be bound to)
"""How a listener that is bound to every address is reached from this machine."""


def local_end(host: str, port: int, path: str = "") -> str:
    """Our listener, as `ssh -R` wants it: `host:port`, or a Unix socket's path."""
    if path:
        return path
    host = EVERYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def arguments(destination: str, remote: str, local: str, options: Sequence[str] = ()) -> list[str]:
    """ssh's arguments for publishing `local` as `remote` (a port, address:port or a path) at `destination`.

    Nobody is there to type, so ssh asks nothing. Raises OptionError where `remote` can't be.
    """
    if not destination or destination.startswith("-"):
        raise OptionError(f"a tunnel's destination is [USER@]HOST, not {destination!r}")
    if not _possible(remote):
        raise OptionError(f"a tunnel's far end is a port, ADDRESS:PORT or a socket's absolute path, not {remote!r}")
    return ["-N", "-T", "-o", "BatchMode=yes", *options, "-R", f"{remote}:{local}", "--", destination]


def _possible(remote: str) -> bool:
    if remote.startswith("/"):
        return ":" not in remote and len(remote) > 1
    port = remote.rpartition(":")[2]
    return port.isascii() and port.isdecimal() and int(port) < 65536


class Tunnel:
    """One tunnel of a server; an async context manager, which ends ssh when it is left.

    `remote`: the far end (None: the number of our own port); port 0 lets the far machine choose, anew at each start.
    `options`: more of ssh's arguments, such as `-p`, `2222`. Raises OptionError.
    """

    def __init__(
        self,
        destination: str,
        local: str,
        *,
        remote: str | None = None,
        options: Sequence[str] = (),
        monitor: Monitor | None = None,
        ssh_path: str | None = None,
    ) -> None:
        if remote is None:
            if local.startswith("/"):
                raise OptionError("a tunnel for a Unix socket has to be told its far end")
            remote = local.rpartition(":")[2]
        self.destination = destination
        self.remote = remote
        self._builder = (
            SshSupervisorBuilder(*arguments(destination, remote, local, options))
            .ssh_path(ssh_path)
            .monitor(monitor if monitor is not None else Alive())
            # A far machine that refuses us today may let us in tomorrow, and nobody is here to start us again.
            .gate_time(0)
            .name(destination)
        )
        self._builder.settings()
        self._supervisor: SshSupervisor | None = None
        self._past: Counter[str] = Counter()
        self._trouble = ""
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What it is called in metrics and pages."""
        return f"{self.destination} {self.remote}"

    async def __aenter__(self) -> Tunnel:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                self._supervisor = self._builder.build()
                telling = asyncio.create_task(_tell(self._supervisor))
                try:
                    await self._supervisor.run()
                finally:
                    await telling
                self._trouble = "ssh has ended"
            except TunnelError as error:
                self._trouble = str(error)
            log.warning("%s: %s; trying again in %.0f s", self.name, self._trouble, AGAIN)
            if self._supervisor is not None:
                self._past.update(self._supervisor.status().restarts)
                self._past[Reason.EXITED] += 1
                self._supervisor = None
            await asyncio.sleep(AGAIN)

    def status(self) -> Status:
        """How it is now. Restarts count from the server's start."""
        now = self._supervisor.status() if self._supervisor is not None else Status(State.FAILED)
        return Status(
            state=now.state,
            pid=now.pid,
            starts=now.starts,
            restarts=Counter(now.restarts) + self._past,
            up_for=now.up_for,
            probe_seconds=now.probe_seconds,
            backoff_seconds=now.backoff_seconds,
            last_trouble=now.last_trouble or ("" if now.up else self._trouble),
            allocated_port=now.allocated_port,
        )

    def state(self) -> dict[str, str | int | float | bool | None]:
        """The same for a page or /readyz, as JSON has it."""
        now = self.status()
        return {
            "destination": self.destination,
            "remote": str(now.allocated_port) if now.allocated_port is not None else self.remote,
            "state": str(now.state),
            "up": now.up,
            "up_for": round(now.up_for, 1),
            "restarts": sum(now.restarts.values()),
            "backoff_seconds": round(now.backoff_seconds, 1),
            "last_trouble": now.last_trouble,
        }


async def _tell(supervisor: SshSupervisor) -> None:
    """A line in the log for what an operator would want to know."""
    lines = Plain()
    async for event in supervisor.events():
        for level, text in lines.lines(event):
            log.log(level, "%s: %s", supervisor.settings.name, text)


class TunnelMetrics(Collector):
    """Prometheus's view of a server's tunnels. `prefix` stands before every name, as in :class:`Metrics`."""

    def __init__(self, tunnels: Iterable[Tunnel], prefix: str = "") -> None:
        self._tunnels = list(tunnels)
        self._name = f"{prefix}_reconnecting_pty_tunnel" if prefix else "reconnecting_pty_tunnel"

    def collect(self) -> Iterator[Metric]:
        """What is known of each tunnel now."""
        name = self._name
        up = GaugeMetricFamily(f"{name}_up", "Whether a tunnel stands.", labels=["tunnel"])
        restarts = CounterMetricFamily(
            f"{name}_restarts", "Starts of ssh after the first.", labels=["tunnel", "reason"]
        )
        probe = GaugeMetricFamily(
            f"{name}_probe_seconds", "What the last line took, there and back.", labels=["tunnel"]
        )
        backoff = GaugeMetricFamily(f"{name}_backoff_seconds", "The delay before the next try.", labels=["tunnel"])
        for tunnel in self._tunnels:
            now = tunnel.status()
            up.add_metric([tunnel.name], now.up)
            for reason in Reason:
                restarts.add_metric([tunnel.name, reason], now.restarts.get(reason, 0))
            if now.probe_seconds is not None:
                probe.add_metric([tunnel.name], now.probe_seconds)
            backoff.add_metric([tunnel.name], now.backoff_seconds)
        yield from (up, restarts, probe, backoff)
