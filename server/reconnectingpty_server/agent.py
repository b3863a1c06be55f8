"""Coder's agent stream on plain sockets: a length-prefixed init, then JSON requests up and bytes down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Protocol

from reconnectingpty import Disconnected, Outcome, ProtocolError, ReconnectingPTYError
from reconnectingpty.wire.coder import Init, InitDecoder, RequestDecoder
from reconnectingpty.wire.messages import ClientMessage, Hello, Resize, Resync, ServerMessage

from .peers import peer_name
from .sockets import hung_up
from .websocket import RESET

INIT_SECONDS = 10.0
READ = 64 << 10

log = logging.getLogger(__name__)


class AgentConnection:
    """A client of the agent stream, after its init."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, rest: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._name = name
        self._decoder = RequestDecoder()
        self._rest = rest
        self._messages: list[bytes | Resize] = []

    @property
    def name(self) -> str:
        """The peer's address."""
        return self._name

    async def send(self, message: bytes | ServerMessage) -> None:
        """Send bytes; before a picture, a reset of the terminal."""
        if isinstance(message, Hello | Resync) and message.snapshot:
            message = RESET
        if isinstance(message, bytes):
            try:
                self._writer.write(message)
                await self._writer.drain()
            except OSError:
                raise Disconnected(self._name) from None

    async def receive(self) -> bytes | ClientMessage:
        """The next thing that the JSON stream says."""
        while not self._messages:
            self._decoder.feed(b"")  # raises what came wrong behind the last good request
            try:
                data, self._rest = self._rest or await self._reader.read(READ), b""
            except OSError:
                data = b""
            if not data:
                raise Disconnected(self._name)
            self._messages = self._decoder.feed(data)
        return self._messages.pop(0)

    async def gone(self) -> None:
        """Return when the peer has gone."""
        await hung_up(self._writer.get_extra_info("socket"))

    def close(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()


class AttachInit(Protocol):
    """Attaches a connection to the session that its init named."""

    def __call__(self, init: Init, connection: AgentConnection) -> Awaitable[Outcome]:
        """Until the client leaves, or the session ends."""
        ...


class AgentStreams:
    """The open connections of the agent listeners."""

    def __init__(self, attach: AttachInit, limit: int) -> None:
        self._attach = attach
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection's life; what asyncio's stream server calls."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        name = peer_name(writer.get_extra_info("peername"))
        try:
            if len(self._tasks) <= self._limit:
                await self._serve(reader, writer, name)
        except (Disconnected, TimeoutError, ConnectionError):
            pass
        except ReconnectingPTYError as error:
            log.info("%s: agent stream closed: %s", name, error)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        decoder = InitDecoder()
        rest = b""
        async with asyncio.timeout(INIT_SECONDS):
            while decoder.init is None:
                data = await reader.read(READ)
                if not data:
                    raise ProtocolError("the connection ended within the init")
                rest = decoder.feed(data)
        await self._attach(decoder.init, AgentConnection(reader, writer, name, rest))
        await writer.drain()

    async def finish(self, seconds: float) -> None:
        """Wait for the connections to end, and cut those that don't."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=seconds)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
