"""The backend on GNU screen: a daemon that carries the session, and one screen client that writes into the log.

    program → screen daemon → screen client on a PTY of ours → log → viewers, and the model

To all that comes after it the screen client is the process: viewers are cursors on the log as in the other backend,
so none of them starts or waits for anything, or can hold up another. What the daemon adds is that it outlives the
server: `adoption.py` finds it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from ..buffered import BufferedPTY
from ..container import Container
from ..errors import IdleTimeout, SessionClosed, StartFailed
from ..info import SessionInfo
from ..limits import Confinement
from ..options import Options
from ..process import READ_AT_ONCE, Process
from ..size import Size
from ..sizing import SizePolicy
from ..state import State
from ..viewer import Outcome, Viewer
from . import history
from .directory import NAME, Record
from .runner import MARK
from .starting import runner_command, screen_client, write_down
from .window import Window

START_SECONDS = 30.0
"""How long screen may take to start a command, or to take a client."""
LOST_CLIENTS = 5
"""Screen clients that may end without their session's end, in a row, before the session is given up."""
MOMENT = 0.1
"""Seconds. How long after its client's end a daemon's own, or its runner's last word, may be noticed."""
NUDGES = 20
"""Times that screen is reminded of its client's size, before it is left to have another."""
NUDGES_SPREAD = 1.25
"""How much longer it gets each time: on a busy machine it takes long to attach a client. 34 seconds in all."""
ERROR_TYPES = {"output_reader": "screen_output_reader", "input_writer": "screen_write"}
"""What is counted instead, where the terminal in trouble is the screen client's."""

log = logging.getLogger(__name__)


