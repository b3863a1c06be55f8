"""The terminal itself: a `pyte.Screen` in what it can be asked, with storage of its own.

The parser calls one method for each thing a program says; sizes, modes and the two screens live here. It never reads
bytes, never answers by itself and never raises on what a program sends.
"""

# mypy: disable-error-code="override"
# What pyte stores is computed here, and its methods take more than these need.

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pyte
from pyte.screens import Char, Cursor

from ..size import Size
from .buffer import Buffer, Saved
from .line import BLANK, Line
from .modes import (
    AUTOWRAP,
    CHARSETS,
    CURSOR_VISIBLE,
    INSERT,
    KEPT_PRIVATE,
    MOUSE_ENCODING,
    MOUSE_TRACKING,
    NEWLINE,
    ORIGIN,
)
from .pen import BLINK, BOLD, DEFAULT, INVERSE, ITALIC, RGB, STRIKE, Pen, apply_sgr
from .width import width

MAX_TITLE = 1024
MAX_TITLES = 10


class Emulator(pyte.Screen):
    """A terminal of a size, as xterm is one."""

    def __init__(self, size: Size, scrollback: int = 5000) -> None:
        # pyte's own __init__ would make its storage.
        self.scrollback_limit = scrollback
        self._size = size
        self.on_answer: Callable[[str], None] | None = None
        self.title = ""
        self.icon_name = ""
        self.reset()

    def reset(self) -> None:
        """RIS: all but the title as it was at first."""
        self.normal = Buffer(self._size, self.scrollback_limit)
        self.alternate: Buffer | None = None
        self.active = self.normal
        self.pen = DEFAULT
        self.charsets = ["B", "B", "B", "B"]
        self.shift = 0
        self.modes = {AUTOWRAP: True, CURSOR_VISIBLE: True}
        self.insert = self.newline = False
        self.mouse = self.mouse_encoding = 0
        self.keypad = False
        self.cursor_shape = 0
        self.last = ""
        self.titles: list[str] = []
        self.keyboard: list[int] = []

    # -- pyte's surface

    @property
    def lines(self) -> int:
        """Rows."""
        return self._size.rows

    @property
    def columns(self) -> int:
        """Columns."""
        return self._size.cols

    @property
    def size(self) -> Size:
        """Rows and columns."""
        return self._size

    @property
    def display(self) -> list[str]:
        """The rows as text, blanks included, without the empty second halves of wide characters."""
        return ["".join(line.glyphs) if line.glyphs else BLANK * self.columns for line in self.active.lines]

    @property
    def cursor(self) -> Cursor:
        """Where the cursor is, as pyte says it."""
        cursor = Cursor(min(self.active.column, self.columns - 1), self.active.row, _char(BLANK, self.pen))
        cursor.hidden = not self.modes.get(CURSOR_VISIBLE)
        return cursor

    @property
    def mode(self) -> set[int]:
        """The modes that are set; private ones shifted by five bits, as in pyte."""
        plain = {number for number, on in ((INSERT, self.insert), (NEWLINE, self.newline)) if on}
        return plain | {number << 5 for number, on in self.modes.items() if on}

    @property
    def buffer(self) -> dict[int, dict[int, Char]]:
        """The cells of the screen by row and column; a copy."""
        rows: dict[int, dict[int, Char]] = defaultdict(dict)
        for y, line in enumerate(self.active.lines):
            for x, glyph in enumerate(line.glyphs or ()):
                rows[y][x] = _char(glyph, line.pens[x])
        return rows

    # -- text

    def draw(self, data: str) -> None:
        """Print characters; there is no control character among them."""
        table = CHARSETS.get(self.charsets[self.shift])
        if table is not None:
            data = data.translate(table)
        if data.isascii() and not self.insert:
            self._draw_narrow(data)
        else:
            for character in data:
                self._draw_one(character, width(character))
        self.last = data[-1]

    def _draw_narrow(self, data: str) -> None:
        columns, at = self.columns, 0
        while at < len(data):
            if self.active.column >= columns and not self._wrap():
                self.active.column = columns - 1
                at = max(at, len(data) - 1)
            buffer = self.active
            start = buffer.column
            part = data[at : at + columns - start]
            end = start + len(part)
            line = buffer.line
            glyphs = line.cells(columns)
            line.split(start, columns)
            line.split(end, columns)
            glyphs[start:end] = part
            line.pens[start:end] = [self.pen] * len(part)
            buffer.column = end
            at += len(part)

    def _draw_one(self, character: str, columns_wide: int) -> None:
        buffer, columns = self.active, self.columns
        if columns_wide == 0:
            self._combine(character)
            return
        if buffer.column + columns_wide > columns and not self._wrap():
            buffer.column = columns - columns_wide
        if columns_wide > columns:
            return
        line, start = buffer.line, buffer.column
        glyphs = line.cells(columns)
        end = start + columns_wide
        if self.insert:
            line.insert(start, columns_wide, columns, self.pen.blank)
        line.split(start, columns)
        line.split(end, columns)
        glyphs[start:end] = [character, ""][:columns_wide]
        line.pens[start:end] = [self.pen] * columns_wide
        buffer.column = end

    def _combine(self, character: str) -> None:
        at, glyphs = self.active.column - 1, self.active.line.glyphs
        if at < 0 or glyphs is None or not self.last:
            return
        if at > 0 and glyphs[at] == "":
            at -= 1
        if len(glyphs[at]) < 16:
            glyphs[at] += character

    def _wrap(self) -> bool:
        """Go on in the next row, if autowrap is on."""
        if not self.modes.get(AUTOWRAP):
            return False
        self._line_feed()
        self.active.column = 0
        self.active.line.wrapped = True
        return True

    # -- C0 and moves

    def index(self) -> None:
        """IND, and what LF does to the row."""
        self._line_feed()

    def _line_feed(self) -> None:
        buffer = self.active
        if buffer.row == buffer.bottom:
            buffer.scroll_up(1, self.pen.blank, keep=buffer is self.normal)
        elif buffer.row < self.lines - 1:
            buffer.row += 1

    def linefeed(self) -> None:
        """LF, VT, FF."""
        buffer = self.active
        if self.newline:
            buffer.column = 0
        self._line_feed()
        buffer.column = min(buffer.column, self.columns - 1)
        buffer.line.wrapped = False

    def reverse_index(self) -> None:
        """RI."""
        buffer = self.active
        if buffer.row == buffer.top:
            buffer.scroll_down(1, self.pen.blank)
        elif buffer.row > 0:
            buffer.row -= 1
        buffer.column = min(buffer.column, self.columns - 1)

    def carriage_return(self) -> None:
        """CR."""
        self.active.column = 0

    def backspace(self) -> None:
        """BS."""
        self.active.column = max(min(self.active.column, self.columns - 1) - 1, 0)

    def tab(self) -> None:
        """HT."""
        buffer = self.active
        if buffer.column < self.columns:
            buffer.column = next(
                (x for x in range(buffer.column + 1, self.columns) if buffer.is_tab(x)), self.columns - 1
            )

    def back_tab(self, count: int = 1) -> None:
        """CBT."""
        buffer = self.active
        for _ in range(min(count, self.columns)):
            buffer.column = next((x for x in range(min(buffer.column, self.columns) - 1, 0, -1) if buffer.is_tab(x)), 0)

    def shift_out(self) -> None:
        """SO: G1."""
        self.shift = 1

    def shift_in(self) -> None:
        """SI: G0."""
        self.shift = 0

    def cursor_position(self, line: int = 1, column: int = 1) -> None:
        """CUP, counted from 1, and from the margins in origin mode."""
        buffer = self.active
        row = max(line, 1) - 1
        if self.modes.get(ORIGIN):
            buffer.row = min(row + buffer.top, buffer.bottom)
        else:
            buffer.row = min(row, self.lines - 1)
        buffer.column = min(max(column, 1), self.columns) - 1

    def move(self, rows: int, columns: int) -> None:
        """CUU, CUD, CUF, CUB: the margins stop a move that starts within them."""
        buffer = self.active
        top = buffer.top if buffer.row >= buffer.top else 0
        bottom = buffer.bottom if buffer.row <= buffer.bottom else self.lines - 1
        if rows:
            buffer.row = min(max(buffer.row + rows, top), bottom)
        buffer.column = min(max(min(buffer.column, self.columns - 1) + columns, 0), self.columns - 1)

    def cursor_to_column(self, column: int = 1) -> None:
        """CHA, HPA."""
        self.active.column = min(max(column, 1), self.columns) - 1

    def cursor_to_line(self, line: int = 1) -> None:
        """VPA."""
        self.cursor_position(line, min(self.active.column, self.columns - 1) + 1)

    # -- erasing, inserting, scrolling

    def erase_in_line(self, how: int = 0) -> None:
        """EL."""
        buffer = self.active
        x = buffer.column
        start, end = {0: (x, self.columns), 1: (0, min(x + 1, self.columns)), 2: (0, self.columns)}.get(how, (0, 0))
        buffer.line.fill(start, end, self.columns, self.pen.blank)
        if how != 0 or x == 0:
            buffer.line.wrapped = False

    def erase_in_display(self, how: int = 0) -> None:
        """ED; 3 empties the scrollback."""
        buffer = self.active
        if how == 3:
            self.normal.scrollback.clear()
            return
        if how in (0, 1):
            self.erase_in_line(how)
        first, last = {0: (buffer.row + 1, self.lines), 1: (0, buffer.row), 2: (0, self.lines)}.get(how, (0, 0))
        for row in range(first, last):
            buffer.lines[row] = Line(self.columns, self.pen.blank)

    def erase_characters(self, count: int = 1) -> None:
        """ECH."""
        x = self.active.column
        self.active.line.fill(x, min(x + count, self.columns), self.columns, self.pen.blank)

    def insert_characters(self, count: int = 1) -> None:
        """ICH."""
        self._within_line(Line.insert, count)

    def delete_characters(self, count: int = 1) -> None:
        """DCH."""
        self._within_line(Line.delete, count)

    def _within_line(self, change: Callable[[Line, int, int, int, Pen], None], count: int) -> None:
        if self.active.column < self.columns:
            change(self.active.line, self.active.column, count, self.columns, self.pen.blank)

    def insert_lines(self, count: int = 1) -> None:
        """IL."""
        self._from_cursor(count, down=True)

    def delete_lines(self, count: int = 1) -> None:
        """DL."""
        self._from_cursor(count, down=False)

    def _from_cursor(self, count: int, *, down: bool) -> None:
        buffer = self.active
        if not buffer.top <= buffer.row <= buffer.bottom:
            return
        top, buffer.top = buffer.top, buffer.row
        if down:
            buffer.scroll_down(count, self.pen.blank)
        else:
            buffer.scroll_up(count, self.pen.blank, keep=False)
        buffer.top = top
        buffer.column = 0

    def scroll_up(self, count: int = 1) -> None:
        """SU."""
        self.active.scroll_up(count, self.pen.blank, keep=False)

    def scroll_down(self, count: int = 1) -> None:
        """SD."""
        self.active.scroll_down(count, self.pen.blank)

    def repeat(self, count: int = 1) -> None:
        """REP."""
        if self.last:
            self.draw(self.last * min(count, self.columns * self.lines))

    def alignment_display(self) -> None:
        """DECALN: a screen full of E."""
        buffer = self.active
        buffer.top, buffer.bottom = 0, self.lines - 1
        buffer.row = buffer.column = 0
        for line in buffer.lines:
            line.wrapped = False
            line.glyphs = ["E"] * self.columns
            line.pens = [self.pen] * self.columns

    # -- margins, tabs, modes, pen

    def set_margins(self, top: int = 0, bottom: int = 0) -> None:
        """DECSTBM."""
        buffer = self.active
        top, bottom = max(top, 1), bottom if 0 < bottom <= self.lines else self.lines
        if top < bottom:
            buffer.top, buffer.bottom = top - 1, bottom - 1
            self.cursor_position()

    def set_tab_stop(self) -> None:
        """HTS."""
        self.active.own_tabs().add(min(self.active.column, self.columns - 1))

    def clear_tab_stop(self, how: int = 0) -> None:
        """TBC."""
        if how == 0:
            self.active.own_tabs().discard(self.active.column)
        elif how == 3:
            self.active.tabs = set()

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """SGR by numbers, for those who call it as pyte's."""
        self.sgr(";".join(map(str, attributes)))

    def sgr(self, parameters: str) -> None:
        """SGR, by the parameters as they stand in the sequence."""
        self.pen = apply_sgr(self.pen, parameters)

    def define_charset(self, code: str, mode: str) -> None:
        """SCS: `(`, `)`, `*`, `+` name G0 to G3."""
        self.charsets["()*+".index(mode)] = code if code in CHARSETS else "B"

    def set_mode(self, *modes: int, private: bool = False) -> None:
        """SM, DECSET."""
        for mode in modes:
            self._switch(mode, on=True, private=private)

    def reset_mode(self, *modes: int, private: bool = False) -> None:
        """RM, DECRST."""
        for mode in modes:
            self._switch(mode, on=False, private=private)

    def _switch(self, mode: int, *, on: bool, private: bool) -> None:
        if not private:
            if mode == INSERT:
                self.insert = on
            elif mode == NEWLINE:
                self.newline = on
        elif mode in _SCREENS:
            _SCREENS[mode](self, on)
        elif mode in MOUSE_TRACKING:
            self.mouse = mode if on else 0
        elif mode in MOUSE_ENCODING:
            self.mouse_encoding = mode if on else 0
        elif mode in (*KEPT_PRIVATE, ORIGIN, AUTOWRAP, CURSOR_VISIBLE):
            self.modes[mode] = on
            if mode == ORIGIN:
                self.cursor_position()

    def _alternate(self, on: bool) -> None:
        if on and self.alternate is None:
            other = Buffer(self._size, 0)
            other.lines = [Line(self.columns, self.pen.blank) for _ in range(self.lines)]
        elif not on and self.alternate is not None:
            other = self.normal
        else:
            return
        other.row, other.column = self.active.row, self.active.column
        self.alternate = other if on else None
        self.active = other

    def _alternate_saving(self, on: bool) -> None:
        if on:
            self.save_cursor()
            self._alternate(True)
        else:
            self._alternate(False)
            self.restore_cursor()

    def save_cursor(self) -> None:
        """DECSC."""
        buffer = self.active
        buffer.saved = Saved(buffer.row, buffer.column, self.pen, self.charsets[self.shift])

    def restore_cursor(self) -> None:
        """DECRC."""
        buffer = self.active
        saved = buffer.saved
        buffer.row = min(saved.row, self.lines - 1)
        buffer.column = min(saved.column, self.columns - 1)
        self.pen = saved.pen
        self.charsets[self.shift] = saved.charset

    def soft_reset(self) -> None:
        """DECSTR."""
        self.modes |= {CURSOR_VISIBLE: True, AUTOWRAP: True, ORIGIN: False, 1: False, 66: False, 2004: False}
        self.insert = self.keypad = False
        self.pen = DEFAULT
        self.charsets, self.shift = ["B"] * 4, 0
        self.cursor_shape = 0
        self.active.top, self.active.bottom = 0, self.lines - 1
        self.active.saved = Saved()

    def set_title(self, title: str) -> None:
        """OSC 0, 2."""
        self.title = title[:MAX_TITLE]

    def push_title(self) -> None:
        """XTWINOPS 22."""
        self.titles = [*self.titles, self.title][-MAX_TITLES:]

    def pop_title(self) -> None:
        """XTWINOPS 23."""
        if self.titles:
            self.title = self.titles.pop()

    def set_link(self, link: str) -> None:
        """OSC 8."""
        self.pen = self.pen._replace(link=link)
        if self.pen == DEFAULT:
            self.pen = DEFAULT

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Take another size."""
        size = Size(lines or self.lines, columns or self.columns)
        if size != self._size:
            self._size = size
            self.normal.resize(size)
            if self.alternate is not None:
                self.alternate.resize(size)


def _save_or_restore(emulator: Emulator, on: bool) -> None:
    if on:
        emulator.save_cursor()
    else:
        emulator.restore_cursor()


_SCREENS: dict[int, Callable[[Emulator, bool], Any]] = {
    47: Emulator._alternate,
    1047: Emulator._alternate,
    1048: _save_or_restore,
    1049: Emulator._alternate_saving,
}


def _char(glyph: str, pen: Pen) -> Char:
    return Char(
        glyph,
        _colour_name(pen.fg),
        _colour_name(pen.bg),
        bold=bool(pen.flags & BOLD),
        italics=bool(pen.flags & ITALIC),
        underscore=bool(pen.underline),
        strikethrough=bool(pen.flags & STRIKE),
        reverse=bool(pen.flags & INVERSE),
        blink=bool(pen.flags & BLINK),
    )


def _colour_name(colour: int | None) -> str:
    """A colour as pyte names it."""
    if colour is None:
        return "default"
    if colour & RGB:
        return f"{colour & 0xFFFFFF:06x}"
    names = pyte.graphics.FG_ANSI | pyte.graphics.FG_AIXTERM
    code = 30 + colour if colour < 8 else 82 + colour
    return str(names[code]) if colour < 16 else str(pyte.graphics.FG_BG_256[colour])
