"""Another size for a buffer: rows come and go, and the normal buffer's wrapped lines are wrapped anew.

What goes where is what xterm.js 6.0 does with a Unix pty, the line with the cursor excepted from rewrapping, since the
program redraws it itself. It changes buffers and rows only; called by the emulator's resize.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from ..size import Size
from .buffer import Buffer
from .cells import NULL, cell_width
from .line import Line, Row, unpack
from .pen import DEFAULT

_Lines: TypeAlias = "list[Row | Line]"


class _Resize:
    """One buffer's change of size. `lines` begins with the oldest of the scrollback, `base` is the screen's first."""

    def __init__(self, buffer: Buffer, before: Size, after: Size) -> None:
        self.buffer = buffer
        self.before = before
        self.after = after
        scrollback = buffer.scrollback
        self.lines: _Lines = [*(scrollback or ()), *buffer.lines]
        self.base = buffer.base
        self.most = after.rows + (scrollback.limit if scrollback is not None else 0)
        self.y = buffer.y
        self.length = 0

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
        return not isinstance(row, str) and bool(row[0])

    def group(self, first: int, last: int) -> list[Line]:
        """Several lines, as lists of cells."""
        lines = [self.line(index) for index in range(first, last)]
        columns = max(self.before.cols, self.after.cols)
        for line in lines:
            missing = columns - len(line.cells(columns))
            if missing > 0:
                line.resize(columns, columns)
        return lines

    def run(self) -> None:
        """Do it all, and give the buffer its new lines."""
        buffer, after = self.buffer, self.after
        if self.before.cols < after.cols:
            self._set_width()
        self._change_rows()
        buffer.x = min(buffer.x, after.cols - 1)
        buffer.saved.x = min(buffer.saved.x, after.cols - 1)
        if buffer.scrollback is not None:
            if self.before.cols < after.cols:
                self._grow()
            elif self.before.cols > after.cols:
                self._shrink()
                self._set_width()
        elif self.before.cols > after.cols:
            for index in range(len(self.lines)):
                self.line(index).cells(self.before.cols)  # the alternate screen keeps what is cut off at the right
        screen = [self.line(index) for index in range(self.base, min(self.base + after.rows, len(self.lines)))]
        buffer.lines = screen + [Line() for _ in range(after.rows - len(screen))]
        if buffer.scrollback is not None:
            buffer.scrollback.replace(self.lines[: self.base])
        buffer.y = min(self.y, after.rows - 1)

    def _set_width(self) -> None:
        """Cut off, or add erased cells to, every line that needs it."""
        before, columns = self.before.cols, self.after.cols
        for index, row in enumerate(self.lines):
            if isinstance(row, Line):
                row.resize(columns, before)
            elif len(row) > columns if isinstance(row, str) else row[1] is not DEFAULT or columns < before:
                self.line(index).resize(columns, before)

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

    # -- more columns

    def _grow(self) -> None:
        """Join what was wrapped; rows that are left over go."""
        gone: set[int] = set()
        first, cursor = 0, self.base + self.y
        while first < len(self.lines) - 1:
            end = first + 1
            while end < len(self.lines) and self.wrapped(end):
                end += 1
            if end > first + 1 and not first <= cursor < end:
                spare = self._join(self.group(first, end))
                gone.update(range(end - spare, end))
            first = end
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

    def _join(self, group: list[Line]) -> int:
        """Move the cells of a wrapped line's rows up; how many of the rows are then empty."""
        before, columns = self.before.cols, self.after.cols
        to, column = 0, _row_length(group, 0, before)
        row, taken = 1, 0
        while row < len(group):
            length = _row_length(group, row, before)
            count = min(length - taken, columns - column)
            _copy(group[row], taken, group[to], column, count)
            column += count
            if column == columns:
                to, column = to + 1, 0
            taken += count
            if taken == length:
                row, taken = row + 1, 0
            if column == 0 and to:
                last = group[to - 1].cells(columns)
                if cell_width(last[columns - 1]) == 2:
                    _copy(group[to - 1], columns - 1, group[to], 0, 1)
                    column = 1
                    _clear(group[to - 1], columns - 1)
        if to < len(group):
            group[to].erase(column, columns, columns, DEFAULT)
        spare = 0
        for index in range(len(group) - 1, 0, -1):
            if index <= to and group[index].trimmed_length():
                break
            spare += 1
        return spare

    # -- fewer columns

    def _shrink(self) -> None:
        """Wrap what has become too long; the rows that needs are put in."""
        columns = self.after.cols
        self.length = len(self.lines)
        inserted: list[tuple[int, list[Line]]] = []
        total = 0
        end = len(self.lines)
        while end > 0:
            first = last = end - 1
            if not self.wrapped(last) and self._trimmed(last) <= columns:
                end = last
                continue
            while first > 0 and self.wrapped(first):
                first -= 1
            end = first
            if first <= self.base + self.y <= last:
                continue
            group = self.group(first, last + 1)
            lengths = _lengths(group, self.before.cols, columns)
            more = len(lengths) - len(group)
            if self.base == 0 and self.y != self.length - 1:
                trimmed = max(0, self.y - self.most + more)
            else:
                trimmed = max(0, self.length - self.most + more)
            fresh = [Line(wrapped=True) for _ in range(more)]
            if fresh:
                inserted.append((last + 1 + total, fresh))
                total += more
            _spread(group, fresh, lengths, self.before.cols, columns)
            self._move_down(more - trimmed, total)
            self.buffer.saved.y = min(self.buffer.saved.y + more, self.base + self.after.rows - 1)
        del self.lines[self.length :]
        if inserted:
            self._insert(inserted, total)

    def _insert(self, inserted: list[tuple[int, list[Line]]], total: int) -> None:
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
        self.lines = lines[:size][::-1]

    def _trimmed(self, index: int) -> int:
        row = self.lines[index]
        if isinstance(row, str):
            return len(row.rstrip(NULL))
        return self.line(index).trimmed_length()

    def _move_down(self, count: int, inserted: int) -> None:
        """The screen goes down with the rows that were put in above its end."""
        for _ in range(max(count, 0)):
            if self.base == 0 and self.y < self.after.rows - 1:
                self.y += 1
                self.length -= 1  # the row is still wrapped anew, if its turn is yet to come
            elif self.base == 0 or self.base < min(self.most, self.length + inserted) - self.after.rows:
                self.base += 1


