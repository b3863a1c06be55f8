"""`reconnectingpty.v1` from the client's side, without a socket and without a clock: frames in, happenings out.

One `Protocol` lasts over all connections of one client. It keeps the two promises of exactly once: output goes on at
its epoch and offset, input is kept until the session has it. Whoever moves the frames asks it what to send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import ProtocolError
from ..size import Size
from ..wire import v1
from ..wire.close import RECONNECT, CloseCode
from ..wire.messages import (
    Closing,
    Hello,
    InputAck,
    OutputAck,
    Ping,
    Pong,
    Resize,
    Resync,
    SizeChanged,
    Viewers,
)
from ..wire.messages import Exited as ExitedMessage
from ..wire.messages import Kill as KillMessage
from .events import Closed, Exited
from .typed import Typed

MAX_PICTURE = 256 << 20
"""Bytes. A picture of the longest scrollback there is stays far below."""
MAX_WINDOW = 16 << 20
"""Bytes of output that this client takes unacknowledged, whatever a server would send."""
LEAST_WINDOW = 4
_REASONS: dict[int, str] = {CloseCode.IDLE_TIMEOUT: "timeout", CloseCode.KILLED: "killed"}
"""What a close code tells where no message did."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """The session is there. `resumed`: no byte is repeated and none is missing; else a `Drawn` follows."""

    hello: Hello
    resumed: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """The terminal is to be reset and drawn anew. `missed` bytes were never seen; None: nothing was shown before."""

    picture: bytes
    offset: int
    missed: int | None


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the program wrote, the first of them at `offset`."""

    data: bytes
    offset: int


Happening = Greeted | Drawn | Output | SizeChanged | Viewers | Pong | Exited | Closed


