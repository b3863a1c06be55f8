"""What `attach()` accepts: anything that carries messages both ways, and an in-memory one for tests and embedders."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from .errors import Disconnected
from .wire.messages import ClientMessage, ServerMessage


class Connection(Protocol):
    """One client's way to a session. A session uses it from two tasks: one sends, one receives."""

    @property
    def name(self) -> str:
        """Who this is, for log lines: an address, a path. Never a secret."""
        ...

    async def send(self, message: bytes | ServerMessage) -> None:
        """Hand a message to the transport, and wait while that is holding more than it should.

        A protocol that has no form for a control message leaves it out. Raises `Disconnected` when the peer is gone.
        """
        ...

    async def receive(self) -> bytes | ClientMessage:
        """The next message. Raises `Disconnected` at the end, `ProtocolError` for what is not allowed."""
        ...

    async def gone(self) -> None:
        """Return when the peer has gone, though what it has sent is not received yet. One that can't tell waits on."""
        ...

    def close(self) -> None:
        """End the connection now, whatever it still holds; pending and later calls raise `Disconnected`."""
        ...


class MemoryConnection:
    """A connection whose other end is the program itself.

    `feed()` is what the client says; `sent` is what it was told, oldest first, and `changed` is set on each addition.
    """

    def __init__(self, name: str = "memory") -> None:
        self._name = name
        self._fed: asyncio.Queue[bytes | ClientMessage | None] = asyncio.Queue()
        self._closed = False
        self._gone = asyncio.Event()
        self.sent: deque[bytes | ServerMessage] = deque()
        self.changed = asyncio.Event()

    @property
    def name(self) -> str:
        """The name it was made with."""
        return self._name

    @property
    def output(self) -> bytes:
        """All terminal bytes sent so far."""
        return b"".join(message for message in self.sent if isinstance(message, bytes))

    def feed(self, message: bytes | ClientMessage) -> None:
        """Say something to the session."""
        self._fed.put_nowait(message)

    def leave(self) -> None:
        """Go away as a client does; what was fed before is still received."""
        self._gone.set()
        self._fed.put_nowait(None)

    async def send(self, message: bytes | ServerMessage) -> None:
        """Keep the message in `sent`."""
        if self._closed:
            raise Disconnected("closed")
        self.sent.append(message)
        self.changed.set()

    async def receive(self) -> bytes | ClientMessage:
        """The next message that was fed."""
        message = None if self._closed else await self._fed.get()
        if message is None or self._closed:
            self._closed = True
            raise Disconnected("left")
        return message

    async def gone(self) -> None:
        """Return when it has left, or was closed."""
        await self._gone.wait()

    def close(self) -> None:
        """End it from the session's side."""
        self._closed = True
        self._gone.set()
        self._fed.put_nowait(None)
        self.changed.set()

    async def until(self, text: bytes, timeout: float = 10) -> bytes:
        """Wait until `text` has been sent, and return all output so far. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while text not in self.output:
                self.changed.clear()
                await self.changed.wait()
        return self.output
