"""What can be told of a session, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session at one moment. `created` is a Unix time, `idle` seconds, byte counts are totals."""

    id: str
    epoch: str
    backend: str
    state: str
    command: str
    pid: int | None
    created: float
    rows: int
    cols: int
    viewers: int
    attached: bool
    idle: float
    """Since the last output, input, attach or detach."""
    title: str
    cwd: str | None
    bytes_in: int
    bytes_out: int
    exit_code: int | None
    exit_signal: int | None
    name: str = ""
    """What people call it; empty: nothing."""
    owner: str = ""
    """Whose it is, in the words of whoever embeds the library."""
    limits: dict[str, str] = field(default_factory=dict)
    """What holds each of its limits: `cgroup` or `rlimit`, by the limit's name."""
    recorded: bool = False
    """Whether what it shows is being recorded on the server."""
