"""One of a terminal's two screens: its rows, what has scrolled off it, its margins, tab stops and saved cursor.

It scrolls and keeps tab stops; what is drawn and why is the emulator's affair. The alternate buffer has no scrollback,
and no rows while it is not in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .charsets import ASCII
from .line import Line
from .pen import DEFAULT, Pen
from .scrollback import Scrollback

TAB_WIDTH = 8


@dataclass(slots=True)
class Saved:
    """What DECSC saves. `y` counts from the oldest line of the scrollback, as in xterm.js.

    Of the pen, colours and attributes come back, but neither underline style and colour nor the link.
    """

    x: int = 0
    y: int = 0
    pen: Pen = DEFAULT
    charset: str = ASCII


@lru_cache(64)
def usual_tabs(columns: int) -> frozenset[int]:
    """The tab stops of a fresh screen, shared by all that have them."""
    return frozenset(range(0, columns, TAB_WIDTH))


class Buffer:
    """Rows and what belongs to them. `x` and `y` are the cursor's as it was left, while the other buffer is in use."""

    __slots__ = ("bottom", "lines", "saved", "scrollback", "tabs", "top", "x", "y")

    def __init__(self, rows: int, columns: int, scrollback: Scrollback | None) -> None:
        self.lines: list[Line] = []
        self.scrollback = scrollback
        self.top = 0
        self.bottom = rows - 1
        self.saved = Saved()
        self.tabs = usual_tabs(columns)
        self.x = self.y = 0

    @property
    def base(self) -> int:
        """How many lines there are above the screen."""
        return len(self.scrollback) if self.scrollback is not None else 0

    def fill(self, rows: int, pen: Pen) -> None:
        """Fresh rows, where there are none."""
        if not self.lines:
            self.lines = [Line(pen) for _ in range(rows)]

    def scroll(self, pen: Pen, wrapped: bool = False) -> None:
        """Move the lines between the margins up by one; at the screen's top the first goes to the scrollback."""
        lines = self.lines
        if self.top:
            del lines[self.top]
        else:
            line = lines.pop(0)
            if self.scrollback is not None:
                self.scrollback.append(line)
        lines.insert(self.bottom, Line(pen, wrapped))

    def extend_tabs(self, columns: int) -> None:
        """Add stops, every eight columns after the last, for a width that has grown to `columns`."""
        at = columns if columns in self.tabs else self.previous_tab(columns, columns)
        self.tabs |= frozenset(range(at, columns, TAB_WIDTH))

    def previous_tab(self, x: int, columns: int) -> int:
        """The tab stop before column `x`, or the first column."""
        found = max((stop for stop in self.tabs if stop < x), default=0)
        return min(found, columns - 1)

    def next_tab(self, x: int, columns: int) -> int:
        """The tab stop after column `x`, or the last column."""
        tabs = self.tabs
        for stop in range(x + 1, columns):
            if stop in tabs:
                return stop
        return columns - 1
