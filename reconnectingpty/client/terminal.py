"""A session on a server, as a program uses it: one `Terminal` over as many connections as it takes.

Owns one task, which keeps the connection and is awaited by `aclose`. What happens is decided by `protocol`, what comes
is kept by `output`, and waits for whoever wants it; nothing in here grows without bound.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..errors import NotAllowed, ProtocolError
from ..size import DEFAULT_SIZE, Size
from ..wire.address import AttachRequest, build_query
from ..wire.close import CloseCode
from ..wire.messages import Hello, SizeChanged, Viewers
from .address import Address
from .backoff import Backoff
from .errors import ConnectFailed, SessionEnded
from .events import Closed, Connected, Down, Event, Exited, Resized, Resynced, Watched
from .output import SLICE, Output, OutputReader
from .protocol import Drawn, Greeted, Protocol
from .protocol import Output as OutputCame
from .pulse import Pulse
from .socket import Broken, Refused, Socket

ACK_SECONDS = 0.05
"""When no more output comes, the last of it is acknowledged, too."""
MAX_EVENTS = 256
"""Events that wait to be read; then the oldest are forgotten."""
FIRST_HELLO_SECONDS = 30.0
"""How long a session may take to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a terminal keeps its connection, and how much it keeps in memory."""

    tls: ssl.SSLContext | None = None
    open_timeout: float = 10.0
    """Seconds for one attempt to connect."""
    heartbeat: float | None = 15.0
    """Seconds between pings, and until a missing answer ends a connection that was never closed; None: neither."""
    backoff: Backoff = field(default_factory=Backoff)
    patience: float = 0.0
    """Seconds for which the first connection is tried again, where a server may just be starting."""
    give_up: float | None = None
    """Seconds without a connection after which to end; None: never."""
    hold: int = 1 << 20
    """Bytes of output that may wait for a reader before the session is held back."""
    input_limit: int = 1 << 20
    """Bytes of input that may wait for the session before `send` waits."""


class Terminal:
    """A session. Made by :func:`connect`; used as an async context manager, in one event loop."""

    def __init__(self, address: Address, request: AttachRequest, settings: Settings) -> None:
        self._address = address
        self._request = request
        self._settings = settings
        self._protocol = Protocol()
        self._output = Output(settings.hold, self._read_on)
        self._reader: OutputReader | None = None
        self._hello: Hello | None = None
        self._own_size = Size.bounded(request.rows, request.cols)
        self._viewers = 0
        self._connections = 0
        self._resyncs = 0
        self._connected = False
        self._to_send = asyncio.Event()
        self._changed = Pulse()
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._life: asyncio.Task[None] | None = None
        self._ack_timer: asyncio.TimerHandle | None = None
        self._ack_is_due = False
        self.on_event: Callable[[Event], object] | None = None
        """Called with each event as it happens, in the event loop."""

    # -- what can be told

    @property
    def session(self) -> str:
        """The session's id."""
        return self._request.session

    @property
    def client(self) -> str:
        """This client's id, by which the session knows it over all connections."""
        assert self._request.client is not None
        return self._request.client

    @property
    def hello(self) -> Hello | None:
        """What the session said of itself when the present connection, or the last one, was made."""
        return self._hello

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connected

    @property
    def end(self) -> Exited | Closed | None:
        """How the session ended, once it has."""
        return self._protocol.end

    @property
    def size(self) -> Size:
        """The terminal's size, which the session's size policy has made of its clients' own."""
        return self._output.log.size

    @property
    def viewers(self) -> int:
        """Clients attached, this one included."""
        return self._viewers

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._connections

    @property
    def resyncs(self) -> int:
        """How often output was missed, and a picture came instead."""
        return self._resyncs

    @property
    def unsent(self) -> int:
        """Bytes of input that the session has not acknowledged."""
        return len(self._protocol.typed)

    # -- life

    async def open(self) -> Terminal:
        """Connect; return when the session is there.

        Raises ConnectFailed, SessionEnded.
        """
        if self._life is not None:
            raise RuntimeError("a terminal is opened once")
        self._life = asyncio.create_task(self._live(), name=f"terminal {self.session}")
        try:
            while self._hello is None and self.end is None and not self._output.done:
                await self._changed.wait()
            if self._hello is None:
                raise self._failure()
        except BaseException:
            await self.aclose()
            raise
        return self

    def _failure(self) -> ConnectFailed | SessionEnded:
        """Why there never was a connection."""
        end = self.end
        if isinstance(end, Closed) and end.reason == "refused":
            return ConnectFailed(end.detail, code=end.code)
        return self._over()

    async def aclose(self) -> None:
        """Leave the session, which goes on. What was typed and not acknowledged may be lost: see `flush`."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait((self._life,))
            if not self._life.cancelled():
                self._life.result()  # raises what went wrong in here, or in `on_event`

    async def __aenter__(self) -> Terminal:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # -- input

    async def send(self, data: str | bytes) -> None:
        """Type: text as UTF-8, or bytes as they are. A person's Enter is "\\r".

        Sent now, or when there is a connection again; each byte arrives once. Waits while more than `input_limit`
        bytes wait for the session. Raises NotAllowed, SessionEnded.
        """
        encoded = data.encode() if isinstance(data, str) else bytes(data)
        limit = self._settings.input_limit
        for start in range(0, len(encoded), limit):
            while self.unsent >= limit and self.end is None:
                await self._changed.wait()
            self.send_nowait(encoded[start : start + limit])

    def send_nowait(self, data: bytes) -> None:
        """Type bytes without waiting; the caller looks at `unsent` so that not too many wait. Raises SessionEnded."""
        self._may_write()
        self._protocol.typed.push(data)
        self._to_send.set()

    async def flush(self) -> None:
        """Return when the session has all that was typed. Raises SessionEnded."""
        while self.unsent:
            if self.end is not None or self._output.done:
                raise self._over()
            await self._changed.wait()

    def resize(self, rows: int, cols: int) -> None:
        """Tell of another size of this client's window; what becomes of it is the session's size policy's."""
        size = Size.bounded(rows, cols)
        if size is not None and size != self._own_size:
            self._own_size = size
            self._protocol.resize(size)
            self._to_send.set()

    def kill(self) -> None:
        """End the session, for everybody. Raises NotAllowed, SessionEnded."""
        self._may_write()
        self._protocol.kill()
        self._to_send.set()

    def _may_write(self) -> None:
        if self.end is not None or self._output.done:
            raise self._over()
        if self._request.readonly or self._protocol.readonly:
            raise NotAllowed("this terminal is read-only")

    # -- output

    def reader(self) -> OutputReader:
        """A reader of the output, from the oldest that is still kept; while it is open, nothing is lost to it.

        More than `hold` bytes that it has not read hold the program back, so it has to be read or closed.
        """
        return self._output.reader()

    async def read(self, most: int = SLICE) -> bytes:
        """The next at most `most` bytes of output, as soon as there are any; `b""` at the very end.

        The first call begins with the oldest output that is still kept. From then on nothing is lost: what is not
        read holds the program back.
        """
        if self._reader is None:
            self._reader = self.reader()
        return await self._reader.read(most)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    # -- events

    async def events(self) -> AsyncIterator[Event]:
        """The events, those that were not read before first, until the last, which is `Exited` or `Closed`."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._output.done:
                return
            await self._changed.wait()

    async def wait_closed(self) -> Exited | Closed:
        """Return when the session is over, and how."""
        while self.end is None:
            if self._output.done:
                raise self._over()
            await self._changed.wait()
        return self.end

    def _happened(self, event: Event) -> None:
        self._events.append(event)
        self._changed.beat()
        if self.on_event is not None:
            self.on_event(event)

    def _over(self) -> SessionEnded:
        return SessionEnded(self.end or Closed("left", "this terminal has been closed"))

    # -- keeping the connection

    async def _live(self) -> None:
        try:
            await self._stay_connected()
        finally:
            self._connected = False
            if self._ack_timer is not None:
                self._ack_timer.cancel()
            self._output.finish()
            self._changed.beat()

    async def _stay_connected(self) -> None:
        """One connection after the other, until the session is over or there is no way to it."""
        loop = asyncio.get_running_loop()
        attempt, down = 0, loop.time()
        while self.end is None:
            connections, began = self._connections, loop.time()
            broken = await self._attempt()
            if broken is None:
                break
            now = loop.time()
            if self._connections > connections:
                self._connected, down = False, now
                attempt = 0 if now - began >= self._settings.backoff.steady else attempt
            if self._tired(broken, now - down):
                break
            attempt += 1
            seconds = self._settings.backoff.wait(attempt, random.random)
            self._happened(Down(broken.code, broken.reason, seconds, attempt))
            await asyncio.sleep(seconds)
        assert self.end is not None
        self._happened(self.end)

    async def _attempt(self) -> Broken | None:
        """One connection; what ended it, where it makes sense to come back, else None."""
        protocol = self._protocol
        try:
            await self._connect_once()
        except Refused as error:
            if error.transient:
                return Broken(CloseCode.ABNORMAL, str(error), error.status)
            protocol.end = Closed("refused", str(error), error.status)
        except Broken as error:
            return error if protocol.closed(error.code, error.reason) else None
        except ProtocolError as error:
            protocol.end = Closed("error", f"the server sent what it should not: {error}", error.code)
        return None

    def _tired(self, broken: Broken, seconds: float) -> bool:
        """Whether to give up, after so many seconds without a connection."""
        if self._hello is None:
            if seconds < self._settings.patience:
                return False
            self._protocol.end = Closed("refused", broken.reason or f"closed with {broken.code}", broken.status)
        elif self._settings.give_up is not None and seconds >= self._settings.give_up:
            self._protocol.end = Closed("refused", f"no connection for {seconds:.0f} s: {broken.reason}")
        return self.end is not None

    async def _connect_once(self) -> None:
        """One connection, from its making to its end. Raises Refused, Broken, ProtocolError."""
        self._protocol.connecting()
        socket = await Socket.open(
            self._address,
            self._query(),
            tls=self._settings.tls,
            timeout=self._settings.open_timeout,
            heartbeat=self._settings.heartbeat,
        )
        sending = asyncio.create_task(self._send(socket))
        try:
            async with asyncio.timeout(FIRST_HELLO_SECONDS) as patience:
                while True:
                    frame = await socket.receive()
                    patience.reschedule(None)
                    for happening in self._protocol.receive(frame):
                        self._take(happening)
                    self._to_send.set()
                    self._changed.beat()
                    if self.end is not None:
                        return await self._leave(socket)
                    while self._too_much:
                        await self._output.changed.wait()
        except TimeoutError:
            raise Broken(CloseCode.ABNORMAL, "the session did not say hello") from None
        except asyncio.CancelledError:
            await self._leave(socket)
            raise
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await socket.cut()

    async def _leave(self, socket: Socket) -> None:
        """Say goodbye, so that the session need not find out by itself."""
        with suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(1.0):
                await socket.leave()

    @property
    def _too_much(self) -> bool:
        """Whether so much waits for a reader that no more may come: several connections may bring a window each."""
        return self._output.lag > self._settings.hold + self._protocol.window

    def _query(self) -> str:
        size = self._own_size or DEFAULT_SIZE
        protocol = self._protocol
        request = replace(
            self._request,
            rows=size.rows if self._own_size else 0,
            cols=size.cols if self._own_size else 0,
            epoch=protocol.epoch,
            offset=protocol.offset if protocol.epoch is not None else None,
        )
        if protocol.epoch is not None:
            request = replace(request, command="")
        return build_query(request)

    def _take(self, happening: object) -> None:
        """What a frame told."""
        match happening:
            case OutputCame(data=data):
                self._output.add(data)
                self._deal_with()
            case Drawn(picture=picture, offset=offset, missed=missed):
                self._output.draw(picture, offset)
                if missed is not None:
                    self._resyncs += 1
                    self._happened(Resynced(missed))
            case SizeChanged(rows=rows, cols=cols):
                size = Size(rows, cols)
                if size != self._output.log.size:
                    self._output.resize(size)
                    self._happened(Resized(size))
            case Viewers(count=count):
                self._viewers = count
                self._happened(Watched(count))
            case Greeted(hello=hello, resumed=resumed):
                self._greeted(hello, resumed)

    def _greeted(self, hello: Hello, resumed: bool) -> None:
        self._hello = hello
        self._connected = True
        self._connections += 1
        self._output.allow(self._protocol.window)
        self._happened(Connected(hello.session, hello.epoch, hello.backend, hello.readonly, resumed))

    def _deal_with(self) -> None:
        """See to it that what has been dealt with is acknowledged, soon."""
        offset = self._output.dealt_with
        if offset is None:
            return
        self._protocol.processed(offset)
        if self._protocol.unacknowledged and self._ack_timer is None:
            self._ack_timer = asyncio.get_running_loop().call_later(ACK_SECONDS, self._acknowledge)

    def _read_on(self) -> None:
        """A reader has moved."""
        self._deal_with()
        if self._protocol.unacknowledged >= self._protocol.window // 4:
            self._to_send.set()

    def _acknowledge(self) -> None:
        self._ack_timer = None
        self._ack_is_due = True
        self._to_send.set()

    async def _send(self, socket: Socket) -> None:
        try:
            while True:
                self._to_send.clear()
                self._deal_with()
                idle, self._ack_is_due = self._ack_is_due, False
                for frame in self._protocol.frames(idle=idle):
                    await socket.send(frame)
                await self._to_send.wait()
        except Broken:
            pass  # whoever receives finds out, too


def connect(
    url: str | None = None,
    *,
    session: str | None = None,
    token: str | None = None,
    rows: int = DEFAULT_SIZE.rows,
    cols: int = DEFAULT_SIZE.cols,
    command: str = "",
    readonly: bool = False,
    attach_only: bool = False,
    backend: str = "",
    client: str | None = None,
    settings: Settings | None = None,
) -> Terminal:
    """A terminal on a session of a server, to be entered: `async with connect(...) as terminal`.

    `url` is a server's address or the link it printed; without one $RECONNECTINGPTY_URL counts, else the server that
    runs here. The session is started if there is none, unless `attach_only`; without a `session` it is the link's or a
    new one. `command` is what a new session runs, where the server allows that. `rows` or `cols` 0: this client has no
    size of its own to offer. `client` names this client over all its connections, by default at random.

    Raises AddressError.
    """
    address = Address.of(url, token)
    request = AttachRequest(
        session=session or address.session or secrets.token_urlsafe(18).lstrip("-_"),
        rows=rows,
        cols=cols,
        client=client or secrets.token_hex(8),
        readonly=readonly,
        attach_only=attach_only,
        command=command,
        backend_type=backend,
    )
    return Terminal(address, request, settings or Settings())