class ScreenPTY(BufferedPTY):
    """A session that GNU screen carries."""

    backend: ClassVar[str] = "screen"

    def __init__(
        self,
        command: str | Sequence[str],
        options: Options,
        session_id: str,
        *,
        container: Container | None = None,
        window: Window | None = None,
    ) -> None:
        """`window`: that of a session which another server left; without it, one is made when the session starts."""
        super().__init__(command, options, session_id)
        self.container = container
        self._window: Window | None = None
        self._drawn: asyncio.Future[None] = self._loop.create_future()
        """Set at the screen client's first output."""
        self._complete: asyncio.Future[None] = self._loop.create_future()
        """Set when all output of the ended command is in the log."""
        self._reattaching: asyncio.Task[None] | None = None
        self._sizing: asyncio.TimerHandle | None = None
        if window is not None:
            self._carry(window)

    # -- start

    async def _start(self, size: Size | None) -> None:
        if size is None or self.options.size_policy is SizePolicy.FIXED:
            size = self.options.size
        window = self._window
        try:
            if window is None:
                command = self.command if self.container is None else await self.container.command_line(self.command)
                asked = self.command if isinstance(self.command, str) else list(self.command)
                await self._confine(os.getuid())
                confinement = self._confinement
                record = Record(
                    self.id,
                    asked,
                    self.epoch,
                    self.created,
                    self.container,
                    name=self.name,
                    owner=self.owner,
                    cgroup=str(confinement.cgroup.path) if confinement.cgroup is not None else None,
                    limits=confinement.held,
                )
                directory = await asyncio.to_thread(write_down, record, command, self.options, confinement)
                window = self._carry(Window(directory, self.epoch))
                await self._attach_client(size, ["-S", NAME, *runner_command(window.directory.path)])
                await self._until(window.started)
            else:
                await self._come_back(size)
        except BaseException:
            await self._give_up()
            raise

    def _carry(self, window: Window) -> Window:
        self._window = window
        window.ended.add_done_callback(lambda _: self._ended())
        return window

    def confined(self, confinement: Confinement) -> None:
        """Another server has confined the command to this."""
        self._confinement = confinement

    async def _attach_client(self, size: Size, arguments: Sequence[str]) -> None:
        """Start a screen client. Raises StartFailed."""
        assert self._window is not None
        self.log.resize(size)
        self._drawn = self._loop.create_future()
        front = await screen_client(self._window.directory, arguments, size, self._on_output, self._on_trouble)
        self._take(front)
        self._window.took = front.took
        front.exited.add_done_callback(lambda _: self._client_gone(front))

    async def _come_back(self, size: Size) -> None:
        """Attach a screen client to a daemon that there is. Raises StartFailed."""
        assert self._window is not None
        await self._attach_client(size, ["-x", NAME])
        await self._until(self._drawn)
        if self._window.ended.done() and not self._complete.done():
            # The mark is lost if it was written while nobody was there.
            self._complete.set_result(None)

    async def _until(self, ready: asyncio.Future[None]) -> None:
        """Wait for screen. Raises StartFailed, of the type `screen_wait` where nothing says why."""
        assert self._process is not None
        exited = self._process.exited
        await asyncio.wait((ready, exited), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if exited.done() and not ready.done():
            # The runner's word may be there and not read.
            await asyncio.wait((ready,), timeout=MOMENT)
        if not ready.done():
            said = self.log.slice(self.log.start, self.log.end)[-200:].decode(errors="replace").strip()
            raise StartFailed(f"GNU screen did not start: {said!r}", error_type="screen_wait")
        try:
            await ready
        except StartFailed as error:
            raise StartFailed(f"cannot start {self.command!r}: {error}", error_type=error.error_type) from None

    async def _give_up(self) -> None:
        """Leave nothing of a start that failed."""
        process, window = self._process, self._window
        self._process = self._window = None
        if process is not None:
            process.close()
        if window is not None:
            window.kill()
            await window.close()
        await self._release()

    async def resume(self, deserted: float) -> None:
        """Go on after another server's end, with what is left of the timeout since the Unix time `deserted`.

        Raises StartFailed where screen takes no client.
        """
        assert self._window is not None
        recent, size = await self._window.recent(), self._window.size
        if size is not None:
            self.log.resize(size)
            self.log.append(await asyncio.to_thread(history.picture, recent, size, self.options.scrollback))
        if self.state is not State.STARTING:  # its command has just ended
            return
        await self._started(size)
        self._window.directory.mark_deserted(deserted)
        if self.options.timeout is not None and not self._present:
            left = deserted + self.options.timeout - time.time()
            if left > 0:
                self._arm(left)
            else:
                self.close(IdleTimeout())

    # -- output

    def _on_output(self, data: memoryview) -> None:
        super()._on_output(data)
        if not self._drawn.done():
            self._drawn.set_result(None)
        if self._window is not None and self._window.ended.done():
            self._look_for_the_mark()

    def _on_trouble(self, error_type: str, error: OSError) -> None:
        super()._on_trouble(ERROR_TYPES.get(error_type, error_type), error)

    def _ended(self) -> None:
        self._look_for_the_mark()
        self._close(None)

    def _look_for_the_mark(self) -> None:
        """Has the last output of an ended command come? Only then is the output looked at, and only the newest."""
        start = max(self.log.end - READ_AT_ONCE - len(MARK), self.log.start)
        if not self._complete.done() and MARK in self.log.slice(start, self.log.end):
            self._complete.set_result(None)

    # -- viewers

    async def _show(self, viewer: Viewer, size: Size | None, resume: tuple[str | None, int | None]) -> Outcome:
        self._mark_watched()
        return await super()._show(viewer, size, resume)

    def _left(self, viewer: Viewer) -> None:
        super()._left(viewer)
        self._mark_watched()

    def _mark_watched(self) -> None:
        if self._window is None or self.state >= State.CLOSING:
            return
        if self._viewers:
            self._window.directory.mark_watched()
        else:
            self._window.directory.mark_deserted(time.time())

    def _fit(self) -> None:
        super()._fit()
        self._see_to_the_size(NUDGES)

    def _see_to_the_size(self, times: int) -> None:
        """Remind screen of a size that it does not take: while a client is attaching, it misses changes."""
        if self._sizing is not None:
            self._sizing.cancel()
            self._sizing = None
        if self._window is not None and self._window.size not in (None, self.log.size) and times:
            wait = MOMENT * NUDGES_SPREAD ** (NUDGES - times)
            self._sizing = self._loop.call_later(wait, self._nudge, times)

    def _nudge(self, times: int) -> None:
        if self._process is not None and self._window is not None and self._window.size != self.log.size:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGWINCH)
        self._see_to_the_size(times - 1)

    # -- the screen client

    def _client_gone(self, process: Process) -> None:
        """It ends with the session; where it does not, it was killed, and another one takes its place."""
        if self.state is State.READY and process is self._process and self._reattaching is None:
            self._reattaching = self._loop.create_task(self._reattach())

    async def _reattach(self) -> None:
        window = self._window
        assert window is not None
        for _ in range(LOST_CLIENTS):
            await asyncio.wait((window.gone,), timeout=MOMENT)
            if window.gone.done() or self.state >= State.CLOSING:
                return
            log.warning("session %s: the screen client has gone; another one takes its place", self.id)
            self._detach()
            try:
                await self._come_back(self.log.size)
            except StartFailed as error:
                self._count(error)
                continue
            self._reattaching = None
            return
        self._close(SessionClosed("GNU screen takes no client any more"))

    def _detach(self) -> None:
        """Let go of the screen client; the daemon stays."""
        process, self._process = self._process, None
        if process is not None:
            process.close()

    # -- the end

    async def _finish(self, error: SessionClosed | None) -> None:
        window = self._window
        self._hold_back_no_more()
        if window is None:
            self._follower.leave()
            return
        # A daemon that died has left its command to others.
        sweeping = self._loop.create_task(self._sweep(window)) if error is not None or window.gone.done() else None
        try:
            self._exit(await window.ended)
            if self._process is not None:
                await self._drain(self._process)
            # In this order, so that screen has nobody to say to that it is terminating.
            self._detach()
            window.release()
            self._tell(error)
            await self._until_deserted()
        finally:
            self._detach()
            if self._reattaching is not None:
                await self._reattaching
            if sweeping is not None:
                await sweeping
            await self._release()
            await window.close()
            self._see_to_the_size(0)
            self._questions.close()
            self._follower.leave()

    async def _sweep(self, window: Window) -> None:
        try:
            if self.container is not None:
                await self._end_inside(self.container, window.epoch)
            await window.end(self.options.kill_grace, self._hurry)
            await asyncio.wait((window.ended,), timeout=self.options.linger)  # as the runner is about to tell
        except OSError as error:
            self._on_trouble("end", error)
        finally:
            window.kill()

    async def _end_inside(self, container: Container, epoch: str) -> None:
        try:
            await container.end(epoch, self.options.kill_grace, self._hurry)
        except StartFailed as error:
            log.error("session %s: %s", self.id, error)

    async def _drain(self, process: Process) -> None:
        while not self._complete.done() and not process.exited.done():
            taken = self._viewers.progress
            wanted = (self._complete, process.exited)
            await asyncio.wait(wanted, timeout=self.options.linger, return_when=asyncio.FIRST_COMPLETED)
            idle = not self._complete.done() and not process.exited.done()
            if idle and taken == self._viewers.progress:
                return
        if process.exited.done():
            await super()._drain(process)

    def _kill(self) -> None:
        if self._window is not None:
            self._window.kill()
        super()._kill()

    # -- what can be told

    def describe(self, *, name: str | None = None, owner: str | None = None) -> None:
        """Say what the session is called, and whose it is; whoever adopts it will know."""
        super().describe(name=name, owner=owner)
        if self._window is not None:
            try:
                self._window.directory.describe(self.name, self.owner)
            except OSError as error:
                log.error("session %s: its name could not be kept: %s", self.id, error.strerror)

    def info(self) -> SessionInfo:
        """What can be told of the session now; `pid` and `cwd` are the command's."""
        pids = self._window.pids if self._window is not None else None
        if pids is None or self.exit_status is not None:
            return replace(super().info(), pid=None, cwd=None)
        cwd = None
        with suppress(OSError):
            cwd = os.readlink(f"/proc/{pids.command}/cwd")
        return replace(super().info(), pid=pids.command, cwd=cwd)
