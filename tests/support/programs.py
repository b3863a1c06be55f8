"""Real programs on a real PTY, and a pipe by which a test and a program wait for each other."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from reconnectingpty.leftovers import Mark, sweeper
from reconnectingpty.process import Process
from reconnectingpty.size import Size

from .attached import PATIENCE

SIZE = Size(31, 97)


class Fifo:
    """A named pipe. One end is the program's (`echo word > path`, `read < path`), the other the test's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # Read and write, so that neither side waits for the other to open it, and no end of file comes (fifo(7)).
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def tell(self, text: bytes = b"\n") -> None:
        """Let a program's `read` go on."""
        os.write(self._fd, text)

    async def heard(self) -> bytes:
        """What a program has written, as soon as it has."""
        await readable(self._fd)
        return os.read(self._fd, 4096)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)


@contextmanager
def fifo(directory: Path) -> Iterator[Fifo]:
    """A named pipe for one test."""
    pipe = Fifo(directory / secrets.token_hex(4))
    try:
        yield pipe
    finally:
        pipe.close()


async def readable(fd: int) -> None:
    """Return when there is something to read, which the loop's own reader of that descriptor may take meanwhile."""
    loop = asyncio.get_running_loop()
    copy = os.dup(fd)
    ready = loop.create_future()
    loop.add_reader(copy, lambda: ready.done() or ready.set_result(None))
    try:
        async with asyncio.timeout(PATIENCE):
            await ready
    finally:
        loop.remove_reader(copy)
        os.close(copy)


class Run:
    """A process and what it wrote."""

    process: Process

    def __init__(self) -> None:
        self.output = b""
        self.trouble: list[tuple[str, OSError]] = []
        self._changed = asyncio.Event()

    def add(self, data: memoryview) -> None:
        """Output has come."""
        self.output += data
        self._changed.set()

    async def until(self, text: bytes) -> None:
        """Wait for output."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.output:
                self._changed.clear()
                await self._changed.wait()

    async def ended(self) -> bytes:
        """All that it wrote, when it has ended."""
        async with asyncio.timeout(PATIENCE):
            await self.process.exited
            await self.process.drained
        return self.output

    async def living(self) -> set[int]:
        """The processes that belong to it."""
        return await sweeper().find(Mark(self.process.pid, self.process.epoch))


async def spawn(
    argv: Sequence[str], run: Run | None = None, *, size: Size = SIZE, cwd: str = "/", epoch: str | None = None
) -> Process:
    """Start a program; its output goes to `run`."""
    run = run or Run()
    epoch = epoch or secrets.token_hex(8)
    return await Process.spawn(
        argv,
        environment={"PATH": os.environ["PATH"], "RECONNECTINGPTY_EPOCH": epoch},
        cwd=cwd,
        size=size,
        epoch=epoch,
        output=run.add,
        trouble=lambda what, error: run.trouble.append((what, error)),
    )


@asynccontextmanager
async def running(script: str, **more: Size | str) -> AsyncIterator[Run]:
    """A bash script that runs on a terminal, and is gone after the test without having caused trouble."""
    run = Run()
    run.process = await spawn(["/bin/bash", "-c", script], run, **more)  # type: ignore[arg-type]
    try:
        yield run
    finally:
        await run.process.end(0.2)
        await run.process.exited
        run.process.close()
    assert run.trouble == []


@contextmanager
def full_pipe() -> Iterator[tuple[int, int, int]]:
    """A pipe that takes no more: the end to read from, the one to write to, and how many bytes are in it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    count = 0
    try:
        with suppress(BlockingIOError):
            while True:
                count += os.write(writer, bytes(4096))
        os.set_blocking(writer, True)
        yield reader, writer, count
    finally:
        os.close(reader)
        os.close(writer)
