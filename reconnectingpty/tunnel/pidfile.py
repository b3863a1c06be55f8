"""A file with our pid: written in one step, refused when a living process holds it, removed at the end.

The file stays locked while we live, so that no pid that means another process by now is mistaken for a holder. Files
of other programs carry no lock; for those the process must be older than its file.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from types import TracebackType

from .errors import PidfileError

TRIES = 20
SLACK = 5.0
"""Seconds. A program's file is written after its start, by clocks that don't agree to the second."""


class Pidfile:
    """A context manager that holds `path`. `refuse`: raise PidfileError where a living process does; else take it."""

    def __init__(self, path: str, *, refuse: bool = True) -> None:
        # A daemon leaves its directory.
        self.path = os.path.abspath(path)
        self._refuse = refuse
        self._file: int | None = None

    def __enter__(self) -> Pidfile:
        try:
            self._write()
        except OSError as error:
            self._close()
            raise PidfileError(self.path, error.strerror or str(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._is_ours():
            with suppress(OSError):
                os.unlink(self.path)
        self._close()

    def _write(self) -> None:
        folder, name = os.path.split(self.path)
        self._file, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            os.fchmod(self._file, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._file, b"%d\n" % os.getpid())
            self._place(temporary)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)

    def _place(self, temporary: str) -> None:
        if not self._refuse:
            os.rename(temporary, self.path)
            return
        for _ in range(TRIES):
            try:
                os.link(temporary, self.path)
            except FileExistsError:
                self._remove_stale()
            else:
                return
        raise PidfileError(self.path, "others are writing it, too")

    def _remove_stale(self) -> None:
        """Remove the file that is there, unless a living process holds it."""
        with suppress(FileNotFoundError):
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                holder = _pid_in(fd)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise PidfileError(self.path, f"held by process {holder}", holder=holder) from None
                if holder is not None and holder != os.getpid() and _older(holder, os.fstat(fd).st_mtime):
                    raise PidfileError(self.path, f"held by process {holder}", holder=holder)
                # Whoever holds the lock of the very file at that path is the one to remove it.
                if os.path.samestat(os.fstat(fd), os.stat(self.path)):
                    os.unlink(self.path)
            finally:
                os.close(fd)

    def _is_ours(self) -> bool:
        assert self._file is not None
        with suppress(OSError):
            return os.path.samestat(os.fstat(self._file), os.stat(self.path))
        return False

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _pid_in(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() and int(text) > 0 else None


def _older(pid: int, moment: float) -> bool:
    """Whether the process lives, and was started before that moment (seconds since 1970)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        with open("/proc/stat", "rb") as file:
            booted = next(int(row.split()[1]) for row in file if row.startswith(b"btime"))
    except (OSError, ValueError, StopIteration):
        return False
    if fields[0] in (b"Z", b"X"):
        return False
    return booted + int(fields[19]) / os.sysconf("SC_CLK_TCK") <= moment + SLACK
