"""A proxy on loopback that does to connections what networks do, each after a plan drawn from a seeded random.

It knows nothing of what it forwards, but for the end of a request's head. Every connection but calm ones is cut sooner
or later; what happens until then, and to the half that nobody told of the cut, depends on its plan.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum

PIECE = 16 << 10
SLOW = 32 << 10
"""Bytes a second of a slowed connection."""
DELAY = 0.3
"""Seconds of a delayed one, each way."""


class Plan(Enum):
    """What happens to a connection."""

    CUT = "both halves are reset after some bytes"
    LINGERING = "the client's half is reset; the server gets what was under way a little later, and then an end"
    STALE = "the client's half is reset at once; its request reaches the server when the next connection stands"
    TWICE = "the request reaches the server twice; the second connection is nobody's, and cut a little later"
    STALLED = "nothing moves for a while, then both halves are reset"
    SLOW = "as through a line of 32 kB/s, and cut"
    DELAYED = "all comes 300 ms late, and is cut"
    HALF_OPEN = "nothing moves any more, and nobody is told"


CHANCES = {
    Plan.CUT: 880,
    Plan.LINGERING: 60,
    Plan.STALE: 20,
    Plan.TWICE: 20,
    Plan.STALLED: 10,
    Plan.SLOW: 4,
    Plan.DELAYED: 4,
    Plan.HALF_OPEN: 2,
}
"""Of a thousand connections."""


class Chaos:
    """The proxy to a port of this machine. `calm`: connections are left alone; `away`: none comes about."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stands = asyncio.Event()
        self.calm = False
        self.away = False
        self.plans: Counter[Plan] = Counter()
        self.cuts = 0
        """Connections that were ended by neither side."""
        self.address = ""

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has come."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cut_now(self) -> None:
        """Cut all connections there are, calm ones, too."""
        for task in self._tasks:
            task.cancel()

    async def aclose(self) -> None:
        """Cut all that is left."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = self._random.choices(list(CHANCES), list(CHANCES.values()))[0]
        client = _Half(reader, writer)
        try:
            if self.away:
                return
            if self.calm:
                await self._calmly(client)
            else:
                self.plans[plan] += 1
                await self._carry_out(plan, client)
                self.cuts += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            client.reset()

    async def _server(self) -> _Half:
        return _Half(*await asyncio.open_connection("127.0.0.1", self._port))

    async def _calmly(self, client: _Half) -> None:
        server = await self._server()
        try:
            await self._forward(client, server)
        finally:
            server.reset()

    async def _carry_out(self, plan: Plan, client: _Half) -> None:
        rng = self._random
        # Early, in the handshake, as often as late; in a flood now and then.
        budget = int(2 ** rng.uniform(4, 14 if rng.random() < 0.95 else 18))
        request = await client.reader.readuntil(b"\r\n\r\n")
        if plan is Plan.STALE:
            client.reset()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    self._stands.clear()
                    await self._stands.wait()
            return await self._nobodys(request, rng.uniform(0, 0.05))
        server = await self._server()
        server.writer.write(request)
        if plan is Plan.TWICE:
            self.accept_nobody(request, rng.uniform(0, 0.05))
        try:
            if plan is Plan.SLOW:
                await self._forward(client, server, min(budget, 16000), rate=SLOW)
            elif plan is Plan.DELAYED:
                await self._forward(client, server, min(budget, 8000), delay=DELAY)
            else:
                await self._forward(client, server, budget)
            if plan is Plan.STALLED:
                await asyncio.sleep(rng.uniform(0.01, 0.3))
            elif plan is Plan.HALF_OPEN:
                await client.closed()
            elif plan is Plan.LINGERING:
                late = client.take_waiting()
                client.reset()
                await asyncio.sleep(rng.uniform(0, 0.1))
                server.writer.write(late)
        finally:
            server.reset()

    def accept_nobody(self, request: bytes, seconds: float) -> None:
        """Open a connection that no client stands behind."""
        task = asyncio.create_task(self._nobodys(request, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _nobodys(self, request: bytes, seconds: float) -> None:
        server = await self._server()
        try:
            server.writer.write(request)
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(seconds):
                    while await server.reader.read(PIECE):
                        pass
        finally:
            server.reset()

    async def _forward(
        self, client: _Half, server: _Half, budget: int | None = None, *, rate: int = 0, delay: float = 0.0
    ) -> None:
        """Forward both ways, until so many bytes have gone one way or the other, or one side ends."""
        ways = [
            asyncio.create_task(self._one_way(client, server, budget, rate, delay)),
            asyncio.create_task(self._one_way(server, client, budget, rate, delay)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(self, source: _Half, target: _Half, budget: int | None, rate: int, delay: float) -> None:
        left = budget
        while left is None or left > 0:
            data = await source.reader.read(PIECE if left is None else min(left, PIECE))
            if not data:
                return
            if rate:
                await asyncio.sleep(len(data) / rate)
            if delay:
                asyncio.get_running_loop().call_later(delay, target.write, data)
            else:
                target.write(data)
                await target.writer.drain()
            if left is not None:
                left -= len(data)
            self._stands.set()
        await asyncio.sleep(delay)


class _Half:
    """One side's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write(self, data: bytes) -> None:
        """Send, if that is still possible."""
        if not self.writer.is_closing():
            self.writer.write(data)

    def take_waiting(self) -> bytes:
        """What has come and was not read."""
        buffer: bytearray = self.reader._buffer  # type: ignore[attr-defined]
        data = bytes(buffer)
        buffer.clear()
        return data

    async def closed(self) -> None:
        """Return when the peer has ended it, without reading on."""
        while not self.reader.at_eof():
            self.take_waiting()
            await self.reader.read(PIECE)

    def reset(self) -> None:
        """End it at once, by RST."""
        connection = self.writer.get_extra_info("socket")
        if connection is not None and not self.writer.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def chaos(port: int, seed: int) -> AsyncIterator[Chaos]:
    """A proxy to `port`; its own is in `address`."""
    proxy = Chaos(port, seed)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()
        await server.wait_closed()
