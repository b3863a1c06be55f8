"""Sessions over WebSocket: the `websockets` library's connections, and both protocols spoken on them.

The HTTP side hands over a connection whose upgrade is granted already; from there on the library keeps the protocol,
the pings and the closing, and this module turns frames into the messages of a session and back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from reconnectingpty import (
    AttachRefused,
    Disconnected,
    Expired,
    IdleTimeout,
    InputStalled,
    Killed,
    NotAllowed,
    OptionError,
    Outcome,
    ProtocolError,
    ReconnectingPTYError,
    SessionClosed,
    Shutdown,
    StartFailed,
    Superseded,
)
from reconnectingpty.wire import v1
from reconnectingpty.wire.close import CloseCode, close_reason
from reconnectingpty.wire.coder import MAX_REQUEST, RequestDecoder
from reconnectingpty.wire.messages import ClientMessage, Hello, Resize, Resync, ServerMessage

from .exchange import Response
from .sessions import NoSuchSession, TooManySessions
from .sockets import hung_up

if TYPE_CHECKING:
    from .http import HttpConnection

PING_SECONDS = 15.0
PONG_SECONDS = 15.0
CLOSE_SECONDS = 5.0
MAX_QUEUE = 4
"""Frames that may wait to be taken, each of up to a mebibyte; more are left to the kernel, and so to the client."""
WRITE_HIGH = 128 << 10
"""Bytes that the transport may hold before sending waits."""
RESET = b"\x1bc"
"""What a client of Coder's protocol is sent before a picture: it can't be told to reset its terminal."""

log = logging.getLogger(__name__)


class _Socket:
    """What both protocols do with a WebSocket."""

    __slots__ = ("_name", "_socket")

    def __init__(self, socket: ServerConnection, name: str) -> None:
        self._socket = socket
        self._name = name

    @property
    def name(self) -> str:
        """The peer's address."""
        return self._name

    async def _send(self, frame: bytes | str) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            raise Disconnected(self._name) from None

    async def _receive(self) -> bytes | str:
        try:
            return await self._socket.recv()
        except ConnectionClosed:
            raise Disconnected(self._name) from None

    async def gone(self) -> None:
        """Return when the peer has gone."""
        await hung_up(self._socket.transport.get_extra_info("socket"))

    def close(self) -> None:
        """Cut the connection."""
        self._socket.transport.abort()


class V1Socket(_Socket):
    """`reconnectingpty.v1`: bytes in binary frames, everything else in text frames."""

    __slots__ = ()

    async def send(self, message: bytes | ServerMessage) -> None:
        """Send a frame."""
        await self._send(message if isinstance(message, bytes) else v1.encode(message))

    async def receive(self) -> bytes | ClientMessage:
        """The next frame's message."""
        frame = await self._receive()
        return frame if isinstance(frame, bytes) else v1.decode_client(frame)


class CoderSocket(_Socket):
    """Coder's message stream: bytes down, JSON up; what has no form in it is left out."""

    __slots__ = ("_decoder", "_messages")

    def __init__(self, socket: ServerConnection, name: str) -> None:
        super().__init__(socket, name)
        self._decoder = RequestDecoder(MAX_REQUEST)
        self._messages: list[bytes | Resize] = []

    async def send(self, message: bytes | ServerMessage) -> None:
        """Send bytes; before a picture, a reset of the terminal."""
        if isinstance(message, bytes):
            await self._send(message)
        elif isinstance(message, Hello | Resync) and message.snapshot:
            await self._send(RESET)

    async def receive(self) -> bytes | ClientMessage:
        """The next thing that the JSON stream says."""
        while not self._messages:
            self._decoder.feed(b"")  # raises what came wrong behind the last good request
            frame = await self._receive()
            self._messages = self._decoder.feed(frame if isinstance(frame, bytes) else frame.encode())
        return self._messages.pop(0)


_CODES: dict[type[BaseException], CloseCode] = {
    IdleTimeout: CloseCode.IDLE_TIMEOUT,
    Expired: CloseCode.IDLE_TIMEOUT,
    Killed: CloseCode.KILLED,
    Shutdown: CloseCode.GOING_AWAY,
    SessionClosed: CloseCode.INTERNAL,
    NoSuchSession: CloseCode.NO_SUCH_SESSION,
    NotAllowed: CloseCode.NOT_ALLOWED,
    Superseded: CloseCode.NOT_ALLOWED,
    AttachRefused: CloseCode.INTERNAL,
    TooManySessions: CloseCode.INTERNAL,
    InputStalled: CloseCode.INTERNAL,
    OptionError: CloseCode.NOT_ALLOWED,
    StartFailed: CloseCode.INTERNAL,
}


