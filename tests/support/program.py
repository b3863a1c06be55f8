"""The server as a process of its own, reached like one in the test's loop."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from reconnectingpty_server.values import Address

from .attached import PATIENCE
from .serving import TOKEN, Remote

PROGRAM = [sys.executable, "-m", "reconnectingpty_server"]


class Program(Remote):
    """A server that runs by itself. `log` has what it has said on standard error, complete when it has ended."""

    def __init__(self, process: asyncio.subprocess.Process, address: Address) -> None:
        super().__init__(address)
        self.process = process
        self.link = ""
        """The first line that it printed."""
        self.log = ""
        self._listening: asyncio.Task[None] | None = None
        self.tokens: dict[str, str] = {}
        """Of its users, by their names."""

    @property
    def cpu_seconds(self) -> float:
        """What it has used of the CPUs."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> int:
        """Bytes of it that are in memory and its own."""
        found = re.search(r"^RssAnon:\s+(\d+) kB", self._proc("status"), re.MULTILINE)
        assert found is not None
        return int(found[1]) << 10

    @property
    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def threads(self) -> int:
        """How many it has."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    @property
    def children(self) -> list[int]:
        """Its child processes."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text()

    def listen(self) -> None:
        """Take what it says from here on."""
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        if self.process.stderr is not None:
            async for line in self.process.stderr:
                self.log += line.decode()

    async def end(self) -> None:
        """Have it end softly, and take the rest of its log."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()
            if self._listening is not None:
                await self._listening


@asynccontextmanager
async def program_of(
    *flags: str,
    descriptors: int | None = None,
    by: Sequence[str] = (),
    stderr: int = -1,
    token: str = TOKEN,
    **environment: str,
) -> AsyncIterator[Program]:
    """A server with these flags, on a free port. It ends softly after the test.

    `descriptors`: how many it may open; `by`: a command that becomes the one behind it; `stderr`: a
    descriptor, else its log is taken; `token` empty: one of its own.
    """
    limited = ["prlimit", f"--nofile={descriptors}:{descriptors}"] if descriptors is not None else []
    settings: dict[str, Any] = {"RECONNECTINGPTY_BACKEND": "buffered", "RECONNECTINGPTY_ALLOW_COMMAND": "true"}
    process = await asyncio.create_subprocess_exec(
        *limited, *by, *PROGRAM, "serve", "--listen", "127.0.0.1:0", *(["--token", token] if token else []), *flags,
        env=os.environ | settings | environment, stdout=-1, stderr=stderr,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            link = (await process.stdout.readline()).decode()
        found = re.match(r"https?://([\d.]+):(\d+)/", link)
        assert found is not None, link
        program = Program(process, Address(found[1], int(found[2])))
        program.link = link
        program.listen()
        yield program
        if process.returncode is None:
            await program.end()
        assert process.returncode == 0, program.log[-3000:]
        assert "Traceback" not in program.log, program.log[-3000:]
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
