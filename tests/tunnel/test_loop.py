"""autossh's loop of forwards by a real ssh and sshd: `-M port` and `-M port:echo_port`, ours beside autossh's."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from reconnectingpty.tunnel import (
    Echo,
    Loop,
    ProbeFailed,
    ProbeOk,
    Reason,
    Restarting,
    SshSupervisorBuilder,
    Started,
    ports,
)

from .sshd import FarSshd, Sshd, free_port
from .support import PYAUTOSSH, autossh, environment, running, until
from .tunnels import echo, supervised


def kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("which", [0, 1], ids=["autossh", "ours"])
def test_both_notice_a_silent_death_through_the_loop(which: int, tmp_path: Path) -> None:
    program = [(autossh(),), (*PYAUTOSSH, "--strict")][which]
    log = tmp_path / "log-of-it"
    with FarSshd(tmp_path) as sshd:
        variables = environment(AUTOSSH_POLL="2", AUTOSSH_GATETIME="0", AUTOSSH_LOGFILE=str(log), AUTOSSH_LOGLEVEL="7")
        with running([*program, "-M", str(free_port()), "-N", *sshd.arguments], variables):
            until(lambda: log.exists() and log.read_text().count("connection ok") >= 2, "the loop carries")
            text = log.read_text()
            assert text.count("ssh child pid is") == 1
            ssh = int(text.rpartition("ssh child pid is")[2].split()[0])
            frozen = sshd.freeze_below(ssh)
            assert frozen
            until(lambda: "port down, restarting ssh" in log.read_text(), "the death is noticed")
            until(lambda: log.read_text().rpartition("port down")[2].count("connection ok") >= 1, "it is back")
            kill(frozen)


async def test_our_own_mode_proves_the_loop_at_once(tmp_path: Path) -> None:
    with FarSshd(tmp_path) as sshd:
        tunnel = SshSupervisorBuilder("-N", *sshd.arguments).monitor(Loop(free_port())).poll(600).build()
        async with supervised(tunnel) as it:
            assert (await it.next(ProbeOk)).seconds < 15


async def test_an_echo_service_on_the_server_serves_as_well(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        async with echo() as service:
            monitor = Echo(free_port(), service)
            tunnel = SshSupervisorBuilder("-N", *sshd.arguments).monitor(monitor).poll(2).build()
            async with supervised(tunnel) as it:
                await it.next(ProbeOk)
                frozen = await asyncio.to_thread(sshd.freeze)
                await it.next(ProbeFailed)
                seen = len(it.told)
                await it.next(ProbeOk, after=seen)
                await asyncio.to_thread(kill, frozen)


async def test_a_pair_that_was_refused_is_changed_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sshd(tmp_path) as sshd:
        stranger = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        taken = stranger.sockets[0].getsockname()[1]
        # With both addresses of localhost taken, sshd cannot listen there.
        other = await asyncio.start_server(lambda _, writer: writer.close(), "::1", taken)
        far = iter([taken, free_port()])
        monkeypatch.setattr(ports, "choose_far", lambda port: next(far))
        tunnel = SshSupervisorBuilder("-N", *sshd.arguments).monitor(Loop()).build()
        async with supervised(tunnel) as it:
            assert (await it.next(Restarting)).reason is Reason.FORWARD_REFUSED
            await it.next(ProbeOk)
            first, second = [event.argv[2] for event in it.told if isinstance(event, Started)]
        for server in (stranger, other):
            server.close()
            await server.wait_closed()
    assert first != second
