"""A session's recorder: a cursor into its log, the times at which output came, and what is written of it.

On the event loop it only notes times; bytes are taken out of the log a few times a second, and made into lines in the
recordings' thread. It is nobody's viewer: the program's pace does not know it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..asciicast import Encoder
from ..output_log import LogReader, OutputLog
from ..size import Size
from .directory import File, Recordings

RESOLUTION = 0.004
"""Seconds. Output that comes within them is one event."""
WRITE_SECONDS = 0.25
"""How long output may wait to be written."""
WRITE_BYTES = 128 << 10
"""Bytes that do not wait so long, and that are written at a time."""
MOMENTS = 4096
"""Times noted that may wait to be written; while the disk hangs, they get coarser."""
INPUT_WAITING = 256 << 10
"""Bytes typed that may wait to be written."""
HURRY_SECONDS = 1.0
"""What a recording gets to be finished when the session's end is in a hurry."""
RESET = b"\x1bc"

log = logging.getLogger(__name__)


class Source(Protocol):
    """What is recorded: a session, as a recorder sees it."""

    id: str
    epoch: str
    command: str | Sequence[str]
    log: OutputLog

    def settled_picture(self) -> bytes | None:
        """What draws the terminal as it is at the log's end; None where the model is not there."""
        ...

    async def settle(self) -> None:
        """Have the model catch up with a log that does not grow any more."""
        ...

    def recording_failed(self) -> None:
        """The recording has stopped; why is in the server's log."""
        ...


@dataclass(slots=True)
class _Moment:
    """Output up to the offset `end` came `at` that time, and after it this was typed."""

    at: float
    end: int
    typed: bytes = b""


@dataclass(frozen=True, slots=True)
class _Gap:
    """So many bytes came and could not be written down."""

    missing: int


@dataclass(frozen=True, slots=True)
class _Picture:
    """What draws the terminal, after a gap or at a file's beginning."""

    data: bytes


@dataclass(frozen=True, slots=True)
class _Typed:
    data: bytes


_Item = bytes | Size | _Gap | _Picture | _Typed


