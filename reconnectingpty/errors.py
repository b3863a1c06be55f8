"""Everything this library raises on purpose.

    ReconnectingPTYError
    ├── OptionError            an option or an argument is out of range (also a ValueError)
    ├── StartFailed            the session's process could not be started; raised by attach()
    ├── SessionClosed          the session is closing or done
    │   ├── IdleTimeout        ... because nobody was attached for too long
    │   ├── Expired            ... because it has lived, or been silent, for as long as it may
    │   ├── Killed             ... because somebody asked for it
    │   └── Shutdown           ... because its owner is stopping
    ├── AttachRefused          this viewer was not let in; others are not concerned
    │   └── TooManyViewers
    ├── Superseded             this viewer's client has attached again by another connection
    ├── NotAllowed             a read-only viewer tried to write
    ├── InputStalled           the program took none of this viewer's input for too long
    ├── Disconnected           the peer has gone
    └── ProtocolError          the peer sent what the protocol does not allow
        └── MessageTooLarge

Errors carry plain values only: they lie at the ground, and everything may import them.
"""

from __future__ import annotations

from typing import ClassVar


class ReconnectingPTYError(Exception):
    """The base of every error of this library."""


class OptionError(ReconnectingPTYError, ValueError):
    """An option or argument is out of range; the message says which and what it may be."""


class StartFailed(ReconnectingPTYError):
    """The session's process could not be started.

    `error_type` is the label under which it is counted: `create_command` where the command could not be made,
    `spawn` where the operating system refused it.
    """

    def __init__(self, message: str, *, error_type: str = "create_command") -> None:
        super().__init__(message)
        self.error_type = error_type


class SessionClosed(ReconnectingPTYError):
    """The session is closing or done. `reason` is the word that the wire protocol and the metrics use."""

    reason: ClassVar[str] = "error"


class IdleTimeout(SessionClosed):
    """Nobody was attached for longer than the session's timeout."""

    reason = "timeout"

    def __init__(self, message: str = "reconnecting pty timeout") -> None:
        super().__init__(message)


class Expired(SessionClosed):
    """The session has lived for as long as it may, or nothing went in or out for too long, whoever looked on."""

    reason = "timeout"


class Killed(SessionClosed):
    """A client with write access, or the API, ended the session."""

    reason = "killed"

    def __init__(self, message: str = "killed on request") -> None:
        super().__init__(message)


class Shutdown(SessionClosed):
    """Whoever runs the session is stopping."""

    reason = "shutdown"

    def __init__(self, message: str = "server shutting down") -> None:
        super().__init__(message)


class AttachRefused(ReconnectingPTYError):
    """This viewer was not let in."""


class TooManyViewers(AttachRefused):
    """The session has as many viewers as it may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"this session has {limit} viewers already, which is the most it takes; close one of them")
        self.limit = limit


class Superseded(ReconnectingPTYError):
    """The same client id has attached by a newer connection, so this one has to go."""

    def __init__(self) -> None:
        super().__init__("this client has attached again by another connection")


class NotAllowed(ReconnectingPTYError):
    """A read-only viewer tried to type, or to end the session."""


class InputStalled(ReconnectingPTYError):
    """A viewer's input queue was full, and the program took nothing from it for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the program has read no input for {seconds:g} s and the queue is full; attach again to look on"
        )
        self.seconds = seconds


class Disconnected(ReconnectingPTYError):
    """The peer has gone: an ordinary end of a connection, never counted as an error."""


class ProtocolError(ReconnectingPTYError):
    """The peer sent something that the protocol does not allow. `code` is the WebSocket close code that fits."""

    def __init__(self, message: str, *, code: int = 1007) -> None:
        super().__init__(message)
        self.code = code


class MessageTooLarge(ProtocolError):
    """A message exceeds what one message may hold."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a message may have at most {limit} bytes", code=1009)
        self.limit = limit
