"""The terminal as of some point of the output: an emulator that follows it, and the text that was written since a mark.

It is moved on by whoever looks at it, a little at a time, and by its terminal where it would hold the session back. A
`Mark` is a place on the screen that stays with its line, however far that scrolls and however the width changes; where
a program goes back over what stood before it, the mark goes along, so that everything written since is behind it.
"""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import islice

from pyte.screens import Char

from ..output_log import LogReader, OutputLog
from ..size import Size
from ..terminal.emulator import Emulator
from ..terminal.line import Line, unpack
from ..terminal.machine import GROUND
from ..terminal.packing import Row, is_wrapped
from ..terminal.parser import Parser
from ..terminal.screen import Screen

SLICE = 2048
"""Bytes taken at a time, so that of what scrolls by nothing leaves the scrollback before it could be looked at."""
TURN = 0.003
"""Seconds for which it may hold up the event loop."""
LEAST_SCROLLBACK = 1000
_MOVES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[^\[\]PX^_]|\r(?=[^\n])|\x08")
"""What may put the cursor where something stood before."""


class Mark:
    """A point of the output, and the place on the screen where the cursor then was."""

    __slots__ = ("__weakref__", "at", "col", "lost", "row")

    def __init__(self, at: int, row: int, col: int) -> None:
        self.at = at
        """Of the output, as this client counts it."""
        self.row = row
        """Of the normal screen, counted from the first line that ever scrolled off it."""
        self.col = col
        self.lost = False
        """Whether output was missed since, so that nobody knows what was written."""

    def back_to(self, row: int, col: int) -> None:
        """The cursor was there; what it writes comes since."""
        if (row, col) < (self.row, self.col):
            self.row, self.col = row, col


