"""The link of a terminal to its session: one connection after the other, for as long as it makes sense to come back.

Owns one task, which is awaited by `aclose`. What happens is decided by `protocol`, what comes is kept by `output`;
this moves the frames, waits between the attempts, and tells its terminal of each event. Nothing in here grows
without bound.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..errors import ProtocolError
from ..size import DEFAULT_SIZE, Size
from ..wire.address import AttachRequest, build_query
from ..wire.close import CloseCode
from ..wire.messages import Hello, Pong, SizeChanged, Viewers
from .address import Address
from .backoff import Backoff
from .events import Closed, Connected, Down, Event, Resized, Resynced, Watched
from .naming import new_session
from .output import Output
from .protocol import Drawn, Greeted, Protocol
from .protocol import Output as OutputCame
from .pulse import Pulse
from .socket import Broken, Refused, Socket

ACK_SECONDS = 0.05
"""When no more output comes, the last of it is acknowledged, too."""
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
    scrollback: int | None = 2000
    """Lines above the screen that can be looked at; None: nothing is drawn here, which leaves `screen`, `wait_for` and
    the like to others."""


class Link:
    """What a terminal stands on. `happened` is called with each event, `came` with output before it can be read."""

    def __init__(
        self,
        address: Address,
        request: AttachRequest,
        settings: Settings,
        happened: Callable[[Event], None],
        came: Callable[[bytes], None],
    ) -> None:
        self.request = request
        self.settings = settings
        self.protocol = Protocol()
        self.output = Output(settings.hold, self._read_on)
        self.changed = Pulse()
        """Beats whenever anything here has changed."""
        self.hello: Hello | None = None
        self.connected = False
        self.connections = 0
        self.caught_up = False
        """Whether the session has answered over this connection, which it does after what it was sending."""
        self.resyncs = 0
        self.viewers = 0
        self.own_size = Size.bounded(request.rows, request.cols)
        self._address = address
        self._attempts = 0
        self._tell = happened
        self._came = came
        self._to_send = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._ack_timer: asyncio.TimerHandle | None = None
        self._ack_is_due = False

    @property
    def over(self) -> bool:
        """Whether nothing will come or go any more."""
        return self.protocol.end is not None or self.output.done

    def start(self) -> None:
        """Begin to connect. To be done once."""
        if self._life is not None:
            raise RuntimeError("a terminal is opened once")
        self._life = asyncio.create_task(self._live(), name=f"terminal {self.request.session}")

    async def aclose(self) -> None:
        """Leave the session."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait((self._life,))
            if not self._life.cancelled():
                self._life.result()  # raises what went wrong in here, or in a callback

    def send_soon(self) -> None:
        """The protocol has something to send."""
        self._to_send.set()

    def resize(self, size: Size) -> None:
        """Tell of this client's own size, now and over the connections to come."""
        if size != self.own_size:
            self.own_size = size
            self.protocol.resize(size)
            self._to_send.set()

    def _happened(self, event: Event) -> None:
        self._tell(event)
        self.changed.beat()

    async def _live(self) -> None:
        try:
            if not self.request.session:
                settings = self.settings
                session = await new_session(self._address, tls=settings.tls, timeout=settings.open_timeout)
                self.request = replace(self.request, session=session)
            await self._stay_connected()
        finally:
            self.connected = False
            if self._ack_timer is not None:
                self._ack_timer.cancel()
            self.output.finish()
            self.changed.beat()

    async def _stay_connected(self) -> None:
        """One connection after the other, until the session is over or there is no way to it."""
        loop = asyncio.get_running_loop()
        attempt, down = 0, loop.time()
        while self.protocol.end is None:
            connections, began = self.connections, loop.time()
            broken = await self._attempt()
            if broken is None:
                break
            now = loop.time()
            if self.connections > connections:
                self.connected, down = False, now
                attempt = 0 if now - began >= self.settings.backoff.steady else attempt
            if self._tired(broken, now - down):
                break
            attempt += 1
            seconds = self.settings.backoff.wait(attempt, random.random)
            self._happened(Down(broken.code, broken.reason, seconds, attempt))
            await asyncio.sleep(seconds)
        assert self.protocol.end is not None
        self._happened(self.protocol.end)

    async def _attempt(self) -> Broken | None:
        """One connection; what ended it, where it makes sense to come back, else None."""
        protocol = self.protocol
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
        if self.hello is None:
            if seconds < self.settings.patience:
                return False
            self.protocol.end = Closed("refused", broken.reason or f"closed with {broken.code}", broken.status)
        elif self.settings.give_up is not None and seconds >= self.settings.give_up:
            self.protocol.end = Closed("refused", f"no connection for {seconds:.0f} s: {broken.reason}")
        return self.protocol.end is not None

    async def _connect_once(self) -> None:
        """One connection, from its making to its end. Raises Refused, Broken, ProtocolError."""
        self.protocol.connecting()
        socket = await Socket.open(
            self._address,
            self._query(),
            tls=self.settings.tls,
            timeout=self.settings.open_timeout,
            heartbeat=self.settings.heartbeat,
        )
        sending = asyncio.create_task(self._send(socket))
        try:
            async with asyncio.timeout(FIRST_HELLO_SECONDS) as patience:
                while True:
                    frame = await socket.receive()
                    patience.reschedule(None)
                    for happening in self.protocol.receive(frame):
                        self._take(happening)
                    self._to_send.set()
                    self.changed.beat()
                    if self.protocol.end is not None:
                        return await self._leave(socket)
                    await self.output.follow()
                    while self._too_much:
                        await self.output.changed.wait()
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
        return self.output.lag > self.settings.hold + self.protocol.window

    def _query(self) -> str:
        # By the clock, since another process may have had this client's name before.
        self._attempts = max(self._attempts + 1, time.time_ns() // 1_000_000)
        size = self.own_size or DEFAULT_SIZE
        protocol = self.protocol
        request = replace(
            self.request,
            rows=size.rows if self.own_size else 0,
            cols=size.cols if self.own_size else 0,
            epoch=protocol.epoch,
            offset=protocol.offset if protocol.epoch is not None else None,
            attempt=self._attempts,
        )
        if protocol.epoch is not None:
            request = replace(request, command="")
        return build_query(request)

    def _take(self, happening: object) -> None:
        """What a frame told."""
        match happening:
            case OutputCame(data=data):
                self._came(data)
                self.output.add(data)
                self._deal_with()
            case Drawn(picture=picture, offset=offset, missed=missed):
                self.output.draw(picture, offset)
                if missed is not None:
                    self.resyncs += 1
                    self._happened(Resynced(missed))
            case SizeChanged(rows=rows, cols=cols):
                size = Size(rows, cols)
                if size != self.output.log.size:
                    self.output.resize(size)
                    self._happened(Resized(size))
            case Viewers(count=count):
                self.viewers = count
                self._happened(Watched(count))
            case Pong(id=id):
                self.caught_up = id == self.connections
            case Greeted(hello=hello, resumed=resumed):
                self._greeted(hello, resumed)

    def _greeted(self, hello: Hello, resumed: bool) -> None:
        self.hello = hello
        self.connected = True
        self.connections += 1
        self.caught_up = False
        self.protocol.ping(self.connections)
        self.output.allow(self.protocol.window)
        self._happened(Connected(hello.session, hello.epoch, hello.backend, hello.readonly, resumed))

    def _deal_with(self) -> None:
        """See to it that what has been dealt with is acknowledged, soon."""
        offset = self.output.dealt_with
        if offset is None:
            return
        self.protocol.processed(offset)
        if self.protocol.unacknowledged and self._ack_timer is None:
            self._ack_timer = asyncio.get_running_loop().call_later(ACK_SECONDS, self._acknowledge)

    def _read_on(self) -> None:
        """A reader has moved."""
        self._deal_with()
        if self.protocol.unacknowledged >= self.protocol.window // 4:
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
                for frame in self.protocol.frames(idle=idle):
                    await socket.send(frame)
                await self._to_send.wait()
        except Broken:
            pass  # whoever receives finds out, too
