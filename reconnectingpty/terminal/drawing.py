"""Characters onto the screen: text, wrapping, wide and combining characters, line feeds.

The hot path of the emulator: text of one column a character in the ordinary modes is written a run at a time. All else
goes one character at a time, and does what xterm.js 6.0 does. Called by the parser.
"""

from __future__ import annotations

from .cells import NULL, TAIL, cell_width, glyph, has_content, with_width
from .charsets import ASCII, TRANSLATIONS
from .line import Line
from .state import TerminalState
from .width import NARROW, RUNS, WIDTHS

AHEAD = 32
"""Lines that are measured together at first."""
MAX_REPEAT = 1 << 16
"""Columns that one REP may fill: more than any screen has."""


class Drawing(TerminalState):
    """A terminal that can be written to."""

    def draw(self, data: str) -> None:
        """Print a run of characters, none of them a control character."""
        if self.plain and (data.isascii() or NARROW.fullmatch(data) is not None):
            end = self.x + len(data)
            if end <= self.columns:
                self.grid[self.y].put(self.x, data, self.pen, self.columns)
                self.x = end
            else:
                self._draw_wrapping(data)
            self.join = 1
        else:
            self._draw_any(data)

    def _draw_wrapping(self, data: str) -> None:
        """Text of one column a character that does not fit into the row."""
        columns, pen, at = self.columns, self.pen, 0
        while at < len(data):
            room = columns - self.x
            if room <= 0:
                self._wrap()
                room = columns
            piece = data[at : at + room]
            self.grid[self.y].put(self.x, piece, pen, columns)
            self.x += len(piece)
            at += room

    def _wrap(self) -> None:
        """Go on in the next row, which then continues this one."""
        self.x = 0
        if self.y == self.active.bottom:
            self.active.scroll(self.pen.blank, wrapped=True)
            return
        if self.y < self.lines - 1:
            self.y += 1
        self.grid[self.y].wrapped = True

    def draw_lines(self, texts: list[str]) -> None:
        """Print lines of ASCII, each with a carriage return and a line feed behind it."""
        at = 0
        while at < len(texts):
            if len(texts) - at > 1 and self.in_fresh_last_row and self.grid[-1].blank is self.pen.blank:
                end = self._fitting(texts, at)
                if end - at > 1:
                    self._pass_through(texts[at:end])
                    at = end
                    continue
            text = texts[at]
            if text:
                self.draw(text)
            self.x = 0
            self.linefeed()
            at += 1

    def forget_everything(self) -> None:
        """Stand where so many lines leave the terminal that none of what it shows will be left."""
        buffer = self.active
        if buffer.scrollback is not None:
            buffer.scrollback.fill()
        self.x, self.y, self.join = 0, self.lines - 1, 0
        buffer.lines[:] = [Line(self.pen.blank) for _ in range(self.lines)]

    @property
    def in_fresh_last_row(self) -> bool:
        """Whether a line that fits, and a line end, would fill the last row and scroll the whole screen by one."""
        last, buffer = self.lines - 1, self.active
        if self.y != last or self.x or not self.plain or self.newline or buffer.top or buffer.bottom != last:
            return False
        line = self.grid[last]
        return line.glyphs is None and not line.width and not line.wrapped

    def _fitting(self, texts: list[str], at: int) -> int:
        """Up to where the texts fit into a row each. Looks at no more behind that place than before it, or few."""
        columns, ahead = self.columns, AHEAD
        while at < len(texts) and max(map(len, texts[at : at + ahead])) <= columns:
            at += ahead
            ahead *= 2
        while at < len(texts) and len(texts[at]) <= columns:
            at += 1
        return min(at, len(texts))

    def _pass_through(self, texts: list[str]) -> None:
        """Lines that begin in the fresh last row, each of which scrolls the screen by one."""
        lines, pen, buffer = self.grid, self.pen, self.active
        kept = self.lines - 1
        gone = len(texts) - kept
        if gone >= 0:
            leaving = lines[:kept]
            staying = texts[gone:] if kept else []
        else:
            leaving = lines[: len(texts)]
            staying = texts
        if buffer.scrollback is not None:
            buffer.scrollback.extend(leaving)
            if gone > 0:
                buffer.scrollback.extend_text(texts[:gone], pen)
        bottom = lines.pop()
        del lines[: len(leaving)]
        lines += [Line.of([text, pen] if text else [], pen.blank) for text in staying]
        lines.append(bottom)

    # -- anything else than plain text

    def _draw_any(self, data: str) -> None:
        """Text in other modes, of other charsets, or with wide and combining characters."""
        if self.in_use != ASCII:
            data = data.translate(TRANSLATIONS[self.in_use])
        modes = self.modes
        if modes.insert or not modes.wraparound:
            self._cut_before()
            for character in data:
                self._draw_one(character)
            self._cut_behind()
            return
        widths = data.translate(WIDTHS)
        for run in RUNS.finditer(widths):
            text = data[run.start() : run.end()]
            if run[2]:
                self._draw_wide(text)
            elif run[1]:
                for character in text:
                    self._combine(character)
                self._cut_behind()
            else:
                end = self.x + len(text)
                if end <= self.columns:
                    self.grid[self.y].put(self.x, text, self.pen, self.columns)
                    self.x = end
                else:
                    self._draw_wrapping(text)
                self.join = 1

    def _draw_wide(self, data: str) -> None:
        """Characters of two columns each."""
        columns, pen, at = self.columns, self.pen, 0
        while at < len(data):
            room = (columns - self.x) // 2
            if room <= 0:
                line = self.grid[self.y]
                for x in range(self.x, columns):
                    line.put(x, NULL, pen, columns)
                self._wrap()
                room = columns // 2
            piece = TAIL.join(data[at : at + room]) + TAIL
            self.grid[self.y].put(self.x, piece, pen, columns)
            self.x += len(piece)
            at += room
        self.join = 2

    def _combine(self, character: str) -> None:
        """A character without columns: onto the one just printed, or into a cell of its own."""
        if self.join and self.x:
            self._join(character)
            return
        self._draw_one(character)

    def _join(self, character: str) -> None:
        line = self.grid[self.y]
        cells = line.cells(self.columns)
        at = self.x - 1
        if not cell_width(cells[at]):
            at -= 1
        if at < 0:
            return
        cell = cells[at]
        cells[at] = with_width(glyph(cell) + character if has_content(cell) else character, self.join)

    def _draw_one(self, character: str) -> None:
        """One character, in any mode."""
        columns = self.columns
        wide = "znw".index(WIDTHS[ord(character)])
        if not wide and self.join and self.x:
            self._join(character)
            return
        self.join = wide
        if self.x + wide > columns:
            if self.modes.wraparound:
                line = self.grid[self.y]
                for x in range(self.x, columns):
                    line.put(x, NULL, self.pen, columns)
                self._wrap()
            else:
                self.x = columns - 1
                if wide == 2:
                    return
        line = self.grid[self.y]
        if self.modes.insert and wide:
            line.insert(self.x, wide, columns, self.pen)
            if cell_width(line.cells(columns)[columns - 1]) == 2:
                line.put(columns - 1, NULL, self.pen, columns)
        if self.x < columns:
            cells = line.cells(columns)
            cells[self.x] = character
            line.pens[self.x] = self.pen
            if wide == 2:
                cells[self.x + 1] = TAIL
                line.pens[self.x + 1] = self.pen
        self.x += wide or 1

    def _cut_before(self) -> None:
        """Before a run: half of a wide character that is about to be written over leaves nothing of the other."""
        if 0 < self.x <= self.columns:
            line = self.grid[self.y]
            cells = line.cells(self.columns)
            if cell_width(cells[self.x - 1]) == 2:
                cells[self.x - 1] = NULL
                line.pens[self.x - 1] = self.pen

    def _cut_behind(self) -> None:
        """After a run: the same for its other end."""
        if self.x < self.columns:
            line = self.grid[self.y]
            cells = line.cells(self.columns)
            if cells[self.x] == TAIL:
                cells[self.x] = NULL
                line.pens[self.x] = self.pen

    def repeat(self, count: int = 0) -> None:
        """REP: print the character just printed again."""
        if not self.join:
            return
        at = self.x - self.join
        cells = self.grid[self.y].cells(self.columns)
        cell = cells[at] if 0 <= at < len(cells) else NULL
        if has_content(cell):
            text = glyph(cell)
            self.draw(text * min(count or 1, MAX_REPEAT))

    # -- lines

    def linefeed(self) -> None:
        """LF, VT, FF: to the next row, which then does not continue this one; at the bottom margin, scroll."""
        if self.newline:
            self.x = 0
        buffer = self.active
        if self.y == buffer.bottom:
            buffer.scroll(self.pen.blank)
        elif self.y < self.lines - 1:
            self.y += 1
            self.grid[self.y].wrapped = False
        if self.x >= self.columns:
            self.x = self.columns - 1

    def carriage_return(self) -> None:
        """CR: to the row's first column."""
        self.x = 0