class Recorder:
    """One session's recording, over as many files as it takes. At most one piece of its work is in the thread."""

    def __init__(self, recordings: Recordings, source: Source) -> None:
        self._recordings = recordings
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._log = source.log
        self._reader: LogReader = source.log.reader(source.log.start)
        self._moments: deque[_Moment] = deque()
        self._typed = 0  # bytes in them
        self._encoder = Encoder()
        self._file: File | None = None
        self._opened: File | None = None  # the same, as the thread knows it
        self._number = 0  # of the file
        self._torn = False  # what was written does not add up to what the terminal shows
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._end: tuple[int, str] | None = None

    @property
    def active(self) -> bool:
        """Whether the session is being recorded now."""
        return self._task is not None and not self._task.done()

    # -- what the session calls; none of it waits

    def begin(self) -> None:
        """The program runs. What it has written so far is recorded, too."""
        self._recordings.enter()
        self._task = self._loop.create_task(self._write())
        self.note()

    def note(self) -> None:
        """Output has come, or a change of size."""
        now = self._loop.time()
        moments = self._moments
        if moments and not moments[-1].typed and (now - moments[-1].at < RESOLUTION or len(moments) >= MOMENTS):
            moments[-1].end = self._log.end
        else:
            moments.append(_Moment(now, self._log.end))
        self._see_to_it()

    def typed(self, data: bytes) -> None:
        """Somebody has typed; recorded where that is asked for. Beyond a bound it is not, as of a paste too large."""
        fits = self._typed + len(data) <= INPUT_WAITING and len(self._moments) < MOMENTS
        if self._recordings.input and fits and self.active:
            self._typed += len(data)
            self._moments.append(_Moment(self._loop.time(), self._log.end, data))
            self._see_to_it()

    def settled(self) -> None:
        """The terminal model has caught up: what is torn can be mended."""
        if self._torn:
            self.note()

    def _see_to_it(self) -> None:
        if not self.active:
            if self._task is not None:
                self._moments.clear()
        elif self._reader.lag >= WRITE_BYTES:
            self._due.set()
        elif self._timer is None:
            self._timer = self._loop.call_later(WRITE_SECONDS, self._is_due)

    def _is_due(self) -> None:
        self._timer = None
        self._due.set()

    async def finish(self, status: int, reason: str, hurry: asyncio.Future[None], seconds: float) -> None:
        """Write the rest and the end: the exit status, and why where the program did not end by itself.

        A disk that takes longer than `seconds`, or than a moment when `hurry` is done, is not waited for.
        """
        if self._task is None:
            return
        self._end = (status, reason)
        self._due.set()
        await asyncio.wait((self._task, hurry), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not self._task.done():
            await asyncio.wait((self._task,), timeout=HURRY_SECONDS)
        if not self._task.done():
            log.error("session %s: its recording could not be finished in time", self._source.id)
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # -- the task

    async def _write(self) -> None:
        try:
            while not await self._written():
                await self._due.wait()
                self._due.clear()
            await self._close()
        except (OSError, RuntimeError) as error:  # the latter where there is no further thread to be had
            where = self._file.path if self._file is not None else self._recordings.directory
            why = getattr(error, "strerror", None) or error
            log.error("session %s: its recording stops: %s (%s)", self._source.id, why, where)
            self._source.recording_failed()
            await self._close()
        except asyncio.CancelledError:
            self._recordings.later(self._close_file)
            raise
        finally:
            self._moments.clear()
            if self._timer is not None:
                self._timer.cancel()
            self._recordings.leave()

    async def _close(self) -> None:
        if self._file is not None:
            self._file = None
            await self._recordings.run(self._close_file)

    async def _written(self) -> bool:
        """Write what there is; whether that was the end."""
        run = self._recordings.run
        while True:
            end = self._end  # where there is one, the log has all that it will have
            if self._file is None:
                self._file = await self._first_file()
            elif self._file.full and self._moments:
                await self._next_file(self._file)
            if end is not None and self._torn:
                await self._source.settle()
            items = self._take(WRITE_BYTES)
            if items:
                await run(self._put, self._file, items)
            elif end is not None:
                await run(self._put_end, self._file, self._loop.time(), *end)
                return True
            else:
                return False

    async def _first_file(self) -> File:
        # Until the next byte that will be read, sizes count as seen: the header has the newest of them.
        if not self._reader.overrun:
            self._reader.skip_to(self._reader.offset)
        size = self._log.size_at(self._reader.offset)
        at = self._moments[0].at if self._moments else self._loop.time()
        since = time.time() - (self._loop.time() - at)
        return await self._recordings.run(self._begin_file, at, size, since)

    async def _next_file(self, file: File) -> None:
        """Go on in another file, which begins with a picture: where the model is at the log's end, or is made to be."""
        picture = self._source.settled_picture()
        if picture is None and file.overfull:
            await self._source.settle()
            picture = self._source.settled_picture()
        if picture is None:
            return
        rest = self._take(sys.maxsize)
        at, size, since = self._loop.time(), self._log.size, time.time()
        await self._recordings.run(self._put, file, rest)
        await self._close()
        self._file = await self._recordings.run(self._begin_file, at, size, since)
        await self._recordings.run(self._put, self._file, [(at, _Picture(picture))])

    def _take(self, room: int) -> list[tuple[float, _Item]]:
        """What came since the last time, about `room` bytes of it at most."""
        items: list[tuple[float, _Item]] = []
        reader, moments = self._reader, self._moments
        while moments and room > 0:
            moment = moments[0]
            if reader.overrun:
                items += [(moment.at, _Gap(self._log.end - reader.offset)), (moment.at, self._log.size)]
                reader.skip_to(self._log.end)
                self._torn = True
            while room > 0 and (reader.offset < moment.end or self._resized()):
                item = reader.read(min(room, moment.end - reader.offset))
                items.append((moment.at, item))
                room -= len(item) if isinstance(item, bytes) else 1
            if room <= 0 and reader.offset < moment.end:
                break
            if moment.typed:
                items.append((moment.at, _Typed(moment.typed)))
                self._typed -= len(moment.typed)
            moments.popleft()
        if self._torn and reader.at_end:
            picture = self._source.settled_picture()
            if picture is not None:
                items.append((self._loop.time(), _Picture(picture)))
                self._torn = False
        return items

    def _resized(self) -> bool:
        at = self._reader.next_size_change()
        return at is not None and at <= self._reader.offset

    # -- in the thread

    def _close_file(self) -> None:
        file, self._opened = self._opened, None
        if file is not None:
            file.close()

    def _begin_file(self, at: float, size: Size, since: float) -> File:
        file = self._opened = self._recordings.open(self._source.id, self._source.epoch, self._number)
        self._number += 1
        try:
            command = self._source.command
            file.write(
                self._encoder.header(
                    at,
                    size,
                    since,
                    type="xterm-256color",
                    command=command if isinstance(command, str) else " ".join(command),
                    title=f"session {self._source.id}",
                )
            )
        except OSError:
            self._close_file()
            raise
        return file

    def _put(self, file: File, items: list[tuple[float, _Item]]) -> None:
        encoder, lines = self._encoder, []
        for at, item in items:
            match item:
                case bytes():
                    lines.append(encoder.output(at, item))
                case Size():
                    lines.append(encoder.resize(at, item))
                case _Typed(data):
                    lines.append(encoder.input(at, data))
                case _Gap(missing):
                    encoder.break_off()
                    lines.append(encoder.marker(at, f"{missing} bytes of output are missing here"))
                case _Picture(data):
                    encoder.break_off()
                    lines.append(encoder.output(at, RESET + data))
        file.write(b"".join(lines))

    def _put_end(self, file: File, at: float, status: int, reason: str) -> None:
        marker = self._encoder.marker(at, reason) if reason else b""
        file.write(marker + self._encoder.exit(at, status))
