"""Where sessions in GNU screen are kept: one directory each, for its user alone, and held by one server at a time.

A session's directory is named after its id, and holds the daemon's socket, screen's configuration, what the runner
was told and what it has to tell. Who holds the lock on its `events` owns the session; a server that was killed holds
none any more, so that the next one finds the sessions it left.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import stat
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..container import Container
from ..limits import Confinement
from . import setup

MAX_SOCKET_PATH = 107
"""Bytes (unix(7))."""
NAME = "s"
"""Every daemon's name: its directory tells it apart."""
_LONGEST_SOCKET = f"/4194304.{NAME}"
_NAMESAKES = 100
_CREDENTIALS = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class Record:
    """What a session needs to be known again. `epoch` marks its processes; `created` is a Unix time."""

    id: str
    command: str | list[str]
    epoch: str
    created: float
    container: Container | None = None
    name: str = ""
    owner: str = ""
    cgroup: str | None = None
    """The directory of the session's own cgroup."""
    limits: dict[str, str] = field(default_factory=dict)
    """What holds its limits, as in SessionInfo."""

    @classmethod
    def read(cls, data: bytes) -> Record:
        """Raises ValueError, TypeError for what is no record."""
        values = json.loads(data)
        container = values.pop("container")
        return cls(**values, container=None if container is None else Container(**container))


@dataclass(frozen=True, slots=True)
class Pids:
    """The processes that carry a session: the daemon, the runner in its window, and the command."""

    daemon: int
    runner: int
    command: int


def home() -> Path:
    """Where this user's sessions are."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    above = Path(base) if base else Path.home() / ".local" / "state"
    return above / "reconnectingpty" / "screen"


def name_of(session_id: str) -> str:
    """What a session's directory is called."""
    return hashlib.blake2b(session_id.encode(), digest_size=8).hexdigest()


def can_keep() -> bool:
    """Whether there is, or can be, a place for sessions with room for their sockets."""
    try:
        return has_room(_private(home()))
    except (OSError, RuntimeError):  # the latter where there is no home directory
        return False


def has_room(base: Path) -> bool:
    """Whether a directory's path leaves room for those of sockets in sessions' directories under it."""
    return len(os.fsencode(base / f"{name_of('')}-{_NAMESAKES}")) + len(_LONGEST_SOCKET) <= MAX_SOCKET_PATH


