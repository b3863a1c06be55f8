"""An honest client beside an attack: its keys are echoed all the while, and how fast is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed

from reconnectingpty_server.access import users

from ..support.attached import PATIENCE
from ..support.program import Program, program_of
from ..support.serving import Told

GUARD = 10.0
"""Seconds that no echo may take, on the busiest machine. What is measured is printed (`pytest -s`), not judged."""
ECHO = "stty%20raw%20-echo%3Becho%20ready%3Bexec%20cat"
ROLES = {"alice": "user", "bob": "user", "vera": "viewer"}


class Honest:
    """The client. `seconds` are those that its echoes took."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self.seconds: list[float] = []
        self._echoed = asyncio.Event()

    async def go_on(self) -> None:
        """Type, and have it echoed, until cancelled."""
        while True:
            word = b"<%d>" % len(self.seconds)
            began = time.perf_counter()
            await self._told.socket.send(word)
            await self._told.until(word)
            self.seconds.append(time.perf_counter() - began)
            self._told.output = b""
            self._echoed.set()
            await asyncio.sleep(0.005)

    async def echoes(self, count: int = 10) -> None:
        """Wait for so many echoes from now on."""
        until = len(self.seconds) + count
        while len(self.seconds) < until:
            self._echoed.clear()
            await self._echoed.wait()

    def report(self) -> str:
        """How fast they were."""
        ordered = sorted(self.seconds)
        p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
        return f"an honest client beside it: {len(ordered)} echoes, p50 {p50:.2f} ms, p99 {p99:.2f} ms"


@asynccontextmanager
async def under_attack(*flags: str, tmp_path: Path | None = None, **more: Any) -> AsyncIterator[Program]:
    """A server with an honest client, who must notice nothing of what happens to the server meanwhile.

    With `tmp_path` it has users, whose tokens are in `tokens`. Afterwards the server holds as many descriptors as
    before, and its log has no traceback.
    """
    tokens: dict[str, str] = {}
    if tmp_path is not None:
        path = str(tmp_path / "users")
        tokens = {name: users.add(path, name, role) for name, role in ROLES.items()}
        flags = ("--users-file", path, *flags)
    async with program_of(*flags, **more) as server:
        server.tokens = tokens
        async with server.connect(f"reconnect=honest&command={ECHO}") as socket:
            told = Told(socket)
            await told.until(b"ready")
            honest = Honest(told)
            going = asyncio.create_task(honest.go_on())
            try:
                async with asyncio.timeout(PATIENCE):
                    await honest.echoes()
                before = server.descriptors
                yield server
                assert not going.done(), going
                for session in (await server.json("/api/sessions"))["sessions"]:
                    if session["id"] != "honest":
                        await server.request("DELETE", f"/api/sessions/{session['id']}")
                async with asyncio.timeout(PATIENCE):
                    await honest.echoes()
                    while server.descriptors > before:
                        await asyncio.sleep(0.02)
            finally:
                going.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await going
            print(honest.report())
            assert max(honest.seconds) < GUARD
