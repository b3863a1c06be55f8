"""A session's life: what every backend shares. The states, the idle timer, who is attached, and the end.

A session owns its process and its viewers. Nothing of it outlives `State.DONE`: no task, no descriptor, no process.
How a command is started, shown and ended is the backend's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Any, ClassVar

from .audience import Audience, kept_for_writers
from .connection import Connection
from .container import Container
from .errors import (
    IdleTimeout,
    InputStalled,
    Killed,
    ProtocolError,
    ReconnectingPTYError,
    SessionClosed,
    Shutdown,
    StartFailed,
    Superseded,
    TooManyViewers,
)
from .expiry import Expiry
from .info import SessionInfo
from .options import Options
from .process import ExitStatus
from .recording import Recorder
from .size import Size
from .state import State, StateMachine
from .terminal.screen import Screen
from .viewer import ClientInput, Host, Outcome, Viewer

SLOWEST = 16 << 10
"""Bytes a second at which a client may take the last output of an ended session."""

log = logging.getLogger(__name__)


class ReconnectingPTY(ABC):
    """A command on a terminal that stays when its viewers go.

    Made by :func:`reconnectingpty.new` in a running event loop, and used in that loop alone.
    """

    backend: ClassVar[str]

    def __init__(self, command: str | Sequence[str], options: Options, session_id: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.id = session_id
        self.epoch = secrets.token_hex(8)
        self.options = options
        self.command = command
        self.command_asked = command
        """As it was asked for, whatever it takes to run that inside a container."""
        self.container: Container | None = None
        self.created = time.time()
        self.name = ""
        self.owner = ""
        self.exit_status: ExitStatus | None = None
        self.bytes_in = 0
        self.bytes_out = 0
        self._machine = StateMachine()
        self._viewers = Audience()
        self._present = 0  # attach() calls under way: viewers, and those about to be
        self._looking = 0  # of these, those that are read-only
        self._last_active = self._loop.time()
        self._starting: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._empty: asyncio.Future[None] | None = None
        self._hurry: asyncio.Future[None] = self._loop.create_future()
        """Done when the end must not wait for any program's grace."""
        self._timer: asyncio.TimerHandle | None = None
        self._expiry = Expiry(options.max_life, options.max_idle)
        self._recorder: Recorder | None = None
        self._exit_waited: asyncio.Future[None] | None = None
        self._arm(options.attach_timeout)
        if options.metrics is not None:
            options.metrics.watch(self)

    # -- what a backend does

    @abstractmethod
    async def _start(self, size: Size | None) -> None:
        """Start the command, at the first viewer's size where it has one. Raises StartFailed."""

    @abstractmethod
    async def _show(self, viewer: Viewer, size: Size | None, resume: tuple[str | None, int | None]) -> Outcome:
        """Greet a viewer that is among `_viewers` already, and serve it to its end."""

    @abstractmethod
    def _host(self) -> Host:
        """What viewers talk to."""

    @abstractmethod
    def _left(self, viewer: Viewer) -> None:
        """A viewer has gone."""

    @abstractmethod
    async def _finish(self, error: SessionClosed | None) -> None:
        """End what still runs (nothing does where `error` is None), give the viewers the rest, let everything go."""

    @abstractmethod
    def _kill(self) -> None:
        """SIGKILL what runs, at once."""

    @abstractmethod
    def info(self) -> SessionInfo:
        """What can be told of the session now."""

    @abstractmethod
    def inspect(self) -> dict[str, Any]:
        """What an operator may want to know of its inside now, as JSON has it; no content, and no promise of a form."""

    @abstractmethod
    async def screen(self) -> Screen:
        """What the terminal shows now. Raises SessionClosed where there is none any more."""

    # -- state

    @property
    def state(self) -> State:
        """Where the session is in its life."""
        return self._machine.state

    @property
    def error(self) -> BaseException | None:
        """What caused the last transition; None for an ordinary one, such as the process's own end."""
        return self._machine.error

    @property
    def viewer_count(self) -> int:
        """Clients attached now."""
        return len(self._viewers)

    @property
    @abstractmethod
    def model_lag(self) -> int:
        """Bytes of output that the terminal model has not seen."""

    @property
    @abstractmethod
    def held_by(self) -> str:
        """For what the program has to wait with its output: `viewer`, `model`, or empty where it does not."""

    async def wait(self, state: State = State.DONE) -> None:
        """Return when the session is at `state` or beyond."""
        if self.state >= state:
            return
        reached = self._loop.create_future()

        def listener(new: State) -> None:
            if new >= state and not reached.done():
                reached.set_result(None)

        stop = self._machine.listen(listener)
        try:
            await reached
        finally:
            stop()

    async def wait_exit(self) -> None:
        """Return when the program has ended, or never ran and the session is done; viewers may still take the rest."""
        if self.exit_status is None and self.state < State.DONE:
            self._exit_waited = self._exit_waited or self._loop.create_future()
            await asyncio.shield(self._exit_waited)

    def describe(self, *, name: str | None = None, owner: str | None = None) -> None:
        """Say what the session is called, and whose it is; kept where the session outlives this process."""
        self.name = self.name if name is None else name
        self.owner = self.owner if owner is None else owner

    # -- attach

    async def attach(
        self,
        connection: Connection,
        connection_id: str,
        rows: int,
        cols: int,
        *,
        client: str | None = None,
        attempt: int | None = None,
        epoch: str | None = None,
        offset: int | None = None,
        readonly: bool = False,
        answers: bool = True,
        window: int | None = None,
        paces: bool | None = None,
    ) -> Outcome:
        """Show the session to `connection` and take its input, until the client leaves or the session ends.

        The first attach starts the command, at its size; `rows` or `cols` 0: no size known. `connection_id` names the
        connection in logs; `client` names the client over all its connections: a newer connection supersedes the
        older one, and the count of its input goes on; newer is the one with the higher `attempt`, or the later one.
        With the `epoch` and `offset` of an earlier attach the output continues at that offset where the log still has
        it. `answers`: whether a terminal is there that answers what programs ask of theirs; else all that the client
        sends is input. `window`: how many bytes the client may leave unacknowledged; None: it acknowledges nothing,
        and the transport alone holds output back. `paces`: whether the program may have to wait for this client; by
        default for one that may write. Some places are kept for those: read-only clients can't take them all.

        Raises StartFailed, SessionClosed (after the client was told), TooManyViewers, Superseded, NotAllowed,
        InputStalled, ProtocolError.
        """
        if self.state >= State.CLOSING:
            raise self._closed()
        supersedes = client is not None and self._viewers.of_client(client) is not None
        most = self.options.max_viewers
        if self._present - supersedes >= most:
            raise TooManyViewers(most)
        if readonly and self._looking - supersedes >= most - kept_for_writers(most):
            raise TooManyViewers(most - kept_for_writers(most))
        self._present += 1
        self._looking += readonly
        self._disarm()
        try:
            # Whoever only looks has no say in the size, not even the first.
            await self._started(None if readonly else Size.bounded(rows, cols))
            viewer = Viewer(self._host(), connection, connection_id, client=client, readonly=readonly, window=window)
            viewer.is_terminal = answers
            viewer.paces = not readonly if paces is None else paces
            if client is not None:
                viewer.input = await self._input_of(client, attempt, keep=not readonly)
            self._viewers.add(viewer)
            try:
                return await self._show(viewer, Size.bounded(rows, cols), (epoch, offset))
            finally:
                self._viewers.remove(viewer)
                viewer.finish()
                self._left(viewer)
        except ReconnectingPTYError as error:
            self._count(error)
            raise
        finally:
            self._present -= 1
            self._looking -= readonly
            self._last_active = self._loop.time()
            if self._present == 0:
                self._deserted()

    async def _input_of(self, client: str, attempt: int | None, *, keep: bool) -> ClientInput:
        """What the client has sent so far; an older connection of its own is ended first, and sends no more.

        Where it sends nothing itself there is nothing to `keep`. Raises Superseded where it is this one that is older.
        """
        state = self._viewers.input_of(client, keep=keep)
        if attempt is not None:
            if attempt <= state.attempt:
                raise Superseded
            state.attempt = attempt
        while older := self._viewers.of_client(client):
            older.stop(Superseded())
            await older.gone()
            if attempt is not None and attempt < state.attempt:
                raise Superseded
        if keep:
            self._viewers.remember(client, state)  # whoever else has come meanwhile
        return state

    def _count(self, error: ReconnectingPTYError) -> None:
        """Count what is an error; a session's ordinary end, or a newer connection, is none."""
        if self.options.metrics is None:
            return
        if isinstance(error, StartFailed):
            self.options.metrics.error(error.error_type)
        elif isinstance(error, ProtocolError):
            self.options.metrics.error("protocol")
        elif isinstance(error, InputStalled):
            self.options.metrics.error("input_stalled")

    def _closed(self) -> ReconnectingPTYError:
        """What tells an attach that the session has ended: a copy, since what is raised holds on to who raised it."""
        error = self.error
        if not isinstance(error, ReconnectingPTYError):
            return SessionClosed("the session's process has ended")
        return copy(error)

    # -- start

    async def _started(self, size: Size | None) -> None:
        """Start the command if nobody has, and wait until it runs. Raises StartFailed, SessionClosed."""
        if self._starting is None:
            self._starting = self._loop.create_task(self._run_start(size))
            self._starting.add_done_callback(_retrieve)
        await asyncio.shield(self._starting)
        if isinstance(self.error, SessionClosed):
            raise self._closed()

    async def _run_start(self, size: Size | None) -> None:
        began = self._loop.time()
        try:
            await self._start(size)
        except Exception as error:
            if isinstance(error, StartFailed):
                failed = error
            elif isinstance(error, ReconnectingPTYError):
                failed = StartFailed(str(error))
            else:  # as where there is no further thread to be had
                log.exception("session %s: cannot start", self.id)
                failed = StartFailed(str(error), error_type="spawn")
            self._recorder = None
            self._done("error", copy(failed))  # one that was raised holds on to where
            try:
                raise failed from error
            finally:
                del failed  # which would hold this frame, and this frame it
        if self.options.metrics is not None:
            self.options.metrics.started(self._loop.time() - began)
        if self._recorder is not None:
            self._recorder.begin()
        if self._machine.advance(State.READY):
            self._expiry.start(time.time() - self.created, self.close, lambda: self._last_active)

    # -- the idle timer

    def _arm(self, seconds: float | None) -> None:
        self._disarm()
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, lambda: self.close(IdleTimeout()))

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _deserted(self) -> None:
        if self._empty is not None and not self._empty.done():
            self._empty.set_result(None)
        if self.state < State.CLOSING:
            self._arm(self.options.timeout)

    # -- the end

    def close(self, error: SessionClosed | None = None) -> None:
        """Begin the end, because of `error` (by default `Killed`); `await wait()` for it. The first cause counts."""
        self._close(error or Killed())

    def abort(self) -> None:
        """End at once: viewers are cut off, processes killed without grace."""
        self._close(Shutdown())
        if not self._hurry.done():
            self._hurry.set_result(None)
        self._kill()
        for viewer in self._viewers:
            viewer.cut(Shutdown())

    def _close(self, error: SessionClosed | None) -> None:
        if self._machine.advance(State.CLOSING, error):
            self._disarm()
            self._expiry.stop()
            self._ending = self._loop.create_task(self._end(error))

    async def _end(self, error: SessionClosed | None) -> None:
        if self._starting is not None:
            await asyncio.wait((self._starting,))
        try:
            await self._finish(error)
            await self._finish_recording(error)
        finally:
            self._done(error.reason if error is not None else "exit", error)

    async def _finish_recording(self, error: SessionClosed | None) -> None:
        if self._recorder is not None:
            status = self.exit_status or ExitStatus()
            await self._recorder.finish(status.shell, str(error or ""), self._hurry, self.options.linger)

    def recording_failed(self) -> None:
        """The recording has stopped; the session goes on."""
        if self.options.metrics is not None:
            self.options.metrics.error("recording")

    @property
    def recorded(self) -> bool:
        """Whether what the program writes is being recorded now."""
        return self._recorder is not None and self._recorder.active

    def _exit(self, status: ExitStatus | None) -> None:
        """The program has ended, or never ran."""
        self.exit_status = status
        if self._exit_waited is not None and not self._exit_waited.done():
            self._exit_waited.set_result(None)

    def _done(self, reason: str, error: ReconnectingPTYError | None) -> None:
        self._disarm()
        self._exit(self.exit_status)
        self._machine.advance(State.DONE, error)
        if self.options.metrics is not None:
            self.options.metrics.retire(self, reason)

    async def _until_deserted(self) -> None:
        """Wait until every viewer has gone; those that take nothing for `linger` seconds are cut off.

        So are those that take the rest more slowly than anybody honest.
        """
        latest = self._loop.time() + self.options.linger + self.options.log_limit / SLOWEST
        while self._present:
            self._empty = self._loop.create_future()
            taken = self._viewers.progress
            try:
                async with asyncio.timeout(self.options.linger):
                    await self._empty
            except TimeoutError:
                if taken == self._viewers.progress or self._loop.time() >= latest:
                    for viewer in self._viewers:
                        viewer.stop(self._closed())


def _retrieve(task: asyncio.Task[None]) -> None:
    """Whoever attached has got the error; where nobody did any more, it is in the session's own."""
    if not task.cancelled():
        task.exception()
