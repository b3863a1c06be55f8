"""Tunnels through a real sshd, and everything that may befall them."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from reconnectingpty.tunnel import (
    Alive,
    Exited,
    ExitOnly,
    Loop,
    Monitor,
    ProbeFailed,
    ProbeOk,
    Ready,
    Reason,
    Restarting,
    SshFailed,
    SshSupervisorBuilder,
    Started,
    State,
    Woke,
)
from reconnectingpty.tunnel.clock import Reading, wake_watch

from .sshd import Sshd, free_port
from .support import GUARD, alive
from .tunnels import carries, echo, supervised

WAYS = [Alive(), Loop(), ExitOnly()]


def builder(sshd: Sshd, *arguments: str) -> SshSupervisorBuilder:
    return SshSupervisorBuilder("-N", *arguments, *sshd.arguments).backoff_cap(2)


@pytest.mark.parametrize("monitor", WAYS, ids=lambda monitor: type(monitor).__name__)
async def test_a_tunnel_carries_data_again_soon_after_the_far_end_died(monitor: Monitor, tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        port = free_port()
        async with echo() as far:
            tunnel = builder(sshd, "-R", f"{port}:127.0.0.1:{far}").monitor(monitor).gate_time(1).build()
            async with supervised(tunnel) as it:
                await it.next(Ready)
                assert await carries(port)
                assert tunnel.status().state is State.UP
                for _ in range(3):
                    seen = len(it.told)
                    await asyncio.to_thread(sshd.kill_sessions)
                    again = await it.next(Restarting, after=seen)
                    assert again.delay <= 2
                    await it.next(Ready, after=seen)
                    assert await carries(port)


async def test_a_far_end_that_went_silent_is_noticed_by_the_probe(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        tunnel = builder(sshd).monitor(Loop()).poll(2).build()
        async with supervised(tunnel) as it:
            await it.next(ProbeOk)
            frozen = await asyncio.to_thread(sshd.freeze)
            assert frozen
            failed = await it.next(ProbeFailed)
            assert "within 1 s" in failed.why
            seen = len(it.told)
            await it.next(ProbeOk, after=seen)
            for pid in frozen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


async def test_a_far_end_that_went_silent_is_noticed_by_ssh_itself_without_a_port(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        tunnel = builder(sshd).monitor(Alive(interval=1, count=2)).build()
        async with supervised(tunnel) as it:
            await it.next(Ready)
            frozen = await asyncio.to_thread(sshd.freeze)
            ended = await it.next(Exited)
            assert any("not responding" in word for word in ended.words)
            assert (await it.next(Restarting)).reason is Reason.LOST
            await it.next(Ready, after=it.told.index(ended))
            for pid in frozen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


async def test_a_server_that_is_away_for_a_while_is_found_again(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        tunnel = builder(sshd).build()
        async with supervised(tunnel) as it:
            await it.next(Ready)
            await asyncio.to_thread(sshd.stop)
            for _ in range(4):
                seen = len(it.told)
                refused = await it.next(Restarting, lambda event: event.reason is Reason.UNREACHABLE, after=seen)
            assert 0 < refused.delay <= 2
            assert tunnel.status().state in (State.WAITING, State.CONNECTING)
            assert "Connection refused" in tunnel.status().last_trouble
            seen = len(it.told)
            await asyncio.to_thread(sshd.start)
            await it.next(Ready, after=seen)


async def test_a_server_that_is_not_up_yet_at_boot_is_waited_for(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        await asyncio.to_thread(sshd.stop)
        tunnel = builder(sshd).gate_time(30).build()
        async with supervised(tunnel) as it:
            await it.next(Restarting, lambda event: event.reason is Reason.UNREACHABLE)
            await asyncio.to_thread(sshd.start)
            await it.next(Ready)


async def test_a_name_that_cannot_be_resolved_yet_is_tried_again(tmp_path: Path) -> None:
    tunnel = SshSupervisorBuilder("-F", "/dev/null", "-N", "nowhere.invalid").gate_time(30).build()
    async with supervised(tunnel) as it:
        again = await it.next(Restarting)
        assert again.reason is Reason.NAME
        assert "Could not resolve hostname" in tunnel.status().last_trouble


@pytest.mark.parametrize("monitor", [Alive(), ExitOnly()], ids=lambda monitor: type(monitor).__name__)
async def test_a_ghost_that_holds_the_remote_port_is_outlived(monitor: Monitor, tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        port = free_port()
        async with echo() as far:
            forward = ("-R", f"127.0.0.1:{port}:127.0.0.1:{far}")
            async with supervised(builder(sshd, *forward).build()) as before:
                await before.next(Ready)
                # Its end of the connection will not learn that the other one has gone.
                ghost = await asyncio.to_thread(sshd.freeze)
            tunnel = builder(sshd, *forward).monitor(monitor).gate_time(1).build()
            async with supervised(tunnel) as it:
                for _ in range(3):
                    seen = len(it.told)
                    again = await it.next(Restarting, after=seen)
                    assert again.reason is Reason.FORWARD_REFUSED
                    assert again.delay <= 5
                assert tunnel.status().state is not State.UP
                seen = len(it.told)
                for pid in ghost:
                    os.kill(pid, signal.SIGKILL)
                await it.next(Ready, after=seen)
                assert await carries(port)


async def test_who_is_not_let_in_learns_why_at_once(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        (tmp_path / "authorized").write_text("")
        with pytest.raises(SshFailed) as raised:
            await asyncio.wait_for(builder(sshd).build().run(), GUARD)
    assert raised.value.status == 255
    assert any("Permission denied" in word for word in raised.value.words)


async def test_a_wrong_argument_is_told_at_once_in_sshs_words(tmp_path: Path) -> None:
    with pytest.raises(SshFailed) as raised:
        await asyncio.wait_for(SshSupervisorBuilder("-o", "Nonsense=1", "host").build().run(), GUARD)
    assert "nonsense" in str(raised.value)


async def test_a_remote_command_that_ends_well_ends_the_supervisor(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        ended = await SshSupervisorBuilder(*sshd.arguments, "exit 0").build().run()
        assert (ended.asked, ended.status) == (False, 0)
        with pytest.raises(SshFailed) as raised:
            await SshSupervisorBuilder(*sshd.arguments, "exit 7").build().run()
        assert raised.value.status == 7


async def test_what_ssh_says_is_passed_on_but_not_what_it_says_for_us(tmp_path: Path) -> None:
    said = bytearray()
    with Sshd(tmp_path) as sshd:
        ours = SshSupervisorBuilder(*sshd.arguments, "printf 'one\\ntwo' >&2").stderr(lambda data: said.extend(data))
        await ours.build().run()
    assert bytes(said) == b"one\ntwo"


async def test_the_monitors_forwards_never_become_the_users(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        async with echo() as far:
            port = free_port()
            users = ("-N", "-R", f"{port}:127.0.0.1:{far}", *sshd.arguments)
            tunnel = SshSupervisorBuilder(*users).monitor(Loop()).poll(2).build()
            async with supervised(tunnel) as it:
                seen = 0
                for _ in range(3):
                    await it.next(Ready, after=seen)
                    assert await carries(port)
                    seen = len(it.told)
                    tunnel.restart()
                await it.next(Ready, after=seen)
            starts = [event for event in it.told if isinstance(event, Started)]
            assert len(starts) >= 4
            for start in starts:
                assert start.argv[-len(users) :] == users
                assert start.argv.count("-R") == 2
                assert start.argv.count("-L") == 1
    assert tunnel.settings.ssh_args == users


async def test_no_ssh_outlives_its_supervisor(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        tunnel = builder(sshd).build()
        run = asyncio.create_task(tunnel.run())
        events = tunnel.events()
        pid = 0
        async for event in events:
            if isinstance(event, Started):
                pid = event.pid
            if isinstance(event, Ready):
                break
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not alive(pid)


async def test_prodded_or_woken_it_probes_at_once(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        tunnel = builder(sshd).monitor(Loop()).poll(3600).build()
        async with supervised(tunnel) as it:
            await it.next(ProbeOk)
            tunnel.take_signal(signal.SIGHUP)
            seen = len(it.told)
            await it.next(ProbeOk, after=seen)
            watch = wake_watch()
            now = Reading.now()
            watch._last = Reading(now.monotonic, now.boot - 3600, now.wall - 3600)
            seen = len(it.told)
            watch.look()
            await it.next(Woke)
            await it.next(ProbeOk, after=seen)
            assert tunnel.status().starts == 1
            assert tunnel.status().probe_seconds is not None
