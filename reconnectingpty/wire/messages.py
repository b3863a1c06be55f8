"""What a viewer and a session say to each other, whatever the protocol between them.

Terminal bytes are plain `bytes`, both ways; everything else is one of the values here. The fields and their meaning
are those of the `reconnectingpty.v1` protocol, the one that can carry them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hello:
    """The first thing a client is told. The next `snapshot` bytes are a picture and have no offset."""

    session: str
    epoch: str
    backend: str
    created: float
    """Unix time in seconds."""
    rows: int
    cols: int
    readonly: bool
    offset: int
    """The offset of the first live byte after the picture."""
    snapshot: int
    """The picture's length in bytes; 0: the client's own offset is continued, or there is nothing to show."""
    input_offset: int
    window: int


@dataclass(frozen=True, slots=True)
class Resync:
    """The client fell behind the log: it resets its terminal, then a picture and live bytes from `offset` follow."""

    offset: int
    snapshot: int


@dataclass(frozen=True, slots=True)
class SizeChanged:
    """The terminal has another size from here on."""

    rows: int
    cols: int


@dataclass(frozen=True, slots=True)
class InputAck:
    """The session has this client's input up to `input_offset`; the client may forget it."""

    input_offset: int


@dataclass(frozen=True, slots=True)
class Viewers:
    """How many clients are attached now."""

    count: int


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended by itself: with an exit `code`, or by a `signal` (a number); the other is None."""

    code: int | None
    signal: int | None


@dataclass(frozen=True, slots=True)
class Closing:
    """The session was ended: `timeout`, `killed`, `shutdown` or `error`."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to the `Ping` with this id."""

    id: int | str


@dataclass(frozen=True, slots=True)
class Resize:
    """The size of a client's own window. Not both positive: the client has none to offer."""

    rows: int
    cols: int


@dataclass(frozen=True, slots=True)
class OutputAck:
    """The client's terminal has processed the output up to `offset`."""

    offset: int


@dataclass(frozen=True, slots=True)
class Ping:
    """A latency probe, answered by `Pong` with the same id."""

    id: int | str


@dataclass(frozen=True, slots=True)
class Kill:
    """End the session."""


ServerMessage = Hello | Resync | SizeChanged | InputAck | Viewers | Exited | Closing | Pong
ClientMessage = Resize | OutputAck | Ping | Kill
