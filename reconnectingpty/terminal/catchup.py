"""Moves an emulator along the log, behind everybody's back, in slices of time; skips what has provably scrolled away.

The one room here that knows the log. It parses a few kilobytes between two looks at the clock, so that the event loop,
whose turn it is called in, never waits long. The session calls it when its output pauses, and when the model has fallen
far behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ..output_log import OutputLog
from ..size import Size
from .emulator import Emulator
from .leaving import clearing, leaving
from .machine import GROUND
from .parser import Parser
from .screen import Screen
from .skipping import BLOCK, Simple, pen_after
from .snapshot import snapshot

FIRST_SLICE: Final = 1 << 12
LEAST_SLICE: Final = 1 << 9
MOST_SLICE: Final = 1 << 16
"""Bytes parsed between two looks at the clock; by how long the last slice took, more or fewer."""
SHORT, LONG = 0.0002, 0.0008
"""Seconds that a slice may take before the next is not made longer, and before it is made shorter."""
LEAST_LAG: Final = 1 << 15
"""Bytes of lag from which on it is worth looking for something to skip."""
LOOK_AGAIN: Final = 1 << 16
"""Bytes that have to come before it is worth looking again."""


STEPS: Final = 4
"""Steps of a change of size between two looks at the clock."""
_DONE: Final = object()


class TerminalModel:
    """An emulator that follows a log. `clock` counts seconds and is only ever compared with itself."""

    __slots__ = ("_clock", "_log", "_look_at", "_parser", "_reader", "_resizing", "_simple", "_slice")

    def __init__(self, log: OutputLog, size: Size, *, scrollback: int = 5000, clock: Callable[[], float]) -> None:
        self._log = log
        self._reader = log.reader(log.start)
        self._parser = Parser(Emulator(size.cols, size.rows, scrollback))
        self._clock = clock
        self._slice = FIRST_SLICE
        self._resizing: Iterator[None] | None = None  # a change of size that is under way
        self._simple: Simple | None = None
        self._look_at = 0  # where the log's end has to be for another look to be worth it

    @property
    def emulator(self) -> Emulator:
        """The terminal as of `lag` bytes before the log's end."""
        return self._parser.emulator

    @property
    def lag(self) -> int:
        """Bytes of the log that the emulator has not seen."""
        return self._reader.lag

    def advance(self, seconds: float, lag: int = 0) -> bool:
        """Catch up for about that long, or until at most `lag` bytes behind.

        True where the log's end, and every change of size, is reached.
        """
        reader, clock, feed = self._reader, self._clock, self._parser.feed
        if reader.overrun:
            self._jump_to_start()
        now = clock()
        until = now + seconds
        while not self.caught_up and (not lag or reader.lag > lag):
            if self._resizing is not None:
                self._resize_on(self._resizing)
            elif self._may_skip():
                if not self._look():
                    self._skip()
            else:
                data = reader.read(self._slice)
                if isinstance(data, Size):
                    self._resizing = self.emulator.resizing(data.rows, data.cols)
                else:
                    feed(data)
            before, now = now, clock()
            self._pace(now - before)
            if now >= until:
                break
        return self.caught_up

    @property
    def caught_up(self) -> bool:
        """Whether the log's end, and every change of size, is reached. A change of size takes time, but no lag."""
        return self._resizing is None and self._reader.at_end

    def _resize_on(self, steps: Iterator[None]) -> None:
        for _ in range(STEPS):
            if next(steps, _DONE) is _DONE:
                self._resizing = None
                return

    def _finish_resizing(self) -> None:
        while self._resizing is not None:
            self._resize_on(self._resizing)

    def _pace(self, took: float) -> None:
        if took < SHORT:
            self._slice = min(self._slice * 2, MOST_SLICE)
        elif took > LONG:
            self._slice = max(self._slice // 2, LEAST_SLICE)

    def _jump_to_start(self) -> None:
        """The log has forgotten what was not read yet. Nobody should let that happen; what is left is drawn then."""
        self._finish_resizing()
        self._reader.skip_to(self._log.start)
        self._simple = None
        size = self._log.size_at(self._log.start)
        self.emulator.resize(size.rows, size.cols)

    def snapshot(self, lines: int | None = None) -> bytes:
        """What draws the terminal on a fresh one, with at most `lines` of scrollback, by default all there is.

        Raises ValueError unless the model has caught up.
        """
        if not self.caught_up:
            raise ValueError("the model has not caught up with the log")
        return snapshot(self._parser, lines)

    def leaving(self) -> bytes:
        """What puts a real terminal back that shows the same, as of `lag` bytes before the log's end."""
        self._finish_resizing()
        return leaving(self._parser)

    def redrawn(self) -> bytes:
        """What draws the screen anew on a real terminal that shows the same, or did before others wrote to it.

        Raises ValueError unless the model has caught up.
        """
        return clearing(self._parser) + self.snapshot(0)

    def screen(self) -> Screen:
        """What the terminal shows, as of `lag` bytes before the log's end."""
        self._finish_resizing()
        return Screen.of(self.emulator)

    # -- skipping

    @property
    def _kept(self) -> int:
        """Line feeds after which nothing of what was there before is left."""
        return self.emulator.lines + self.emulator.scrollback_limit + 1

    def _may_skip(self) -> bool:
        """Whether it is worth looking, and text and line ends do now what they do on a fresh terminal."""
        reader = self._reader
        if reader.lag < LEAST_LAG or self._log.end < self._look_at:
            return False
        simple = self._simple
        if simple is not None and (simple.start != reader.offset or simple.blocked):
            if simple.blocked and reader.offset <= simple.end:
                return False
            self._simple = None
        emulator, parser = self.emulator, self._parser
        buffer = emulator.active
        return (
            parser.machine.state == GROUND
            and not parser.partial
            and emulator.plain
            and not emulator.modes.reverse_wrap
            and not emulator.is_alternate
            and (buffer.top, buffer.bottom) == (0, emulator.lines - 1)
        )

    def _look(self) -> bool:
        """Look at one more block. False when there is no more to look at."""
        simple = self._simple
        if simple is None:
            simple = self._simple = Simple(self._reader.offset)
        end = self._log.end
        change = self._reader.next_size_change()
        if change is not None and change < end:
            end = change
        if simple.blocked or simple.end >= end:
            return False
        before = simple.end
        simple.look(self._log.slice(before, min(before + BLOCK, end)))
        return simple.end > before and not simple.blocked

    def _skip(self) -> None:
        """Jump over what leaves nothing behind. What is then left has to be parsed."""
        simple, reader, log = self._simple, self._reader, self._log
        assert simple is not None
        self._look_at = log.end + LOOK_AGAIN
        to, feeds = simple.skippable(self._kept)
        # Behind a line end the cursor is in the first column, and everything is known.
        at = log.slice(to, min(to + BLOCK, simple.end)).find(b"\r\n") if to > simple.start else -1
        if at < 0:
            return
        end = to + at + 2
        emulator = self.emulator
        if feeds >= emulator.lines:
            emulator.pen = pen_after(emulator.pen, log.slice(simple.start, end))
            emulator.forget_everything()
            reader.skip_to(end)
            simple.skip(to, end)
