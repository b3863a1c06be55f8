"""A session's life, with real shells and clients that come and go."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import weakref

import pytest

from reconnectingpty import (
    ExitStatus,
    IdleTimeout,
    InputStalled,
    Killed,
    MemoryConnection,
    Metrics,
    NotAllowed,
    OptionError,
    Options,
    Outcome,
    ProtocolError,
    SessionClosed,
    Shutdown,
    SizePolicy,
    StartFailed,
    State,
    Superseded,
    TooManyViewers,
    new,
)
from reconnectingpty.size import Size
from reconnectingpty.wire.messages import (
    Closing,
    Exited,
    Hello,
    InputAck,
    Kill,
    OutputAck,
    Ping,
    Pong,
    Resize,
    Resync,
    ServerMessage,
    SizeChanged,
    Viewers,
)

from .support.attached import Attached, session_of

# -- the life cycle


async def test_a_command_runs_from_starting_to_done_and_its_status_is_kept() -> None:
    async with session_of("echo hello; exit 3") as session:
        assert session.state is State.STARTING
        client = Attached.to(session)
        assert await client.outcome is Outcome.EXITED
        await session.wait()
        assert (session.state, session.error, session.exit_status) == (State.DONE, None, ExitStatus(code=3))
        assert client.output == b"hello\r\n"
        assert client.sent[-1] == Exited(3, None)


async def test_fifty_short_commands_show_all_they_said() -> None:
    async def one(number: int) -> bytes:
        async with session_of(f"echo {number}") as session:
            client = Attached.to(session)
            await client.outcome
            return client.output

    outputs = await asyncio.gather(*(one(number) for number in range(50)))
    assert outputs == [b"%d\r\n" % number for number in range(50)]


async def test_nobody_coming_ends_it() -> None:
    async with session_of("cat", attach_timeout=0.05) as session:
        await session.wait()
        assert isinstance(session.error, IdleTimeout)
        with pytest.raises(IdleTimeout):
            await session.attach(MemoryConnection(), "late", 24, 80)


async def test_the_timeout_runs_in_full_from_the_last_detach_on() -> None:
    async with session_of("cat", timeout=0.2) as session:
        first, second = Attached.to(session), Attached.to(session)
        await second.until_told(Hello)
        await asyncio.sleep(0.3)
        assert session.state is State.READY
        await first.detach()
        await asyncio.sleep(0.3)
        assert session.state is State.READY
        began = asyncio.get_running_loop().time()
        await second.detach()
        await session.wait()
        assert isinstance(session.error, IdleTimeout)
        assert asyncio.get_running_loop().time() - began >= 0.2


async def test_without_a_timeout_it_stays() -> None:
    async with session_of("cat", timeout=None) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        await client.detach()
        assert session._timer is None
        assert session.state is State.READY


async def test_a_command_that_cannot_start_surfaces_from_every_attach() -> None:
    async with session_of(["/nonexistent"]) as session:
        clients = [Attached.to(session) for _ in range(3)]
        for client in clients:
            with pytest.raises(StartFailed, match="/nonexistent"):
                await client.outcome
        assert session.state is State.DONE
        with pytest.raises(StartFailed):
            await session.attach(MemoryConnection(), "later", 24, 80)


@pytest.mark.parametrize("command", ["#!", "#!'", "a\0b"])
async def test_a_command_that_cannot_be_made_is_a_start_error(command: str) -> None:
    async with session_of(command) as session:
        with pytest.raises(StartFailed):
            await session.attach(MemoryConnection(), "x", 24, 80)


async def test_simultaneous_first_attaches_share_one_process() -> None:
    async with session_of("echo $$; cat") as session:
        clients = [Attached.to(session) for _ in range(20)]
        for client in clients:
            await client.until_told(Hello)
        await clients[0].until(b"\r\n")
        pids = {re.findall(rb"\d{3,}", client.output)[0] for client in clients}
        assert len(pids) == 1


async def test_a_close_while_starting_ends_what_was_started() -> None:
    async with session_of("sleep 1000") as session:
        client = Attached.to(session)
        await asyncio.sleep(0)
        session.close()
        with pytest.raises(Killed):
            await client.outcome
        await session.wait()
        assert session.state is State.DONE


async def test_close_tells_the_clients_why_and_only_the_first_cause_counts() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        session.close(Shutdown())
        session.close(Killed())
        with pytest.raises(Shutdown):
            await client.outcome
        assert client.sent[-1] == Closing("shutdown", "server shutting down")


async def test_an_abort_ends_at_once_whatever_the_program_and_the_clients_do() -> None:
    async with session_of("trap '' HUP TERM; echo ready; while :; do sleep 9; done", kill_grace=30) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        session.abort()
        with pytest.raises(Shutdown):
            await client.outcome
        async with asyncio.timeout(5):
            await session.wait()


async def test_an_unknown_backend_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionError, match="buffered"):
        new("", Options(backend_type="nonsense"))


# -- who sees what


async def test_two_viewers_see_the_same_and_a_third_gets_the_picture() -> None:
    async with session_of("cat") as session:
        first, second = Attached.to(session), Attached.to(session)
        await first.until_told(Hello)
        first.feed(b"hello\r")
        await first.until(b"hello\r\nhello")
        await second.until(b"hello\r\nhello")
        await first.detach()
        await second.detach()
        third = Attached.to(session)
        hello = await third.until_told(Hello)
        assert hello.snapshot > 0
        assert await third.until(b"hello\r\nhello")


async def test_a_client_that_names_its_offset_gets_exactly_the_rest() -> None:
    async with session_of("stty raw -echo; cat") as session:
        client = Attached.to(session)
        hello = await client.until_told(Hello)
        client.feed(b"x" * 100)
        await client.until(b"x" * 100)
        await client.detach()
        again = Attached.to(session, epoch=hello.epoch, offset=60)
        hello = await again.until_told(Hello)
        assert (hello.offset, hello.snapshot) == (60, 0)
        assert await again.until(b"x" * 40) == b"x" * 40


@pytest.mark.parametrize("where", [{"epoch": "ff", "offset": 0}, {"offset": 5}, {"epoch": None, "offset": 10**12}])
async def test_a_client_that_names_another_place_gets_a_picture(where: dict) -> None:
    async with session_of("echo hello; cat") as session:
        client = Attached.to(session)
        await client.until(b"hello\r\n")
        again = Attached.to(session, **where)
        hello = await again.until_told(Hello)
        assert (hello.offset, hello.snapshot > 0) == (7, True)
        beyond = Attached.to(session, epoch=session.epoch, offset=8)
        assert (await beyond.until_told(Hello)).snapshot > 0


async def test_an_offset_that_the_log_has_forgotten_gets_a_picture() -> None:
    async with session_of("seq 1 100000; cat", log_limit=256 << 10) as session:
        client = Attached.to(session)
        await client.until(b"100000\r\n")
        again = Attached.to(session, epoch=session.epoch, offset=0)
        hello = await again.until_told(Hello)
        assert hello.snapshot > 0
        assert b"99999\r\n100000" in await again.until(b"100000")


async def test_the_number_of_viewers_is_told_and_bounded() -> None:
    async with session_of("cat", max_viewers=2) as session:
        first, second = Attached.to(session), Attached.to(session)
        await second.until_told(Hello)
        with pytest.raises(TooManyViewers):
            await session.attach(MemoryConnection(), "third", 24, 80)
        await second.detach()
        third = Attached.to(session)
        await third.until_told(Hello)
        assert session.viewer_count == 2
        async with asyncio.timeout(5):
            while not first.told(Viewers) or first.told(Viewers)[-1].count != 2:
                first.changed.clear()
                await first.changed.wait()


# -- input


async def test_a_newer_connection_of_a_client_ends_the_older_and_counts_its_input_on() -> None:
    async with session_of("stty raw -echo; cat") as session:
        first = Attached.to(session, client="me", window=1024)
        await first.until_told(Hello)
        first.feed(b"12345")
        await first.until(b"12345")
        second = Attached.to(session, client="me", window=1024)
        with pytest.raises(Superseded):
            await first.outcome
        assert (await second.until_told(Hello)).input_offset == 5
        second.feed(b"678")
        assert (await second.until_told(InputAck)).input_offset == 8


async def test_the_input_offsets_of_the_last_64_clients_are_kept() -> None:
    async with session_of("stty raw -echo; cat") as session:
        for number in range(66):
            client = Attached.to(session, client=f"c{number}")
            await client.until_told(Hello)
            client.feed(b"%02d" % number)
            await client.until(b"%02d" % number)
            await client.detach()
        offsets = []
        for number in (65, 2, 0):
            client = Attached.to(session, client=f"c{number}")
            offsets.append((await client.until_told(Hello)).input_offset)
            await client.detach()
        assert offsets == [2, 2, 0]


@pytest.mark.parametrize("what", [b"x", Kill()])
async def test_a_read_only_viewer_may_neither_type_nor_kill(what: object) -> None:
    async with session_of("cat") as session:
        client = Attached.to(session, readonly=True)
        await client.until_told(Hello)
        client.feed(what)  # type: ignore[arg-type]
        with pytest.raises(NotAllowed):
            await client.outcome
        assert session.state is State.READY


async def test_a_kill_ends_the_session() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        client.feed(Kill())
        with pytest.raises(Killed):
            await client.outcome


async def test_a_program_that_never_reads_holds_up_only_the_input_of_who_types() -> None:
    script = "stty raw -echo; echo ready; while :; do echo tick; sleep 0.02; done"
    async with session_of(script, input_stall=0.3, timeout=0.2) as session:
        typist, other = Attached.to(session), Attached.to(session)
        await typist.until(b"ready")
        for _ in range(40):
            typist.feed(b"z" * 16384)
        seen = len(typist.output)
        async with asyncio.timeout(10):
            while len(typist.output) < seen + 20 or len(other.output) < seen + 20:
                typist.changed.clear()
                await typist.changed.wait()
        with pytest.raises(InputStalled):
            await typist.outcome
        await other.detach()
        await session.wait()
        assert isinstance(session.error, IdleTimeout)


async def test_a_ping_is_answered_and_the_newest_answer_is_enough() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        for number in range(1000):
            client.feed(Ping(number))
        async with asyncio.timeout(5):
            while not client.told(Pong) or client.told(Pong)[-1].id != 999:
                client.changed.clear()
                await client.changed.wait()


# -- sizes


async def test_the_first_viewer_gives_the_command_its_size() -> None:
    async with session_of("stty size; cat") as session:
        assert await Attached.to(session, 31, 97).until(b"\r\n") == b"31 97\r\n"


async def test_the_latest_to_type_or_resize_has_the_size() -> None:
    async with session_of("cat") as session:
        first = Attached.to(session, 30, 100)
        await first.until_told(Hello)
        second = Attached.to(session, 20, 60)
        assert (await second.until_told(Hello)).rows == 20
        assert await first.until_told(SizeChanged) == SizeChanged(20, 60)
        first.feed(b"x")
        assert await second.until_told(SizeChanged) == SizeChanged(30, 100)
        second.feed(Resize(21, 61))
        second.feed(Ping(1))
        await second.until_told(Pong)
        assert session.log.size == Size(21, 61)  # type: ignore[attr-defined]
        await second.detach()
        assert session.log.size == Size(30, 100)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("policy", "size"), [(SizePolicy.SMALLEST, (20, 60)), (SizePolicy.LARGEST, (30, 100)), (SizePolicy.FIXED, (25, 81))]
)
async def test_the_other_policies_hold_with_two_viewers(policy: SizePolicy, size: tuple[int, int]) -> None:
    async with session_of("cat", size_policy=policy, size=Size(25, 81)) as session:
        first, second = Attached.to(session, 30, 60), Attached.to(session, 20, 100)
        await first.until_told(Hello)
        await second.until_told(Hello)
        assert session.log.size == Size(*size)  # type: ignore[attr-defined]


async def test_a_read_only_viewer_does_not_change_the_size() -> None:
    async with session_of("cat") as session:
        await Attached.to(session, 30, 100).until_told(Hello)
        hello = await Attached.to(session, 20, 60, readonly=True).until_told(Hello)
        assert (hello.rows, hello.cols) == (30, 100)


# -- flow


async def test_a_client_that_never_acknowledges_gets_its_window_and_then_waits() -> None:
    async with session_of("yes") as session:
        client = Attached.to(session, window=10_000)
        async with asyncio.timeout(10):
            while len(client.output) < 10_000:
                client.changed.clear()
                await client.changed.wait()
        client.feed(Ping(1))
        await client.until_told(Pong)
        assert len(client.output) == 10_000
        client.feed(OutputAck(4000))
        async with asyncio.timeout(10):
            while len(client.output) < 14_000:
                client.changed.clear()
                await client.changed.wait()
        assert len(client.output) == 14_000


async def test_an_acknowledgement_of_what_was_never_sent_is_refused() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session, window=10_000)
        await client.until_told(Hello)
        client.feed(OutputAck(1))
        with pytest.raises(ProtocolError):
            await client.outcome


class Stuck(MemoryConnection):
    """A client that takes nothing while `open` is not set."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.open = asyncio.Event()

    async def send(self, message: bytes | ServerMessage) -> None:
        await self.open.wait()
        await super().send(message)


