"""A real server on loopback, in the test's own loop, and clients of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from reconnectingpty_server.config import load
from reconnectingpty_server.server import Server
from reconnectingpty_server.values import Address

TOKEN = "a-token-of-tests"


class Remote:
    """Something that listens and speaks HTTP."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @property
    def http(self) -> str:
        return f"http://{self.address}"

    async def raw(self, data: bytes, *, end: bool = False, tls: SSLContext | None = None) -> bytes:
        """Everything that a connection which says `data` is answered, until the server closes it."""
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port, ssl=tls)
        try:
            writer.write(data)
            if end:
                writer.write_eof()
            async with asyncio.timeout(20):
                return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        token: str | None = TOKEN,
        tls: SSLContext | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], bytes]:
        """A request's status, headers and body."""
        lines = [f"{method} {path} HTTP/1.1", "Connection: close", f"Content-Length: {len(body)}"]
        if "Host" not in headers:
            lines.append(f"Host: {self.address}")
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        answer = await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body, tls=tls)
        head, _, content = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        return int(first.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in rest)}, content

    async def json(self, path: str) -> Any:
        """The JSON of a GET."""
        return json.loads((await self.request("GET", path))[2])

    def connect(
        self,
        query: str,
        *,
        v1: bool = True,
        token: str | None = TOKEN,
        path: str = "/pty",
        tls: SSLContext | None = None,
        **more: Any,
    ) -> connect:
        """A WebSocket to a terminal."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return connect(
            f"{'wss' if tls else 'ws'}://{self.address}{path}?{query}",
            subprotocols=["reconnectingpty.v1"] if v1 else None,  # type: ignore[list-item]
            additional_headers=headers | more.pop("headers", {}),
            proxy=None,
            compression=None,
            max_size=None,
            open_timeout=more.pop("open_timeout", 60),
            ssl=tls,
            **more,
        )


class Serving(Remote):
    """A server that listens."""

    def __init__(self, server: Server, address: Address) -> None:
        super().__init__(address)
        self.server = server


@asynccontextmanager
async def serving(**flags: Any) -> AsyncIterator[Serving]:
    """A server with these settings, on a free port."""
    settings = {"listen": ["127.0.0.1:0"], "allow_command": "true", "backend": "buffered"} | flags
    if "no_auth" not in settings and "token_file" not in settings:
        settings["token"] = TOKEN
    config = load(settings, {})
    server = Server(config)
    address = await server.listen(config.listen[0])
    try:
        yield Serving(server, address)
    finally:
        await server.close(2.0)


class Told:
    """What a v1 client was told: `messages`, `output`, and how the connection ended."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self.output = b""
        self.close: tuple[int, str] | None = None

    async def next(self) -> None:
        """Take one more frame; at the end `close` is set."""
        try:
            async with asyncio.timeout(20):
                frame = await self.socket.recv()
        except ConnectionClosed as error:
            self.close = (error.rcvd.code, error.rcvd.reason) if error.rcvd is not None else (1006, "")
            return
        if isinstance(frame, bytes):
            self.output += frame
        else:
            self.messages.append(json.loads(frame))

    async def until(self, text: bytes) -> bytes:
        """Wait for output."""
        while text not in self.output and self.close is None:
            await self.next()
        assert text in self.output, (self.output[-500:], self.close)
        return self.output

    async def until_told(self, kind: str) -> dict[str, Any]:
        """Wait for a control message; the newest of its kind."""
        while not self.told(kind) and self.close is None:
            await self.next()
        assert self.told(kind), (kind, self.close)
        return self.told(kind)[-1]

    async def to_the_end(self) -> tuple[int, str]:
        """Wait until the connection is closed."""
        while self.close is None:
            await self.next()
        return self.close

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The control messages of a kind."""
        return [message for message in self.messages if message["type"] == kind]

    async def say(self, **message: Any) -> None:
        """Send a control message."""
        await self.socket.send(json.dumps(message))
