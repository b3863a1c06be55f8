"""How a peer takes its answers: slowly, not at all, after it has ended its own side; and who has to go for another."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from reconnectingpty_server import http
from reconnectingpty_server.exchange import Request, Response

from ..support.attached import PATIENCE
from ..support.authority import Authority
from ..support.serving import Serving, serving

BIG = 12 << 20
"""Bytes of an answer that no kernel takes at once."""
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def with_small_buffers(s: Serving, tls: ssl.SSLContext | None = None) -> Peer:
    """A connection whose kernel takes little that nobody reads."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (s.address.host, s.address.port))
    name = s.address.host if tls else None
    return await asyncio.open_connection(sock=connection, ssl=tls, server_hostname=name)


async def gone(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def big(request: Request) -> Response:
    return Response(body=bytes(BIG))


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("asked", [GET, LAST])
async def test_a_peer_that_takes_an_answer_slowly_gets_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bytes, over_tls: bool
) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.3)
    authority = Authority(tmp_path)
    authority.issue(tmp_path / "server.pem")
    flags = {"tls_cert": str(tmp_path / "server.pem")} if over_tls else {}
    async with serving(**flags) as s:
        monkeypatch.setattr(s.server, "answer", big)
        reader, writer = await with_small_buffers(s, authority.client() if over_tls else None)
        writer.write(asked)
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(BIG >> 19):
                assert len(await reader.readexactly(1 << 19)) == 1 << 19
                await asyncio.sleep(0.06)  # that is how slow it is
            assert await reader.read() == b""
        await gone(writer)


@pytest.mark.parametrize("asked", [GET, LAST, GET * 1000])
async def test_a_peer_that_takes_nothing_is_cut_off_and_little_is_held_for_it(
    monkeypatch: pytest.MonkeyPatch, asked: bytes
) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.3)
    asks: list[Request] = []

    async def answer(request: Request) -> Response:
        asks.append(request)
        return await big(request)

    async with serving() as s:
        monkeypatch.setattr(s.server, "answer", answer)
        _, writer = await with_small_buffers(s)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(asked)
        async with asyncio.timeout(PATIENCE):
            while not asks:
                await asyncio.sleep(0)
            (connection,) = s.server.connections
            while s.server.connections:
                assert connection.transport.get_write_buffer_size() <= http.PIECE + 1000
                await asyncio.sleep(0.01)
        assert len(asks) == 1
        await gone(writer)


async def test_what_was_asked_before_the_peer_ended_its_side_is_all_answered() -> None:
    async with serving() as s:
        assert (await s.raw(GET * 50, end=True)).count(b'{"status": "ok"}') == 50
        assert (await s.raw(GET * 3 + GET[:-4], end=True)).count(b"HTTP/1.1 200 ") == 3


async def test_who_comes_when_all_connections_are_taken_has_the_place_of_the_longest_idle() -> None:
    async with serving() as s:
        s.server.max_connections = 5
        held = [await asyncio.open_connection(s.address.host, s.address.port) for _ in range(5)]
        async with asyncio.timeout(PATIENCE):
            for reader, writer in held:
                writer.write(GET)
                await reader.readuntil(b'{"status": "ok"}\n')
            first, *others = held
            first[1].write(GET)  # it is not idle the longest any more
            await first[0].readuntil(b'{"status": "ok"}\n')
            assert (await s.raw(LAST)).startswith(b"HTTP/1.1 200 ")
            assert await others[0][0].read() == b""
            for reader, writer in (first, *others[1:]):
                writer.write(GET)
                await reader.readuntil(b'{"status": "ok"}\n')
        for _, writer in held:
            await gone(writer)


async def test_nobody_has_to_go_who_waits_for_an_answer_or_has_not_asked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, may = asyncio.Event(), asyncio.Event()

    async def answer(request: Request) -> Response:
        asked.set()
        await may.wait()
        return Response(body=b"in the end")

    async with serving() as s:
        s.server.max_connections = 2
        monkeypatch.setattr(s.server, "answer", answer)
        reader, writer = await asyncio.open_connection(s.address.host, s.address.port)
        writer.write(LAST)
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
            _, silent = await asyncio.open_connection(s.address.host, s.address.port)
            while len(s.server.connections) < 2:
                await asyncio.sleep(0)
            assert (await s.raw(b"")).startswith(b"HTTP/1.1 503 ")
            may.set()
            assert (await reader.read()).endswith(b"in the end")
        await gone(writer)
        await gone(silent)


async def test_an_answer_that_cannot_be_sent_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: Request) -> Response:
        return Response(headers={"x": "two\r\nlines: of it"})

    async with serving() as s:
        monkeypatch.setattr(s.server, "answer", answer)
        with caplog.at_level(logging.ERROR):
            assert await s.raw(GET) == b""
        assert "GET /healthz: its answer can't be sent" in caplog.text


@pytest.mark.parametrize(("target", "status"), [("/a%2fb", 404), ("//[", 400), ("/?" + "a=1&" * 100, 400)])
async def test_a_refused_head_is_answered_without_a_body(target: str, status: int) -> None:
    async with serving() as s:
        answer = await s.raw(f"HEAD {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert int(answer.split()[1]) == status
        assert answer.endswith(b"\r\n\r\n")
