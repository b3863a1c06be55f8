"""A session's life: how it begins, how long it waits, how it ends, and what is told of it."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from reconnectingpty import (
    ExitStatus,
    IdleTimeout,
    MemoryConnection,
    OptionError,
    Options,
    Outcome,
    ReconnectingPTY,
    ReconnectingPTYError,
    StartFailed,
    State,
    TooManyViewers,
    backends,
    new,
    process,
)
from reconnectingpty.process import Process
from reconnectingpty.size import Size
from reconnectingpty.wire.messages import Exited, Hello

from .support.attached import PATIENCE, Attached, session_of
from .support.clock import pass_time
from .support.programs import fifo

HOURS = 3600.0
HIDING = "(setsid bash -c 'trap \"\" HUP TERM; echo ready; while :; do sleep 1000; done' &); cat"


def states_of(session: ReconnectingPTY) -> list[State]:
    """The states that a session comes to from now on."""
    states: list[State] = []
    session._machine.listen(states.append)
    return states


# -- the way from starting to done


async def test_a_command_runs_from_starting_to_done_and_its_status_is_kept() -> None:
    async with session_of("echo hello; exit 3") as session:
        states = states_of(session)
        assert session.state is State.STARTING
        client = Attached.to(session)
        assert await client.outcome is Outcome.EXITED
        await session.wait()
        assert states == [State.READY, State.CLOSING, State.DONE]
        assert (session.state, session.error, session.exit_status) == (State.DONE, None, ExitStatus(code=3))
        assert client.output == b"hello\r\n"
        assert client.sent[-1] == Exited(3, None)


async def test_a_command_that_a_signal_ended_says_which() -> None:
    async with session_of("kill -TERM $$") as session:
        client = Attached.to(session)
        assert await client.outcome is Outcome.EXITED
        assert client.sent[-1] == Exited(None, 15)
        await session.wait()
        assert session.exit_status == ExitStatus(signal=15)


async def test_nothing_runs_before_somebody_attaches() -> None:
    async with session_of("cat") as session:
        await pass_time(20)
        assert (session.state, session.info().pid) == (State.STARTING, None)


async def test_fifty_short_commands_show_all_they_said() -> None:
    async def one(number: int) -> bytes:
        async with session_of(f"echo {number}") as session:
            client = Attached.to(session)
            await client.outcome
            return client.output

    outputs = await asyncio.gather(*(one(number) for number in range(50)))
    assert outputs == [b"%d\r\n" % number for number in range(50)]


async def test_simultaneous_first_attaches_share_one_process() -> None:
    async with session_of("echo pid=$$.; cat") as session:
        clients = [Attached.to(session) for _ in range(20)]
        pids = {re.findall(rb"pid=(\d+)\.", await client.until(b".")).pop() for client in clients}
        assert pids == {b"%d" % (session.info().pid or 0)}


async def test_a_wait_ends_at_its_state_or_beyond_and_one_that_is_given_up_leaves_nothing() -> None:
    async with session_of("read") as session:
        ready, closing, given_up = (
            asyncio.create_task(session.wait(s)) for s in (State.READY, State.CLOSING, State.DONE)
        )
        client = Attached.to(session)
        await ready
        assert not closing.done()
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        client.feed(b"\n")
        await closing
        await session.wait(State.STARTING)
        await session.wait()
        assert not session._machine._listeners


# -- starts that fail


async def test_a_command_that_cannot_start_surfaces_from_every_attach() -> None:
    async with session_of(["/nonexistent"]) as session:
        states = states_of(session)
        clients = [Attached.to(session) for _ in range(3)]
        for client in clients:
            with pytest.raises(StartFailed, match="/nonexistent"):
                await client.outcome
        assert states == [State.DONE]
        assert isinstance(session.error, StartFailed)
        with pytest.raises(StartFailed):
            await session.attach(MemoryConnection(), "later", 24, 80)
        session.close()
        await session.wait()
        assert isinstance(session.error, StartFailed)


@pytest.mark.parametrize("command", ["#!", "#!'", "a\0b", [], [""]], ids=repr)
async def test_a_command_that_cannot_be_made_is_a_start_error(command: str | list[str]) -> None:
    async with session_of(command) as session:
        with pytest.raises(StartFailed):
            await session.attach(MemoryConnection(), "x", 24, 80)
        assert session.state is State.DONE


async def test_an_unknown_backend_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionError, match=backends()[0]):
        new("", Options(backend_type="nonsense"))


@pytest.mark.parametrize("name", ["", "auto", *backends()])
async def test_each_backend_that_there_is_can_be_chosen(name: str) -> None:
    session = new("true", Options(backend_type=name), session_id="mine")
    assert session.backend in backends()
    assert session.id == "mine"
    session.close()
    await session.wait()


# -- the timers


async def test_nobody_coming_ends_it_after_the_attach_timeout() -> None:
    async with session_of("cat") as session:
        states = states_of(session)
        await pass_time(29.9)
        assert session.state is State.STARTING
        await pass_time(0.2)
        await session.wait()
        assert states == [State.CLOSING, State.DONE]
        assert isinstance(session.error, IdleTimeout)
        with pytest.raises(IdleTimeout):
            await session.attach(MemoryConnection(), "late", 24, 80)


async def test_the_timeout_does_not_run_while_anybody_is_attached() -> None:
    async with session_of("cat", timeout=10) as session:
        first, second = Attached.to(session), Attached.to(session, readonly=True)
        await second.until_told(Hello)
        await pass_time(5 * HOURS)
        assert session.state is State.READY
        await first.detach()
        await pass_time(5 * HOURS)
        assert session.state is State.READY


async def test_the_timeout_runs_in_full_after_each_last_detach() -> None:
    async with session_of("cat", timeout=10) as session:
        for _ in range(3):
            client = Attached.to(session)
            await client.until_told(Hello)
            await client.detach()
            await pass_time(9.9)
            assert session.state is State.READY
        await pass_time(0.2)
        await session.wait()
        assert isinstance(session.error, IdleTimeout)


async def test_an_attach_that_is_refused_does_not_put_the_timeout_off() -> None:
    async with session_of("cat", timeout=10, max_viewers=1) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        with pytest.raises(TooManyViewers):
            await session.attach(MemoryConnection(), "one too many", 24, 80)
        await client.detach()
        await pass_time(10.1)
        await session.wait()
        assert isinstance(session.error, IdleTimeout)


async def test_without_a_timeout_it_stays() -> None:
    async with session_of("cat", timeout=None) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        await client.detach()
        await pass_time(10_000 * HOURS)
        assert session.state is State.READY


async def test_who_is_attached_is_told_of_nothing_by_a_timeout_that_was_held() -> None:
    async with session_of("cat", attach_timeout=1, timeout=1) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        await pass_time(HOURS)
        client.feed(b"still here\n")
        await client.until(b"still here\r\nstill here")


async def test_an_attach_given_up_while_starting_counts_as_a_detach() -> None:
    async with session_of("cat", timeout=10) as session:
        client = Attached.to(session)
        await asyncio.sleep(0)
        client.outcome.cancel()
        await session.wait(State.READY)
        assert session.viewer_count == 0
        await pass_time(10.1)
        await session.wait()
        assert isinstance(session.error, IdleTimeout)


async def test_a_cancelled_attach_is_a_detach() -> None:
    async with session_of("cat", timeout=10) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        client.outcome.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client.outcome
        assert session.viewer_count == 0
        await pass_time(10.1)
        await session.wait()
        assert isinstance(session.error, IdleTimeout)


# -- what is told


async def test_info_tells_what_there_is(tmp_path: Path) -> None:
    script = f"cd {tmp_path}; printf '\\e]2;a title\\a'; echo ready; read; exit 4"
    async with session_of(script, linger=0.1) as session:
        client = Attached.to(session, 30, 100)
        await client.until(b"ready")
        screen = await session.screen()
        info = session.info()
        assert (info.id, info.epoch, info.backend, info.command) == (session.id, session.epoch, "buffered", script)
        assert (info.state, info.rows, info.cols, info.viewers, info.attached) == ("ready", 30, 100, 1, True)
        assert (info.title, info.cwd, info.bytes_out) == ("a title", str(tmp_path), session.bytes_out)
        assert (info.exit_code, info.exit_signal, info.created) == (None, None, session.created)
        assert info.pid is not None
        assert os.path.exists(f"/proc/{info.pid}")
        assert screen.text() == "ready\n"
        assert screen.json()["cursor"] == {"row": 1, "col": 0, "visible": True}
        client.feed(b"\n")
        await client.outcome
        await session.wait()
        after = session.info()
        assert (after.state, after.exit_code, after.pid, after.viewers, after.bytes_in) == ("done", 4, None, 0, 1)


async def test_the_idle_time_counts_from_the_last_thing_that_happened() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        await pass_time(100)
        assert 100 <= session.info().idle < 160
        client.feed(b"x\n")
        await client.until(b"x\r\nx")
        assert session.info().idle < 60
        await pass_time(100)
        await client.detach()
        assert session.info().idle < 60


async def test_a_screen_that_is_gone_is_not_made_up() -> None:
    async with session_of("echo hello") as session:
        await Attached.to(session).outcome
        await session.wait()
        assert "hello" in (await session.screen()).text()


# -- on the loop that the server uses


@pytest.fixture(scope="session")
def uvloop() -> ModuleType:
    module = pytest.importorskip("uvloop")
    # libuv's first loop opens a pipe for signals, for all that come after it, and never closes it.
    module.new_event_loop().close()
    assert isinstance(module, ModuleType)
    return module


def test_a_process_that_is_let_go_while_it_runs_is_ended_and_reaped(uvloop: ModuleType) -> None:
    async def life() -> None:
        process = await Process.spawn(
            ["/bin/sh", "-c", "trap '' HUP TERM; exec sleep 1000"],
            environment={"PATH": os.environ["PATH"]},
            cwd="/",
            size=Size(24, 80),
            epoch="none",
            output=lambda data: None,
            trouble=lambda kind, error: None,
        )
        process.close()
        with pytest.raises(ChildProcessError):
            os.waitpid(process.pid, 0)

    uvloop.run(life())


def test_the_same_life_on_uvloop(tmp_path: Path, uvloop: ModuleType) -> None:
    async def life() -> None:
        with fifo(tmp_path) as gate:
            async with session_of(f"stty size; read < {gate.path}; seq 1 20000; exit 3", kill_grace=0.1) as session:
                client = Attached.to(session, 31, 97)
                await client.until(b"31 97\r\n")
                await client.detach()
                again = Attached.to(session, 31, 97, epoch=session.epoch, offset=3)
                gate.tell()
                assert await again.outcome is Outcome.EXITED
                assert again.output == b"97\r\n" + b"".join(b"%d\r\n" % number for number in range(1, 20001))
            async with session_of(HIDING, kill_grace=0.1) as session:
                client = Attached.to(session)
                await client.until(b"ready")
                session.close()
                with pytest.raises(ReconnectingPTYError):
                    await client.outcome
                async with asyncio.timeout(PATIENCE):
                    await session.wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(life())


async def test_a_start_that_fails_in_a_way_that_nobody_thought_of_ends_the_session(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(process, "start", start)
    async with session_of("cat") as session:
        with pytest.raises(StartFailed, match="can't start new thread"):
            await Attached.to(session).outcome
        assert session.state is State.DONE
    assert "cannot start" in caplog.text
