"""What is left of a session's processes is found wherever it hides, and ended. Nobody else's is."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from reconnectingpty import leftovers
from reconnectingpty.leftovers import Mark, Sweeper, ended, scan, send, sweeper

from .support.attached import PATIENCE

FORKING = """
import os, time
print("ready", flush=True)
end = time.monotonic() + 20  # so that a failure leaves none behind for long
while time.monotonic() < end:
    if os.fork() == 0:
        os.setsid()
        time.sleep(20)
        os._exit(0)
    time.sleep(0.001)
"""


@asynccontextmanager
async def started(script: str, epoch: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """A script in a kernel session of its own that has said `ready`."""
    process = await asyncio.create_subprocess_exec(
        "/bin/bash",
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={"PATH": os.environ["PATH"], leftovers.EPOCH_VARIABLE: epoch},
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


async def test_members_of_the_kernel_session_are_found_by_its_leader() -> None:
    async with started("sleep 1000 & echo ready; wait") as process:
        mark = Mark(process.pid, "no such epoch")
        found = (await asyncio.to_thread(scan, [mark]))[mark]
        assert process.pid in found
        assert len(found) == 2
        await sweeper().end(mark, 1)


async def test_those_that_left_the_kernel_session_are_found_by_their_epoch() -> None:
    epoch = secrets.token_hex(8)
    async with started("(setsid sh -c 'echo ready; exec sleep 1000 >&-' &); exec sleep 1000", epoch) as process:
        mark = Mark(process.pid, epoch)
        left = await sweeper().find(mark) - await sweeper().find(Mark(process.pid, "no such epoch"))
        assert len(left) == 1
        await sweeper().end(mark, 1)
        assert not await sweeper().find(mark)


async def test_another_epoch_that_begins_alike_is_not_ours() -> None:
    epoch = secrets.token_hex(8)
    async with started("echo ready; exec sleep 1000", epoch + "0"):
        assert not await sweeper().find(Mark(1 << 22, epoch))


async def test_a_command_with_odd_characters_in_its_name_is_found() -> None:
    # What /proc/PID/stat says of such a command looks like the fields that come after it (proc(5)).
    async with started("printf ') Z 1 1 (' > /proc/$$/comm; echo ready; read <> <(:)") as process:
        mark = Mark(process.pid, "none")
        assert process.pid in await sweeper().find(mark)
        await sweeper().end(mark, 1)


def test_a_zombie_is_not_left_over() -> None:
    zombie = subprocess.Popen(["true"], start_new_session=True)
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    mark = Mark(zombie.pid, "none")
    assert not scan([mark])[mark]
    zombie.wait()


async def test_this_process_is_never_among_them() -> None:
    own = Mark(os.getsid(0), "none")
    assert os.getpid() not in scan([own])[own]


async def test_a_stopped_process_is_woken_to_obey() -> None:
    async with started("trap 'exit 3' TERM; echo ready; while :; do sleep 0.02; done") as process:
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        send([process.pid], signal.SIGTERM)
        assert await process.wait() == 3


async def test_a_signal_to_one_that_has_gone_is_no_error() -> None:
    send([1 << 22], signal.SIGTERM)


async def test_the_end_of_a_process_that_is_not_our_child_is_noticed() -> None:
    async with started("(sleep 1000 >&- & echo $! >&2) 2>&1 | { read pid; echo ready; echo $pid; cat; }") as process:
        assert process.stdout is not None
        pid = int(await process.stdout.readline())
        noticed = asyncio.create_task(ended(pid))
        await asyncio.sleep(0)
        assert not noticed.done()
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            await noticed
            await ended(1 << 22)


async def test_the_gentle_signals_come_first_and_are_enough_for_the_obedient() -> None:
    script = "trap 'echo hup' HUP; trap 'echo term; exit' TERM; echo ready; while :; do read -t 1000 <> <(:); done"
    epoch = secrets.token_hex(8)
    async with started(script, epoch) as process:
        await sweeper().end(Mark(process.pid, epoch), 0.3)
        assert process.stdout is not None
        assert await process.stdout.read() == b"hup\nterm\n"
        assert await process.wait() == 0


async def test_those_that_end_together_share_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(marks: Iterable[Mark]) -> dict[Mark, set[int]]:
        listed = list(marks)
        asked.append(len(listed))
        return scan(listed)

    monkeypatch.setattr(leftovers, "scan", counted)
    own = Sweeper()
    marks = [Mark((1 << 22) + number, f"none{number}") for number in range(100)]
    assert await asyncio.gather(*(own.find(mark) for mark in marks)) == [set()] * 100
    assert sum(asked) == 100
    assert len(asked) <= 2


async def test_one_who_stops_waiting_disturbs_no_other() -> None:
    own, mark = Sweeper(), Mark(1 << 22, "none")
    first, second = asyncio.create_task(own.find(mark)), asyncio.create_task(own.find(mark))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == set()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_one_that_forks_while_it_is_ended_is_gone_with_all_its_children() -> None:
    epoch = secrets.token_hex(8)
    async with started(f"trap '' HUP TERM; exec {shlex.quote(sys.executable)} -c '{FORKING}'", epoch) as process:
        mark = Mark(process.pid, epoch)
        await sweeper().end(mark, 0.05)
        assert not await sweeper().find(mark)
