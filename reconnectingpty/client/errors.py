"""What a terminal raises.

    ReconnectingPTYError
    ├── AddressError           no server can be meant by this (also a ValueError)
    ├── ConnectFailed          the session can't be reached, or refuses; raised before there ever was a connection
    ├── SessionEnded           the session is over, or has sent this client away: `end` says how
    ├── OutputLost             output that was needed went by unseen, while there was no connection
    ├── NoShell                nothing that reads commands is there to run one
    ├── Busy                   the shell is running something else
    ├── Incomplete             the shell waits for the rest of the command
    └── UnknownKey             no key has this name (in `keys`; also a ValueError)

What takes too long raises the built-in TimeoutError.
"""

from __future__ import annotations

from ..errors import ReconnectingPTYError
from .events import Closed, Exited


class AddressError(ReconnectingPTYError, ValueError):
    """No server can be meant by this; the message says what an address looks like."""


class ConnectFailed(ReconnectingPTYError):
    """There is no way to the session.

    `code` is HTTP's status or the WebSocket's close code, None where nothing answered at all.
    """

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class SessionEnded(ReconnectingPTYError):
    """The session is over for this client; `end` says how."""

    def __init__(self, end: Exited | Closed) -> None:
        super().__init__(str(end))
        self.end = end


class OutputLost(ReconnectingPTYError):
    """Output went by unseen that was needed, while there was no connection or nobody read."""


class NoShell(ReconnectingPTYError):
    """What is in the terminal does not run commands as a shell does."""


class Busy(ReconnectingPTYError):
    """The shell is running something else."""


class Incomplete(ReconnectingPTYError):
    """The shell waits for the rest of the command: an open quote, a loop without its end. It has been interrupted."""