async def test_a_client_that_takes_nothing_costs_the_others_nothing_and_gets_a_picture_later() -> None:
    metrics = Metrics()
    async with session_of("stty -opost; read; seq 1 300000; cat", metrics=metrics) as session:
        fast, stuck = Attached.to(session), Stuck()
        stuck.open.set()
        outcome = asyncio.create_task(session.attach(stuck, "stuck", 24, 80))
        await fast.until_told(Hello)
        async with asyncio.timeout(5):
            while not stuck.sent:
                stuck.changed.clear()
                await stuck.changed.wait()
        stuck.open.clear()
        fast.feed(b"\n")
        expected = b"".join(b"%d\n" % number for number in range(1, 300001))
        assert expected in await fast.until(b"300000\n", 30)
        stuck.open.set()
        await stuck.until(b"300000", 20)
        assert any(isinstance(message, Resync) for message in stuck.sent)
        assert metrics.registry.get_sample_value("reconnecting_pty_resyncs_total") == 1
        stuck.leave()
        await outcome


async def test_a_lone_slow_viewer_loses_nothing() -> None:
    class Slow(Attached):
        async def send(self, message: bytes | ServerMessage) -> None:
            await asyncio.sleep(0.003)
            await super().send(message)

    async with session_of("seq 1 400000") as session:
        client = Slow.to(session)
        await client.outcome
        assert client.output == b"".join(b"%d\r\n" % number for number in range(1, 400001))
        assert not client.told(Resync)


