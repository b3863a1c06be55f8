"""The heartbeat, with a relay in ssh's place that loses, delays, garbles and delivers as told; and strangers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from reconnectingpty.tunnel import Echo, Loop, Settings
from reconnectingpty.tunnel.errors import PortUnavailable
from reconnectingpty.tunnel.monitor import GUESTS, Heartbeat, ProbeFailed

from .support import GUARD

Treatment = Callable[[bytes], bytes]


def settings(monitor: Loop | Echo, **more: object) -> Settings:
    return Settings(("host",), monitor=monitor, **more)  # type: ignore[arg-type]


class Relay:
    """What ssh, the server and ssh again do with a line."""

    def __init__(self, heart: Heartbeat, *, treat: Treatment = lambda data: data) -> None:
        self.heart = heart
        self.treat = treat
        self.lines: list[bytes] = []
        self.connections = 0
        self.broken = 0
        """How many connections to break before one is served."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError):
            if self.connections > self.broken:
                line = await reader.readline()
                self.lines.append(line)
                back = self.treat(line)
                if isinstance(self.heart.monitor, Echo):
                    writer.write(back)
                elif back:
                    assert self.heart.monitor.port is not None
                    await send(self.heart.monitor.port + 1, back)
                await reader.read()
        writer.close()


async def send(port: int, data: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    with suppress(OSError):
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def relayed(monitor: type[Loop] | type[Echo], **more: object) -> AsyncIterator[tuple[Heartbeat, Relay]]:
    relays: list[Relay] = []
    if monitor is Loop:
        async with Heartbeat(settings(Loop(), **more)) as heart:
            relays.append(Relay(heart))
            server = await asyncio.start_server(relays[0].serve, "127.0.0.1", heart.monitor.port)
            yield heart, relays[0]
    else:
        server = await asyncio.start_server(lambda *streams: relays[0].serve(*streams), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Heartbeat(settings(Echo(port, 7), **more)) as heart:
            relays.append(Relay(heart))
            yield heart, relays[0]
    server.close()
    await server.wait_closed()


BOTH = pytest.mark.parametrize("monitor", [Loop, Echo])


@BOTH
async def test_a_line_that_comes_back_passes(monitor: type[Loop] | type[Echo]) -> None:
    async with relayed(monitor, message="hello") as (heart, relay):
        assert 0 <= await heart.probe(GUARD) < GUARD
        assert 0 <= await heart.probe(GUARD) < GUARD
    first, second = (line.split() for line in relay.lines)
    assert first[:3] == [os.uname().nodename.encode(), b"autossh", str(os.getpid()).encode()]
    assert first[4] == b"hello"
    assert relay.lines[0].endswith(b"hello\r\n")
    assert first[3] != second[3], "a line's number must be its own"


@BOTH
@pytest.mark.parametrize(
    "treat",
    [
        lambda line: b"",
        lambda line: line[:-1],
        lambda line: line[1:],
        lambda line: line.replace(b"autossh", b"another"),
        lambda line: line + b"x",
        lambda line: b"\0" * 100,
    ],
    ids=["lost", "cut", "headless", "garbled", "more", "noise"],
)
async def test_a_line_that_comes_back_wrong_fails(monitor: type[Loop] | type[Echo], treat: Treatment) -> None:
    async with relayed(monitor) as (heart, relay):
        relay.treat = treat
        with pytest.raises(ProbeFailed, match="no answer within"):
            await heart.probe(0.6)
        relay.treat = lambda line: line
        await heart.probe(GUARD)


@BOTH
async def test_a_connection_that_breaks_is_tried_again(monitor: type[Loop] | type[Echo]) -> None:
    async with relayed(monitor) as (heart, relay):
        relay.broken = 2
        await heart.probe(GUARD)
        assert relay.connections == 3


async def test_when_ssh_does_not_listen_the_probe_fails_at_once_or_waits_for_it() -> None:
    async with Heartbeat(settings(Loop())) as heart:
        with pytest.raises(ProbeFailed, match="does not listen"):
            await heart.probe(GUARD)
        with pytest.raises(ProbeFailed, match="refused"):
            await heart.probe(0.6, patient=True)


async def test_a_late_line_neither_passes_nor_fails_the_next_probe() -> None:
    async with relayed(Loop) as (heart, relay):
        relay.treat = lambda line: b""
        with pytest.raises(ProbeFailed):
            await heart.probe(0.3)
        late = relay.lines[0]
        port = heart.monitor.port
        assert port is not None
        await send(port + 1, late)

        def first_the_late(line: bytes) -> bytes:
            return late

        relay.treat = first_the_late
        with pytest.raises(ProbeFailed):
            await heart.probe(0.6)
        relay.treat = lambda line: line
        await heart.probe(GUARD)


async def test_strangers_do_no_harm_however_many() -> None:
    async with relayed(Loop) as (heart, relay):
        port = heart.monitor.port
        assert port is not None
        silent = [await asyncio.open_connection("127.0.0.1", port + 1) for _ in range(3)]
        answer = asyncio.Event()
        written: list[asyncio.StreamWriter] = []

        async def serve_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = await reader.readline()
            # While the line is under way strangers come, say nothing, or nonsense, and stay.
            for number in range(GUESTS * 2):
                _, guest = await asyncio.open_connection("127.0.0.1", port + 1)
                if number % 2:
                    guest.write(b"GET / HTTP/1.1\r\n\r\n")
                written.append(guest)
            await send(port + 1, line)
            answer.set()
            with suppress(OSError):
                await reader.read()
            writer.close()

        relay.serve = serve_late  # type: ignore[method-assign]
        server = await asyncio.start_server(lambda *streams: relay.serve(*streams), "127.0.0.1", 0)
        heart._port = server.sockets[0].getsockname()[1]
        await heart.probe(GUARD)
        assert answer.is_set()
        server.close()
        await server.wait_closed()
        for _, writer in silent:
            written.append(writer)
        for writer in written:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def test_a_chosen_pair_is_free_and_another_one_can_be_had() -> None:
    async with Heartbeat(settings(Loop())) as heart:
        before = heart.monitor
        assert before.port is not None
        assert before.port < 32767
        await heart.choose_again()
        assert heart.monitor != before
    with pytest.raises(PortUnavailable):
        async with Heartbeat(settings(Loop(heart.monitor.port))) as one, Heartbeat(settings(one.monitor)):  # type: ignore[arg-type]
            pass
    async with Heartbeat(settings(Loop(heart.monitor.port))) as fixed:
        await fixed.choose_again()
        assert fixed.monitor.port == heart.monitor.port
