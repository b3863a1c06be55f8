"""Real programs on a real PTY."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shlex
import signal
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from reconnectingpty import StartFailed, process
from reconnectingpty.process import OUTPUT_AFTER_EXIT, ExitStatus
from reconnectingpty.size import Size

from .support.attached import PATIENCE
from .support.programs import Run, fifo, readable, running, spawn

# -- what a program finds


async def test_the_terminal_has_its_size_before_the_first_instruction() -> None:
    async with running("stty size", size=Size(31, 97)) as run:
        assert await run.ended() == b"31 97\r\n"


async def test_it_leads_a_session_and_its_standard_streams_are_its_controlling_terminal() -> None:
    ids = "ps -o sid=,pgid=,tpgid= -p $$ | xargs; echo $$ $$ $$"
    streams = "echo $(readlink /proc/$$/fd/{0,1,2}); echo $(tty) $(tty) $(tty)"
    async with running(f"{ids}; {streams}; : </dev/tty && echo ok") as run:
        found = (await run.ended()).split(b"\r\n")
        assert found[0] == found[1]
        assert found[2] == found[3]
        assert found[4] == b"ok"


async def test_it_starts_in_its_directory(tmp_path: Path) -> None:
    async with running("pwd -P", cwd=str(tmp_path)) as run:
        assert await run.ended() == os.fsencode(tmp_path.resolve()) + b"\r\n"


async def test_no_descriptor_of_ours_is_inherited() -> None:
    ours = os.dup(1)
    os.set_inheritable(ours, True)
    try:
        # The listing's own descriptor is 3.
        async with running("exec ls -C /proc/self/fd") as run:
            assert (await run.ended()).split() == [b"0", b"1", b"2", b"3"]
    finally:
        os.close(ours)


async def test_no_signal_is_ignored_or_blocked() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        async with running("exec grep -E 'SigIgn|SigBlk' /proc/self/status") as run:
            lines = (await run.ended()).split()
            assert lines == [b"SigBlk:", bytes(b"0" * 16), b"SigIgn:", bytes(b"0" * 16)]
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])


async def test_a_broken_pipe_kills_as_it_does_in_any_shell() -> None:
    async with running("yes | head -1; echo ${PIPESTATUS[0]}") as run:
        assert await run.ended() == b"y\r\n141\r\n"


# -- its end


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (":", ExitStatus(code=0)),
        ("exit 7", ExitStatus(code=7)),
        ("exit 255", ExitStatus(code=255)),
        ("kill -9 $$", ExitStatus(signal=9)),
        ("kill -TERM $$", ExitStatus(signal=15)),
        ("ulimit -c 0; kill -SEGV $$", ExitStatus(signal=11)),
    ],
)
async def test_the_exit_status_is_kept(script: str, status: ExitStatus) -> None:
    async with running(script) as run:
        await run.ended()
        assert run.process.exited.result() == status


async def test_a_status_that_somebody_else_took_is_unknown_and_no_trouble() -> None:
    async with running("exit 7") as run:
        # As a program does that waits for all of its children. The loop has no turn meanwhile.
        os.waitpid(run.process.pid, 0)
        await run.ended()
        assert run.process.exited.result() == ExitStatus()


async def test_all_output_comes_before_the_end() -> None:
    async def one() -> bytes:
        async with running("seq 1 20000") as run:
            return await run.ended()

    whole = b"".join(b"%d\r\n" % number for number in range(1, 20001))
    assert len(whole) == 128894
    for _ in range(5):
        assert await asyncio.gather(*(one() for _ in range(4))) == [whole] * 4


async def test_a_background_child_that_keeps_the_terminal_does_not_hide_the_exit() -> None:
    async with running("trap '' HUP; sleep 1000 & echo last; exit 5") as run:
        async with asyncio.timeout(PATIENCE):
            assert await run.ended() == b"last\r\n"
        assert run.process.exited.result() == ExitStatus(code=5)
        assert await run.living()


async def test_a_background_child_that_never_stops_writing_does_not_hide_the_exit_either() -> None:
    async with running("trap '' HUP; yes & exit 5") as run:
        async with asyncio.timeout(PATIENCE):
            await run.ended()
        assert run.process.exited.result() == ExitStatus(code=5)
        assert len(run.output) < 4 * OUTPUT_AFTER_EXIT


async def test_a_program_that_closes_its_terminal_lives_on() -> None:
    async with running("echo last; exec sleep 1000 <&- >&- 2>&-") as run:
        await run.until(b"last")
        async with asyncio.timeout(PATIENCE):
            while await run.living() and not run.process._eof:
                await asyncio.sleep(0)
        assert run.output == b"last\r\n"
        assert not run.process.exited.done()
        os.kill(run.process.pid, signal.SIGKILL)
        assert await run.process.exited == ExitStatus(signal=9)


STUBBORN = {
    "ignores HUP": "trap '' HUP; echo ready; while :; do sleep 1000; done",
    "ignores HUP and TERM": "trap '' HUP TERM; echo ready; while :; do sleep 1000; done",
    "setsid": "setsid sleep 1000 & echo ready; wait",
    "double fork": "(setsid bash -c 'trap \"\" HUP TERM; echo ready; sleep 1000 & wait' &) ; sleep 1000",
    "closed its terminal": "(setsid bash -c 'echo ready; exec sleep 1000 <&- >&- 2>&-' &) ; sleep 1000",
    "stopped": "sleep 1000 & kill -STOP $!; echo ready; wait",
    "stopped itself, ignores HUP": "trap '' HUP; echo ready; kill -STOP $$; while :; do sleep 1000; done",
    "job control": "set -m; sleep 1000 & sleep 1000 | sleep 1000 & echo ready; wait",
    "never reads": "stty raw -echo; echo ready; sleep 1000",
    "floods": "trap '' HUP TERM; echo ready; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
}


@pytest.mark.parametrize("stubborn", STUBBORN.values(), ids=STUBBORN)
async def test_whatever_a_program_does_it_is_gone_after_the_end(stubborn: str) -> None:
    async with running(stubborn) as run:
        await run.until(b"ready")
        assert await run.living()
        async with asyncio.timeout(PATIENCE):
            await run.process.end(0.1)
            await run.process.exited
        assert not await run.living()


async def test_kill_ends_at_once_what_has_the_terminal_too() -> None:
    async with running("set -m; trap '' HUP TERM; (trap '' HUP TERM; echo ready; exec sleep 1000)") as run:
        await run.until(b"ready")
        run.process.kill()
        assert await run.process.exited == ExitStatus(signal=signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while await run.living():
                await asyncio.sleep(0)


async def test_after_the_end_every_call_is_harmless() -> None:
    async with running("exit 3") as run:
        await run.ended()
        run.process.write(b"too late", pytest.fail)
        assert run.process.pending == 0
        run.process.kill()
        run.process.pause()
        run.process.resume()
        run.process.close()
        run.process.close()
        run.process.write(b"too late", pytest.fail)
        with pytest.raises((OSError, ValueError)):
            run.process.resize(Size(1, 1))
        assert (run.process.foreground_group, run.process.cwd) == (None, None)


# -- input


async def test_input_waits_for_a_program_that_does_not_read_and_is_taken_in_order(tmp_path: Path) -> None:
    data = bytes(range(256)) * 2000
    first, second = data[:200_000], data[200_000:]
    with fifo(tmp_path) as gate:
        script = f"stty raw -echo; echo ready; read < {gate.path}; head -c {len(data)} | md5sum"
        async with running(script) as run:
            await run.until(b"ready")
            taken: list[tuple[str, int]] = []
            run.process.write(first, lambda count: taken.append(("first", count)))
            run.process.write(second, lambda count: taken.append(("second", count)))
            pending = run.process.pending
            assert pending == len(data) - sum(count for _, count in taken)
            assert pending > 100_000
            gate.tell()
            await run.ended()
            assert hashlib.md5(data).hexdigest().encode() in run.output
            assert run.process.pending == 0
            for name, size in (("first", 200_000), ("second", len(data) - 200_000)):
                assert sum(count for who, count in taken if who == name) == size
            names = [name for name, _ in taken]
            assert names == sorted(names)
            assert all(count > 0 for _, count in taken)


async def test_a_program_that_never_reads_can_be_written_to_without_end() -> None:
    async with running("stty raw -echo; echo ready; exec sleep 1000") as run:
        await run.until(b"ready")
        taken: list[int] = []
        for _ in range(1000):
            run.process.write(bytes(1000), taken.append)
        await asyncio.sleep(0)
        assert run.process.pending + sum(taken) == 1_000_000
        assert run.process.pending > 500_000
        os.kill(run.process.pid, signal.SIGKILL)
        await run.process.exited
        assert run.process.pending == 0


async def test_single_bytes_that_wait_weigh_no_more_than_a_paste() -> None:
    async with running("stty raw -echo; echo ready; exec sleep 1000") as run:
        await run.until(b"ready")
        taken: list[int] = []
        run.process.write(bytes(100_000), taken.append)
        tracemalloc.start()
        try:
            for _ in range(50_000):
                run.process.write(b"x", taken.append)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert run.process.pending + sum(taken) == 150_000
        assert grown < 500_000


async def test_output_that_the_kernel_tells_of_too_late_comes_before_the_end() -> None:
    """On a busy machine what a program wrote may lie unprocessed for longer than a moment after its end."""
    async with running("echo ready; read; seq 300; exit 4") as run:
        await run.until(b"ready")
        asyncio.get_running_loop().remove_reader(run.process.fd)  # nobody will be told of what fits into any PTY
        run.process.write(b"\n", lambda count: None)
        assert await run.process.exited == ExitStatus(code=4)
        await run.process.drained
        assert run.output.endswith(b"\r\n299\r\n300\r\n")
        assert run.output.count(b"\r\n") == 302


async def test_output_goes_on_while_input_waits() -> None:
    async with running("stty raw -echo; echo ready; for i in $(seq 1000); do echo $i; done; sleep 1000") as run:
        run.process.write(bytes(500_000), lambda count: None)
        await run.until(b"1000")
        assert run.process.pending > 0


async def test_input_of_every_byte_value_arrives_as_it_is() -> None:
    async with running("stty raw -echo; echo ready; head -c 256 | od -An -v -tu1") as run:
        await run.until(b"ready")
        run.process.write(bytes(range(256)), lambda count: None)
        numbers = (await run.ended()).split()[1:]
        assert numbers == [b"%d" % number for number in range(256)]


# -- pace and size


async def test_a_paused_process_is_read_again_after_resume(tmp_path: Path) -> None:
    with fifo(tmp_path) as started:
        async with running(f"stty -echo; echo ready; read; echo go > {started.path}; seq 1 50000; echo done") as run:
            await run.until(b"ready\r\n")
            run.process.pause()
            before = run.output
            run.process.write(b"\n", lambda count: None)
            await started.heard()
            await readable(run.process.fd)
            assert run.output == before
            run.process.resume()
            assert len(await run.ended()) == len(before) + sum(len(f"{n}\r\n") for n in range(1, 50001)) + 6


async def test_a_process_that_ended_while_paused_gives_all_its_output_after_resume() -> None:
    async with running("echo ready; read; echo more") as run:
        await run.until(b"ready")
        run.process.pause()
        run.process.write(b"\n", lambda count: None)
        await run.process.exited
        assert not run.process.drained.done()
        run.process.resume()
        assert (await run.ended()).endswith(b"more\r\n")


SIZES = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])
print("ready", flush=True)
while signal.sigwait([signal.SIGWINCH]):
    print(*reversed(os.get_terminal_size()), flush=True)
"""


