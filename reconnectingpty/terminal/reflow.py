"""Another size for a buffer: rows come and go, and the normal buffer's wrapped lines are wrapped anew.

What goes where is what xterm.js 6.0 does with a Unix pty, the line with the cursor excepted from rewrapping, since the
program redraws it itself. With a long scrollback that takes a while, so it is done step by step. It changes buffers and
rows only; called by the emulator's resize.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

from ..size import Size
from .buffer import Buffer
from .cells import NULL
from .cellwise import Steps, join, lengths_of, spread
from .line import Line, unpack
from .packing import Row, has_blank, is_wrapped, text_of, weigh
from .rewrapping import rewrapped
from .scrollback import BATCH

_Lines: TypeAlias = "list[Row | Line]"


class _Resize:
    """One buffer's change of size. `lines` begins with the oldest of the scrollback, `base` is the screen's first."""

    def __init__(self, buffer: Buffer, before: Size, after: Size) -> None:
        self.buffer = buffer
        self.before = before
        self.after = after
        scrollback = buffer.scrollback
        if scrollback is not None:
            scrollback.pack()
        self.lines: _Lines = [*(scrollback or ()), *buffer.lines]
        self.base = buffer.base
        self.most = after.rows + (scrollback.limit if scrollback is not None else 0)
        self.y = buffer.y
        self.length = 0
        self.forgotten = scrollback.forgotten if scrollback is not None else 0

    def line(self, index: int) -> Line:
        """The line at an index, ready to be changed."""
        row = self.lines[index]
        if not isinstance(row, Line):
            row = self.lines[index] = unpack(row, max(self.before.cols, self.after.cols))
        return row

    def wrapped(self, index: int) -> bool:
        """Whether the line at an index continues the one before."""
        row = self.lines[index]
        if isinstance(row, Line):
            return row.wrapped
        return is_wrapped(row)

    def group(self, first: int, last: int) -> Steps[list[Line]]:
        """Several lines, as lists of cells."""
        lines = []
        columns = max(self.before.cols, self.after.cols)
        for index in range(first, last):
            line = self.line(index)
            if len(line.cells(columns)) < columns:
                line.resize(columns, columns)
            lines.append(line)
            yield
        return lines

    def run(self) -> Steps[None]:
        """Do it all, and give the buffer its new lines."""
        buffer, after = self.buffer, self.after
        if self.before.cols < after.cols:
            yield from self._set_width()
        self._change_rows()
        buffer.x = min(buffer.x, after.cols - 1)
        buffer.saved.x = min(buffer.saved.x, after.cols - 1)
        if buffer.scrollback is not None:
            if self.before.cols < after.cols:
                yield from self._grow()
            elif self.before.cols > after.cols:
                yield from self._shrink()
                yield from self._set_width()
        elif self.before.cols > after.cols:
            for index in range(len(self.lines)):
                self.line(index).cells(self.before.cols)  # the alternate screen keeps what is cut off at the right
        screen = [self.line(index) for index in range(self.base, min(self.base + after.rows, len(self.lines)))]
        buffer.lines = screen + [Line() for _ in range(after.rows - len(screen))]
        yield from self._pack()
        buffer.y = min(self.y, after.rows - 1)

    def _pack(self) -> Steps[None]:
        """Give the scrollback what is above the screen."""
        scrollback = self.buffer.scrollback
        if scrollback is None:
            return
        rows: list[Row] = []
        forgotten = 0
        for row in self.lines[: self.base]:
            if row == "" and forgotten == len(rows) < self.forgotten:
                forgotten += 1
            rows.append(row.pack() if isinstance(row, Line) else row)
            if not len(rows) % BATCH:
                yield
        weights = []
        for at in range(forgotten, len(rows), BATCH):
            batch = rows[at : at + BATCH]
            weights.append((len(batch), weigh(batch)))
            yield
        scrollback.replace(rows, weights)

    def _set_width(self) -> Steps[None]:
        """Cut off, or add erased cells to, every line that needs it."""
        before, columns = self.before.cols, self.after.cols
        for index, row in enumerate(self.lines):
            if isinstance(row, Line):
                row.resize(columns, before)
            elif has_blank(row) if columns > before else len(row) > columns < len(text_of(row)):
                self.line(index).resize(columns, before)
                yield
            if not index % BATCH:
                yield

    def _change_rows(self) -> None:
        lines, rows, buffer = self.lines, self.after.rows, self.buffer
        added = 0
        for _ in range(self.before.rows, rows):
            if len(lines) < rows + self.base:
                if self.base > 0 and len(lines) <= self.base + self.y + added + 1:
                    self.base -= 1
                    added += 1
                else:
                    lines.append(Line())
        for _ in range(rows, self.before.rows):
            if len(lines) > rows + self.base:
                if len(lines) > self.base + self.y + 1:
                    lines.pop()
                else:
                    self.base += 1
        surplus = len(lines) - self.most
        if surplus > 0 and rows < self.before.rows:
            del lines[:surplus]
            self.base = max(self.base - surplus, 0)
            buffer.saved.y = max(buffer.saved.y - surplus, 0)
        self.y = min(self.y, rows - 1) + added
        buffer.top, buffer.bottom = 0, rows - 1

    def _rewrapped(self, first: int, end: int) -> Steps[list[Row] | None]:
        """The rows of a wrapped line at the new width; None where that has to be done by cells."""
        rows = [row.pack() if isinstance(row, Line) else row for row in self.lines[first:end]]
        return (yield from rewrapped(rows, self.before.cols, self.after.cols))

    # -- more columns

    def _grow(self) -> Steps[None]:
        """Join what was wrapped; rows that are left over go."""
        gone: set[int] = set()
        first, cursor = 0, self.base + self.y
        while first < len(self.lines) - 1:
            end = first + 1
            while end < len(self.lines) and self.wrapped(end):
                end += 1
            if end > first + 1 and not first <= cursor < end:
                rows = yield from self._rewrapped(first, end)
                if rows is not None:
                    self.lines[first : first + len(rows)] = rows
                    gone.update(range(first + len(rows), end))
                else:
                    spare = yield from join((yield from self.group(first, end)), self.before.cols, self.after.cols)
                    gone.update(range(end - spare, end))
            first = end
            yield
        if not gone:
            return
        self.lines = [line for index, line in enumerate(self.lines) if index not in gone]
        for _ in gone:
            if self.base == 0:
                self.y = max(self.y - 1, 0)
                if len(self.lines) < self.after.rows:
                    self.lines.append(Line())
            else:
                self.base -= 1
        self.buffer.saved.y = max(self.buffer.saved.y - len(gone), 0)

    # -- fewer columns

    def _shrink(self) -> Steps[None]:
        """Wrap what has become too long; the rows that needs are put in."""
        columns = self.after.cols
        self.length = len(self.lines)
        inserted: list[tuple[int, _Lines]] = []
        total = 0
        end = len(self.lines)
        while end > 0:
            first = last = end - 1
            if not end % BATCH:
                yield
            if not self.wrapped(last) and self._trimmed(last) <= columns:
                end = last
                continue
            while first > 0 and self.wrapped(first):
                first -= 1
            end = first
            if first <= self.base + self.y <= last:
                continue
            rows, more = yield from self._narrowed(first, last + 1)
            if self.base == 0 and self.y != self.length - 1:
                trimmed = max(0, self.y - self.most + more)
            else:
                trimmed = max(0, self.length - self.most + more)
            self.lines[first : last + 1] = rows[: last + 1 - first]
            if more > 0:
                inserted.append((last + 1 + total, rows[last + 1 - first :]))
                total += more
            self._move_down(more - trimmed, total)
            self.buffer.saved.y = min(self.buffer.saved.y + more, self.base + self.after.rows - 1)
        del self.lines[self.length :]
        if inserted:
            yield from self._insert(inserted, total)

    def _narrowed(self, first: int, end: int) -> Steps[tuple[_Lines, int]]:
        """The rows of a line at the new width, and how many more they are than before."""
        rows = yield from self._rewrapped(first, end)
        if rows is not None:
            return [*rows], len(rows) - (end - first)
        group = yield from self.group(first, end)
        lengths = yield from lengths_of(group, self.before.cols, self.after.cols)
        more = len(lengths) - len(group)
        fresh = [Line(wrapped=True) for _ in range(more)]
        yield from spread(group, fresh, lengths, self.before.cols, self.after.cols)
        return [*group, *fresh], more

    def _insert(self, inserted: list[tuple[int, _Lines]], total: int) -> Steps[None]:
        """Put rows in, given from the last on with the places they will have; rows gone meanwhile leave no gap."""
        old, left = self.lines, len(self.lines) - 1
        waiting, done = deque(inserted), 0
        lines: _Lines = []  # from the last on
        size = min(self.most, len(old) + total)
        while len(lines) < size:
            if waiting and waiting[0][0] > left + done:
                _, fresh = waiting.popleft()
                lines += reversed(fresh)
                done += len(fresh)
            else:
                lines.append(old[left] if left >= 0 else Line())
                left -= 1
            if not len(lines) % BATCH:
                yield
        self.lines = lines[:size][::-1]

    def _trimmed(self, index: int) -> int:
        row = self.lines[index]
        return row.trimmed_length() if isinstance(row, Line) else len(text_of(row).rstrip(NULL))

    def _move_down(self, count: int, inserted: int) -> None:
        """The screen goes down with the rows that were put in above its end."""
        for _ in range(max(count, 0)):
            if self.base == 0 and self.y < self.after.rows - 1:
                self.y += 1
                self.length -= 1  # the row is still wrapped anew, if its turn is yet to come
            elif self.base == 0 or self.base < min(self.most, self.length + inserted) - self.after.rows:
                self.base += 1


def resize_buffer(buffer: Buffer, before: Size, after: Size) -> Iterator[None]:
    """Give a buffer another size, step by step. Margins go back to the whole screen."""
    if buffer.lines:
        yield from _Resize(buffer, before, after).run()
    buffer.bottom = after.rows - 1
