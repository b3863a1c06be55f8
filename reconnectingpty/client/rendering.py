"""What a command's output comes to as text, however much it is: a terminal draws it, and lines are taken as they scroll
off. Holds up nobody for long, and keeps no line twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..size import Size
from ..terminal.emulator import Emulator
from ..terminal.line import Line, unpack
from ..terminal.packing import Row
from ..terminal.parser import Parser

SLICE = 4096
"""Bytes taken at a time."""
_ROOM = SLICE * 1000
"""Lines that may scroll off meanwhile: more than there can be, on any screen that a terminal has."""


async def rendered(data: bytes, size: Size) -> str:
    """Output as text, on a terminal of that size: lines made whole, without blanks at their ends."""
    rendering = Rendering(size)
    for start in range(0, len(data), SLICE):
        rendering.feed(data[start : start + SLICE])
        await asyncio.sleep(0)
    return rendering.text()


class Rendering:
    """A terminal, and the text that has left its screen."""

    def __init__(self, size: Size) -> None:
        self._columns = size.cols
        self._parser = Parser(Emulator(size.cols, size.rows, _ROOM))
        self._scrollback = self._parser.emulator.normal.scrollback
        self._text: list[str] = []
        self._line: list[str] = []
        """The last line's parts; what comes may go on with it."""

    def feed(self, data: bytes) -> None:
        """Take at most a `SLICE`."""
        self._parser.feed(data)
        normal = self._parser.emulator.normal
        scrollback = normal.scrollback
        assert scrollback is not None
        if scrollback is not self._scrollback or len(scrollback) < scrollback.ever:  # reset, or emptied
            self._scrollback = scrollback
            self._text.clear()
            self._line.clear()
        # The newest line stays, so that it can be seen when a program empties the scrollback.
        leaving = len(scrollback) - 1
        if leaving > 0:
            *rows, last = scrollback
            self._take(rows)
            newest = last.pack() if isinstance(last, Line) else last
            scrollback.replace([newest], [(1, len(newest))])
            normal.saved.y -= leaving  # it counts from the oldest

    def _take(self, rows: Iterable[Row | Line]) -> None:
        """Rows as text, the last line excepted, which may go on."""
        lines = []
        for row in rows:
            if isinstance(row, str) and row.isprintable():  # no cell in it that says more than its text
                wrapped, text = False, row
            else:
                line = row if isinstance(row, Line) else unpack(row, self._columns)
                wrapped, text = line.wrapped, line.text(self._columns)
            if wrapped and self._line:
                self._line.append(text)
                continue
            if self._line:
                lines.append("".join(self._line).rstrip())
            self._line = [text]
        if lines:
            self._text.append("\n".join(lines))

    def text(self) -> str:
        """All of it, the screen included. To be asked once."""
        emulator = self._parser.emulator
        if emulator.is_alternate:
            emulator.reset_mode(1047, private=True)
        assert emulator.normal.scrollback is not None
        self._take((*emulator.normal.scrollback, *emulator.normal.lines, Line()))
        return "\n".join(self._text).rstrip("\n")
