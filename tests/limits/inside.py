"""Run inside User-Mode Linux by uml.py: sessions with limits on real cgroups; prints what came of each."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconnectingpty import Limits, OptionError, Options, ReconnectingPTY, new
from reconnectingpty.cgroup import PREFIX, SERVER
from reconnectingpty.screen import adopt

from ..screen.homes import forget
from ..support.attached import Attached
from . import short
from .uml import MARK

TOP = Path("/sys/fs/cgroup")
SERVICE = TOP / "service"
SCENARIOS: dict[str, Callable[[], Awaitable[Any]]] = {}


def scenario(function: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    SCENARIOS[function.__name__] = function
    return function


def options(backend: str = "buffered", **limits: Any) -> Options:
    return Options(backend_type=backend, kill_grace=0.2, linger=1.0, limits=Limits(**limits))


def cgroups() -> list[Path]:
    return sorted(SERVICE.glob(f"{PREFIX}*"))


async def ended(session: ReconnectingPTY) -> dict[str, Any]:
    """How a session went whose command ends by itself."""
    client = Attached.to(session)
    await session.wait()
    await asyncio.wait((client.outcome,))
    status = session.exit_status
    assert status is not None
    return {"code": status.code, "signal": status.signal, "output": client.output.decode(), "left": len(cgroups())}


def eats(megabytes: int) -> list[str]:
    return [sys.executable, "-c", f"print(len(bytearray({megabytes} << 20)) >> 20)"]


@scenario
async def memory() -> Any:
    beside = new("echo beside; cat", options(memory=64 << 20))
    looking = Attached.to(beside)
    await looking.until(b"beside")
    held = beside.info().limits
    little = await ended(new(eats(8), options(memory=64 << 20)))
    much = await ended(new(eats(200), options(memory=64 << 20)))
    looking.feed(b"alive\n")
    await looking.until(b"alive\r\nalive")
    beside.close()
    await beside.wait()
    return {"held": held, "little": little, "much": much}


BOMB = "for i in $(seq 50); do sleep 60 & done; echo survived"


@scenario
async def processes() -> Any:
    session = new(["/bin/sh", "-c", BOMB], options(processes=10))
    return {"bomb": await ended(session)}


@scenario
async def cpu() -> Any:
    session = new("echo ready; while :; do :; done", options(cpu=0.2))
    client = Attached.to(session)
    await client.until(b"ready")
    (path,) = cgroups()
    stat: dict[str, int] = {}
    while not stat.get("nr_throttled"):
        await asyncio.sleep(0.1)
        stat = {name: int(value) for name, value in map(str.split, (path / "cpu.stat").read_text().splitlines())}
    session.close()
    await session.wait()
    return {"throttled": stat["nr_throttled"]}


HIDING = "env -i setsid /bin/sh -c 'echo hidden; exec sleep 600' & sleep 0.2; wait $!"


async def _hidden(backend: str, close: bool) -> Any:
    """A process that neither its kernel session nor its environment betrays."""
    command = HIDING if close else "(env -i setsid /bin/sh -c 'echo hidden; exec sleep 600' &) ; read x"
    session = new(command, options(backend, processes=50))
    client = Attached.to(session)
    await client.until(b"hidden")
    (path,) = cgroups()
    pids = (path / "cgroup.procs").read_text().split()
    names = sorted({_name(pid) for pid in pids})
    if close:
        session.close()
    else:
        client.feed(b"\n")
    await session.wait()
    return {"names": names, "alive": sum(map(_runs, pids)), "left": len(cgroups())}


def _name(pid: str) -> str:
    """What a process is called; empty for one that has just ended."""
    try:
        return Path("/proc", pid, "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _runs(pid: str) -> bool:
    """Whether a process runs; one that init has not reaped yet does not."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@scenario
async def killed_with_its_session() -> Any:
    return [await _hidden(backend, close) for backend in ("buffered", "screen") for close in (True, False)]


@scenario
async def adopted() -> Any:
    """A session of screen whose server is gone, and which the next one takes over and ends."""
    first = new("echo here; cat", options("screen", processes=50), session_id="a")
    client = Attached.to(first)
    await client.until(b"here")
    held = first.info().limits
    client.leave()
    await client.outcome
    forget(first)
    (second,) = await adopt(replace(options("screen"), limits=Limits()))
    found = second.info().limits
    before = len(cgroups())
    second.close()
    await second.wait()
    return {"same": held == found, "held": found, "before": before, "left": len(cgroups())}


@scenario
async def where() -> Any:
    """Where the server found a place for its sessions, and what it did with itself."""
    own = Path("/proc/self/cgroup").read_text().strip()
    return {
        "own": own.partition("::")[2],
        "server": SERVER,
        "enabled": (SERVICE / "cgroup.subtree_control").read_text(),
    }


@scenario
async def refused() -> Any:
    """What can't be had is said."""
    said = []
    for limits in (Limits(cgroup="/sys/fs/cgroup/nowhere"), Limits(cgroup="/proc")):
        try:
            new("true", Options(backend_type="buffered", limits=limits))
        except OptionError as error:
            said.append(str(error))
    return said


@scenario
async def full_disk() -> Any:
    return {backend: await short.disk(backend) for backend in ("buffered", "screen")}


@scenario
async def no_more_processes() -> Any:
    await asyncio.to_thread(lambda: None)
    group = SERVICE / SERVER
    (SERVICE / "cgroup.subtree_control").write_text("+pids")
    return {backend: await short.processes(backend, group) for backend in ("buffered", "screen")}


def main() -> None:
    SERVICE.mkdir()
    (SERVICE / "cgroup.procs").write_text("0")
    (TOP / "cgroup.subtree_control").write_text("+memory +pids +cpu")
    for name, act in SCENARIOS.items():
        try:
            found = asyncio.run(asyncio.wait_for(act(), 60))
        except Exception:  # noqa: BLE001 (told to the test)
            found = {"error": traceback.format_exc()}
        print(MARK + json.dumps({name: found}), flush=True)


main()