class View:
    """An emulator that follows the output."""

    def __init__(self, log: OutputLog, scrollback: int) -> None:
        self._log = log
        self._cursor: LogReader = log.reader(log.start)
        self._parser = Parser(Emulator(log.size.cols, log.size.rows, max(scrollback, LEAST_SCROLLBACK)))
        self._marks: weakref.WeakSet[Mark] = weakref.WeakSet()
        self._scrollback = self.emulator.normal.scrollback
        self._returned = False
        self.resizes = 0
        """Grows whenever rows are no longer what they were."""
        self.watchers: list[Callable[[], object]] = []
        """Called after each step, so that nothing that scrolls by goes unseen."""

    @property
    def emulator(self) -> Emulator:
        """The terminal, as far as it has come."""
        return self._parser.emulator

    @property
    def lag(self) -> int:
        """Bytes that it has not seen."""
        return self._cursor.lag

    @property
    def behind(self) -> bool:
        """Whether there is anything that it has not seen."""
        return not self._cursor.at_end

    def step(self) -> None:
        """Take the next that there is: well under a millisecond, but for a change of size."""
        if self._cursor.overrun:
            self._cursor.skip_to(self._log.start)
        item = self._cursor.read(SLICE)
        if isinstance(item, Size):
            self._resize(item)
        elif not self._marks:
            self._parser.feed(item)
        else:
            self._feed_watched(item)
        for watcher in self.watchers:
            watcher()

    def advance(self, seconds: float = TURN) -> None:
        """Take what there is, for about that long."""
        until = time.perf_counter() + seconds
        while self.behind:
            self.step()
            if time.perf_counter() >= until:
                break

    def screen(self) -> Screen:
        """What it shows."""
        return Screen.of(self.emulator)

    def cells(self) -> list[list[Char]]:
        """What it shows, cell by cell."""
        emulator = self.emulator
        return [[emulator.char_at(row, col) for col in range(emulator.columns)] for row in range(emulator.lines)]

    # -- marks

    @property
    def top(self) -> int:
        """The row of the screen's first line, as marks count rows."""
        scrollback = self.emulator.normal.scrollback
        assert scrollback is not None
        return scrollback.ever

    def _place(self) -> tuple[int, int]:
        """Where the normal screen's cursor is."""
        emulator = self.emulator
        if emulator.is_alternate:
            return self.top + emulator.normal.y, emulator.normal.x
        return self.top + emulator.y, emulator.x

    def mark(self) -> Mark:
        """A mark at the cursor."""
        return self._keep(Mark(self._cursor.offset, *self._place()))

    def mark_top(self) -> Mark:
        """A mark at the screen's first line."""
        return self._keep(Mark(self._cursor.offset - 1, self.top, 0))

    def _keep(self, mark: Mark) -> Mark:
        self._marks.add(mark)
        return mark

    def lose_marks(self) -> None:
        """Output was missed."""
        for mark in self._marks:
            mark.lost = True

    def _feed_watched(self, data: bytes) -> None:
        """Take output, and look where the cursor goes back to."""
        parser = self._parser
        if self._returned and not data.startswith(b"\n"):
            self._follow()
        while data and parser.machine.state != GROUND:
            parser.feed(data[:1])
            data = data[1:]
            self._follow()
        at = 0
        for match in _MOVES.finditer(data):
            parser.feed(data[at : match.end()])
            at = match.end()
            self._follow()
        parser.feed(data[at:])
        # A carriage return may be the first half of a line's end, which goes back to nothing.
        self._returned = data.endswith(b"\r")
        if not self._returned:
            self._follow()

    def _follow(self) -> None:
        normal = self.emulator.normal
        if normal.scrollback is not self._scrollback:  # the terminal was reset
            self._scrollback = normal.scrollback
            self.resizes += 1
            for mark in self._marks:
                mark.row = mark.col = 0
        place = self._place()
        for mark in self._marks:
            mark.back_to(*place)

    def _resize(self, size: Size) -> None:
        """Take another size; marks stay with their text, which is wrapped anew."""
        held = [(mark, *self._from_below(mark)) for mark in self._marks]
        self.emulator.resize(size.rows, size.cols)
        self.resizes += 1
        for mark, lines, cells in held:
            mark.row, mark.col = self._found_again(lines, cells)
            mark.back_to(*self._place())  # the cursor's own line is cut off, not wrapped anew

    def _from_below(self, mark: Mark) -> tuple[int, int]:
        """How many lines of text the mark is above the cursor's, and how many cells of its own are before it."""
        begins = self._begins(mark.row)
        lines = sum(1 for row in range(mark.row + 1, self._place()[0] + 1) if not self._wrapped(row))
        return lines, (mark.row - begins) * self.emulator.columns + mark.col

    def _found_again(self, lines: int, cells: int) -> tuple[int, int]:
        row = self._begins(self._place()[0])
        while lines and row > self._oldest:
            row = self._begins(row - 1)
            lines -= 1
        if lines:
            return self._oldest, 0
        rows, col = divmod(cells, self.emulator.columns)
        return row + rows, col

    @property
    def _oldest(self) -> int:
        """The oldest row that is still there."""
        return self.top - self.emulator.normal.base

    def _begins(self, row: int) -> int:
        """The first row of a line of text."""
        while row > self._oldest and self._wrapped(row):
            row -= 1
        return row

    def _wrapped(self, row: int) -> bool:
        normal, index = self.emulator.normal, row - self.top
        if index >= 0:
            return index < len(normal.lines) and normal.lines[index].wrapped
        assert normal.scrollback is not None
        if row < self._oldest:
            return False
        packed = normal.scrollback.rows[index]
        return packed.wrapped if isinstance(packed, Line) else is_wrapped(packed)

    # -- text

    def text_from(self, mark: Mark, row: int | None) -> tuple[str, int]:
        """The text since a mark, from `row` on if that is further down; and where to begin to look at it.

        What is before that place is only there so that no row looks like the beginning of a line, or of the text.
        """
        if row is None or row - 1 <= max(mark.row, self._oldest) or self.emulator.is_alternate:
            return self.text(mark), 0
        text = self.text(mark, row - 1)
        if self._wrapped(row):
            columns = self.emulator.columns
            return text, len(_line(next(self._rows(row - 1)), columns).text(columns))
        return text, text.find("\n") + 1 or len(text)

    def text(self, mark: Mark, row: int | None = None) -> str:
        """What was written since a mark, or from another `row` on: lines of text, wrapped ones made whole.

        Blanks at the ends of lines are left out, but for those before the cursor. While a program has the alternate
        screen, it is that, as soon as anything was written since.
        """
        emulator = self.emulator
        if self._cursor.offset <= mark.at:
            return ""
        if emulator.is_alternate:
            return _joined([_shown(line, emulator.columns) for line in emulator.grid], emulator.y, emulator.x)
        first = max(mark.row if row is None else max(row, mark.row), self._oldest)
        lines = [_line(line, emulator.columns) for line in self._rows(first)]
        rows = [(line.wrapped, line.text(emulator.columns)) for line in lines]
        cursor = self.top + emulator.y - first
        col = len(emulator.grid[emulator.y].text(emulator.x))
        if first == mark.row and rows:
            before = len(lines[0].text(mark.col))
            rows[0] = (False, rows[0][1][before:])
            col -= before if not cursor else 0
        return _joined(rows, cursor, col)

    def _rows(self, first: int) -> Iterator[Row | Line]:
        normal = self.emulator.normal
        assert normal.scrollback is not None
        if first < self.top:
            yield from islice(normal.scrollback.rows, first - self._oldest, None)
        yield from islice(normal.lines, max(first - self.top, 0), None)


def _line(row: Row | Line, columns: int) -> Line:
    return row if isinstance(row, Line) else unpack(row, columns)


def _shown(row: Row | Line, columns: int) -> tuple[bool, str]:
    """Whether a row goes on with the one before, and its text up to the screen's edge."""
    line = _line(row, columns)
    return line.wrapped, line.text(columns)


def _joined(rows: list[tuple[bool, str]], cursor: int, col: int) -> str:
    """Rows as lines of text."""
    lines: list[str] = []
    kept: list[int] = []
    for number, (wrapped, text) in enumerate(rows):
        keep = col if number == cursor else 0
        if wrapped and lines:
            kept[-1] = len(lines[-1]) + keep if keep else kept[-1]
            lines[-1] += text
        else:
            lines.append(text)
            kept.append(keep)
    shown = [_trimmed(line, keep) for line, keep in zip(lines, kept, strict=True)]
    return "\n".join(shown).rstrip("\n")


def _trimmed(line: str, keep: int) -> str:
    end = len(line.rstrip())
    return line[: max(end, min(keep, len(line)))]