def close_code(error: ReconnectingPTYError) -> int:
    """The close code that tells a client of this error."""
    if isinstance(error, ProtocolError):
        return error.code
    return next((code for cls, code in _CODES.items() if isinstance(error, cls)), CloseCode.INTERNAL)


class Attach(Protocol):
    """Attaches a connection to the session that its request named."""

    def __call__(self, connection: V1Socket | CoderSocket, *, v1: bool) -> Awaitable[Outcome]:
        """Until the client leaves, or the session ends."""
        ...


class _Frames(ServerProtocol):
    """Answers pings. To a peer that does not take its answers it owes only the newest (RFC 6455, 5.5.3), however many
    it is sent: what else it sends is still read, since a viewer that looks away may go on typing.
    """

    def __init__(self) -> None:
        super().__init__(state=OPEN, select_subprotocol=_choose, max_size=MAX_REQUEST, extensions=None)
        self.held = False
        self._owed: Frame | None = None

    def send_frame(self, frame: Frame) -> None:
        """Send it, or keep an answer to a ping until :meth:`let_go`."""
        if self.held and frame.opcode is Opcode.PONG:
            self._owed = frame
        else:
            super().send_frame(frame)

    def let_go(self) -> None:
        """The peer takes what it is sent."""
        self.held = False
        owed, self._owed = self._owed, None
        if owed is not None and self.state is OPEN:
            self.send_frame(owed)


class _Connection(ServerConnection):
    """A connection of the library, whose flow control reaches what it answers by itself, too."""

    # One attribute more in its dictionary, and Python packs that no more: a KiB and a half for each client.
    __slots__ = ("attach", "frames", "peer")

    def __init__(self, frames: _Frames, server: WebSockets, attach: Attach, http: HttpConnection) -> None:
        super().__init__(
            frames,
            server,  # type: ignore[arg-type] # the part of a server that a connection uses
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_queue=MAX_QUEUE,
            write_limit=WRITE_HIGH,
        )
        self.frames = frames
        self.attach = attach
        self.peer = http.peer
        # To the library the handshake is over; it would only parse the same request once more.
        self.request = _NO_REQUEST
        if http.paused:
            self.pause_writing()

    def pause_writing(self) -> None:
        """The peer takes nothing."""
        super().pause_writing()
        self.frames.held = True

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self.frames.let_go()
        self.send_data()


_NO_REQUEST = Request("", Headers())


def _choose(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(v1.SUBPROTOCOL) if v1.SUBPROTOCOL in offered else None


class WebSockets:
    """The open WebSockets of a server. To the library's connections it is the server they belong to."""

    def __init__(self) -> None:
        self.handler_tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self.handler_tasks)

    def take(self, http: HttpConnection, attach: Attach) -> Response | None:
        """Make a WebSocket of an HTTP connection; what is wrong with its request where that can't be."""
        frames = _Frames()
        granted = frames.accept(Request("", Headers(http.upgrade_headers())))
        if granted.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return Response.error(granted.status_code, granted.body.decode().partition("\n")[0])
        socket = _Connection(frames, self, attach, http)
        early = http.hand_over()
        transport = http.transport
        transport.set_protocol(socket)
        transport.write(granted.serialize())
        socket.connection_made(transport)
        if early:
            socket.data_received(early)
        return None

    async def handler(self, socket: Any) -> None:
        """A connection's life, called by the library as soon as there is one."""
        task = asyncio.current_task()
        try:
            socket.start_keepalive()
            await self._serve(socket, socket.attach, socket.peer)
        finally:
            if task is not None:
                self.handler_tasks.discard(task)

    async def _serve(self, socket: ServerConnection, attach: Attach, peer: str) -> None:
        speaks_v1 = socket.subprotocol == v1.SUBPROTOCOL
        code, reason = int(CloseCode.ENDED), ""
        try:
            await attach((V1Socket if speaks_v1 else CoderSocket)(socket, peer), v1=speaks_v1)
        except Disconnected:
            pass
        except ReconnectingPTYError as error:
            code, reason = close_code(error), str(error)
            log.info("%s: closed with %d: %s", peer, code, reason)
        except Exception:
            code, reason = CloseCode.INTERNAL, "internal error; the server's log says more"
            log.exception("%s: attach failed", peer)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await socket.close(code, close_reason(reason))
        except TimeoutError:  # a peer that reads nothing can't be told
            socket.transport.abort()

    async def finish(self, seconds: float) -> None:
        """Wait for the open ones to end, and cut those that don't."""
        if self.handler_tasks:
            await asyncio.wait(tuple(self.handler_tasks), timeout=seconds)
        for task in tuple(self.handler_tasks):
            task.cancel()
        if self.handler_tasks:
            await asyncio.gather(*self.handler_tasks, return_exceptions=True)
