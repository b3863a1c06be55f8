"""A client of a session, as tests use one: attached in the background, and what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from reconnectingpty import MemoryConnection, Options, Outcome, ReconnectingPTY, ReconnectingPTYError, new
from reconnectingpty.wire.messages import Ping, Pong, ServerMessage

PATIENCE = 30.0
"""Seconds after which an event that did not happen fails its test. None that passes waits so long."""


class Attached(MemoryConnection):
    """A connection that is attached. `outcome` is how that ended."""

    outcome: asyncio.Task[Outcome]

    @classmethod
    def to(cls, session: ReconnectingPTY, rows: int = 24, cols: int = 80, **more: Any) -> Attached:
        """Attach to a session."""
        self = cls()
        self.outcome = asyncio.create_task(session.attach(self, "test", rows, cols, **more))
        # Not every test looks at how it ended; those that don't leave nothing unhandled.
        self.outcome.add_done_callback(lambda outcome: outcome.cancelled() or outcome.exception())
        # Whoever waits for something that will not come any more learns why.
        self.outcome.add_done_callback(lambda _: self.changed.set())
        return self

    async def detach(self) -> None:
        """Leave, and wait until that is done."""
        self.leave()
        await self.outcome

    def told(self, kind: type) -> list[Any]:
        """The control messages of a kind, oldest first."""
        return [message for message in self.sent if isinstance(message, kind)]

    async def when(self, condition: Callable[[], object]) -> None:
        """Wait until what this client was sent makes `condition` true. Raises what ended the attach before."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                if self.outcome.done():
                    raise AssertionError(f"it ended before that: {self.outcome}; {self.output[-200:]!r}")
                self.changed.clear()
                await self.changed.wait()

    async def until_told(self, kind: type) -> Any:
        """Wait for a control message; the first of its kind."""
        await self.when(lambda: self.told(kind))
        return self.told(kind)[0]

    async def until_output(self, count: int) -> bytes:
        """Wait for that many bytes of output; all there is then."""
        await self.when(lambda: len(self.output) >= count)
        return self.output

    async def answered(self, number: int = 1) -> None:
        """Have a ping answered: everything that was sent to or from the session before has arrived."""
        self.feed(Ping(number))
        await self.when(lambda: any(pong.id == number for pong in self.told(Pong)))


class Holding(Attached):
    """A client that takes nothing while it is shut, as a peer does whose window is full."""

    def __init__(self) -> None:
        super().__init__("holding")
        self.open = asyncio.Event()
        self.held = asyncio.Event()
        """Set while the session waits for this client."""
        self.open.set()

    async def send(self, message: bytes | ServerMessage) -> None:
        """Take a message when open."""
        if not self.open.is_set():
            self.held.set()
            await self.open.wait()
            self.held.clear()
        await super().send(message)

    def shut(self) -> None:
        """Take nothing from now on."""
        self.open.clear()


@asynccontextmanager
async def session_of(command: str | list[str] = "", **options: Any) -> AsyncIterator[ReconnectingPTY]:
    """A session that is gone after the test."""
    session = new(command, Options(**{"backend_type": "buffered", "kill_grace": 0.2, "linger": 1.0, **options}))
    try:
        yield session
    finally:
        session.close()
        with suppress(ReconnectingPTYError):
            await session.wait()
