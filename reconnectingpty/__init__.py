"""Shells that survive: sessions on a PTY that clients attach to, leave, and come back to.

    session = reconnectingpty.new("bash")
    await session.attach(connection, "me", rows=24, cols=80)

The server on top of this library is the package `reconnectingpty_server`.
"""

from .backends import backends, check, new
from .connection import Connection, MemoryConnection
from .errors import (
    AttachRefused,
    Disconnected,
    Expired,
    IdleTimeout,
    InputStalled,
    Killed,
    MessageTooLarge,
    NotAllowed,
    OptionError,
    ProtocolError,
    ReconnectingPTYError,
    SessionClosed,
    Shutdown,
    StartFailed,
    Superseded,
    TooManyViewers,
)
from .info import SessionInfo
from .limits import Limits
from .metrics import Metrics
from .options import Options
from .process import ExitStatus
from .recording import Recordings
from .session import ReconnectingPTY
from .size import Size
from .sizing import SizePolicy
from .state import State
from .viewer import Outcome

__all__ = [
    "AttachRefused",
    "Connection",
    "Disconnected",
    "ExitStatus",
    "Expired",
    "IdleTimeout",
    "InputStalled",
    "Killed",
    "Limits",
    "MemoryConnection",
    "MessageTooLarge",
    "Metrics",
    "NotAllowed",
    "OptionError",
    "Options",
    "Outcome",
    "ProtocolError",
    "ReconnectingPTY",
    "ReconnectingPTYError",
    "Recordings",
    "SessionClosed",
    "SessionInfo",
    "Shutdown",
    "Size",
    "SizePolicy",
    "StartFailed",
    "State",
    "Superseded",
    "TooManyViewers",
    "backends",
    "check",
    "new",
]
