"""Real programs on a real PTY."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reconnectingpty import StartFailed
from reconnectingpty.leftovers import Mark, sweeper
from reconnectingpty.process import ExitStatus, Process
from reconnectingpty.size import Size

SIZE = Size(31, 97)
MARKS = iter(range(1_000_000))


def unexpected(what: str, error: OSError) -> None:
    raise AssertionError(what) from error


class Run:
    """A process and what it wrote."""

    process: Process

    def __init__(self) -> None:
        self.output = b""
        self.changed = asyncio.Event()

    def add(self, data: memoryview) -> None:
        self.output += data
        self.changed.set()

    async def until(self, text: bytes) -> None:
        async with asyncio.timeout(20):
            while text not in self.output:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running(script: str, size: Size = SIZE, cwd: str = "/") -> AsyncIterator[Run]:
    run, epoch = Run(), f"{os.getpid():x}{next(MARKS):06x}"
    environment = {"PATH": os.environ["PATH"], "RECONNECTINGPTY_EPOCH": epoch}
    run.process = await Process.spawn(
        ["/bin/bash", "-c", script],
        environment=environment,
        cwd=cwd,
        size=size,
        epoch=epoch,
        output=run.add,
        trouble=unexpected,
    )
    try:
        yield run
    finally:
        await run.process.end(0.2)
        await run.process.exited
        run.process.close()


def living(run: Run) -> asyncio.Future[set[int]]:
    return asyncio.ensure_future(sweeper().find(Mark(run.process.pid, run.process.epoch)))


async def test_the_terminal_has_its_size_before_the_first_instruction() -> None:
    async with running("stty size") as run:
        await run.process.drained
        assert run.output == b"31 97\r\n"


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 7", ExitStatus(code=7)), ("kill -9 $$", ExitStatus(signal=9)), (":", ExitStatus(code=0))],
)
async def test_the_exit_status_is_kept(script: str, status: ExitStatus) -> None:
    async with running(script) as run:
        assert await run.process.exited == status


async def test_all_output_comes_before_the_end() -> None:
    for _ in range(10):
        async with running("seq 1 20000") as run:
            await run.process.drained
            assert len(run.output) == 128894


async def test_a_background_child_that_keeps_the_terminal_does_not_hide_the_exit() -> None:
    async with running("sleep 1000 & echo last; exit 5") as run:
        async with asyncio.timeout(5):
            assert await run.process.exited == ExitStatus(code=5)
            await run.process.drained
        assert run.output == b"last\r\n"


async def test_a_broken_pipe_kills_as_it_does_in_any_shell() -> None:
    async with running("yes | head -1; echo ${PIPESTATUS[0]}") as run:
        await run.process.drained
        assert run.output == b"y\r\n141\r\n"


async def test_nothing_of_ours_is_inherited() -> None:
    async with running("ls /proc/self/fd | tr '\\n' ' '; grep -E 'SigIgn|SigBlk' /proc/self/status") as run:
        await run.process.drained
        assert run.output.split(b"\r\n")[0].startswith(b"0 1 2 3 ")
        assert run.output.count(b"0000000000000000") == 2


@pytest.mark.parametrize(
    "stubborn",
    [
        "trap '' HUP; echo ready; while :; do sleep 1000; done",
        "trap '' HUP TERM; echo ready; while :; do sleep 1000; done",
        "setsid sleep 1000 & echo ready; wait",
        "(setsid bash -c 'trap \"\" HUP TERM; sleep 1000 & wait' &) ; echo ready; sleep 1000",
        "sleep 1000 & kill -STOP $!; echo ready; wait",
        "stty raw -echo; echo ready; sleep 1000",
    ],
    ids=["ignores HUP", "ignores HUP and TERM", "setsid", "double fork", "stopped", "never reads"],
)
async def test_whatever_a_program_does_it_is_gone_after_the_end(stubborn: str) -> None:
    async with running(stubborn) as run:
        await run.until(b"ready")
        assert await living(run)
        async with asyncio.timeout(10):
            await run.process.end(0.2)
        assert not await living(run)


async def test_input_waits_for_a_program_that_does_not_read_and_nothing_is_lost() -> None:
    script = "stty raw -echo; echo ready; read -rN1 _ < <(sleep 0.2; echo x); head -c 300000 | md5sum"
    async with running(script) as run:
        await run.until(b"ready")
        accepted: list[int] = []
        data = bytes(range(32, 127)) * 4000
        run.process.write(data[:200000], accepted.append)
        run.process.write(data[200000:300000], accepted.append)
        assert run.process.pending > 0
        await run.process.drained
        assert sum(accepted) == 300000
        assert run.process.pending == 0
        import hashlib

        assert hashlib.md5(data[:300000]).hexdigest().encode() in run.output


async def test_a_resize_reaches_the_program() -> None:
    async with running("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done") as run:
        await run.until(b"ready")
        run.process.resize(Size(10, 20))
        await run.until(b"10 20")


async def test_a_paused_process_is_read_again_after_resume() -> None:
    async with running("echo ready; read; seq 1 50000; echo done") as run:
        await run.until(b"ready")
        run.process.pause()
        run.process.write(b"\n", lambda count: None)
        before = run.output
        async with asyncio.timeout(5):
            while Path(f"/proc/{run.process.pid}/wchan").read_text() == "":
                await asyncio.sleep(0.01)
        assert run.output == before
        run.process.resume()
        await run.until(b"done")


@pytest.mark.parametrize("cwd", ["/nonexistent", "/etc/passwd"])
async def test_a_directory_that_is_not_there_is_a_clear_error(cwd: str) -> None:
    with pytest.raises(StartFailed, match="cannot start"):
        async with running(":", cwd=cwd):
            pass


async def test_a_program_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(StartFailed, match="/nonexistent") as caught:
        await Process.spawn(
            ["/nonexistent"],
            environment={},
            cwd="/",
            size=Size(1, 1),
            epoch="ab",
            output=lambda data: None,
            trouble=unexpected,
        )
    assert caught.value.error_type == "create_command"


async def test_a_cancelled_start_leaves_no_child() -> None:
    epoch = f"{os.getpid():x}c"
    start = asyncio.create_task(
        Process.spawn(
            ["/bin/sleep", "1000"],
            environment={"RECONNECTINGPTY_EPOCH": epoch},
            cwd="/",
            size=Size(1, 1),
            epoch=epoch,
            output=lambda data: None,
            trouble=unexpected,
        )
    )
    await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start


async def test_kill_ends_at_once() -> None:
    async with running("trap '' HUP TERM; echo ready; while :; do sleep 1000; done") as run:
        await run.until(b"ready")
        run.process.kill()
        assert await run.process.exited == ExitStatus(signal=signal.SIGKILL)
