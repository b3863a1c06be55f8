"""Moving the cursor, erasing, inserting, deleting, scrolling: what programs do to a screen besides writing on it.

Numbers are as in the control sequences: counted from 1, and 0 stands for 1 where it makes no sense. Each method does
what xterm.js 6.0 does, also beyond margins and edges. Called by the parser.
"""

from __future__ import annotations

from .drawing import Drawing
from .line import Line
from .pen import DEFAULT, EXTENDED, pen_of


class Editing(Drawing):
    """A terminal whose screen can be edited."""

    # -- the cursor

    def _restrict(self, most: int | None = None) -> None:
        """Bring the cursor back onto the screen, or between the margins; `most`: the last column allowed."""
        columns = self.columns
        x = self.x
        most = columns - 1 if most is None else most
        self.x = most if x > most else max(x, 0)
        if self.modes.origin:
            self.y = min(self.active.bottom, max(self.active.top, self.y))
        else:
            self.y = min(self.lines - 1, max(0, self.y))

    def _set_cursor(self, x: int, y: int) -> None:
        """To a column and a row, the latter counted from the top margin in origin mode."""
        self.x = x
        self.y = self.active.top + y if self.modes.origin else y
        self._restrict()

    def _move(self, x: int, y: int) -> None:
        self._restrict()
        self._set_cursor(self.x + x, self.y + y)

    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        """CUP, HVP."""
        x = column - 1 if column else 0
        y = line - 1 if line else 0
        if self.modes.origin:
            self._set_cursor(x, y)
            return
        self.x = x if x < self.columns else self.columns - 1
        self.y = y if y < self.lines else self.lines - 1

    def cursor_up(self, count: int | None = None) -> None:
        """CUU: stops at the top margin, unless it is above."""
        room = self.y - self.active.top
        self._move(0, -(min(room, count or 1) if room >= 0 else count or 1))

    def cursor_down(self, count: int | None = None) -> None:
        """CUD: stops at the bottom margin, unless it is below."""
        room = self.active.bottom - self.y
        self._move(0, min(room, count or 1) if room >= 0 else count or 1)

    def cursor_forward(self, count: int | None = None) -> None:
        """CUF, HPR."""
        self._move(count or 1, 0)

    def cursor_back(self, count: int | None = None) -> None:
        """CUB."""
        self._move(-(count or 1), 0)

    def cursor_down1(self, count: int | None = None) -> None:
        """CNL."""
        self.cursor_down(count)
        self.x = 0

    def cursor_up1(self, count: int | None = None) -> None:
        """CPL."""
        self.cursor_up(count)
        self.x = 0

    def cursor_to_column(self, column: int | None = None) -> None:
        """CHA, HPA."""
        self._set_cursor((column or 1) - 1, self.y)

    def cursor_to_line(self, line: int | None = None) -> None:
        """VPA."""
        self._set_cursor(self.x, (line or 1) - 1)

    def cursor_lines_down(self, count: int | None = None) -> None:
        """VPR."""
        self._move(0, count or 1)

    def backspace(self) -> None:
        """BS; with reverse wrap, from the first column to the end of the row that this one continues."""
        if not self.modes.reverse_wrap:
            self._restrict()
            if self.x > 0:
                self.x -= 1
            return
        self._restrict(self.columns)
        if self.x > 0:
            self.x -= 1
        elif self.active.top < self.y <= self.active.bottom and self.grid[self.y].wrapped:
            self.grid[self.y].wrapped = False
            self.y -= 1
            self.x = self.columns - 1
            if self.grid[self.y].cells(self.columns)[self.x] == "\x00":
                self.x -= 1
        self._restrict()

    # -- tab stops

    def tab(self, count: int = 1) -> None:
        """HT, CHT."""
        for _ in range(min(count or 1, self.columns)):
            if self.x >= self.columns:
                return
            self.x = self.active.next_tab(self.x, self.columns)

    def tab_back(self, count: int | None = None) -> None:
        """CBT."""
        if self.x < self.columns:
            for _ in range(min(count or 1, self.columns)):
                self.x = self.active.previous_tab(self.x, self.columns)

    def set_tab_stop(self) -> None:
        """HTS."""
        self.active.tabs |= {self.x}

    def clear_tab_stop(self, how: int = 0) -> None:
        """TBC: 0 here, 3 all."""
        if how == 0:
            self.active.tabs -= {self.x}
        elif how == 3:
            self.active.tabs = frozenset()

    # -- lines

    def index(self) -> None:
        """IND: down, scrolling at the bottom margin."""
        self._restrict()
        if self.y == self.active.bottom:
            self.active.scroll(self.pen.blank)
        elif self.y < self.lines - 1:
            self.y += 1
        self._restrict()

    def next_line(self) -> None:
        """NEL."""
        self.x = 0
        self.index()

    def reverse_index(self) -> None:
        """RI: up, scrolling down at the top margin."""
        self._restrict()
        buffer = self.active
        if self.y == buffer.top:
            del self.grid[buffer.bottom]
            self.grid.insert(buffer.top, Line(self.pen.blank))
        else:
            self.y -= 1
            self._restrict()

    def _replace_lines(self, gone: int, new: int, count: int | None, height: int) -> None:
        """Take out lines at one place and put erased ones in at another, `count` times but no more than `height`."""
        blank = self.pen.blank
        for _ in range(min(count or 1, height)):
            del self.grid[gone]
            self.grid.insert(new, Line(blank))

    def insert_lines(self, count: int | None = None) -> None:
        """IL."""
        self._restrict()
        buffer, y = self.active, self.y
        if buffer.top <= y <= buffer.bottom:
            self._replace_lines(buffer.bottom, y, count, buffer.bottom - y + 1)
            self.x = 0

    def delete_lines(self, count: int | None = None) -> None:
        """DL."""
        self._restrict()
        buffer, y = self.active, self.y
        if buffer.top <= y <= buffer.bottom:
            self._replace_lines(y, buffer.bottom, count, buffer.bottom - y + 1)
            self.x = 0

    def scroll_up(self, count: int | None = None) -> None:
        """SU: nothing goes to the scrollback."""
        buffer = self.active
        self._replace_lines(buffer.top, buffer.bottom, count, buffer.bottom - buffer.top + 1)

    def scroll_down(self, count: int | None = None) -> None:
        """SD: the new lines have no background."""
        buffer = self.active
        for _ in range(min(count or 1, buffer.bottom - buffer.top + 1)):
            del self.grid[buffer.bottom]
            self.grid.insert(buffer.top, Line(DEFAULT))

    # -- cells

    def insert_characters(self, count: int | None = None) -> None:
        """ICH."""
        self._restrict()
        self.grid[self.y].insert(self.x, count or 1, self.columns, self.pen.blank)

    def delete_characters(self, count: int | None = None) -> None:
        """DCH."""
        self._restrict()
        self.grid[self.y].delete(self.x, count or 1, self.columns, self.pen.blank)

    def erase_characters(self, count: int | None = None) -> None:
        """ECH."""
        self._restrict()
        self.grid[self.y].erase(self.x, self.x + (count or 1), self.columns, self.pen.blank)

    def _shift_columns(self, at: int, count: int | None, *, insert: bool) -> None:
        """In every row between the margins, if the cursor is there."""
        buffer, blank = self.active, self.pen.blank
        if buffer.top <= self.y <= buffer.bottom:
            for line in self.grid[buffer.top : buffer.bottom + 1]:
                change = line.insert if insert else line.delete
                change(at, count or 1, self.columns, blank)
                line.wrapped = False

    def scroll_left(self, count: int | None = None) -> None:
        """SL."""
        self._shift_columns(0, count, insert=False)

    def scroll_right(self, count: int | None = None) -> None:
        """SR."""
        self._shift_columns(0, count, insert=True)

    def insert_columns(self, count: int | None = None) -> None:
        """DECIC."""
        self._shift_columns(self.x, count, insert=True)

    def delete_columns(self, count: int | None = None) -> None:
        """DECDC."""
        self._shift_columns(self.x, count, insert=False)

    def _erase(self, y: int, start: int, end: int, protect: bool) -> None:
        line = self.grid[y]
        (line.erase_unprotected if protect else line.erase)(start, end, self.columns, self.pen.blank)

    def _erase_row(self, y: int, protect: bool) -> None:
        line = self.grid[y]
        if protect:
            line.erase_unprotected(0, len(line.cells(self.columns)), self.columns, self.pen.blank)
        else:
            line.clear(self.pen.blank)
        line.wrapped = False

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        """EL; `private`: DECSEL, which spares protected cells."""
        self._restrict(self.columns)
        y, x, columns = self.y, self.x, self.columns
        if how == 0:
            self._erase(y, x, columns, private)
            if x == 0:
                self.grid[y].wrapped = False
        elif how == 1:
            self._erase(y, 0, x + 1, private)
        elif how == 2:
            self._erase(y, 0, columns, private)
            self.grid[y].wrapped = False

    def erase_in_display(self, how: int = 0, private: bool = False) -> None:
        """ED; 3 empties the scrollback and leaves the screen. `private`: DECSED."""
        self._restrict(self.columns)
        y, x, columns = self.y, self.x, self.columns
        if how == 0:
            self._erase(y, x, columns, private)
            if x == 0:
                self.grid[y].wrapped = False
            for row in range(y + 1, self.lines):
                self._erase_row(row, private)
        elif how == 1:
            self._erase(y, 0, x + 1, private)
            self.grid[y].wrapped = False
            if x + 1 >= columns:
                self._unwrap(y + 1)
            for row in range(y):
                self._erase_row(row, private)
        elif how == 2:
            for row in range(self.lines):
                self._erase_row(row, private)
        elif how == 3 and self.active.scrollback is not None:
            self.active.scrollback.clear()

    def _unwrap(self, index: int) -> None:
        """xterm.js counts this one line from the oldest of the scrollback: the wrong one, if there is any."""
        base = self.active.base
        if index < base and self.active.scrollback is not None:
            self.active.scrollback.unwrap(index)
        elif index - base < self.lines:
            self.grid[index - base].wrapped = False

    def alignment_display(self) -> None:
        """DECALN: E everywhere, from the top margin on in origin mode."""
        pen = self.pen
        pen = pen_of((pen.fg, pen.bg, pen.flags, 0, 0, "")) if pen.flags & EXTENDED else pen
        self._set_cursor(0, 0)
        for line in self.grid[self.y :]:
            length = self.columns if line.glyphs is None else len(line.glyphs)
            line.clear(pen.blank)
            line.segments = ["E" * length, pen]
            line.width = length
            line.wrapped = False
        self._set_cursor(0, 0)
