"""HTTP/1.1 on a server's connections, by h11: requests in, answers out, and WebSocket upgrades handed on.

It bounds what a peer may send and how long it may take, and knows no route: the application gives each request an
answer, or takes the connection over.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

import h11

MAX_HEAD = 16 << 10
MAX_BODY = 64 << 10
HEAD_SECONDS = 10.0
IDLE_SECONDS = 60.0
ANSWER_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: header names in lower case, `query` decoded, `local` for a listener on loopback or a Unix socket."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    peer: str
    local: bool

    @property
    def upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    def first(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A value as JSON."""
        return cls(status, json.dumps(value).encode() + b"\n", "application/json", headers or {})

    @classmethod
    def error(
        cls, status: int, message: str, validations: list[dict[str, str]] | None = None, **headers: str
    ) -> Response:
        """What is wrong, in the form of every error here: `message`, and `validations` by field where there are any."""
        body: dict[str, Any] = {"message": message}
        if validations is not None:
            body["validations"] = validations
        return cls.json(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


class Application(Protocol):
    """What stands behind the HTTP connections."""

    connections: set[HttpConnection]
    max_connections: int

    def answer(self, request: Request) -> Awaitable[Response]:
        """The answer to a request."""
        ...

    def upgrade(self, request: Request, connection: HttpConnection, raw: bytes) -> Awaitable[Response | None]:
        """Take the connection over for a WebSocket (`raw` is all that came so far), or refuse with an answer."""
        ...


class HttpConnection(asyncio.Protocol):
    """One connection, until it ends or becomes a WebSocket."""

    __slots__ = (
        "_application",
        "_body",
        "_deadline",
        "_http",
        "_loop",
        "_raw",
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
        self._raw = bytearray()
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has come; too many of them are told so at once."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unix"
        if len(self._application.connections) >= self._application.max_connections:
            body = b'{"message": "this server has as many connections as it takes; try again later"}\n'
            self.transport.write(
                b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            self.transport.close()
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
        if self._task is None and self._request is None:
            self._raw += data
        self._http.receive_data(data)
        self._next_event()

    def eof_received(self) -> bool:
        """The peer will send no more; an answer under way is still given."""
        return self._task is not None

    def forget(self) -> None:
        """Leave the application's count; the deadline goes with it."""
        self._application.connections.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self.transport.abort)

    # -- HTTP

    def _next_event(self) -> None:
        if self._task is not None:
            return
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Request):
                    self._request = event
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > MAX_BODY:
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
            headers[key] = f"{headers[key]}; {text}" if key in headers and key == "cookie" else headers.get(key, text)
        return Request(
            method=event.method.decode("ascii"),
            path=unquote(target.path, errors="replace"),
            query=parse_qs(target.query, keep_blank_values=True, errors="replace", max_num_fields=64),
            headers=headers,
            body=body,
            peer=self.peer,
            local=self.local,
        )

    async def _serve(self, request: Request) -> None:
        response: Response | None
        try:
            if request.upgrade:
                response = await self._application.upgrade(request, self, bytes(self._raw))
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
            self._send(Response.error(status, message), "")
        self.transport.close()

    def _send(self, response: Response, method: str) -> None:
        headers = {
            "content-type": response.content_type,
            "content-length": str(len(response.body)),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        } | {name.lower(): value for name, value in response.headers.items()}
        if self._http.their_state is not h11.DONE:
            headers["connection"] = "close"
        event = h11.Response(
            status_code=response.status,
            headers=list(headers.items()),
            reason=HTTPStatus(response.status).phrase.encode(),
        )
        parts = [self._http.send(event)]
        if method != "HEAD" and response.body:
            parts.append(self._http.send(h11.Data(data=response.body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self.transport.write(b"".join(part for part in parts if part))
        if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is not h11.DONE:
            self.transport.close()
            return
        self._http.start_next_cycle()
        self._request = None
        self._raw.clear()
        self._body.clear()
        self._wait(IDLE_SECONDS)
        self._next_event()
