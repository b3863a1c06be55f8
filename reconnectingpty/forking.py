"""Fork and exec on a new PTY, and what has to be right between the two. The only place that knows ptyprocess."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress

from ptyprocess import PtyProcess

from .account import Account
from .errors import StartFailed
from .limits import Confinement
from .size import Size


def start(
    argv: list[str],
    environment: dict[str, str],
    cwd: str,
    size: Size,
    account: Account | None,
    confinement: Confinement,
) -> tuple[int, int]:
    """Fork and exec, which blocks for milliseconds: the child's pid and the PTY's master side. Raises StartFailed."""

    def in_child() -> None:
        _step("be held to its limits", confinement.enter)
        if account is not None and account.switch:
            _step(f"become {account.name}", account.become)
        # ptyprocess's own chdir is not guarded: its failure would leave a copy of this program running.
        _step(f"go to {cwd}", lambda: os.chdir(cwd))
        # Python ignores these, and what is ignored stays so over exec: `yes | head` would complain.
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    failed: StartFailed
    try:
        child = PtyProcess.spawn(argv, env=environment, dimensions=size, preexec_fn=in_child)
        # Of the object only the descriptor is wanted: its two file buffers would cost each session 16 KiB.
        fd = fcntl.fcntl(child.fd, fcntl.F_DUPFD_CLOEXEC, 3)
        child.fileobj.close()
        child.fd = -1
        child.closed = True
        return child.pid, fd
    except Exception as error:  # noqa: BLE001 (what the child reports arrives as whatever class it names)
        known = isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError | ValueError)
        error_type = "create_command" if known else "spawn"
        failed = StartFailed(f"cannot start {argv[0]!r}: {error}", error_type=error_type)
        # ptyprocess's object hangs in its own error's frames; without it, it closes its descriptor and reaps its child.
        _close_pipe(error)
        traceback.clear_frames(error.__traceback__)
    try:
        raise failed
    finally:
        del failed  # which would hold this frame, and this frame it


def _step(what: str, act: Callable[[], None]) -> None:
    """Do a thing between fork and exec. Raises PermissionError, the class that arrives with its words alone."""
    try:
        act()
    except (OSError, ValueError) as error:
        raise PermissionError(f"it can't {what}: {getattr(error, 'strerror', None) or error}") from None


def _close_pipe(error: Exception) -> None:
    """Close the pipe that ptyprocess leaves open where it can't fork: each try would cost two descriptors more."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code is PtyProcess.spawn.__func__.__code__ and "pid" not in frame.f_locals:
            for name in ("exec_err_pipe_read", "exec_err_pipe_write"):
                if name in frame.f_locals:
                    os.close(frame.f_locals[name])


def discard(started: asyncio.Future[tuple[int, int]]) -> None:
    """End a child whose owner went away while it was starting."""
    if started.cancelled() or started.exception() is not None:
        return
    pid, fd = started.result()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.close(fd)
    os.waitpid(pid, 0)
