"""Everything that a tunnel raises on purpose.

    TunnelError                one class to catch them all (a ReconnectingPTYError)
    ├── SshNotFound            there is no ssh to run
    ├── SshFailed              ssh ended in a way that trying again does not mend
    ├── PortUnavailable        the monitor's port cannot be bound
    ├── MaxStartsReached       ssh was started as often as it may be
    ├── MaxLifetimeReached     the supervisor has run as long as it may
    ├── PidfileError           the pidfile cannot be written, or a living process holds it
    ├── LogfileError           the log cannot be written
    └── DaemonizeError         going to the background failed

Settings out of range are OptionErrors, as everywhere in the library.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ReconnectingPTYError


class TunnelError(ReconnectingPTYError):
    """The base of every error of a tunnel."""


class SshNotFound(TunnelError):
    """There is no ssh to run. `searched` is what was looked for."""

    def __init__(self, searched: str, why: str = "No such file or directory") -> None:
        super().__init__(f"{searched}: {why}")
        self.searched = searched


class SshFailed(TunnelError):
    """ssh ended, and another try would end alike. `status` is its exit status, `words` the last it wrote to stderr."""

    def __init__(self, status: int | None, words: Sequence[str] = (), *, early: bool = False) -> None:
        when = " before it was up" if early else ""
        said = f": {'; '.join(words)}" if words else ""
        super().__init__(f"ssh ended{when} with status {status}{said}")
        self.status = status
        self.words = tuple(words)
        self.early = early


class PortUnavailable(TunnelError):
    """The monitor's port cannot be bound."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(f"bind on 127.0.0.1:{port}: {why}")
        self.port = port


class MaxStartsReached(TunnelError):
    """ssh was started as often as it may be."""

    def __init__(self, starts: int) -> None:
        super().__init__(f"ssh was started {starts} times, which is as often as it may be")
        self.starts = starts


class MaxLifetimeReached(TunnelError):
    """The supervisor has run as long as it may: `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the tunnel has run for {seconds:g} s, which is as long as it may")
        self.seconds = seconds


class PidfileError(TunnelError):
    """The pidfile cannot be written, or a living process holds it (then `holder` is its pid)."""

    def __init__(self, path: str, why: str, *, holder: int | None = None) -> None:
        super().__init__(f'cannot open pid file "{path}": {why}')
        self.path = path
        self.holder = holder


class LogfileError(TunnelError):
    """The log cannot be written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


class DaemonizeError(TunnelError):
    """Going to the background failed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"run as daemon failed: {why}")