class Protocol:
    """One client's side of a session."""

    def __init__(self) -> None:
        self.typed = Typed()
        self.epoch: str | None = None
        self.offset: int | None = None
        """Of the next byte of output; None while what the terminal shows belongs to none."""
        self.end: Exited | Closed | None = None
        self.greeted = False
        """Whether this connection has had its hello."""
        self.readonly = False
        self._window = LEAST_WINDOW
        self._seen: int | None = None  # the offset that was reached, once anything was shown
        self._processed = 0
        self._acknowledged = 0
        self._picture: bytearray | None = None
        self._missing = 0
        self._drawn_at = 0
        self._size: Size | None = None
        self._pings: list[Ping] = []
        self._kill = False
        self._killed = False

    # -- what is wanted

    def resize(self, size: Size) -> None:
        """Tell of this client's own size, over this connection."""
        self._size = size

    def ping(self, id: int | str) -> None:
        """Ask for a Pong, over this connection."""
        self._pings.append(Ping(id))

    def kill(self) -> None:
        """Have the session ended; repeated over the next connection, if need be."""
        self._kill = True

    def processed(self, offset: int) -> None:
        """The output below `offset` has been dealt with, and may be acknowledged."""
        self._processed = max(self._processed, offset)

    @property
    def unacknowledged(self) -> int:
        """Bytes dealt with that the server has not been told of."""
        return max(self._processed - self._acknowledged, 0) if self.greeted else 0

    @property
    def window(self) -> int:
        """Bytes of output that may come unacknowledged."""
        return self._window

    @property
    def drawing(self) -> bool:
        """Whether the rest of a picture is still to come, so that what is shown is not yet what the session shows.

        If the connection breaks meanwhile, the last whole picture is what is shown; where there never was one, it comes
        over the next connection.
        """
        return self._picture is not None or (self.epoch is not None and self._seen is None)

    # -- one connection

    def connecting(self) -> None:
        """A new connection is about to be made."""
        self.greeted = False
        self._killed = False
        self._size = None
        self._pings.clear()
        if self._picture is not None:
            # The half of a picture belongs to no offset; the next hello brings a whole one.
            self._picture = None

    def frames(self, *, idle: bool = False) -> Iterator[str | bytes]:
        """What is to be sent now. `idle`: no more output has come for a while, so its last bytes are told of, too."""
        if not self.greeted:
            return
        if self._size is not None:
            size, self._size = self._size, None
            yield v1.encode(Resize(size.rows, size.cols))
        while self._pings:
            yield v1.encode(self._pings.pop(0))
        if self.unacknowledged and (idle or self.unacknowledged >= self._window // 4):
            self._acknowledged = self._processed
            yield v1.encode(OutputAck(self._acknowledged))
        if not self.readonly:
            yield from self.typed.take(self._window)
            if self._kill and not self._killed:
                self._killed = True
                yield v1.encode(KillMessage())

    def receive(self, frame: str | bytes) -> Iterator[Happening]:
        """What a frame tells. Raises ProtocolError."""
        if isinstance(frame, bytes):
            yield from self._bytes(frame)
            return
        message = v1.decode_server(frame)
        if isinstance(message, Hello):
            yield from self._hello(message)
        elif message is None:
            return
        elif not self.greeted and not isinstance(message, ExitedMessage | Closing):
            raise ProtocolError("the first message must be the hello")
        elif isinstance(message, Resync):
            yield from self._draw(message.offset, message.snapshot)
        elif isinstance(message, InputAck):
            self.typed.acknowledge(message.input_offset)
        elif isinstance(message, ExitedMessage):
            yield self._over(Exited(message.code, message.signal))
        elif isinstance(message, Closing):
            yield self._over(Closed(message.reason, message.detail))
        else:
            yield message

    def closed(self, code: int, reason: str) -> bool:
        """The connection has ended. True where it makes sense to come back; else `end` is set."""
        greeted, self.greeted = self.greeted, False
        if self.end is not None:
            return False
        # Before the first hello, 1011 tells that the session can't be started, and a reason why.
        hopeless = code == CloseCode.INTERNAL and self.epoch is None and not greeted
        if code in RECONNECT and not hopeless:
            return True
        self._over(Closed(_REASONS.get(code, "refused"), reason or f"closed with {code}", code))
        return False

    # -- what comes

    def _over(self, end: Exited | Closed) -> Exited | Closed:
        self.end = self.end or end
        return end

    def _hello(self, hello: Hello) -> Iterator[Happening]:
        if self.greeted:
            raise ProtocolError("there may be one hello only")
        same = hello.epoch == self.epoch
        resumed = same and hello.snapshot == 0 and hello.offset == self.offset
        if self.epoch is None:
            self.typed.begin(hello.input_offset)
        elif same:
            self.typed.resume(hello.input_offset)
        else:
            # What was typed was for another shell, and whoever typed it thinks of that one.
            yield self._over(Closed("replaced", "the session has ended meanwhile, and another has its name"))
            return
        self.greeted = True
        self.epoch, self.readonly = hello.epoch, hello.readonly
        self._window = min(max(hello.window, LEAST_WINDOW), MAX_WINDOW)
        yield Greeted(hello, resumed)
        yield SizeChanged(hello.rows, hello.cols)
        if resumed:
            self._acknowledged = hello.offset
        else:
            yield from self._draw(hello.offset, hello.snapshot)

    def _draw(self, offset: int, length: int) -> Iterator[Happening]:
        """The next `length` bytes are a picture. Until all of it is here, what is shown belongs to no offset."""
        if length > MAX_PICTURE:
            raise ProtocolError(f"a picture of {length} bytes is longer than any")
        self._acknowledged = self._processed = offset
        self._drawn_at, self._missing = offset, length
        self.offset, self._picture = None, bytearray()
        yield from self._bytes(b"")

    def _bytes(self, data: bytes) -> Iterator[Happening]:
        if not self.greeted:
            raise ProtocolError("the first message must be the hello")
        if self._picture is not None:
            part, data = data[: self._missing], data[self._missing :]
            self._picture += part
            self._missing -= len(part)
            if self._missing:
                return
            picture, self._picture = bytes(self._picture), None
            missed = self._drawn_at - self._seen if self._seen is not None else None
            self.offset = self._seen = self._drawn_at
            yield Drawn(picture, self.offset, missed)
        if data:
            assert self.offset is not None
            at = self.offset
            self.offset = self._seen = at + len(data)
            yield Output(data, at)
