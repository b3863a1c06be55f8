"""A session's own cgroup (version 2 alone): where it may be made, its limits, and that nothing in it outlives it.

Names are the kernel's, from Documentation/admin-guide/cgroup-v2.rst; who may write where is systemd's, from
CGROUP_DELEGATION. Everything here reads and writes small files of the kernel's, and blocks for about a millisecond;
only :meth:`Cgroup.remove` may wait longer.
"""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import StartFailed

CONTROLLERS = ("memory", "pids", "cpu")
SERVER = "reconnectingpty-server"
"""The cgroup that the server itself moves to: one that has limits for its children may hold no process itself."""
PREFIX = "reconnectingpty-session-"
STALE_SECONDS = 60.0
"""An empty cgroup of a session that is older is what a killed server left."""
REMOVE_SECONDS = 10.0
"""How long killed processes may take to be gone."""
_SYSTEMD = Path("/run/systemd/system")


class NoCgroup(Exception):
    """No session can have a cgroup; the message says why."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """A cgroup under which sessions may have theirs, and what their use can be limited of."""

    path: Path
    controllers: frozenset[str]

    @classmethod
    def find(cls, named: str | None = None) -> Delegation:
        """The cgroup that was delegated to this process, or the one that is `named`. Raises NoCgroup.

        This process moves to a child of it, with all others that are there, if it takes that.
        """
        path = _checked(Path(named)) if named is not None else _delegated()
        _sweep(path)
        return cls(path, frozenset(name for name in CONTROLLERS if _enabled(path, name)))


def _checked(path: Path) -> Path:
    if not (path / "cgroup.procs").is_file():
        raise NoCgroup(f"{path} is no cgroup of version 2")
    if not _writable(path):
        raise NoCgroup(f"{path} can't be written")
    return path


def _delegated() -> Path:
    """This process's own cgroup, or the one that it left for a child of it."""
    mountinfo, own = Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()
    found = _own(mountinfo, own)
    if found is None:
        raise NoCgroup("there is no cgroup of version 2 here")
    path, root = found
    if path.name == SERVER and path != root:
        path = path.parent
    if not _writable(path):
        raise NoCgroup(f"{path} can't be written")
    if path != root and _SYSTEMD.exists() and not _says_delegated(path):
        raise NoCgroup(f"{path} is systemd's; Delegate=yes in the unit gives it to the server")
    return path


def _own(mountinfo: str, own: str) -> tuple[Path, Path] | None:
    """This process's cgroup and the topmost that it can see, as directories (proc_pid_mountinfo(5), cgroups(7))."""
    name = next((line[3:] for line in own.splitlines() if line.startswith("0::")), None)
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if name is None or fields[fields.index("-") + 1] != "cgroup2":
            continue
        top, mounted = (re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), field) for field in fields[3:5])
        below = os.path.relpath(name, top)
        if not below.startswith(".."):
            return Path(mounted, below), Path(mounted)
    return None


def _writable(path: Path) -> bool:
    return all(os.access(path / name, os.W_OK) for name in ("", "cgroup.procs", "cgroup.subtree_control"))


def _says_delegated(path: Path) -> bool:
    """Whether systemd has marked it so (systemd.resource-control(5), Delegate=)."""
    for name in ("user.delegate", "trusted.delegate"):
        with suppress(OSError):
            if os.getxattr(path, name) == b"1":
                return True
    return False


def _enabled(path: Path, controller: str) -> bool:
    """Whether children of `path` have that controller, now if not before."""
    if controller in (path / "cgroup.subtree_control").read_text().split():
        return True
    if controller not in (path / "cgroup.controllers").read_text().split():
        return False
    for moved in (False, True):
        try:
            _write(path / "cgroup.subtree_control", f"+{controller}")
        except OSError as error:
            if error.errno != errno.EBUSY or moved or not _move_out(path):
                return False
        else:
            return True
    return False


def _move_out(path: Path) -> bool:
    """Move what is in a cgroup to a child of it, where this process is among that."""
    pids = (path / "cgroup.procs").read_text().split()
    if str(os.getpid()) not in pids:
        return False
    child = path / SERVER
    child.mkdir(exist_ok=True)
    while pids:
        for pid in pids:
            try:
                _write(child / "cgroup.procs", pid)
            except ProcessLookupError:
                continue
            except OSError:  # what can't be moved, as another user's
                return False
        pids = (path / "cgroup.procs").read_text().split()
    return True


def _sweep(path: Path) -> None:
    """Remove what a killed server left, where nothing runs in it any more."""
    for left in path.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.rmdir()


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One session's."""

    path: Path

    @classmethod
    def make(cls, parent: Path, name: str, settings: Mapping[str, str]) -> Cgroup:
        """An empty one; `settings` are the contents of its files. Raises StartFailed."""
        self = cls(parent / f"{PREFIX}{name}")
        try:
            self.path.mkdir()
            for file, value in settings.items():
                _write(self.path / file, value)
            swap = self.path / "memory.swap.max"
            if "memory.max" in settings and swap.exists():
                _write(swap, "0")
        except OSError as error:
            with suppress(OSError):
                self.path.rmdir()
            raise StartFailed(f"cannot make the cgroup {self.path}: {error.strerror}", error_type="spawn") from None
        return self

    @property
    def procs(self) -> str:
        """What a process joins it by, writing `0` there."""
        return str(self.path / "cgroup.procs")

    def remove(self) -> None:
        """Kill whatever is in it, and remove it. Blocks until all of that is gone. Raises OSError."""
        try:
            self._kill()
            self._until_empty(REMOVE_SECONDS)
            for directory, _, _ in os.walk(self.path, topdown=False):
                os.rmdir(directory)
        except FileNotFoundError:
            pass

    def _kill(self) -> None:
        kill = self.path / "cgroup.kill"
        if kill.exists():
            _write(kill, "1")
            return
        for _ in range(100):  # before Linux 5.14; something may fork meanwhile
            pids = [pid for found in self.path.rglob("cgroup.procs") for pid in found.read_text().split()]
            if not pids:
                return
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    def _until_empty(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with (self.path / "cgroup.events").open() as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI)
            while "populated 0" not in events.read():
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(errno.ETIMEDOUT, "processes in it can't be killed", str(self.path))
                poll.poll(left * 1000)
                events.seek(0)


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