def resize_buffer(buffer: Buffer, before: Size, after: Size) -> None:
    """Give a buffer another size. Margins go back to the whole screen."""
    if buffer.lines:
        _Resize(buffer, before, after).run()
    buffer.bottom = after.rows - 1


def _row_length(group: list[Line], index: int, columns: int) -> int:
    """Cells of a row that belong to the text: all but one left empty because a wide character did not fit."""
    if index == len(group) - 1:
        return group[index].trimmed_length()
    empty = group[index].cells(columns)[columns - 1] == NULL
    return columns - 1 if empty and cell_width(group[index + 1].cells(columns)[0]) == 2 else columns


def _lengths(group: list[Line], before: int, columns: int) -> list[int]:
    """How long each row is to be, so that no wide character is cut."""
    needed = sum(_row_length(group, index, before) for index in range(len(group)))
    lengths: list[int] = []
    column = row = done = 0
    while done < needed:
        if needed - done < columns:
            lengths.append(needed - done)
            break
        column += columns
        length = _row_length(group, row, before)
        if column > length:
            column -= length
            row += 1
        cells = group[row].cells(before) if row < len(group) else []
        wide = 0 < column <= len(cells) and cell_width(cells[column - 1]) == 2
        if wide:
            column -= 1
        lengths.append(columns - wide)
        done += columns - wide
    return lengths


def _spread(group: list[Line], fresh: list[Line], lengths: list[int], before: int, columns: int) -> None:
    """Move the cells down into rows of these lengths, from the last one on."""
    rows = [*group, *fresh]
    for line in fresh:
        line.cells(columns)
    if not lengths:
        return
    to = len(lengths) - 1
    column = lengths[to]
    if column == 0:
        to -= 1
        column = lengths[to]
    row = len(group) - 1
    taken = group[row].trimmed_length()
    while row >= 0 and 0 <= to < len(rows):
        count = min(taken, column)
        _copy(rows[row], taken - count, rows[to], column - count, count)
        column -= count
        if column == 0:
            to -= 1
            column = lengths[to] if to >= 0 else 0
        taken -= count
        if taken == 0:
            row -= 1
            taken = _row_length(rows, max(row, 0), before)
    for line, length in zip(rows, lengths, strict=False):
        if length < columns:
            _clear(line, length)


def _copy(source: Line, at: int, target: Line, to: int, count: int) -> None:
    if count > 0 and source.glyphs is not None and target.glyphs is not None:
        glyphs, pens = source.glyphs[at : at + count], source.pens[at : at + count]
        end = min(to + len(glyphs), len(target.glyphs))
        target.glyphs[to:end] = glyphs[: end - to]
        target.pens[to:end] = pens[: end - to]


def _clear(line: Line, column: int) -> None:
    if line.glyphs is not None and column < len(line.glyphs):
        line.glyphs[column] = NULL
        line.pens[column] = DEFAULT
