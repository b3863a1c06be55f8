"""How a tunnel is, at one moment, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """Where a supervisor is in its life."""

    IDLE = "idle"
    """`run` was not called yet."""
    CONNECTING = "connecting"
    """ssh runs, and has not proven itself."""
    UP = "up"
    WAITING = "waiting"
    """ssh has ended, and its next start is due."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """A supervisor's state and counts. Times are in seconds."""

    state: State
    pid: int | None = None
    starts: int = 0
    restarts: Mapping[str, int] = field(default_factory=dict)
    """Restarts by reason."""
    up_for: float = 0.0
    """Since the tunnel last proved itself; 0.0 while it does not stand."""
    probe_seconds: float | None = None
    """What the last line took that came back."""
    backoff_seconds: float = 0.0
    """The delay under way; 0.0 when there is none."""
    last_trouble: str = ""
    """Why the tunnel last fell, with ssh's own words."""
    allocated_port: int | None = None
    """What the server chose for `-R 0:...`."""

    @property
    def up(self) -> bool:
        """Whether the tunnel stands."""
        return self.state is State.UP

    def __str__(self) -> str:
        match self.state:
            case State.WAITING:
                said = f"down, next try in {self.backoff_seconds:.0f} s"
            case State.UP:
                said = f"up (start {self.starts}, pid {self.pid})"
            case State.CONNECTING:
                said = f"connecting (start {self.starts}, pid {self.pid})"
            case _:
                said = str(self.state)
        return f"{said}; last trouble: {self.last_trouble}" if self.last_trouble and not self.up else said
