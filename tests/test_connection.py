"""The connection whose other end is the program itself."""

from __future__ import annotations

import asyncio

import pytest

from reconnectingpty import Connection, Disconnected, MemoryConnection
from reconnectingpty.wire.messages import Ping, Pong


async def test_what_is_said_is_received_in_order() -> None:
    connection: Connection = MemoryConnection("me")
    assert isinstance(connection, MemoryConnection)
    for message in (b"a", Ping(1), b"b"):
        connection.feed(message)
    assert [await connection.receive() for _ in range(3)] == [b"a", Ping(1), b"b"]
    assert connection.name == "me"


async def test_what_is_sent_is_kept_in_order_and_bytes_are_its_output() -> None:
    connection = MemoryConnection()
    for message in (b"a", Pong(1), b"b"):
        await connection.send(message)
    assert list(connection.sent) == [b"a", Pong(1), b"b"]
    assert connection.output == b"ab"
    assert connection.changed.is_set()


async def test_who_leaves_is_heard_to_the_end_and_gets_nothing_more() -> None:
    connection = MemoryConnection()
    connection.feed(b"last words")
    connection.leave()
    assert await connection.receive() == b"last words"
    for _ in range(2):
        with pytest.raises(Disconnected):
            await connection.receive()
    with pytest.raises(Disconnected):
        await connection.send(b"too late")
    assert connection.output == b""


async def test_a_close_ends_a_pending_and_every_later_call() -> None:
    connection = MemoryConnection()
    pending = asyncio.create_task(connection.receive())
    await asyncio.sleep(0)
    connection.close()
    connection.close()
    with pytest.raises(Disconnected):
        await pending
    connection.feed(b"too late")
    with pytest.raises(Disconnected):
        await connection.receive()
    with pytest.raises(Disconnected):
        await connection.send(b"too late")


async def test_waiting_for_output_ends_with_it_or_in_time() -> None:
    connection = MemoryConnection()
    waiting = asyncio.create_task(connection.until(b"hello"))
    await connection.send(b"say hel")
    await asyncio.sleep(0)
    assert not waiting.done()
    await connection.send(b"lo.")
    assert await waiting == b"say hello."
    with pytest.raises(TimeoutError):
        await connection.until(b"never", 0.001)
