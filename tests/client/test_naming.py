"""Whence a new session has its id."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reconnectingpty.client.address import Address
from reconnectingpty.client.naming import MOST, new_session
from reconnectingpty.wire.address import NAME

from ..support.serving import TOKEN, serving


async def named(address: Address) -> str:
    return await new_session(address, tls=None, timeout=20)


async def test_a_node_gives_the_id_over_tcp_and_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with serving(node="a") as over_tcp, serving(node="b", listen=[f"unix:{path}"]):
        host, port, _ = over_tcp.address
        assert (await named(Address(host, port, token=TOKEN))).startswith("a.")
        assert (await named(Address(host, port, prefix="/node/a"))).startswith("a.")
        assert (await named(Address("localhost", 0, path=path))).startswith("b.")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 18\r\n\r\n" + b'{"session": "no"} ',
        b'HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{"session": "half',
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (MOST + 1) + b'{"session": "' + b"x" * MOST,
        b"x" * (1 << 17),
    ],
)
async def test_where_a_server_gives_none_the_id_is_a_random_one(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    async with server:
        first, second = await named(address), await named(address)
    assert NAME.fullmatch(first)
    assert first not in (second, "no")
    assert len(first) > 16
    assert NAME.fullmatch(await named(address))  # and where there is no server
