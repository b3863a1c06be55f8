"""What a peer may do with an HTTP connection: pipeline, hang back, send too much, go away. Nobody else notices."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from reconnectingpty_server.exchange import Request, Response
from reconnectingpty_server.http import MAX_BODY, HttpConnection
from reconnectingpty_server.reserve import Reserve
from reconnectingpty_server.sockets import KEEPALIVE
from reconnectingpty_server.values import Address, ConfigError

from ..support.serving import TOKEN, serving

HEAD = f"Host: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
UPGRADE = (
    f"{HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: reconnectingpty.v1\r\n\r\n"
)
SAID = json.dumps({"type": "ping", "id": 7}).encode()
PING = bytes([0x81, 0x80 | len(SAID)]) + bytes(4) + SAID


async def test_an_upgrade_behind_another_request_and_frames_behind_the_upgrade() -> None:
    async with serving() as s:
        reader, writer = await asyncio.open_connection(s.address.host, s.address.port)
        first, second = "GET /healthz HTTP/1.1", "GET /pty?reconnect=a&command=cat HTTP/1.1"
        writer.write(f"{first}\r\n{HEAD}\r\n{second}\r\n{UPGRADE}".encode() + PING)
        async with asyncio.timeout(20):
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"HTTP/1.1 101 Switching Protocols\r\n")
            await reader.readuntil(b'"type":"hello"')
            await reader.readuntil(b'"type":"pong","id":7')
        writer.close()
        await writer.wait_closed()


class Slow:
    """An application whose answers come when `open` is set."""

    def __init__(self) -> None:
        self.connections: set[HttpConnection] = set()
        self.lingering: set[HttpConnection] = set()
        self.idle: dict[HttpConnection, None] = {}
        self.max_connections = 10
        self.reserve = Reserve(lambda: 0)
        self.asked: list[Request] = []
        self.open = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        await self.open.wait()
        return Response(body=request.path.encode())

    async def upgrade(self, request: Request, connection: HttpConnection) -> Response | None:
        return Response.error(404, "none")


async def test_what_comes_while_an_answer_is_under_way_is_bounded_and_answered_in_its_turn() -> None:
    application = Slow()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpConnection(application, local=True), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    count = 5000
    request = b"GET /%d HTTP/1.1\r\nHost: x\r\nX-Padding: " + b"x" * 2000 + b"\r\n\r\n"

    async def send() -> None:
        for number in range(count):
            writer.write(request % number)
            await writer.drain()

    sending = asyncio.create_task(send())
    async with asyncio.timeout(60):
        while not application.asked:
            await asyncio.sleep(0)
        (connection,) = application.connections
        while connection.transport.is_reading():
            await asyncio.sleep(0.001)
        assert len(application.asked) == 1
        application.open.set()
        most = 0
        for number in range(count):
            most = max(most, len(connection._inbox) + len(connection._http.trailing_data[0]))
            await reader.readuntil(b"/%d" % number)
        assert 0 < most < 1 << 20
        await sending
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_a_body_that_is_too_large_is_answered_before_the_connection_goes() -> None:
    async with serving() as s:
        head = f"POST /api/login HTTP/1.1\r\nHost: {s.address}\r\nContent-Length: {MAX_BODY * 4}\r\n\r\n".encode()
        assert (await s.raw(head + b"x" * MAX_BODY * 4)).startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_asks_first_whether_it_may_send_is_told_to_go_on() -> None:
    async with serving() as s:
        body = json.dumps({"token": "wrong"}).encode()
        head = f"POST /api/login HTTP/1.1\r\nHost: {s.address}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue"
        reader, writer = await asyncio.open_connection(s.address.host, s.address.port)
        writer.write(head.encode() + b"\r\n\r\n")
        async with asyncio.timeout(20):
            await reader.readuntil(b"HTTP/1.1 100 ")
            writer.write(body)
            await reader.readuntil(b"HTTP/1.1 401 ")
        writer.close()
        await writer.wait_closed()


async def test_a_request_for_a_terminal_that_is_no_upgrade_tells_what_an_upgrade_would_meet() -> None:
    async with serving(max_sessions="1", allow_command="false") as s:
        for query, token, status in (
            ("reconnect=a", TOKEN, 426),
            ("reconnect=a&width=x", TOKEN, 400),
            ("reconnect=a&command=id", TOKEN, 400),
            ("reconnect=a", None, 401),
        ):
            got, _, content = await s.request("GET", f"/pty?{query}", token=token)
            assert (got, "message" in json.loads(content)) == (status, True), query
        async with s.connect("reconnect=a"):
            assert (await s.request("GET", "/pty?reconnect=b"))[0] == 503
            assert (await s.request("GET", "/pty?reconnect=b&attach_only=1"))[0] == 426
            assert (await s.request("GET", "/pty?reconnect=a"))[0] == 426


async def test_a_peer_that_vanishes_will_be_noticed() -> None:
    async with serving() as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        for port in (s.address.port, address.port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            peer = writer.get_extra_info("sockname")
            async with asyncio.timeout(20):
                while (accepted := _connected_to(peer)) is None:
                    await asyncio.sleep(0.001)
            with accepted:
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                for name, value in KEEPALIVE.items():
                    assert accepted.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
            writer.close()
            await writer.wait_closed()


def _connected_to(peer: tuple[str, int]) -> socket.socket | None:
    """This process's own end of a connection to that peer, as a descriptor of its own."""
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if os.readlink(entry).startswith("socket:"):
                found = socket.socket(fileno=os.dup(int(entry.name)))
                with suppress(OSError):
                    if found.getpeername() == peer:
                        return found
                found.close()
    return None


async def test_a_unix_socket_whose_owner_is_too_busy_to_answer_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "busy.sock")
    with socket.socket(socket.AF_UNIX) as owner:
        owner.bind(path)
        owner.listen(0)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        try:
            for client in clients:
                client.setblocking(False)
                with suppress(BlockingIOError):
                    client.connect(path)
            async with serving() as s:
                with pytest.raises(ConfigError, match="another server does"):
                    await s.server.listen(Address("", 0, path))
        finally:
            for client in clients:
                client.close()
        assert Path(path).exists()
