"""Tunnels that stay up: starts the system's ssh, watches it, and starts it again. An autossh, as a library and more.

    supervisor = SshSupervisorBuilder("-N", "-R", "9000:localhost:80", "user@host").build()
    await supervisor.run()

Any number of supervisors live in one event loop. The command on top of it is `cli`.
"""

from .builder import SshSupervisorBuilder
from .errors import (
    DaemonizeError,
    LogfileError,
    MaxLifetimeReached,
    MaxStartsReached,
    PidfileError,
    PortUnavailable,
    SshFailed,
    SshNotFound,
    TunnelError,
)
from .events import (
    Event,
    Exited,
    GaveUp,
    ProbeFailed,
    ProbeOk,
    Ready,
    Restarting,
    SignalReceived,
    Started,
    Stopped,
    Woke,
)
from .mode import Mode
from .policy import Exit, Reason
from .settings import Alive, Echo, ExitOnly, Loop, Monitor, Settings
from .status import State, Status
from .supervisor import Ended, SshSupervisor

__all__ = [
    "Alive",
    "DaemonizeError",
    "Echo",
    "Ended",
    "Event",
    "Exit",
    "ExitOnly",
    "Exited",
    "GaveUp",
    "LogfileError",
    "Loop",
    "MaxLifetimeReached",
    "MaxStartsReached",
    "Mode",
    "Monitor",
    "PidfileError",
    "PortUnavailable",
    "ProbeFailed",
    "ProbeOk",
    "Ready",
    "Reason",
    "Restarting",
    "Settings",
    "SignalReceived",
    "SshFailed",
    "SshNotFound",
    "SshSupervisor",
    "SshSupervisorBuilder",
    "Started",
    "State",
    "Status",
    "Stopped",
    "TunnelError",
    "Woke",
]