async def test_a_program_runs_at_full_speed_when_nobody_watches() -> None:
    async with session_of("read; head -c 4000000 /dev/zero | tr '\\0' '\\n'; echo done; cat") as session:
        client = Attached.to(session)
        client.feed(b"\n")
        await client.until_told(Hello)
        await client.detach()
        async with asyncio.timeout(50):
            while session.bytes_out < 8_000_000:
                await asyncio.sleep(0.01)
        again = Attached.to(session)
        await again.until(b"done")


async def test_the_end_does_not_wait_for_ever_for_a_client_that_takes_nothing() -> None:
    async with session_of("echo hello", linger=0.1) as session:
        stuck = Stuck()
        outcome = asyncio.create_task(session.attach(stuck, "stuck", 24, 80))
        async with asyncio.timeout(5):
            await session.wait()
        with pytest.raises(SessionClosed):
            await outcome


async def test_an_interrupt_is_answered_at_once_during_a_flood() -> None:
    class Tail(Attached):
        """Keeps the end of what it was sent."""

        async def send(self, message: bytes | ServerMessage) -> None:
            await asyncio.sleep(0)
            await super().send(message[-20:] if isinstance(message, bytes) else message)
            while len(self.sent) > 10:
                self.sent.popleft()

    async with session_of("bash --norc --noprofile") as session:
        client = Tail.to(session)
        await client.until_told(Hello)
        client.feed(b"PS1=prom''pt; yes\n")
        await client.until(b"y\r\ny\r\ny\r\n")
        client.feed(b"\x03")
        await client.until(b"prompt", 5)


