"""Supervisors as tests run them, what they told, and something to carry through their tunnels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from reconnectingpty.tunnel import Event, SshSupervisor, TunnelError

from .support import GUARD

E = TypeVar("E")


class Supervised:
    """A supervisor that runs. `told` is every event so far."""

    def __init__(self, supervisor: SshSupervisor) -> None:
        self.supervisor = supervisor
        self.told: list[Event] = []
        self._news = asyncio.Condition()
        self.run = asyncio.create_task(supervisor.run())

    async def listen(self) -> None:
        async for event in self.supervisor.events():
            async with self._news:
                self.told.append(event)
                self._news.notify_all()

    async def next(self, kind: type[E], held: Callable[[E], bool] = lambda _: True, *, after: int = 0) -> E:
        """The first event of that kind, from the `after`-th event on."""

        def found() -> list[E]:
            return [event for event in self.told[after:] if isinstance(event, kind) and held(event)]

        async with asyncio.timeout(GUARD), self._news:
            await self._news.wait_for(found)
        return found()[0]


@asynccontextmanager
async def supervised(supervisor: SshSupervisor) -> AsyncIterator[Supervised]:
    """Run a supervisor for as long as this lasts."""
    it = Supervised(supervisor)
    listening = asyncio.create_task(it.listen())
    await asyncio.sleep(0)
    try:
        yield it
    finally:
        await supervisor.stop()
        with suppress(TunnelError):
            await it.run
        await listening


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A server that sends back what it gets; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def carries(port: int, size: int = 300_000) -> bool:
    """Whether what is sent to a port of this machine comes back."""
    sent = bytes(range(256)) * (size // 256)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await reader.readexactly(len(sent)) == sent
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
