"""A server that is killed and started again has its sessions, and their shells run on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import Request, urlopen

from .homes import daemons

PROGRAM = (sys.executable, "-m", "reconnectingpty_server")
TOKEN = "a-token-of-tests"


class Running:
    """A server as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    async def asked(self, path: str, method: str = "GET") -> bytes:
        """What the server answers."""
        url, headers = f"http://127.0.0.1:{self.port}{path}", {"Authorization": f"Bearer {TOKEN}"}
        return await asyncio.to_thread(lambda: urlopen(Request(url, headers=headers, method=method)).read())

    async def sessions(self) -> dict[str, int]:
        """The shells of its sessions, by their ids."""
        return {one["id"]: one["pid"] for one in json.loads(await self.asked("/api/sessions"))["sessions"]}


@asynccontextmanager
async def running(*, kill: bool = False) -> AsyncIterator[Running]:
    """A server with GNU screen behind it, ended softly or not."""
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "serve", "--listen", "127.0.0.1:0", "--token", TOKEN, "--backend", "screen", "--allow-command"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            port = re.search(rb":(\d+)/", await process.stdout.readline())
        assert port is not None
        yield Running(process, int(port[1]))
    finally:
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        await process.communicate()


async def attached(server: Running, session: str, command: str = "") -> tuple[int, bytes]:
    """`reconnectingpty attach`, with nothing to type: how it ended, and what it showed."""
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "attach", session, "--url", f"http://127.0.0.1:{server.port}", "--token", TOKEN),
        *(("--command", command) if command else ()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        shown = await process.stdout.readuntil(b"ready")
    process.kill()
    await process.communicate()
    return process.returncode or 0, shown


async def test_sessions_outlive_a_server_that_is_killed() -> None:
    async with running(kill=True) as server:
        for number in range(3):
            await attached(server, f"s{number}", "echo ready; exec cat")
        before = await server.sessions()
        assert len(before) == 3
    assert all(os.path.exists(f"/proc/{pid}") for pid in before.values())
    async with running() as server:
        assert await server.sessions() == before
        _, shown = await attached(server, "s1")
        assert b"ready" in shown
        await server.asked("/api/sessions/s2", "DELETE")
        assert await server.sessions() == {name: before[name] for name in ("s0", "s1")}
    assert not daemons()
