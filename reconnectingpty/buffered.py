"""The backend of our own: a process, the log of its output, and a terminal model that follows the log.

    process → log → viewers, each with a cursor
                 → model, behind everybody's back

The process is read as fast as the most advanced viewer that may write can take it, and at full speed when nobody such
watches. It waits for the model only where the model would fall off the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from .account import account_of
from .environment import child_environment, command_line, working_directory
from .errors import InputStalled, SessionClosed
from .following import Follower
from .info import SessionInfo
from .limits import UNCONFINED, Confinement, plan
from .metrics import ECHO_SECONDS
from .options import Options
from .output_log import LogReader, OutputLog
from .process import READ_AT_ONCE, Process
from .questions import Questions
from .rate import Rate
from .recording import Recorder
from .session import ReconnectingPTY
from .size import Size
from .sizing import SizePolicy, decide
from .state import State
from .terminal.catchup import TerminalModel
from .terminal.screen import Screen
from .viewer import Host, Outcome, Viewer
from .wire.messages import Exited, Hello

AHEAD = 256 << 10
"""Bytes that the log may be ahead of the most advanced viewer before the program has to wait; less in a small log."""
SESSION_INPUT = 4 << 20
"""Input bytes that may wait for the program, those of clients that have left included."""
LEAST_AT_ONCE = 4 << 10
"""Bytes that are read at once where the output's rate is capped very low: what a terminal's line may have."""
ANSWERS_WAITING = 64 << 10
"""Input bytes waiting for a program that reads none, beyond which its questions are not answered any more."""

log = logging.getLogger(__name__)


class BufferedPTY(ReconnectingPTY):
    """A session whose terminal is modelled here."""

    backend: ClassVar[str] = "buffered"

    def __init__(self, command: str | Sequence[str], options: Options, session_id: str) -> None:
        super().__init__(command, options, session_id)
        self.log = OutputLog(options.log_limit, options.size)
        self.model = TerminalModel(self.log, options.size, scrollback=options.scrollback, clock=time.perf_counter)
        self.end: Exited | SessionClosed | None = None
        self.input_stall = options.input_stall
        self._process: Process | None = None
        self._confinement: Confinement = UNCONFINED
        self._rate = Rate(options.output_rate) if options.output_rate is not None else None
        self._held_back: asyncio.TimerHandle | None = None  # until the output's rate allows more
        self._key_at = 0.0
        """When the oldest key came that no output has followed; 0: there is none."""
        self._ahead = min(AHEAD, options.log_limit - 2 * READ_AT_ONCE)
        self._shown = False  # to any viewer yet
        self._follower = Follower(self.model, options.log_limit, moved=self._pace, settled=self._settled)
        self._questions = Questions(self._answer, self._viewers.leader)
        self.model.emulator.on_query = self._questions.ask
        if options.record is not None:
            self._recorder = Recorder(options.record, self)

    # -- start

    async def _start(self, size: Size | None) -> None:
        options = self.options
        if size is None or options.size_policy is SizePolicy.FIXED:
            size = options.size
        account = account_of(options.user)
        argv = command_line(self.command, account)
        base = os.environ if options.environment is None else options.environment
        environment = child_environment(base, session=self.id, epoch=self.epoch, user=account, keep=options.keep)
        self.log.resize(size)
        await self._confine(account.uid)
        try:
            process = await Process.spawn(
                argv,
                environment=environment,
                cwd=working_directory(options.cwd, account),
                size=size,
                epoch=self.epoch,
                output=self._on_output,
                trouble=self._on_trouble,
                account=account,
                confinement=self._confinement,
            )
        except BaseException:
            await self._release()
            raise
        self._take(process)
        process.exited.add_done_callback(lambda _: self._close(None))

    async def _confine(self, uid: int) -> None:
        """See to the session's limits. Raises StartFailed, OptionError."""
        limits = self.options.limits
        if limits:
            self._confinement = await asyncio.to_thread(lambda: plan(limits, uid).confine(self.epoch))

    async def _release(self) -> None:
        """Let what held the limits go, and with it whatever is left in the session's cgroup."""
        confinement, self._confinement = self._confinement, replace(self._confinement, cgroup=None)
        if confinement.cgroup is not None:
            try:
                await asyncio.to_thread(confinement.end)
            except OSError as error:
                self._on_trouble("end", error)

    def _take(self, process: Process) -> None:
        """Have a process's output from here on."""
        self._process = process
        if self._rate is not None:
            process.at_once = min(READ_AT_ONCE, max(self._rate.per_second // 10, LEAST_AT_ONCE))

    # -- output

    def _on_output(self, data: memoryview) -> None:
        self.log.append(data)
        self.bytes_out += len(data)
        now = self._last_active = self._loop.time()
        self._follower.came(now)
        if self._key_at:
            self._echoed()
        self._viewers.wake()
        if self._rate is not None and self._held_back is None:
            wait = self._rate.spend(len(data), now)
            if wait > 0:
                self._held_back = self._loop.call_later(wait, self._go_on)
        if self._recorder is not None:
            self._recorder.note()
        self._pace()

    def _echoed(self) -> None:
        """The first output since a key."""
        seconds = time.perf_counter() - self._key_at
        self._key_at = 0.0
        if self.options.metrics is not None and seconds <= ECHO_SECONDS:
            self.options.metrics.echo_seconds.observe(seconds)

    def _go_on(self) -> None:
        self._held_back = None
        self._pace()

    def _hold_back_no_more(self) -> None:
        """The program has ended, or is about to: what it wrote comes at once."""
        self._rate = None
        if self._held_back is not None:
            self._held_back.cancel()
            self._go_on()

    def _on_trouble(self, error_type: str, error: OSError) -> None:
        log.error("session %s: %s: %s", self.id, error_type, error)
        if self.options.metrics is not None:
            self.options.metrics.error(error_type)

    def read_on(self) -> None:
        """A viewer's cursor has moved."""
        self._pace()

    def _pace(self) -> None:
        """Read the process, or let it wait."""
        process = self._process
        if process is None:
            return
        self._follower.follow()
        if self.held_by:
            process.pause()
        else:
            process.resume()

    @property
    def held_by(self) -> str:
        """What the program has to wait for with its output, if it has to."""
        if self._follower.holds:
            return "model"
        furthest = self._viewers.furthest
        if furthest is not None and self.log.end - furthest >= self._ahead:
            return "viewer"
        return "rate" if self._held_back is not None else ""

    @property
    def model_lag(self) -> int:
        """Bytes of output that the model has not seen."""
        return self.model.lag

    # -- the model, behind everybody's back

    def _settled(self) -> None:
        self._questions.caught_up()
        if self._recorder is not None:
            self._recorder.settled()

    async def _catch_up(self) -> None:
        """Return when the model is at the log's end, in the same turn of the event loop."""
        await self._follower.catch_up()
        self._questions.caught_up()

    async def picture(self) -> bytes:
        """What draws the terminal as it is at the log's end."""
        await self._catch_up()
        data = self.model.snapshot()
        if self.options.metrics is not None:
            self.options.metrics.snapshot_bytes.observe(len(data))
        return data

    def settled_picture(self) -> bytes | None:
        """What draws the screen as it is at the log's end; None where the model has not got there."""
        return self.model.snapshot(0) if self.model.caught_up else None

    async def settle(self) -> None:
        """Have the model catch up."""
        await self._catch_up()

    def resynced(self) -> None:
        """A viewer fell off the log."""
        if self.options.metrics is not None:
            self.options.metrics.resyncs.inc()

    async def screen(self) -> Screen:
        """What the terminal shows now."""
        await self._catch_up()
        return self.model.screen()

    # -- viewers

    def _host(self) -> Host:
        return self

    async def _show(self, viewer: Viewer, size: Size | None, resume: tuple[str | None, int | None]) -> Outcome:
        began = self._loop.time()
        self.claim(viewer, size)
        reader, picture = await self._place(*resume)
        live_from = self.log.end if self._shown else reader.offset
        self._shown = True
        at = self.log.size_at(reader.offset)
        hello = Hello(
            session=self.id,
            epoch=self.epoch,
            backend=self.backend,
            created=self.created,
            rows=at.rows,
            cols=at.cols,
            readonly=viewer.readonly,
            offset=reader.offset,
            snapshot=len(picture),
            input_offset=viewer.input.received,
            window=viewer.window or 0,
        )
        if self.options.metrics is not None:
            self.options.metrics.attach_seconds.observe(self._loop.time() - began)
        self._viewers.announce()
        return await viewer.run(hello, picture, reader, live_from)

    async def _place(self, epoch: str | None, offset: int | None) -> tuple[LogReader, bytes]:
        """Where a viewer begins: at its own offset where the log has it, else at the end, with a picture."""
        if epoch != self.epoch:
            # The first viewer of all sees the output itself from its beginning, and answers what it asks.
            offset = None if self._shown else 0
        if offset is not None and self.log.start <= offset <= self.log.end:
            self._count_reply("delta" if offset < self.log.end else "none")
            return self.log.reader(offset), b""
        picture = await self.picture()
        self._count_reply("snapshot" if picture else "none")
        return self.log.reader(), picture

    def _count_reply(self, kind: str) -> None:
        if self.options.metrics is not None:
            self.options.metrics.replies.labels(kind).inc()

    def _left(self, viewer: Viewer) -> None:
        if self._process is not None and self.state < State.CLOSING:
            self._fit()
            self._questions.left(viewer)
        self._viewers.announce()
        self._pace()

    def input(self, viewer: Viewer, data: bytes) -> None:
        """Type for a viewer. Raises InputStalled where more waits for the program than a session may hold."""
        if self._process is None:
            return
        if self._process.pending > SESSION_INPUT:
            raise InputStalled(self.input_stall)
        viewer.input.received += len(data)
        self.bytes_in += len(data)
        self._last_active = self._loop.time()
        if viewer.is_terminal and b"\x1b" in data:
            kept = self._questions.sift(viewer, data)
            if len(kept) < len(data):
                viewer.input.accept(len(data) - len(kept))
            if not kept:
                return
            data = kept
        self._viewers.acted(viewer)
        if self.options.size_policy is SizePolicy.LATEST and viewer.size not in (None, self.log.size):
            self._fit()
        if not self._key_at:
            self._key_at = time.perf_counter()
        if self._recorder is not None:
            self._recorder.typed(data)
        self._process.write(data, viewer.input.accept)

    def _answer(self, answer: bytes) -> None:
        """Answer the program as its terminal."""
        if self._process is not None and self._process.pending <= ANSWERS_WAITING:
            self._process.write(answer, _nobody)

    def claim(self, viewer: Viewer, size: Size | None) -> None:
        """Take a viewer's own size."""
        self._viewers.acted(viewer)
        viewer.size = size
        self._fit()

    def _fit(self) -> None:
        """Give the terminal the size that its viewers want."""
        size = decide(self.options.size_policy, self._viewers.claims, self.log.size)
        if size == self.log.size or self._process is None:
            return
        try:
            self._process.resize(size)
        except OSError as error:
            log.warning("session %s: cannot resize: %s", self.id, error)
            if self.options.metrics is not None:
                self.options.metrics.error("resize")
            return
        self.log.resize(size)
        if self._recorder is not None:
            self._recorder.note()
        self._viewers.wake()
        self._pace()

    def kill(self, viewer: Viewer) -> None:
        """End the session, as a client asked."""
        self.close()

    # -- the end

    async def _finish(self, error: SessionClosed | None) -> None:
        process = self._process
        self._hold_back_no_more()
        if process is not None:
            try:
                if error is not None:
                    await process.end(self.options.kill_grace, self._hurry)
                self._exit(await process.exited)
                await self._drain(process)
                self._tell(error)
                await self._until_deserted()
            finally:
                self._process = None
                process.close()
                await self._release()
        self._questions.close()
        self._follower.leave()

    async def _drain(self, process: Process) -> None:
        """Wait until all output is in the log; not for ever, where the one viewer left takes none of it."""
        while not process.drained.done():
            taken = self._viewers.progress
            await asyncio.wait((process.drained,), timeout=self.options.linger)
            if not process.drained.done() and taken == self._viewers.progress:
                return

    def _tell(self, error: SessionClosed | None) -> None:
        status = self.exit_status
        assert status is not None
        self.end = Exited(status.code, status.signal) if error is None else error
        self._viewers.wake()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    # -- what can be told

    def inspect(self) -> dict[str, Any]:
        """The log's bounds, who reads it and how far, what waits, and which tasks there are."""
        process, log = self._process, self.log
        tasks = {"start": self._starting, "end": self._ending}
        return {
            "id": self.id,
            "epoch": self.epoch,
            "backend": self.backend,
            "state": self.state.name.lower(),
            "error": None if self.error is None else repr(self.error),
            "pid": process.pid if process is not None else None,
            "log": {
                "start": log.start,
                "end": log.end,
                "limit": log.limit,
                "size_changes": len(log.changes),
            },
            "model": {"offset": log.end - self.model.lag, "lag": self.model.lag, "caught_up": self.model.caught_up},
            "held_by": self.held_by,
            "input_waiting": process.pending if process is not None else 0,
            "attaching": self._present - len(self._viewers),
            "clients_remembered": self._viewers.remembered,
            "viewers": [viewer.inspect() for viewer in self._viewers],
            "tasks": {name: "done" if task.done() else "running" for name, task in tasks.items() if task is not None},
            "ends_in": None if self._timer is None else round(self._timer.when() - self._loop.time(), 1),
        }

    def info(self) -> SessionInfo:
        """What can be told of the session now. The title is as old as the model."""
        process, status, asked = self._process, self.exit_status, self.command_asked
        return SessionInfo(
            id=self.id,
            epoch=self.epoch,
            backend=self.backend,
            state=self.state.name.lower(),
            command=asked if isinstance(asked, str) else " ".join(asked),
            pid=process.pid if process is not None else None,
            created=self.created,
            rows=self.log.size.rows,
            cols=self.log.size.cols,
            viewers=self.viewer_count,
            attached=self.viewer_count > 0,
            idle=self._loop.time() - self._last_active,
            title=self.model.emulator.title,
            cwd=process.cwd if process is not None else None,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            exit_code=status.code if status is not None else None,
            exit_signal=status.signal if status is not None else None,
            name=self.name,
            owner=self.owner,
            limits=dict(self._confinement.held),
            recorded=self.recorded,
        )


def _nobody(count: int) -> None:
    """Whom to tell that the program has taken an answer."""
