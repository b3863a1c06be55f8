"""A session's daemon and the command in its window, seen from outside: when it started, how it ended, its end.

Knows no viewer and no output: what is shown comes through a screen client, which is somebody else's.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..errors import StartFailed
from ..leftovers import Mark, sweeper
from ..process import ExitStatus
from ..size import Size
from .directory import Pids, SessionDirectory, parse_pids

RUNNER_SECONDS = 2.0
"""How long a runner may take to answer."""


class Window:
    """Invariant: the daemon is watched from `started` until it is gone, by a descriptor that can mean no other process.

    `started` fails with StartFailed where the command could not be run; `ended` is set when the command has ended, or
    nobody can know any more how it did.
    """

    def __init__(self, directory: SessionDirectory, epoch: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.directory = directory
        self.epoch = epoch
        self.pids: Pids | None = None
        self.started: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[ExitStatus] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Set when the daemon has ended."""
        self.took: Callable[[int, int], None] | None = None
        """Called when the command's terminal has taken input: how much, and how much the runner holds for it."""
        self._kept: asyncio.Future[None] = self._loop.create_future()
        self.size: Size | None = None
        """The window's, as the command has it."""
        self._heard = b""
        self._daemon = -1
        self._loop.add_reader(directory.events, self._hear)

    def found(self, pidfd: int) -> None:
        """The daemon runs already, started by another server; `pidfd` is its own from now on."""
        pids = self.directory.pids()
        assert pids is not None
        self._watch(pids, pidfd)
        self.started.set_result(None)
        ended = self.directory.ended()
        if ended is not None:
            self._on_ended(list(ended))

    def _hear(self) -> None:
        try:
            self._heard += os.read(self.directory.events, 4096)
        except BlockingIOError:
            return
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            what, *words = line.split()
            self._HEARD[what](self, words)

    def _on_started(self, words: list[bytes]) -> None:
        pids = parse_pids(words)
        try:
            self._watch(pids, os.pidfd_open(pids.daemon))
        except OSError as error:
            self._fail(f"cannot watch GNU screen: {error}", "screen_spawn")
        if not self.started.done():
            self.started.set_result(None)

    def _on_failed(self, words: list[bytes]) -> None:
        *pids, error = words
        self._fail(os.strerror(int(error)), "create_command")
        self._on_started(pids)

    def _fail(self, message: str, error_type: str) -> None:
        if not self.started.done():
            self.started.set_exception(StartFailed(message, error_type=error_type))

    def _on_ended(self, words: Sequence[bytes | int]) -> None:
        by_itself, status = map(int, words)
        self._end(ExitStatus(code=status) if by_itself else ExitStatus(signal=status))

    def _on_took(self, words: list[bytes]) -> None:
        if self.took is not None:
            self.took(*map(int, words))

    def _on_size(self, words: list[bytes]) -> None:
        self.size = Size(*map(int, words))

    def _on_kept(self, words: list[bytes]) -> None:
        if not self._kept.done():
            self._kept.set_result(None)

    _HEARD = {
        b"size": _on_size,
        b"kept": _on_kept,
        b"took": _on_took,
        b"started": _on_started,
        b"failed": _on_failed,
        b"ended": _on_ended,
    }

    def _watch(self, pids: Pids, pidfd: int) -> None:
        self.pids = pids
        self._daemon = pidfd
        self._loop.add_reader(pidfd, self._on_daemon_gone)

    def _on_daemon_gone(self) -> None:
        self._loop.remove_reader(self._daemon)
        self._hear()  # the runner may have told more before
        if not self.gone.done():
            self.gone.set_result(None)
        self._end(ExitStatus())

    def _end(self, status: ExitStatus) -> None:
        if not self.ended.done():
            self.ended.set_result(status)

    async def recent(self) -> bytes:
        """The window's latest output, as its runner has kept it, for the `size` that is known then, too."""
        if self.pids is None or self.gone.done():
            return b""
        os.kill(self.pids.runner, signal.SIGUSR1)
        await asyncio.wait((self._kept, self.gone), timeout=RUNNER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return await asyncio.to_thread(self.directory.recent) if self._kept.done() else b""

    # -- its end

    async def end(self, grace: float, hurry: asyncio.Future[None]) -> None:
        """HUP, TERM, KILL, `grace` seconds apart, to all that belongs to the session; KILL as soon as `hurry` is done.

        Raises OSError where the processes can't be found.
        """
        if self.pids is None:
            return
        mark = Mark(self.pids.command, self.epoch)
        gently = asyncio.create_task(sweeper().end(mark, grace))
        try:
            await asyncio.wait((gently, hurry), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gently.cancel()
            await asyncio.wait((gently,))
        if gently.cancelled():
            await sweeper().kill(mark)
        else:
            gently.result()

    def kill(self) -> None:
        """SIGKILL the command and its group at once; the daemon follows by itself."""
        if self.pids is not None and not self.ended.done():
            self._kill(self.pids.command, self.pids.runner)

    def release(self) -> None:
        """Let go of a window whose command has ended: nobody needs its runner any more, nor its daemon.

        Asked to end, screen now and then takes a second over it; and it has nothing to put away that we don't.
        """
        if self.pids is not None and not self.gone.done():
            self._kill(self.pids.runner)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._daemon, signal.SIGKILL)

    def _kill(self, *pids: int) -> None:
        """The daemon lives, and reaps its runner; so what these numbers mean is theirs."""
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the daemon where it is still there, and delete all that is kept of the session."""
        if self._daemon >= 0:
            self.release()
            await self.gone
            os.close(self._daemon)
            self._daemon = -1
        self._loop.remove_reader(self.directory.events)
        self._end(ExitStatus())
        if not self.started.done():
            self.started.cancel()
        await asyncio.to_thread(self.directory.remove)
