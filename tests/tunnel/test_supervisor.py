"""The supervisor as a library: its life, its events, its limits, and many of them at once."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from pathlib import Path

import pytest

from reconnectingpty import OptionError
from reconnectingpty.tunnel import (
    Alive,
    Echo,
    Ended,
    Exited,
    ExitOnly,
    GaveUp,
    Loop,
    MaxLifetimeReached,
    MaxStartsReached,
    Mode,
    PortUnavailable,
    Ready,
    Reason,
    Restarting,
    SignalReceived,
    SshFailed,
    SshNotFound,
    SshSupervisorBuilder,
    Started,
    State,
    Stopped,
)
from reconnectingpty.tunnel.clock import Reading, wake_watch

from .support import GUARD, StandIn, alive
from .tunnels import supervised

SLEEP = "exec sleep 300"


def builder(stand_in: StandIn) -> SshSupervisorBuilder:
    return SshSupervisorBuilder("-N", "host").ssh_path(stand_in.path).monitor(ExitOnly()).gate_time(0)


async def test_its_life_is_told_in_order(tmp_path: Path) -> None:
    with StandIn(tmp_path, f"[ $N -eq 2 ] && {SLEEP}; echo lost >&2; exit 255") as stand_in:
        supervisor = builder(stand_in).build()
        assert supervisor.status().state is State.IDLE
        async with supervised(supervisor) as it:
            await it.next(Started, lambda event: event.count == 2)
            assert supervisor.status().starts == 2
            assert supervisor.status().restarts == {"exited": 1}
            assert supervisor.status().last_trouble == "exited: lost"
            supervisor.restart()
            await it.next(Restarting, lambda event: event.reason is Reason.REQUESTED)
        assert [type(event) for event in it.told[:4]] == [Started, Exited, Restarting, Started]
        assert it.told[-1] == Stopped(asked=True)
        assert supervisor.status().state is State.STOPPED
        assert it.run.result() == Ended(asked=True)


async def test_it_runs_once(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        supervisor = builder(stand_in).build()
        assert await supervisor.run() == Ended(asked=False, status=0)
        with pytest.raises(RuntimeError, match="runs once"):
            await supervisor.run()
        assert [event async for event in supervisor.events()] == []


async def test_stopped_before_it_ran_it_ends_at_once(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        supervisor = builder(stand_in).build()
        await supervisor.stop()
        assert await supervisor.run() == Ended(asked=True)
        assert stand_in.starts == 0


async def test_ssh_that_does_not_obey_is_killed(tmp_path: Path) -> None:
    act = "trap '' TERM; echo ready >&2; while :; do sleep 300; done"
    heard = asyncio.Event()
    with StandIn(tmp_path, act) as stand_in:
        supervisor = builder(stand_in).kill_grace(0.2).stderr(lambda _: heard.set()).build()
        async with supervised(supervisor) as it:
            pid = (await it.next(Started)).pid
            await heard.wait()
            supervisor.restart()
            assert (await it.next(Exited)).end.signal == signal.SIGKILL
            await it.next(Started, lambda event: event.count == 2)
            assert not alive(pid)


async def test_a_stopped_ssh_is_ended_too(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        async with supervised(builder(stand_in).build()) as it:
            pid = (await it.next(Started)).pid
            os.kill(pid, signal.SIGSTOP)
            await it.supervisor.stop()
            assert (await it.next(Exited)).end.signal == signal.SIGTERM
            assert not alive(pid)


@pytest.mark.parametrize("then", ["wait", "exit 0"], ids=["when-told", "by-itself"])
async def test_what_ssh_started_goes_with_it(then: str, tmp_path: Path) -> None:
    helper = tmp_path / "helper"
    with StandIn(tmp_path, f"sleep 300 & echo $! > {helper}; {then}") as stand_in:
        async with supervised(builder(stand_in).build()) as it:
            await asyncio.to_thread(stand_in.must_start)
            async with asyncio.timeout(GUARD):
                while not helper.exists() or not helper.read_text().strip():
                    await asyncio.sleep(0.02)
            pid = int(helper.read_text())
            await it.supervisor.stop()
        async with asyncio.timeout(GUARD):
            while alive(pid):
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_retry_ends_a_long_wait(mode: Mode, tmp_path: Path) -> None:
    with StandIn(tmp_path, f"[ $N -gt 1 ] && {SLEEP}; exit 255") as stand_in:
        supervisor = builder(stand_in).mode(mode).poll(50000).backoff_cap(50000).build()
        # As after thirty failures in a row.
        supervisor._backoff.failures = supervisor._grace.tries = 30
        supervisor._started_at = asyncio.get_running_loop().time()
        async with supervised(supervisor) as it:
            assert (await it.next(Restarting)).delay > 1000
            assert supervisor.status().state is State.WAITING
            assert supervisor.status().backoff_seconds > 1000
            supervisor.take_signal(signal.SIGHUP)
            await it.next(SignalReceived)
            await it.next(Started, lambda event: event.count == 2)


async def test_a_wait_ends_when_it_is_stopped_or_its_life_is_over(tmp_path: Path) -> None:
    with StandIn(tmp_path, "exit 255") as stand_in:
        supervisor = builder(stand_in).backoff_cap(50000).build()
        supervisor._backoff.failures = 30
        async with supervised(supervisor) as it:
            await it.next(Restarting)
        assert it.run.result() == Ended(asked=True)
        short = builder(stand_in).backoff_cap(50000).max_lifetime(0.3).build()
        short._backoff.failures = 30
        with pytest.raises(MaxLifetimeReached):
            await asyncio.wait_for(short.run(), GUARD)


async def test_after_a_sleep_it_tries_again_at_once(tmp_path: Path) -> None:
    with StandIn(tmp_path, f"[ $N -gt 1 ] && {SLEEP}; exit 255") as stand_in:
        supervisor = builder(stand_in).backoff_cap(50000).build()
        supervisor._backoff.failures = 30
        watch = wake_watch()
        async with supervised(supervisor) as it:
            await it.next(Restarting)
            now = Reading.now()
            watch._last = Reading(now.monotonic, now.boot - 3600, now.wall - 3600)
            watch.look()
            await it.next(Started, lambda event: event.count == 2)


async def test_starts_and_life_are_limited(tmp_path: Path) -> None:
    with StandIn(tmp_path, "exit 255") as stand_in:
        with pytest.raises(MaxStartsReached):
            await builder(stand_in).max_start(2).build().run()
        assert stand_in.starts == 2
        stand_in.act(SLEEP)
        supervisor = builder(stand_in).max_lifetime(0.3).build()
        async with supervised(supervisor) as it:
            gave_up = await it.next(GaveUp)
        assert isinstance(gave_up.error, MaxLifetimeReached)
        assert supervisor.status().state is State.FAILED


async def test_ssh_that_is_away_at_first_is_an_error_and_later_a_delay(tmp_path: Path) -> None:
    with pytest.raises(SshNotFound):
        SshSupervisorBuilder("host").ssh_path(str(tmp_path / "nothing")).build()
    with StandIn(tmp_path, "exit 255") as stand_in:
        supervisor = builder(stand_in).build()
        async with supervised(supervisor) as it:
            await it.next(Restarting)
            away = Path(stand_in.path)
            away.rename(away.with_suffix(".away"))
            await it.next(Restarting, lambda event: event.reason is Reason.SPAWN)
            seen = len(it.told)
            away.with_suffix(".away").rename(away)
            await it.next(Started, after=seen)


async def test_a_tunnel_that_does_not_come_up_is_started_afresh(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        supervisor = builder(stand_in).monitor(Alive()).start_timeout(0.3).build()
        async with supervised(supervisor) as it:
            assert (await it.next(Restarting)).reason is Reason.START_TIMEOUT
            assert not any(isinstance(event, Ready) for event in it.told)


async def test_a_failure_that_will_not_pass_is_told_with_sshs_words(tmp_path: Path) -> None:
    with StandIn(tmp_path, "echo 'me@host: Permission denied (publickey).' >&2; exit 255") as stand_in:
        with pytest.raises(SshFailed, match="Permission denied") as raised:
            await builder(stand_in).gate_time(30).build().run()
        assert (raised.value.status, stand_in.starts) == (255, 1)


async def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(PortUnavailable) as raised:
                await builder(stand_in).monitor(Loop(port - 1)).build().run()
        finally:
            server.close()
            await server.wait_closed()
        assert raised.value.port == port
        assert stand_in.starts == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda made: made.poll(0),
        lambda made: made.poll(float("nan")),
        lambda made: made.first_poll(-1),
        lambda made: made.gate_time(-1),
        lambda made: made.max_start(-1),
        lambda made: made.max_lifetime(0),
        lambda made: made.start_timeout(0),
        lambda made: made.backoff_cap(-1),
        lambda made: made.kill_grace(-1),
        lambda made: made.message("x" * 65),
        lambda made: made.message("one\ntwo"),
        lambda made: made.monitor(Loop(65535)),
        lambda made: made.monitor(Loop(0)),
        lambda made: made.monitor(Echo(0, 7)),
        lambda made: made.monitor(Echo(20000, 70000)),
        lambda made: made.monitor(Alive(interval=0)),
        lambda made: made.monitor(Alive(count=0)),
        lambda made: made.ssh_args(["-N"]),
        lambda made: made.ssh_args(["a\0b"]),
    ],
)
def test_a_setting_out_of_range_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(OptionError):
        wrong(SshSupervisorBuilder("host")).build()


async def test_who_listens_late_or_slowly_holds_nobody_up(tmp_path: Path) -> None:
    with StandIn(tmp_path, "exit 0") as stand_in:
        supervisor = builder(stand_in).build()
        early = supervisor.events()
        await supervisor.run()
        late = supervisor.events()
        assert [type(event) for event in [event async for event in early]] == [Started, Exited, Stopped]
        assert [event async for event in late] == []


async def test_who_is_slow_to_pass_on_sshs_words_holds_ssh_up_and_loses_none(tmp_path: Path) -> None:
    line = "a line of some length, so that no pipe can hold all of them"
    heard: list[bytes] = []
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hear(data: bytes) -> asyncio.Future[None] | None:
        heard.append(data)
        return None if first.done() else first

    with StandIn(tmp_path, f"i=0; while [ $i -lt 3000 ]; do echo '{line}' >&2; i=$((i+1)); done") as stand_in:
        async with supervised(builder(stand_in).stderr(hear).build()) as it:
            async with asyncio.timeout(GUARD):
                while not heard:
                    await asyncio.sleep(0.01)
            # It would have ended long ago.
            await asyncio.sleep(0.5)
            assert len(heard) == 1
            assert not it.run.done()
            first.set_result(None)
            async with asyncio.timeout(GUARD):
                assert await it.run == Ended(asked=False, status=0)
    assert b"".join(heard) == f"{line}\n".encode() * 3000


async def test_a_mistake_in_passing_words_on_costs_no_tunnel(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: bytes) -> None:
        raise ValueError("a mistake")

    with StandIn(tmp_path, "echo hello >&2") as stand_in:
        assert await builder(stand_in).stderr(broken).build().run() == Ended(asked=False, status=0)
    assert "a mistake" in caplog.text


async def test_a_reader_of_events_may_leave(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        supervisor = builder(stand_in).build()
        leaving, staying = supervisor.events(), supervisor.events()
        leaving.close()
        await supervisor.run()
        assert len([event async for event in staying]) == 3
        assert [event async for event in leaving] == []


async def test_a_hundred_supervisors_are_light_and_idle(tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    with StandIn(tmp_path, SLEEP) as stand_in:
        # What the first one brings is not the hundred's.
        async with supervised(builder(stand_in).build()) as first:
            await first.next(Started)
        gc.collect()
        before = resident()
        many = [SshSupervisorBuilder("300").ssh_path("/bin/sleep").monitor(ExitOnly()).build() for _ in range(100)]
        runs = [asyncio.create_task(one.run()) for one in many]
        async with asyncio.timeout(GUARD):
            while any(one.status().pid is None for one in many):
                await asyncio.sleep(0.02)
        assert resident() - before < 15 << 20
        worked = time.process_time()
        await asyncio.sleep(1)
        assert time.process_time() - worked < 0.2
        pids = [one.status().pid for one in many]
        await asyncio.gather(*(one.stop() for one in many))
        await asyncio.gather(*runs)
        assert not [pid for pid in pids if pid is not None and alive(pid)]


async def test_a_thousand_restarts_leave_nothing_behind() -> None:
    supervisor = SshSupervisorBuilder("host").ssh_path("/bin/false").monitor(ExitOnly()).gate_time(0).build()
    supervisor._backoff.delay = lambda up, reason: 0.0  # type: ignore[method-assign]
    descriptors = len(os.listdir("/proc/self/fd"))
    async with supervised(supervisor) as it:
        await it.next(Started, lambda event: event.count == 1000)
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 10
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert [pid for pid in children if not alive(int(pid))] == []
