"""What happens to a terminal besides its output: connections that come and go, sizes, and the end."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from ..size import Size


@dataclass(frozen=True, slots=True)
class Connected:
    """There is a connection. `resumed`: it goes on where the one before stopped, without a byte missing."""

    session: str
    epoch: str
    backend: str
    readonly: bool
    resumed: bool


@dataclass(frozen=True, slots=True)
class Down:
    """The connection is gone; the next attempt is made in `seconds`. `attempt` counts those in vain, from 1."""

    code: int
    reason: str
    seconds: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Resynced:
    """The log no longer had what comes next: the screen was drawn anew. `missed` bytes were never seen."""

    missed: int


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal has another size, by whomever."""

    size: Size


@dataclass(frozen=True, slots=True)
class Watched:
    """So many clients are attached now, this one included."""

    viewers: int


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended by itself, with an exit `code` or by a `signal`; the other is None."""

    code: int | None
    signal: int | None

    @property
    def status(self) -> int:
        """One number for both, as shells have it: 128 and the signal."""
        return self.code if self.code is not None else 128 + (self.signal or 0)

    def __str__(self) -> str:
        if self.code is not None:
            return f"exit status {self.code}"
        try:
            return f"ended by {signal.Signals(self.signal or 0).name}"
        except ValueError:
            return f"ended by signal {self.signal}"


@dataclass(frozen=True, slots=True)
class Closed:
    """It is over without the process's own end, or for this client alone.

    `reason` is `timeout`, `killed`, `shutdown` or `error` where the session was ended, `replaced` where it ended unseen
    and its name means another one now, else `refused`. `code` is the WebSocket's close code, or HTTP's status, where
    one of these said it.
    """

    reason: str
    detail: str
    code: int | None = None

    def __str__(self) -> str:
        return self.detail or self.reason


Event = Connected | Down | Resynced | Resized | Watched | Exited | Closed
