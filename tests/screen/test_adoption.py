"""Sessions outlive the server: killed again and again, it finds them all, and loses nothing of what runs in them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reconnectingpty import Options, State
from reconnectingpty.screen import adopt
from reconnectingpty.screen.directory import SessionDirectory, home, name_of
from reconnectingpty.wire.messages import Exited

from ..support.attached import PATIENCE, Attached
from ..support.clock import pass_time
from .homes import alive, daemons, forget, kept, nothing_is_left, until

ROOT = Path(__file__).resolve().parents[2]
SESSIONS = 20
KILLS = 10


class Host:
    """A run of `host.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: dict[str, Any] = {}

    async def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        await self.process.wait()

    async def end(self) -> None:
        """Have it end its sessions and itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert await self.process.wait() == 0


@asynccontextmanager
async def hosting(count: int, run: int, timeout: float = 300.0) -> AsyncIterator[Host]:
    """A host that has its sessions, each of which has taken `run` lines."""
    arguments = (sys.executable, "-m", "tests.screen.host", str(count), str(run), str(timeout))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdin=pipe, stdout=pipe, limit=1 << 22)
    host = Host(process)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE * 2):
            host.said = json.loads(await process.stdout.readline())
        yield host
    finally:
        if process.returncode is None:
            await host.kill()


async def gone_quiet() -> None:
    """Wait until screen has seen that its clients are gone."""
    await until(lambda: all(not path.socket_attached for path in map(Seen, kept())), "a client is left")


class Seen:
    """A session's directory, looked at from outside."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def socket_attached(self) -> bool:
        """Screen notes in its socket's mode whether a client is there."""
        return any(entry.stat().st_mode & 0o100 for entry in self.path.glob("*.s"))


@pytest.mark.timeout(240)
async def test_twenty_shells_survive_ten_kills_of_the_server() -> None:
    pids: dict[str, int] = {}
    for run in range(1, KILLS + 1):
        async with hosting(SESSIONS, run) as host:
            assert host.said["adopted"] == ([] if run == 1 else sorted(pids, key=lambda name: int(name[1:])))
            pids = pids or host.said["pids"]
            # The same shells, which have counted every line since the first run.
            assert host.said["pids"] == pids
            await host.kill()
    async with hosting(SESSIONS, KILLS + 1) as host:
        assert host.said["pids"] == pids
        await host.end()
    assert not [pid for pid in pids.values() if alive(pid)]
    await nothing_is_left()


async def test_what_was_on_the_screen_is_shown_again() -> None:
    async with hosting(1, 1) as host:
        await host.kill()
    (session,) = await adopt(Options(backend_type="screen"))
    client = Attached.to(session)
    await client.until(b"line 1\r\n")
    client.feed(b"line\r")
    await client.until(b"line 2\r\n")
    assert (session.id, session.backend, session.state) == ("s0", "screen", State.READY)
    session.close()
    await session.wait()


async def test_what_had_scrolled_off_is_there_again_in_its_colours() -> None:
    async with hosting(1, 1) as host:
        await host.kill()
    (session,) = await adopt(Options(backend_type="screen"))
    first = Attached.to(session, 30, 100)
    # The host's command echoes what it reads: lines with colours, characters of two cells, and a question.
    for number in range(100):
        first.feed(f"{number} \x1b[31m日本\x1b[m\r".encode())
    await first.until(b"101\r\n", timeout=PATIENCE)
    await until(lambda: session._window.size == (30, 100), "screen did not take the size")
    await first.detach()
    forget(session)
    (again,) = await adopt(Options(backend_type="screen"))
    assert (again.info().rows, again.info().cols) == (30, 100)
    shown = await again.screen()
    assert shown.scrollback > 100
    client = Attached.to(again, 30, 100)
    await client.until(b"101\r\n", timeout=PATIENCE)
    assert all(f"{number} ".encode() in client.output for number in range(100))
    assert client.output.count(b"line 1\r\n") == 1
    again.close()
    await again.wait()


async def test_a_size_is_not_taken_from_who_comes_back() -> None:
    async with hosting(1, 1) as host:
        await host.kill()
    (session,) = await adopt(Options(backend_type="screen"))
    first = Attached.to(session, 33, 111)
    await first.until(b"line 1")
    # However early it came, screen has it in the end.
    await until(lambda: session._window.size == (33, 111), "screen did not take the size")
    await first.detach()
    forget(session)
    (again,) = await adopt(Options(backend_type="screen"))
    assert (again.info().rows, again.info().cols) == (33, 111)
    again.close()
    await again.wait()


async def test_a_client_of_the_killed_server_gets_a_picture_and_not_another_logs_bytes() -> None:
    async with hosting(1, 1) as host:
        await host.kill()
    (session,) = await adopt(Options(backend_type="screen"))
    client = Attached.to(session, epoch="0123456789abcdef", offset=3)
    await client.until(b"line 1")
    session.close()
    await session.wait()


async def test_no_server_takes_what_another_has() -> None:
    async with hosting(2, 1) as host:
        assert await adopt(Options(backend_type="screen")) == []
        await host.end()
    assert await adopt(Options(backend_type="screen")) == []


async def test_two_servers_sessions_of_one_id_are_told_apart() -> None:
    async with hosting(1, 1) as one, hosting(1, 1) as two:
        await one.kill()
        await two.kill()
    sessions = await adopt(Options(backend_type="screen", kill_grace=0.2))
    assert [session.id for session in sessions] == ["s0", "s0-2"]
    for session in sessions:
        session.close()
        await session.wait()


async def test_none_gets_the_id_that_another_has() -> None:
    async with hosting(1, 1) as one, hosting(1, 1) as two, hosting(1, 1) as three:
        for host in (one, two, three):
            await host.kill()
    records = sorted(home().glob("*/session"), key=lambda path: json.loads(path.read_text())["created"])
    second = json.loads(records[1].read_text())
    records[1].write_text(json.dumps(second | {"id": "s0-2"}))
    sessions = await adopt(Options(backend_type="screen", kill_grace=0.2))
    assert [session.id for session in sessions] == ["s0", "s0-2", "s0-3"]
    for session in sessions:
        session.close()
        await session.wait()


async def test_a_timeout_that_passed_meanwhile_ends_the_session() -> None:
    async with hosting(2, 1) as host:
        pids = host.said["pids"]
        await host.kill()
    await gone_quiet()
    old = time.time() - 100
    os.utime(home() / name_of("s0") / "session", (old, old))
    (session,) = await adopt(Options(backend_type="screen", timeout=50, kill_grace=0.2))
    assert session.id == "s1"
    assert not alive(pids["s0"])
    assert alive(pids["s1"])
    session.close()
    await session.wait()


async def test_what_is_left_of_a_timeout_goes_on() -> None:
    async with hosting(1, 1) as host:
        await host.kill()
    await gone_quiet()
    old = time.time() - 100
    os.utime(home() / name_of("s0") / "session", (old, old))
    (session,) = await adopt(Options(backend_type="screen", timeout=200, kill_grace=0.2))
    await pass_time(101)
    async with asyncio.timeout(PATIENCE):
        await session.wait()
    assert session.state is State.DONE


async def test_a_session_that_was_watched_is_deserted_since_the_servers_end() -> None:
    async with hosting(1, 1) as host:
        path = home() / name_of("s0")
        (path / "session").chmod(0o700)
        os.utime(path / "session", (1, 1))
        before = time.time()
        await host.kill()
    await gone_quiet()
    directory = SessionDirectory.take(path)
    assert directory is not None
    assert before - 1 <= directory.deserted_since() <= time.time() + 1
    directory.close()
    (session,) = await adopt(Options(backend_type="screen", timeout=50, kill_grace=0.2))
    session.close()
    await session.wait()


async def test_a_command_that_ended_meanwhile_leaves_nothing() -> None:
    async with hosting(1, 1) as host:
        pid = host.said["pids"]["s0"]
        await host.kill()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not daemons(), "the daemon stays when its command has ended and nobody is there")
    assert await adopt(Options(backend_type="screen")) == []
    assert kept() == []


async def test_a_command_that_ends_as_it_is_taken_over_is_told() -> None:
    async with hosting(1, 1) as host:
        pid = host.said["pids"]["s0"]
        await host.kill()
    directory = SessionDirectory.take(home() / name_of("s0"))
    assert directory is not None
    # As if the server had been killed between the runner's word and its own reading of it.
    os.kill(pid, signal.SIGKILL)
    await until(lambda: directory.ended() is not None)
    directory.close()
    assert await adopt(Options(backend_type="screen")) == []
    await nothing_is_left()


async def test_what_a_dead_daemon_left_is_ended() -> None:
    async with hosting(1, 1) as host:
        pid = host.said["pids"]["s0"]
        await host.kill()
    os.kill(pid, signal.SIGSTOP)
    for daemon in daemons():
        os.kill(daemon, signal.SIGKILL)
    await until(lambda: not daemons())
    assert await adopt(Options(backend_type="screen")) == []
    assert not alive(pid)
    assert kept() == []


async def test_an_adopted_session_tells_how_its_command_ends() -> None:
    async with hosting(1, 1) as host:
        await host.kill()
    (session,) = await adopt(Options(backend_type="screen"))
    client = Attached.to(session)
    client.feed(b"\x04")
    assert await client.until_told(Exited) == Exited(0, None)
    await session.wait()


async def test_there_may_be_nothing_to_take_over() -> None:
    assert await adopt(Options(backend_type="screen")) == []
    home().mkdir(parents=True)
    (home() / "rubbish").mkdir()
    (home() / "file").touch()
    assert await adopt(Options(backend_type="screen")) == []
    (home() / "rubbish").rmdir()
    (home() / "file").unlink()


async def test_a_place_that_can_t_be_looked_into_keeps_no_server_from_starting() -> None:
    home().parent.mkdir()
    home().write_text("no directory")
    assert await adopt(Options(backend_type="screen")) == []
    home().unlink()