def _private(path: Path) -> Path:
    """Make a directory for this user alone, or see that it is one. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "is not a directory of this user", str(path))
    if found.st_mode & 0o077:
        path.chmod(0o700)
    return path


class SessionDirectory:
    """The directory of a session that this process owns, until :meth:`close` or :meth:`remove`."""

    def __init__(self, path: Path, events: int) -> None:
        self.path = path
        self.events = events
        """The descriptor on which the runner tells things; it holds the lock."""

    # -- made, or found

    @classmethod
    def make(cls, record: Record, history: int, spec: bytes) -> SessionDirectory:
        """The directory of a new session. Blocks for some milliseconds. Raises OSError, StartFailed."""
        base = _private(home())
        if not has_room(base):
            raise OSError(errno.ENAMETOOLONG, "is too long for a Unix socket; set XDG_RUNTIME_DIR", str(base))
        self = cls._create(base, name_of(record.id))
        try:
            self._write("screenrc", setup.configuration(history).encode())
            self._write("spec", spec)
            self._write("session", json.dumps(asdict(record)).encode())
        except BaseException:
            self.remove()
            raise
        return self

    @classmethod
    def _create(cls, base: Path, name: str) -> SessionDirectory:
        """An empty directory; another server of this user, or one that was killed, may have a session of that id."""
        for number in range(_NAMESAKES):
            path = base / (f"{name}-{number}" if number else name)
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
                os.mkfifo(path / "events", 0o600)
                found = cls.take(path)
                if found is not None:
                    return found
        raise OSError(errno.EEXIST, "there are too many sessions of that id", str(base / name))

    @classmethod
    def take(cls, path: Path) -> SessionDirectory | None:
        """Own a session's directory; None where another process does, or it is none. Raises OSError."""
        try:
            # To read and write, so that there is never an end of file, and never an error for who writes (fifo(7)).
            events = os.open(path / "events", os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(events, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(events)
            return None
        return cls(path, events)

    def describe(self, name: str, owner: str) -> None:
        """Keep what the session is called, and whose it is. Raises OSError."""
        record = self.record()
        if record is not None:
            with suppress(FileNotFoundError):
                (self.path / "session.new").unlink()
            self._write("session.new", json.dumps(asdict(replace(record, name=name, owner=owner))).encode())
            os.replace(self.path / "session.new", self.path / "session")

    # -- what it says

    @property
    def screenrc(self) -> Path:
        """The daemon's and its clients' configuration."""
        return self.path / "screenrc"

    def record(self) -> Record | None:
        """Whose session it is; None where it was never finished."""
        try:
            return Record.read((self.path / "session").read_bytes())
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            return None

    def pids(self) -> Pids | None:
        """What runs there; None where nothing was started yet."""
        try:
            return parse_pids((self.path / "pids").read_bytes().split())
        except (OSError, ValueError, TypeError):
            return None

    def socket(self) -> Path | None:
        """The daemon's socket."""
        return next(self.path.glob(f"*.{NAME}"), None)

    def daemon(self) -> int | None:
        """A descriptor of the daemon's process (pidfd_open(2)); None where it is gone."""
        path, pids = self.socket(), self.pids()
        if path is None or pids is None:
            return None
        try:
            pidfd = os.pidfd_open(pids.daemon)
        except OSError:
            return None
        # Whoever listens there now is the process of that pid, so the descriptor can mean no other.
        if _listener(path) == pids.daemon:
            return pidfd
        os.close(pidfd)
        return None

    def ended(self) -> tuple[int, int] | None:
        """How the command ended, as the runner tells it; None where it has not."""
        try:
            by_itself, status = map(int, (self.path / "ended").read_bytes().split())
        except (OSError, ValueError):
            return None
        return by_itself, status

    def recent(self) -> bytes:
        """The output that the runner left, once."""
        path = self.path / "recent"
        try:
            data = path.read_bytes()
            path.unlink()
        except OSError:
            return b""
        return data

    # -- whether anybody looks on

    def mark_watched(self) -> None:
        """Note that somebody is attached, in the mode of `session`."""
        (self.path / "session").chmod(0o700)

    def mark_deserted(self, since: float) -> None:
        """Note that nobody is attached since that Unix time, in the mode and the mtime of `session`."""
        path = self.path / "session"
        path.chmod(0o600)
        os.utime(path, (since, since))

    def deserted_since(self) -> float:
        """The Unix time since which nobody is attached.

        Where somebody was when the server was killed, that is when screen lost its client, and noted it on its socket.
        """
        found = (self.path / "session").stat()
        path = self.socket()
        return path.stat().st_ctime if found.st_mode & 0o100 and path is not None else found.st_mtime

    # -- its end

    def close(self) -> None:
        """Let go of it, so that another process may own it."""
        if self.events >= 0:
            os.close(self.events)
            self.events = -1

    def remove(self) -> None:
        """Delete it. Blocks for some milliseconds."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.close()

    def _write(self, name: str, data: bytes) -> None:
        fd = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)


def terminfo() -> Path | None:
    """The terminfo database of the terminal inside, made where it isn't there yet; None where it can't be."""
    path = _private(home()) / "terminfo"
    if any(path.glob("*/*")) or setup.make_terminfo(path):
        return path
    return None


def spec_of(cwd: str, path: str, argv: Sequence[str], environment: dict[str, str], confinement: Confinement) -> bytes:
    """What the runner is to start, as it reads it."""
    words = [
        *confinement.words(),
        cwd,
        path,
        str(len(argv)),
        *argv,
        *(f"{name}={value}" for name, value in environment.items()),
    ]
    return b"\0".join(map(os.fsencode, words))


def parse_pids(words: Sequence[bytes]) -> Pids:
    """Raises ValueError or TypeError for what are not three numbers."""
    return Pids(*map(int, words))


def _listener(path: Path) -> int | None:
    """The pid of who listens on a Unix socket (SO_PEERCRED, unix(7)); None where nobody does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(os.fspath(path))
        except OSError:
            return None
        return int(_CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
