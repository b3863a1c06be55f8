"""The directory of the recordings: names, files, and its bounds.

All that touches the disk happens in one thread, which is there while something is recorded. A file that is being
written is locked, so that several servers can share a directory, and none deletes what another one writes.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..errors import OptionError

FILE_SIZE = 64 << 20
TOTAL_SIZE = 1 << 30
FILES = 1000
LEAST_FILE = 64 << 10

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}-\d{8}T\d{6}Z-[A-Za-z0-9_]{1,8}\.\d{1,9}\.cast")
_T = TypeVar("_T")


class Recordings:
    """Where sessions are recorded, as `Options.record`; sessions may share it.

    `file_size`: bytes after which a recording goes on in another file. `total_size`, `files`: how much the directory
    may hold; the oldest recordings go. `input`: record what is typed, too, passwords included. Raises OptionError.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        file_size: int = FILE_SIZE,
        total_size: int = TOTAL_SIZE,
        files: int = FILES,
        input: bool = False,
    ) -> None:
        self.directory = Path(directory).absolute()
        self.file_size = file_size
        self.total_size = total_size
        self.files = files
        self.input = input
        if file_size < LEAST_FILE:
            raise OptionError(f"a recording's file must have room for {LEAST_FILE} bytes, not {file_size}")
        if total_size < file_size:
            raise OptionError(f"a directory of recordings must have room for a file, which has {file_size} bytes")
        if files < 1:
            raise OptionError(f"a directory of recordings must have room for one file, not {files}")
        self._held = 0  # bytes in the directory, as far as known
        self._users = 0
        self._thread: ThreadPoolExecutor | None = None

    # -- the thread

    def enter(self) -> None:
        """Something is about to be recorded."""
        self._users += 1
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "recording")

    def leave(self) -> None:
        """It is over. A thread that hangs in the disk is left to itself."""
        self._users -= 1
        if not self._users and self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def run(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """Do something with files, off the event loop; each thing after the one before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def later(self, work: Callable[[], None]) -> None:
        """Do something with files when the thread comes to it."""
        if self._thread is not None:
            self._thread.submit(work)

    # -- in the thread

    def open(self, session: str, epoch: str, number: int) -> File:
        """File `number` of a session's recording. Raises OSError."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(1)
        name = re.sub(r"[^A-Za-z0-9._-]", "_", session)[:64]
        name = re.sub(r"^[.-]", "_", name) or "_"
        run = re.sub(r"[^A-Za-z0-9]", "", epoch)[:8] or "_"
        path = self.directory / f"{name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{run}.{number}.cast"
        return File(self, path)

    def grown(self, count: int) -> None:
        """That many bytes are about to be written. Raises OSError where the directory can't hold them."""
        self._held += count
        if self._held > self.total_size:
            self._make_room(0, count)

    def _make_room(self, files: int, count: int = 0) -> None:
        """Delete the oldest recordings that nobody writes, until so many files and bytes more may be there."""
        found = sorted(self._found(), key=lambda entry: entry.modified)
        held, number = sum(entry.size for entry in found) + count, len(found) + files
        for entry in found:
            if held <= self.total_size and number <= self.files:
                break
            if _delete(entry.path):
                held -= entry.size
                number -= 1
        self._held = held
        if held > self.total_size or number > self.files:
            full = f"what is being recorded fills the directory, which may hold {self.total_size} bytes"
            raise OSError(errno.EDQUOT, f"{full} and {self.files} files")

    def _found(self) -> list[_Entry]:
        found = []
        with os.scandir(self.directory) as entries:
            for entry in entries:
                if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(OSError):  # another server has deleted it
                        about = entry.stat(follow_symlinks=False)
                        found.append(_Entry(entry.path, about.st_size, about.st_mtime_ns))
        return found


class _Entry(NamedTuple):
    path: str
    size: int
    modified: int


def _delete(path: str) -> bool:
    """Delete a recording, unless somebody writes it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


class File:
    """One file of a recording, for this user alone. Its lines are whole, also after a write that failed."""

    __slots__ = ("_descriptor", "_recordings", "path", "size")

    def __init__(self, recordings: Recordings, path: Path) -> None:
        self._recordings = recordings
        self.path = path
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        with suppress(OSError):  # a file system without locks can't be shared; it can be written
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def full(self) -> bool:
        """Whether the recording should go on in another one."""
        return self.size >= self._recordings.file_size

    @property
    def overfull(self) -> bool:
        """Whether it has to, although that does not suit just now."""
        return self.size >= self._recordings.file_size * 5 // 4

    def write(self, lines: bytes) -> None:
        """Add whole lines. Raises OSError, and leaves those that had room."""
        self._recordings.grown(len(lines))
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._descriptor, memoryview(lines)[written:])
        except OSError:
            written = lines.rfind(b"\n", 0, written) + 1
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size + written)
            raise
        finally:
            self.size += written

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)
