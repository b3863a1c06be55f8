"""What autossh does when ssh ends, and what we do in strict mode: the same, case by case."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconnectingpty.tunnel import MaxStartsReached, Restarting, SshFailed, SshSupervisor, Started, plan
from reconnectingpty.tunnel.cli import _status

from .support import GUARD, Run, StandIn, alive, autossh, environment, finished, running
from .tunnels import supervised

ENDS = ["exit 0", "exit 1", "exit 2", "exit 3", "exit 130", "exit 143", "exit 255"]
ENDS += ["kill -9 $$", "kill -15 $$", "kill -1 $$"]


def _free(port: int) -> bool:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


# First ports of pairs that nobody has; tests that run at the same time begin at other places.
FIRST = 20000 + os.getpid() % 20 * 600
PORTS = (port for port in itertools.cycle(range(FIRST, 32600, 2)) if _free(port) and _free(port + 1))


@dataclass(frozen=True)
class Case:
    """One row of the table. `first`: ssh ends so at its first start; `early`: within the gate time."""

    end: str
    first: bool
    early: bool
    port: bool
    background: bool

    @property
    def act(self) -> str:
        end = self.end if self.early else f"sleep 2.2; {self.end}"
        if self.first:
            return f"[ $N -gt 1 ] && exec sleep 300\n{end}"
        return f"[ $N -eq 1 ] && kill -9 $$\n[ $N -gt 2 ] && exec sleep 300\n{end}"

    @property
    def decisive(self) -> int:
        return 1 if self.first else 2

    def arguments(self) -> list[str]:
        port = str(next(PORTS)) if self.port else "0"
        return ["-M", port, *(["-f"] if self.background else []), "-N", "host"]

    def variables(self, stand_in: StandIn) -> dict[str, str]:
        return {
            "AUTOSSH_PATH": stand_in.path,
            "AUTOSSH_PIDFILE": stand_in.pidfile,
            "AUTOSSH_GATETIME": "30" if self.early else "1",
        }


def real_decision(case: Case, stand_in: StandIn, run: Run) -> str:
    """What autossh did: `restarted`, or the status it ended with (in the background nobody can know that)."""
    for _ in range(case.decisive):
        stand_in.must_start()
    pid = int(Path(stand_in.pidfile).read_text()) if case.background and Path(stand_in.pidfile).exists() else None
    while True:
        if stand_in.started(0.05) is not None:
            decision = "restarted"
            break
        if case.background and (pid is None or not alive(pid)):
            return "ended"
        if not case.background and run.process.poll() is not None:
            return f"ended {run.process.returncode}"
    if pid is not None:
        finished(["/bin/kill", str(pid)], {})
    return decision


async def our_decision(case: Case, stand_in: StandIn) -> str:
    """The same of ours."""
    found = plan.strict_plan("autossh", case.arguments(), case.variables(stand_in))
    supervisor = SshSupervisor(found.settings)
    async with supervised(supervisor) as it:
        over = asyncio.create_task(it.next(Started, lambda event: event.count > case.decisive))
        await asyncio.wait((over, it.run), return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            return "restarted"
        over.cancel()
        await asyncio.gather(over, return_exceptions=True)
        if case.background:
            await asyncio.gather(it.run, return_exceptions=True)
            return "ended"
        try:
            await it.run
        except SshFailed as error:
            return f"ended {_status(error, strict=True)}"
        return "ended 0"


@pytest.mark.parametrize("early", [True, False], ids=["before-gate-time", "after-gate-time"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
async def test_every_end_of_ssh_means_what_it_means_to_autossh(first: bool, early: bool, tmp_path: Path) -> None:
    cases = [
        Case(end, first, early, port, background)
        for end, port, background in itertools.product(ENDS, (False, True), (False, True))
    ]
    folders = itertools.count()

    def stand_in(case: Case) -> StandIn:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return StandIn(folder, case.act)

    theirs = [stand_in(case) for case in cases]
    ours = [stand_in(case) for case in cases]
    runs: list[Run] = []
    try:
        for case, there in zip(cases, theirs, strict=True):
            runs.append(Run([autossh(), *case.arguments()], environment(**case.variables(there))))
        mine = await asyncio.gather(*(our_decision(case, here) for case, here in zip(cases, ours, strict=True)))
        real = await asyncio.to_thread(lambda: [real_decision(*row) for row in zip(cases, theirs, runs, strict=True)])
    finally:
        for run in runs:
            run.process.terminate()
            await asyncio.to_thread(run.process.communicate, timeout=GUARD)
        for one in theirs + ours:
            one.__exit__()
    assert dict(zip(cases, mine, strict=True)) == dict(zip(cases, real, strict=True))


async def test_delays_grow_as_with_autossh(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "ours").mkdir()
    act = "[ $N -gt 10 ] && exec sleep 300\nexit 255"
    variables = {"AUTOSSH_POLL": "60", "AUTOSSH_GATETIME": "0"}
    with StandIn(tmp_path / "real", act) as there, StandIn(tmp_path / "ours", act) as here:
        logging = {"AUTOSSH_LOGFILE": there.logfile, "AUTOSSH_LOGLEVEL": "7"}
        with running([autossh(), "-M", "0", "host"], environment(there, **variables, **logging)):
            found = plan.strict_plan("autossh", ["-M", "0", "host"], environment(here, **variables))
            async with supervised(SshSupervisor(found.settings)) as it:
                await it.next(Started, lambda event: event.count == 11)
            for _ in range(11):
                await asyncio.to_thread(there.must_start)
        log = Path(there.logfile).read_text()
    delays = [0] * 10
    tries = 0
    for line in log.splitlines():
        if match := re.search(r"checking for grace period, tries = (\d+)", line):
            tries = int(match[1])
        elif match := re.search(r"sleeping for grace time (\d+) secs", line):
            delays[tries - 1] = int(match[1])
    assert [event.delay for event in it.told if isinstance(event, Restarting)] == delays
    assert any(delays)


@pytest.mark.parametrize("limit", ["0", "1", "3"])
async def test_starts_are_limited_as_with_autossh(limit: str, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "ours").mkdir()
    variables = {"AUTOSSH_MAXSTART": limit, "AUTOSSH_GATETIME": "0"}
    with StandIn(tmp_path / "real", "exit 255") as there, StandIn(tmp_path / "ours", "exit 255") as here:
        real = await asyncio.to_thread(finished, [autossh(), "-M", "0", "host"], environment(there, **variables))
        found = plan.strict_plan("autossh", ["-M", "0", "host"], environment(here, **variables))
        with pytest.raises(MaxStartsReached) as raised:
            await SshSupervisor(found.settings).run()
        assert there.starts == here.starts == int(limit)
    assert _status(raised.value, strict=True) == real[0]


async def test_a_life_is_limited_as_with_autossh(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "ours").mkdir()
    # autossh sets no alarm when its time is over before ssh runs, and then never ends.
    variables = {"AUTOSSH_MAXLIFETIME": "4"}
    line = ["-M", "0", "host"]
    with StandIn(tmp_path / "real", "exec sleep 300") as there, StandIn(tmp_path / "ours", "exec sleep 300") as here:
        real = await asyncio.to_thread(finished, [autossh(), *line], environment(there, **variables))
        found = plan.strict_plan("autossh", line, environment(here, **variables))
        run = asyncio.create_task(SshSupervisor(found.settings).run())
        pid, _ = await asyncio.to_thread(here.must_start)
        await asyncio.wait((run,))
    error = run.exception()
    assert error is not None
    assert _status(error, strict=True) == real[0]  # type: ignore[arg-type]
    assert not alive(pid)
