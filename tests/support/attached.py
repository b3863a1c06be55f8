"""A client of a session, as tests use one: attached in the background, and what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from reconnectingpty import MemoryConnection, Options, Outcome, ReconnectingPTY, ReconnectingPTYError, new


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
        return self

    async def detach(self) -> None:
        """Leave, and wait until that is done."""
        self.leave()
        await self.outcome

    def told(self, kind: type) -> list[Any]:
        """The control messages of a kind, oldest first."""
        return [message for message in self.sent if isinstance(message, kind)]

    async def until_told(self, kind: type) -> Any:
        """Wait for a control message; the first of its kind."""
        async with asyncio.timeout(20):
            while not self.told(kind):
                self.changed.clear()
                await self.changed.wait()
        return self.told(kind)[0]


@asynccontextmanager
async def session_of(command: str | list[str] = "", **options: Any) -> AsyncIterator[ReconnectingPTY]:
    """A session that is gone after the test."""
    session = new(command, Options(**{"kill_grace": 0.2, **options}))
    try:
        yield session
    finally:
        session.close()
        with suppress(ReconnectingPTYError):
            await session.wait()
