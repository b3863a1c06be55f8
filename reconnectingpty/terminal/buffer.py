"""One of a terminal's two screens: its rows, cursor, margins and saved cursor; and the lines that scrolled off.

The normal screen has scrollback, the alternate one has not. A line that leaves is kept in its compact form: the
characters and SGR that draw it again.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..size import Size
from .line import Line
from .pen import DEFAULT, Pen


class Saved(NamedTuple):
    """What DECSC keeps."""

    row: int = 0
    column: int = 0
    pen: Pen = DEFAULT
    charset: str = "B"


class Gone(NamedTuple):
    """A line that scrolled off: what draws it, and whether it goes on from the line above."""

    drawn: str
    wrapped: bool


class Buffer:
    """Invariant: `lines` has as many rows as the screen, and 0 <= top < bottom < rows. `column` == columns: the next
    character wraps."""

    __slots__ = ("bottom", "column", "lines", "row", "saved", "scrollback", "size", "tabs", "top")

    def __init__(self, size: Size, scrollback: int) -> None:
        self.size = size
        self.lines = [Line(size.cols) for _ in range(size.rows)]
        self.row = self.column = 0
        self.top, self.bottom = 0, size.rows - 1
        self.saved = Saved()
        self.scrollback: deque[Gone] = deque(maxlen=scrollback)
        self.tabs: set[int] | None = None  # None: every eighth column

    @property
    def line(self) -> Line:
        """The cursor's row."""
        return self.lines[self.row]

    def is_tab(self, column: int) -> bool:
        """Whether there is a tab stop at a column."""
        return column % 8 == 0 if self.tabs is None else column in self.tabs

    def own_tabs(self) -> set[int]:
        """The tab stops, as a set that may be changed."""
        if self.tabs is None:
            self.tabs = set(range(0, self.size.cols, 8))
        return self.tabs

    def scroll_up(self, count: int, pen: Pen, *, keep: bool) -> None:
        """Move the rows between the margins up. `keep`: what leaves the top of the screen goes to the scrollback."""
        top, bottom, lines = self.top, self.bottom, self.lines
        for _ in range(min(count, bottom - top + 1)):
            line = lines.pop(top)
            if keep and top == 0 and self.scrollback.maxlen:
                self._keep(line, lines[top] if bottom > top else None)
            lines.insert(bottom, Line(self.size.cols, pen))

    def _keep(self, line: Line, following: Line | None) -> None:
        whole = following is not None and following.wrapped
        self.scrollback.append(Gone(line.drawn(whole=whole), line.wrapped))

    def scroll_down(self, count: int, pen: Pen) -> None:
        """Move the rows between the margins down."""
        for _ in range(min(count, self.bottom - self.top + 1)):
            self.lines.pop(self.bottom)
            self.lines.insert(self.top, Line(self.size.cols, pen))

    def resize(self, size: Size) -> None:
        """Take another size: rows leave at the blank bottom first, then at the top; margins are reset."""
        rows, columns = size
        while len(self.lines) > rows:
            if self.row < len(self.lines) - 1:
                self.lines.pop()
            else:
                line = self.lines.pop(0)
                if self.scrollback.maxlen:
                    self._keep(line, self.lines[0])
                self.row -= 1
        while len(self.lines) < rows:
            self.lines.append(Line(columns))
        if columns != self.size.cols:
            for line in self.lines:
                line.resize(columns)
            if self.tabs is not None:
                self.tabs |= {column for column in range(self.size.cols, columns) if column % 8 == 0}
        self.size = size
        self.top, self.bottom = 0, rows - 1
        self.row = min(self.row, rows - 1)
        self.column = min(self.column, columns - 1)