async def test_a_resize_reaches_the_program() -> None:
    async with running(f"exec {shlex.quote(sys.executable)} -ISc '{SIZES}'") as run:
        await run.until(b"ready")
        for size in (Size(10, 20), Size(1000, 2000), Size(1, 1)):
            run.process.resize(size)
            await run.until(b"\n%d %d\r\n" % size)


async def test_it_can_be_seen_where_a_process_is_and_who_has_its_terminal(tmp_path: Path) -> None:
    script = f"set -m; cd {tmp_path}; echo ready; bash -c 'echo pid=$$.; sleep 1000'; :"
    async with running(script) as run:
        await run.until(b".\r\n")
        assert run.process.cwd == str(tmp_path.resolve())
        assert run.output.endswith(b"pid=%d.\r\n" % (run.process.foreground_group or 0))
        assert run.process.foreground_group != run.process.pid


# -- starts that fail


@pytest.mark.parametrize("cwd", ["/nonexistent", "/etc/passwd"])
async def test_a_directory_that_is_not_there_is_a_clear_error(cwd: str) -> None:
    with pytest.raises(StartFailed, match=f"cannot start '/bin/true': .*{cwd}"):
        await spawn(["/bin/true"], cwd=cwd)


async def test_a_directory_that_has_vanished_is_a_clear_error(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    gone.rmdir()
    with pytest.raises(StartFailed, match="cannot start"):
        await spawn(["/bin/true"], cwd=str(gone))


@pytest.mark.parametrize("kind", ["missing", "not executable", "a directory", "no format"])
async def test_a_program_that_cannot_be_run_is_a_clear_error(kind: str, tmp_path: Path) -> None:
    program = tmp_path / "program"
    if kind == "a directory":
        program.mkdir()
    elif kind != "missing":
        program.write_bytes(b"\x7fELFnot really")
        program.chmod(0o755 if kind == "no format" else 0o644)
    with pytest.raises(StartFailed, match=f"cannot start '{program}'") as caught:
        await spawn([str(program)])
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 300


async def test_failing_starts_leave_nothing_however_many_at_once() -> None:
    before = set(os.listdir("/proc/self/fd"))
    results = await asyncio.gather(*(spawn(["/nonexistent"]) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(result, StartFailed) for result in results)
    assert set(os.listdir("/proc/self/fd")) == before


# -- starts that nobody waits for any more


async def test_a_start_that_is_cancelled_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., tuple[int, int]] = process.start
    go_on, pids = threading.Event(), list[int]()
    loop, started = asyncio.get_running_loop(), asyncio.Event()

    def held(*arguments: object) -> tuple[int, int]:
        pid, fd = real(*arguments)
        pids.append(pid)
        loop.call_soon_threadsafe(started.set)
        assert go_on.wait(PATIENCE)
        return pid, fd

    monkeypatch.setattr(process, "start", held)
    start = asyncio.create_task(spawn(["/bin/sleep", "1000"]))
    await started.wait()
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    go_on.set()
    async with asyncio.timeout(PATIENCE):
        while Path(f"/proc/{pids[0]}").exists():
            await asyncio.sleep(0)


async def test_a_start_that_is_cancelled_at_once_leaves_no_child() -> None:
    start = asyncio.create_task(spawn(["/bin/sleep", "1000"]))
    await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    # What the test leaves behind is looked at after each test.


# -- trouble


async def test_trouble_on_the_terminal_is_told_by_its_kind_and_ends_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    run.process = await spawn(["/bin/bash", "-c", "echo ready; read; exit 4"], run)
    await run.until(b"ready")

    def broken(*_: object) -> int:
        raise OSError(5000, "made up")

    monkeypatch.setattr(os, "readv", broken)
    run.process.write(b"\n", lambda count: None)
    assert await run.process.exited == ExitStatus(code=4)
    await run.process.drained
    monkeypatch.undo()
    run.process.close()
    assert [what for what, _ in run.trouble] == ["output_reader"]