# -- what is told, and what is left


async def test_info_tells_what_there_is() -> None:
    async with session_of("cd /tmp; printf '\\e]2;a title\\a'; echo ready; cat") as session:
        client = Attached.to(session, 30, 100)
        await client.until(b"ready")
        screen = await session.screen()
        info = session.info()
        assert (info.state, info.rows, info.cols, info.viewers, info.attached) == ("ready", 30, 100, 1, True)
        assert (info.title, info.cwd, info.bytes_out) == ("a title", "/tmp", session.bytes_out)
        assert info.pid is not None and os.path.exists(f"/proc/{info.pid}")
        assert screen.text() == "ready\n"
        assert screen.json()["cursor"] == {"row": 1, "col": 0, "visible": True}


async def test_ordinary_life_counts_no_error() -> None:
    metrics = Metrics(prefix="agent")
    async with session_of("echo hi; exit 1", metrics=metrics) as session:
        await Attached.to(session).outcome
        await session.wait()
    async with session_of("cat", metrics=metrics) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        await client.detach()
    text = metrics.render().decode()
    errors = [line for line in text.splitlines() if line.startswith("agent_reconnecting_pty_errors_total{")]
    assert errors
    assert all(line.endswith(" 0.0") for line in errors)
    assert 'agent_reconnecting_pty_ends_total{reason="exit"} 1.0' in text
    assert 'agent_reconnecting_pty_bytes_total{direction="out"} 4.0' in text


async def test_a_hundred_finished_sessions_leave_nothing() -> None:
    metrics, gone = Metrics(), []

    async def one() -> None:
        async with session_of("echo x", metrics=metrics) as session:
            gone.append(weakref.ref(session))
            await Attached.to(session).outcome
            await session.wait()

    for _ in range(10):
        await asyncio.gather(*(one() for _ in range(10)))
    gc.collect()
    assert not [reference for reference in gone if reference() is not None]
