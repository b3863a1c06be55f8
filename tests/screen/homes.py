"""A place of a test's own for sessions in GNU screen, and what runs there."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

from reconnectingpty import ReconnectingPTY
from reconnectingpty.screen.directory import home

from ..support.attached import PATIENCE, session_of


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A directory with a short name, since sockets lie in it; after the test no session is left there, nor a daemon."""
    assert shutil.which("screen"), "GNU screen is missing: apt-get install -y screen"
    directory = tempfile.mkdtemp(prefix="rpty", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
    yield
    left = [path.name for path in kept()]
    deadline = time.monotonic() + PATIENCE
    while (found := daemons(directory)) and time.monotonic() < deadline:
        time.sleep(0.01)  # what was killed takes its moment
    running = {pid: command_of(pid) for pid in found}
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    shutil.rmtree(directory)
    assert (left, running) == ([], {}), (left, running)


def kept() -> list[Path]:
    """The directories of sessions."""
    return [path for path in home().iterdir() if path.name != "terminfo"] if home().exists() else []


def daemons(runtime: str | None = None) -> set[int]:
    """The living processes of screen itself, clients included, that belong to a runtime directory."""
    wanted = f"\0SCREENDIR={runtime or os.environ['XDG_RUNTIME_DIR']}/".encode()
    found = set()
    for entry in os.listdir("/proc"):
        # A zombie's environment is empty.
        with suppress(OSError):
            if entry.isdigit() and wanted in b"\0" + Path("/proc", entry, "environ").read_bytes():
                found.add(int(entry))
    return found


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


async def until(condition: object, what: str = "") -> None:
    """Wait for something that happens in another process and tells nobody."""
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


async def nothing_is_left() -> None:
    """No session's directory, and no process of screen's once those that were killed have gone."""
    assert kept() == []
    await until(lambda: not daemons(), "a daemon is left")


def forget(session: Any) -> None:
    """Let go of a session as a killed server does."""
    session._disarm()
    window, process = session._window, session._process
    session._process = session._window = None
    loop = asyncio.get_running_loop()
    loop.remove_reader(window.directory.events)
    loop.remove_reader(window._daemon)
    os.close(window._daemon)
    window.directory.close()
    process.close()
    session._follower.leave()


def screen_of(command: str | list[str] = "", **options: Any) -> AbstractAsyncContextManager[ReconnectingPTY]:
    """A session that screen carries."""
    return session_of(command, backend_type="screen", **options)
