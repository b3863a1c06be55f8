"""Coder's agent stream on plain sockets."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest

from reconnectingpty.wire.coder import Init, encode_init, encode_request
from reconnectingpty_server.values import Address

from ..support.serving import serving


def init(command: str = "cat") -> bytes:
    return encode_init(Init("00000000-0000-4000-8000-000000000001", 24, 80, command, "", "", ""))


async def answered(address: Address, pieces: list[bytes], until: bytes) -> bytes:
    """What comes on a connection that says these pieces, up to a text."""
    if address.path:
        reader, writer = await asyncio.open_unix_connection(address.path)
    else:
        reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(20):
            return await (reader.readuntil(until) if until else reader.read())
    finally:
        writer.close()


async def test_an_init_that_comes_byte_by_byte_and_requests_in_any_pieces() -> None:
    async with serving() as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        whole = init() + encode_request("hello\r")
        await answered(address, [bytes([byte]) for byte in whole], b"hello\r\nhello\r\n")


async def test_it_works_on_a_unix_socket_of_the_user_alone(tmp_path: Path) -> None:
    async with serving() as s:
        path = tmp_path / "agent.sock"
        address = await s.server.listen_agent(Address("", 0, str(path)))
        assert path.stat().st_mode & 0o777 == 0o600
        await answered(address, [init("echo hello; exit"), b""], b"")
    assert not path.exists()


@pytest.mark.parametrize(
    "bad",
    [
        b"\x05\x00nope!",
        b"\x02\x00[]",
        b"\x10",
        (lambda body: len(body).to_bytes(2, "little") + body)(
            json.dumps({"ID": "../x", "Command": "secret-x"}).encode()
        ),
    ],
)
async def test_a_bad_init_is_closed_and_not_logged(bad: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving() as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(bad)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert "secret-x" not in caplog.text


async def test_a_request_of_a_hundred_mebibytes_is_cut_off() -> None:
    async with serving() as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(init() + b'{"data":"')
        sent = 0
        with pytest.raises(ConnectionError):
            for _ in range(1600):
                writer.write(b"x" * 65536)
                sent += 65536
                await writer.drain()
        assert sent < 50 << 20
        writer.close()


async def test_clients_that_are_refused_leave_nothing_behind_that_others_would_wait_for() -> None:
    async with serving(max_sessions="1") as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        await answered(address, [init("echo ready; exec cat")], b"ready")
        for number in range(3):
            other = Init(f"00000000-0000-4000-8000-00000000010{number}", 24, 80, "cat", "", "", "")
            assert await answered(address, [encode_init(other)], b"") == b""
        # Descriptors are kept back for each command that is expected to start.
        assert s.server.sessions.expected == set()


@pytest.mark.parametrize("field", ["container", "container_user", "backend_type"])
async def test_what_it_cannot_do_is_refused_and_no_shell_of_the_host_is_given(field: str) -> None:
    async with serving() as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        asked = encode_init(Init("00000000-0000-4000-8000-000000000001", 24, 80, "echo host", **{field: "nowhere"}))
        assert await answered(address, [asked], b"") == b""
        assert not list(s.server.sessions)
