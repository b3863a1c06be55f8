"""HTTP/1.1 on a server's connections, by h11: requests in, answers out, and WebSocket upgrades handed on.

It bounds what a peer may send and how long it may take, and knows no route: the application gives each request an
answer, or takes the connection over. Whoever is refused is told so before the connection goes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

import h11

from .access.tls import HSTS, certificate_of
from .exchange import Request, Response
from .reserve import Reserve
from .sockets import peer_user

MAX_HEAD = 16 << 10
MAX_BODY = 64 << 10
MAX_PIECES = 4096
"""Of one body: a chunk costs far more than the byte that may be in it."""
HEAD_SECONDS = 10.0
IDLE_SECONDS = 60.0
ANSWER_SECONDS = 30.0
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
        "_application",
        "_body",
        "_deadline",
        "_deaf",
        "_early",
        "_http",
        "_idle",
        "_loop",
        "_pieces",
        "_request",
        "_task",
        "local",
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
        self._early = 0  # bytes that came while an answer was under way
        self._idle = False  # between two requests
        self._deaf = False  # nothing that comes is taken any more
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has come; too many of them are told so at once."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        peer = transport.get_extra_info("peername")
        self.peer = _written(peer) if isinstance(peer, tuple) else "unix"
        depth = self._application.reserve.depth(transport.get_extra_info("socket").fileno())
        if len(self._application.connections) >= self._application.max_connections or depth >= TURN_AWAY:
            self._turn_away(depth)
            return
        self._application.connections.add(self)
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
        if self._task is not None:
            # The next request may come before this one's answer, but it must not grow meanwhile.
            self._early += len(data)
            if self._early > MAX_HEAD:
                self.transport.pause_reading()
        elif self._idle:
            self._idle = False
            self._wait(HEAD_SECONDS)
        self._http.receive_data(data)
        self._next_event()

    def eof_received(self) -> bool:
        """The peer will send no more; an answer under way is still given."""
        self._deaf = True
        return self._task is not None

    def forget(self) -> None:
        """Leave the application's count; the deadline goes with it."""
        self._application.connections.discard(self)
        self._application.lingering.discard(self)
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
        return self._http.trailing_data[0]

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self.transport.abort)

    def _turn_away(self, depth: float) -> None:
        self.transport.write(_TOO_MANY)
        if len(self._application.lingering) >= MAX_LINGERING or depth >= AT_ONCE:
            self.transport.close()
            return
        self._application.lingering.add(self)
        self._hang_up()

    def _hang_up(self) -> None:
        """Say no more, and hear nothing; closed when the peer is, or in a moment."""
        if self._deaf:
            self.transport.close()
            return
        self._deaf = True
        self._wait(LINGER_SECONDS)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    # -- HTTP

    def _next_event(self) -> None:
        if self._task is not None:
            return
        try:
            if self._http.their_state is h11.IDLE:
                _check_lines(self._http.trailing_data[0])
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Request):
                    _check(event)
                    self._request = event
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
                else:
                    return
        except (h11.RemoteProtocolError, ValueError) as error:
            self._refuse(getattr(error, "error_status_hint", 400), f"bad request: {error}")

    def _begin(self, body: bytes) -> None:
        assert self._request is not None
        self._wait(ANSWER_SECONDS)
        self._task = self._loop.create_task(self._serve(self._read(self._request, body)))

    def _read(self, event: h11.Request, body: bytes) -> Request:
        target = urlsplit(event.target.decode("ascii"))
        headers: dict[str, str] = {}
        for name, value in event.headers:
            key, text = name.decode("ascii"), value.decode("latin-1")
            if key not in headers:
                headers[key] = text
            elif key in _JOINED:
                headers[key] += _JOINED[key] + text
        if event.http_version != b"1.1":
            headers.pop("upgrade", None)
        return Request(
            method=event.method.decode("ascii"),
            path=unquote(target.path, errors="replace"),
            query=parse_qs(target.query, keep_blank_values=True, errors="replace", max_num_fields=64),
            headers=headers,
            body=body,
            peer=self.peer,
            local=self.local,
            secure=self.transport.get_extra_info("ssl_object") is not None,
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
        if response is not None and not self.transport.is_closing():
            self._send(response, request.method)

    def _refuse(self, status: int, message: str) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send(Response.error(status, message), "", last=True)
        else:
            self._hang_up()

    def _send(self, response: Response, method: str, *, last: bool = False) -> None:
        headers = (
            {
                "x-content-type-options": "nosniff",
                "referrer-policy": "no-referrer",
                "cache-control": "no-store",
            }
            | self._over_tls()
            | {name.lower(): value for name, value in response.headers.items()}
        )
        if response.status not in BODILESS:
            headers |= {"content-type": response.content_type, "content-length": str(len(response.body))}
        whole = not last and self._http.their_state not in (h11.IDLE, h11.SEND_BODY, h11.ERROR)
        if not whole:
            headers["connection"] = "close"
        event = h11.Response(
            status_code=response.status,
            headers=list(headers.items()),
            reason=HTTPStatus(response.status).phrase.encode(),
        )
        parts = [self._http.send(event)]
        if method != "HEAD" and response.body and response.status not in BODILESS:
            parts.append(self._http.send(h11.Data(data=response.body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self.transport.write(b"".join(part for part in parts if part))
        if not whole:
            self._hang_up()
        elif self._deaf or self._http.our_state is h11.MUST_CLOSE:
            self.transport.close()
        else:
            self._next_request()

    def _over_tls(self) -> dict[str, str]:
        over = self.transport.get_extra_info("ssl_object") is not None
        return {"strict-transport-security": HSTS} if over else {}

    def _next_request(self) -> None:
        self._http.start_next_cycle()
        self._request = None
        self._body.clear()
        self._pieces = 0
        self._early = 0
        self._idle = not self._http.trailing_data[0]
        self._wait(IDLE_SECONDS if self._idle else HEAD_SECONDS)
        self.transport.resume_reading()
        self._next_event()


def _check_lines(data: bytes) -> None:
    """Refuse a head whose lines end without a carriage return, or go on in the next one, where that has come whole.

    Others take the one for a part of a header's value, and the other for a header of its own. Raises ValueError.
    """
    end = _END_OF_HEAD.search(data)
    if end is not None and _DOUBTFUL.search(data, 0, end.end()):
        raise ValueError("a line ends without a carriage return, or is folded")


_END_OF_HEAD = re.compile(rb"\n\r?\n")
_DOUBTFUL = re.compile(rb"(?<!\r)\n|\n[ \t]")


def _check(request: h11.Request) -> None:
    """Refuse what others between a client and this server may read otherwise, and a head that came at once but is too
    long. Raises ValueError, RemoteProtocolError.
    """
    names = {name for name, _ in request.headers}
    length = len(request.method) + len(request.target)
    if length + sum(len(name) + len(value) + 4 for name, value in request.headers) > MAX_HEAD:
        raise h11.RemoteProtocolError("the head is too long", error_status_hint=431)
    if {b"content-length", b"transfer-encoding"} <= names:
        raise ValueError("both Content-Length and Transfer-Encoding")
    if request.http_version not in (b"1.0", b"1.1"):
        raise ValueError("not HTTP/1.1")
    if _HIDDEN.search(request.target.partition(b"?")[0]):
        raise h11.RemoteProtocolError("there is nothing at a path that hides a separator", error_status_hint=404)


_HIDDEN = re.compile(rb"%(?:2f|5c|00)|\\", re.IGNORECASE)


def _written(peer: tuple[str, int]) -> str:
    return f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"


_OF_WEBSOCKET = ("connection", "sec-websocket-", "upgrade")
_JOINED = {"cookie": "; ", "connection": ", "}
"""Headers that may come in several lines, and what stands between their values; of others the first line counts."""


def _too_many() -> bytes:
    body = Response.error(503, "this server has as many connections as it takes; try again later").body
    head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5"
    return f"{head}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


_TOO_MANY = _too_many()
