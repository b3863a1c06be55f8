"""HTTP/1.1 on a server's connections, by h11: requests in, answers out, and WebSocket upgrades handed on.

It bounds what a peer may send and how long it may take, and knows no route: the application gives each request an
answer, or takes the connection over. Whoever is refused is told so before the connection goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, unquote

import h11

from .access.tls import HSTS, certificate_of
from .exchange import Request, Response
from .heads import MAX_HEAD, check, check_lines, headers_of, path_and_query
from .peers import peer_name
from .reserve import Reserve
from .sockets import delivery, peer_user

MAX_BODY = 64 << 10
MAX_PIECES = 4096
"""Of one body: a chunk costs far more than the byte that may be in it."""
HEAD_SECONDS = 10.0
IDLE_SECONDS = 60.0
ANSWER_SECONDS = 30.0
"""How long an answer may take; and then, how long a peer may take nothing of it."""
PIECE = 32 << 10
"""How much of an answer a connection holds beyond what its peer has taken."""
LINGER_SECONDS = 2.0
"""How long a peer that was refused may take to read why: closing while it still sends would take that from it."""
MAX_LINGERING = 512
TURN_AWAY, AT_ONCE = 0.5, 0.75
"""How deep in the server's reserve of descriptors a connection is turned away, and where it can't linger either."""
BODILESS = (204, 304)

log = logging.getLogger(__name__)


class Application(Protocol):
    """What stands behind the HTTP connections."""

    connections: set[HttpConnection]
    max_connections: int
    idle: dict[HttpConnection, None]
    """Those of `connections` that are between two requests, the longest first. Who needs room has theirs."""
    lingering: set[HttpConnection]
    """Those that were one too many, while they are told so; not among `connections`."""
    reserve: Reserve

    def answer(self, request: Request) -> Awaitable[Response]:
        """The answer to a request."""
        ...

    def upgrade(self, request: Request, connection: HttpConnection) -> Awaitable[Response | None]:
        """Take the connection over for a WebSocket (see `hand_over`), or refuse with an answer."""
        ...


class HttpConnection(asyncio.Protocol):
    """One connection, until it ends or becomes a WebSocket."""

    __slots__ = (
        "_after",
        "_application",
        "_body",
        "_deadline",
        "_deaf",
        "_ended",
        "_http",
        "_inbox",
        "_loop",
        "_pieces",
        "_request",
        "_rest",
        "_task",
        "local",
        "paused",
        "peer",
        "transport",
    )

    def __init__(self, application: Application, *, local: bool) -> None:
        self._application = application
        self._loop = asyncio.get_running_loop()
        self.local = local
        self.peer = ""
        self.transport: asyncio.Transport
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._pieces = 0  # that the body came in
        self._inbox = bytearray()  # what h11 has not been given
        self._rest = memoryview(b"")  # of an answer, that the transport has not been given
        self._after: Callable[[], None] | None = None  # what is done when it has been given all
        self.paused = False  # the transport holds something that the peer has not taken
        self._ended = False  # the peer will send no more
        self._deaf = False  # nothing that comes is taken any more
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has come; too many of them are told so at once."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        # To be told of all that the peer does not take at once; above 0, which a TLS transport would take for always.
        self.transport.set_write_buffer_limits(high=1, low=0)
        self.peer = peer_name(transport.get_extra_info("peername"))
        application = self._application
        depth = application.reserve.depth(transport.get_extra_info("socket").fileno())
        if len(application.connections) >= application.max_connections or depth >= TURN_AWAY:
            oldest = next(iter(application.idle), None)
            if oldest is not None:
                oldest.forget()
                oldest.transport.abort()
            if oldest is None or depth >= AT_ONCE:
                self._turn_away(depth)
                return
        application.connections.add(self)
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone."""
        self.forget()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        if self._deaf:
            return
        self._inbox += data
        if not self._busy:
            if self in self._application.idle:
                del self._application.idle[self]
                self._wait(HEAD_SECONDS)
            self._next_event()
        self._read_on()

    def eof_received(self) -> bool:
        """The peer will send no more; what it has asked for before is still answered, but over TLS."""
        self._ended = True
        return self._busy and not self._over_tls

    def pause_writing(self) -> None:
        """The peer does not take what it is sent: no more for now, and no other request."""
        self.paused = True

    def resume_writing(self) -> None:
        """The peer has taken all."""
        self.paused = False
        self._loop.call_soon(self._go_on)  # asyncio's transport must not be closed from within here

    def forget(self) -> None:
        """Leave the application's count; the deadline goes with it."""
        self._application.connections.discard(self)
        self._application.lingering.discard(self)
        self._application.idle.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def upgrade_headers(self) -> list[tuple[str, str]]:
        """The headers of the request under way that concern a WebSocket's handshake."""
        assert self._request is not None
        found = [(name.decode("ascii"), value.decode("latin-1")) for name, value in self._request.headers]
        return [(name, value) for name, value in found if name.startswith(_OF_WEBSOCKET)]

    def hand_over(self) -> bytes:
        """Leave the connection to another protocol; what came behind the request."""
        self.forget()
        self.transport.resume_reading()
        return self._http.trailing_data[0] + self._inbox

    @property
    def _busy(self) -> bool:
        return self._task is not None or self._after is not None

    @property
    def _over_tls(self) -> bool:
        return self.transport.get_extra_info("ssl_object") is not None

    def _read_on(self) -> None:
        # The next requests may come before this one's answer is taken, but they must not grow meanwhile.
        if len(self._inbox) > MAX_HEAD:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # -- time

    def _wait(self, seconds: float) -> None:
        self._at(seconds, self.transport.abort)

    def _wait_while_it_takes(self, seconds: float) -> None:
        """Cut the peer off when that time is over; one that still takes what it was sent has it again."""
        self._at(seconds, self._look, seconds, self._delivery())

    def _look(self, seconds: float, before: tuple[int, int]) -> None:
        taken, waiting = self._delivery()
        if waiting and (taken, waiting) != before:
            self._wait_while_it_takes(seconds)
        else:
            self.transport.abort()

    def _delivery(self) -> tuple[int, int]:
        taken, waiting = delivery(self.transport.get_extra_info("socket"))
        return taken, waiting + self.transport.get_write_buffer_size() + len(self._rest)

    def _at(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, what, *arguments)

    # -- the end

    def _turn_away(self, depth: float) -> None:
        self.transport.write(_TOO_MANY)
        if len(self._application.lingering) >= MAX_LINGERING or depth >= AT_ONCE:
            self.transport.abort()  # what the kernel has taken goes out all the same
            return
        self._application.lingering.add(self)
        self._hang_up()

    def _hang_up(self) -> None:
        """Say no more, and hear nothing; closed when the peer is, or in a moment."""
        self._deaf = True
        self._inbox.clear()
        self._wait(LINGER_SECONDS)
        if self.transport.can_write_eof() and not self._ended:
            self.transport.write_eof()
        else:
            self.transport.close()

    def _close(self) -> None:
        self._wait_while_it_takes(ANSWER_SECONDS)
        self.transport.close()

    # -- HTTP

    def _next_event(self) -> None:
        try:
            while True:
                if self._http.their_state is h11.IDLE:
                    check_lines(self._http.trailing_data[0])
                event = self._http.next_event()
                if isinstance(event, h11.Request):
                    self._request = event
                    check(event)
                    if self._http.they_are_waiting_for_100_continue:
                        self.transport.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    self._pieces += 1
                    if len(self._body) > MAX_BODY or self._pieces > MAX_PIECES:
                        self._refuse(413, f"a request's body may have at most {MAX_BODY} bytes")
                        return
                elif isinstance(event, h11.EndOfMessage):
                    self._begin(bytes(self._body))
                    return
                elif self._inbox:
                    # A little at a time: h11 looks through all that it has for each request.
                    self._http.receive_data(bytes(self._inbox[:MAX_HEAD]))
                    del self._inbox[:MAX_HEAD]
                else:
                    return
        except (h11.RemoteProtocolError, ValueError) as error:
            self._refuse(getattr(error, "error_status_hint", 400), f"bad request: {error}")

    def _begin(self, body: bytes) -> None:
        assert self._request is not None
        self._wait(ANSWER_SECONDS)
        self._task = self._loop.create_task(self._serve(self._read(self._request, body)))

    def _read(self, event: h11.Request, body: bytes) -> Request:
        path, query = path_and_query(event)
        return Request(
            method=event.method.decode("ascii"),
            path=unquote(path, errors="replace"),
            query=parse_qs(query, keep_blank_values=True, errors="replace", max_num_fields=64),
            headers=headers_of(event),
            body=body,
            peer=self.peer,
            local=self.local,
            secure=self._over_tls,
            certificate=certificate_of(self.transport.get_extra_info("ssl_object")),
            uid=peer_user(self.transport.get_extra_info("socket")) if self.peer == "unix" else None,
        )

    async def _serve(self, request: Request) -> None:
        response: Response | None
        try:
            if request.upgrade:
                response = await self._application.upgrade(request, self)
            else:
                response = await self._application.answer(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = Response.error(500, "internal error; the server's log says more")
        self._task = None
        if response is None or self.transport.is_closing():
            return
        try:
            self._send(response)
        except Exception:
            log.exception("%s %s: its answer can't be sent", request.method, request.path)
            self.transport.abort()

    def _refuse(self, status: int, message: str) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send(Response.error(status, message), last=True)
        else:
            self._hang_up()

    def _send(self, response: Response, *, last: bool = False) -> None:
        headers = (
            {
                "x-content-type-options": "nosniff",
                "referrer-policy": "no-referrer",
                "cache-control": "no-store",
            }
            | ({"strict-transport-security": HSTS} if self._over_tls else {})
            | {name.lower(): value for name, value in response.headers.items()}
        )
        if response.status not in BODILESS:
            headers |= {"content-type": response.content_type, "content-length": str(len(response.body))}
        whole = not last and self._http.their_state not in (h11.IDLE, h11.SEND_BODY, h11.ERROR)
        if not whole:
            headers["connection"] = "close"
        head = self._http.send(
            h11.Response(
                status_code=response.status,
                headers=list(headers.items()),
                reason=HTTPStatus(response.status).phrase.encode(),
            )
        )
        to_head = self._request is not None and self._request.method == b"HEAD"
        body = b"" if to_head or response.status in BODILESS else response.body
        if body:
            self._http.send(h11.Data(data=body))
        self._http.send(h11.EndOfMessage())
        if not whole:
            self._after = self._hang_up
        elif self._http.our_state is h11.MUST_CLOSE:
            self._after = self._close
        else:
            self._after = self._next_request
        self._rest = memoryview(body)[PIECE:]
        self.transport.write((head or b"") + body[:PIECE])
        self._go_on()
        if self._after is not None and not self.transport.is_closing():
            self._wait_while_it_takes(ANSWER_SECONDS)

    def _go_on(self) -> None:
        """Send more of the answer as the peer takes it. When all is sent, on to what comes then."""
        while self._rest and not self.paused and not self.transport.is_closing():
            piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
            self.transport.write(piece)
        if self._after is not None and not self.paused and not self.transport.is_closing():
            after, self._after = self._after, None
            self._rest = memoryview(b"")
            after()

    def _next_request(self) -> None:
        self._http.start_next_cycle()
        self._request = None
        self._body.clear()
        self._pieces = 0
        self._next_event()
        self._read_on()
        if self._busy or self._deaf:
            return
        if self._ended:
            self._close()
        elif self._http.their_state is h11.IDLE and not self._http.trailing_data[0]:
            self._application.idle[self] = None
            self._wait_while_it_takes(IDLE_SECONDS)
        else:
            self._wait(HEAD_SECONDS)


_OF_WEBSOCKET = ("connection", "sec-websocket-", "upgrade")


def _too_many() -> bytes:
    body = Response.error(503, "this server has as many connections as it takes; try again later").body
    head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5"
    return f"{head}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


_TOO_MANY = _too_many()
