"""How a session ends when somebody wants it to: told to all, with a grace, and leaving nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from prometheus_client import generate_latest

from reconnectingpty import (
    ExitStatus,
    IdleTimeout,
    Killed,
    MemoryConnection,
    Metrics,
    Outcome,
    ReconnectingPTY,
    SessionClosed,
    Shutdown,
    State,
    leftovers,
)
from reconnectingpty.wire.messages import Closing, Exited, Hello, OutputAck

from .support.attached import PATIENCE, Attached, Holding, session_of

HOURS = 3600.0


def states_of(session: ReconnectingPTY) -> list[State]:
    """The states that a session comes to from now on."""
    states: list[State] = []
    session._machine.listen(states.append)
    return states


# -- the end that somebody wanted


@pytest.mark.parametrize("error", [Killed(), Shutdown(), IdleTimeout()], ids=repr)
async def test_close_tells_every_client_why(error: SessionClosed) -> None:
    async with session_of("cat") as session:
        states = states_of(session)
        clients = [Attached.to(session) for _ in range(3)]
        for client in clients:
            await client.until_told(Hello)
        session.close(error)
        for client in clients:
            with pytest.raises(type(error)):
                await client.outcome
            assert client.sent[-1] == Closing(error.reason, str(error))
        await session.wait()
        assert states == [State.READY, State.CLOSING, State.DONE]
        assert session.exit_status == ExitStatus(signal=1)


async def test_only_the_first_cause_counts_however_often_it_is_closed() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        session.close(Shutdown())
        for _ in range(3):
            session.close(Killed())
        await session.wait()
        session.close(Killed())
        assert isinstance(session.error, Shutdown)
        assert len(client.told(Closing)) == 1


async def test_a_close_before_anybody_came_is_an_end_as_well() -> None:
    async with session_of("cat") as session:
        session.close()
        await session.wait()
        assert isinstance(session.error, Killed)
        assert session.exit_status is None


async def test_a_close_while_starting_ends_what_was_started() -> None:
    async with session_of("sleep 1000") as session:
        client = Attached.to(session)
        await asyncio.sleep(0)
        session.close()
        with pytest.raises(Killed):
            await client.outcome
        await session.wait()
        assert session.state is State.DONE


async def test_nobody_is_let_in_while_it_is_closing() -> None:
    async with session_of("trap '' HUP; echo ready; while :; do sleep 1000; done", kill_grace=0.3) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        session.close(Shutdown())
        assert session.state is State.CLOSING
        late = MemoryConnection()
        with pytest.raises(Shutdown):
            await session.attach(late, "late", 24, 80)
        assert session.state is State.CLOSING
        assert not late.sent


async def test_nobody_is_let_in_after_the_process_ended() -> None:
    async with session_of("exit 0") as session:
        await Attached.to(session).outcome
        await session.wait()
        late = MemoryConnection()
        with pytest.raises(SessionClosed, match="ended"):
            await session.attach(late, "late", 24, 80)
        assert not late.sent


async def test_what_a_program_says_at_its_end_is_delivered_before_the_end_is_told() -> None:
    script = "trap 'seq 1 5000; echo farewell; exit' HUP; echo ready; while :; do sleep 0.01; done"
    async with session_of(script, kill_grace=10) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        session.close()
        with pytest.raises(Killed):
            await client.outcome
        assert client.output.endswith(b"4999\r\n5000\r\nfarewell\r\n")
        assert isinstance(client.sent[-1], Closing)


STUBBORN = {
    "in its group": "trap '' HUP TERM; echo ready; while :; do sleep 1000; done",
    "in another group": "set -m; trap '' HUP TERM; (echo ready; while :; do sleep 1000; done); :",
    "in another session": "(setsid bash -c 'trap \"\" HUP TERM; echo ready; while :; do sleep 1000; done' &); cat",
}


@pytest.mark.parametrize("script", STUBBORN.values(), ids=STUBBORN)
async def test_an_abort_ends_at_once_whatever_the_programs_do(script: str) -> None:
    async with session_of(script, kill_grace=1000) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        session.abort()
        with pytest.raises(Shutdown):
            await client.outcome
        async with asyncio.timeout(PATIENCE):
            await session.wait()


async def test_an_abort_cuts_a_grace_short_that_has_begun() -> None:
    async with session_of(STUBBORN["in its group"], kill_grace=1000) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        session.close()
        await asyncio.sleep(0)
        session.abort()
        async with asyncio.timeout(PATIENCE):
            await session.wait()
        assert isinstance(session.error, Killed)


async def test_an_abort_does_not_wait_for_a_client_that_takes_nothing() -> None:
    async with session_of("cat", linger=1000) as session:
        client = Holding.to(session)
        assert isinstance(client, Holding)
        await client.until_told(Hello)
        client.shut()
        client.feed(b"echo\n")
        await client.held.wait()
        session.abort()
        async with asyncio.timeout(PATIENCE):
            await session.wait()


@pytest.mark.parametrize("end", [lambda s: None, lambda s: s.close()], ids=["exit", "close"])
async def test_the_end_does_not_wait_for_ever_for_a_client_that_takes_nothing(
    end: Callable[[ReconnectingPTY], None],
) -> None:
    async with session_of("read; echo hello", linger=0.2) as session:
        client, other = Holding.to(session), Attached.to(session)
        assert isinstance(client, Holding)
        await client.until_told(Hello)
        await other.until_told(Hello)
        client.shut()
        end(session)
        other.feed(b"\n")
        async with asyncio.timeout(PATIENCE):
            await session.wait()
        with pytest.raises(SessionClosed):
            await client.outcome
        assert isinstance(other.sent[-1], Exited | Closing)


async def test_the_end_does_not_wait_for_ever_for_a_client_that_takes_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconnectingpty.session.SLOWEST", 1 << 30)
    async with session_of("echo ready; read; seq 100000; echo end", linger=0.2) as session:
        client = Attached.to(session, window=4096)
        await client.until(b"ready")
        client.feed(b"\n")
        await client.until_output(4096)
        session.close()
        async with asyncio.timeout(PATIENCE):
            while session.state is not State.DONE:
                client.feed(OutputAck(len(client.output) - 4000))
                await asyncio.sleep(0.02)


async def test_an_error_while_ending_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the server is out of descriptors, and /proc can't be read. Apart, since a failure blocks the loop."""
    script = """
import asyncio, os
from reconnectingpty import MemoryConnection, Options, leftovers, new

def scan(marks):
    raise OSError(24, os.strerror(24))

async def main():
    options = Options(backend_type="buffered", kill_grace=0.05)
    session = new("trap '' HUP; echo ready; while :; do sleep 1000; done", options)
    client = MemoryConnection()
    attached = asyncio.create_task(session.attach(client, "me", 24, 80))
    await client.until(b"ready")
    leftovers.scan = scan
    session.close()
    await session.wait()
    await asyncio.wait([attached])
    print(session.state.name)

asyncio.run(main())
"""
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await done.communicate()
    finally:
        if done.returncode is None:
            done.kill()
            await done.wait()
    assert out == b"DONE\n", err.decode()


async def test_a_background_child_does_not_hide_the_end() -> None:
    async with session_of("trap '' HUP; yes & echo last; exit 5", linger=5) as session:
        client = Attached.to(session)
        async with asyncio.timeout(PATIENCE):
            assert await client.outcome is Outcome.EXITED
        assert client.sent[-1] == Exited(5, None)
        assert b"last\r\n" in client.output


async def test_an_end_for_which_nothing_can_be_looked_up_still_has_its_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(marks: object) -> None:
        raise OSError(24, os.strerror(24))

    script = "trap 'echo hup' HUP; trap 'echo term; exit' TERM; echo ready; while :; do read -t 1000 <> <(:); done"
    metrics = Metrics()
    async with session_of(script, kill_grace=0.3, metrics=metrics) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        monkeypatch.setattr(leftovers, "scan", scan)
        session.close()
        with pytest.raises(Killed):
            await client.outcome
        assert client.output.endswith(b"hup\r\nterm\r\n")
        await session.wait()
        monkeypatch.undo()
    assert b'error_type="end"' in generate_latest(metrics.registry)
