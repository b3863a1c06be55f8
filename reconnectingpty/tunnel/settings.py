"""What a tunnel can be told, as values: its settings, and the ways to watch it. Pure; the builder checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .mode import Mode

POLL: Final = 600.0
GATE_TIME: Final = 30.0
NET_TIMEOUT: Final = 15.0
"""Seconds for one way of the monitor; at most half the poll time."""
MAX_MESSAGE: Final = 64
LONGEST: Final = 100 * 366 * 86400.0
"""Seconds: the longest time that can be set."""
HIGHEST_PORT: Final = 65534
"""A monitor's port has to leave room for the one above it."""


@dataclass(frozen=True, slots=True)
class ExitOnly:
    """`-M 0`: only ssh's end counts; nothing is added to its arguments."""


@dataclass(frozen=True, slots=True)
class Alive:
    """ssh asks the server for a sign of life every `interval` seconds, and ends when `count` of them stay away.

    Needs no port. What the user's arguments say of ServerAliveInterval stands. None: 15 s, less with a short poll time.
    """

    interval: int | None = None
    count: int = 3


@dataclass(frozen=True, slots=True)
class Loop:
    """`-M port`: a line goes through ssh to the server, and from there comes back to `port` + 1 on this machine.

    `port` None: a free pair is chosen. `far`: the server's port, by which the line goes back; autossh has it equal
    `port`, which keeps a server on this very machine, or in its network, out. None: equal, or chosen like `port`.
    """

    port: int | None = None
    far: int | None = None


@dataclass(frozen=True, slots=True)
class Echo:
    """`-M port:echo_port`: a line goes through ssh to an echo service on the server, and comes back the same way."""

    port: int
    echo_port: int


Monitor = ExitOnly | Alive | Loop | Echo


def forwards(monitor: Monitor) -> list[str]:
    """The arguments by which ssh carries the monitor's line; a chosen pair must have been chosen by now."""
    match monitor:
        case Loop(int(port), far):
            far = far or port
            return ["-L", f"{port}:127.0.0.1:{far}", "-R", f"{far}:127.0.0.1:{port + 1}"]
        case Echo(port, echo_port):
            return ["-L", f"{port}:127.0.0.1:{echo_port}"]
        case _:
            return []


@dataclass(frozen=True, slots=True)
class Settings:
    """A tunnel's settings. Times are in seconds.

    `first_poll` None: as `poll`. `gate_time` 0: none. `max_start` and `max_lifetime` None: no limit.
    `terminal`: ssh shares our terminal and process group, so that it can ask and be typed at; else it gets a session of
    its own, nothing to read, and its stderr is ours to understand.
    """

    ssh_args: tuple[str, ...]
    ssh_path: str | None = None
    monitor: Monitor = field(default_factory=Alive)
    mode: Mode = Mode.DEFAULT
    poll: float = POLL
    first_poll: float | None = None
    gate_time: float = GATE_TIME
    max_start: int | None = None
    max_lifetime: float | None = None
    message: str = ""
    one_shot: bool = False
    start_timeout: float = 60.0
    backoff_cap: float = 60.0
    kill_grace: float = 10.0
    terminal: bool = False
    environment: Mapping[str, str] | None = None
    name: str = "tunnel"

    @property
    def strict(self) -> bool:
        """Whether autossh's ways count to the letter."""
        return self.mode is Mode.STRICT

    @property
    def net_timeout(self) -> float:
        """How long one way of the monitor may take."""
        return min(NET_TIMEOUT, self.poll / 2)

    @property
    def probes(self) -> bool:
        """Whether lines are sent through the tunnel."""
        return isinstance(self.monitor, Loop | Echo)
