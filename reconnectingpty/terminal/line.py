"""One row of cells, and the packed form that it takes in the scrollback.

A row that is only appended to stays a list of texts and pens, one character a column; any other access makes it two
lists, of cells and of pens. It knows neither cursor nor screen: drawing, editing and reflow work on it.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from .cells import COMPOUND, NULL, TAIL, cell_width, has_content
from .packing import Row, compound, opened, packed
from .pen import DEFAULT, PROTECTED, Pen


class Line:
    """A row of cells.

    Invariant: either `glyphs` is None, and `segments` holds text, pen, text, pen ... for the first `width` columns,
    one character a column, with nothing but erased cells of pen `blank` behind; or `glyphs` and `pens` hold the cells.
    `wrapped`: the row above was full and went on here, so that both are one line of text.
    """

    __slots__ = ("blank", "glyphs", "pens", "segments", "width", "wrapped")

    def __init__(self, blank: Pen = DEFAULT, wrapped: bool = False) -> None:
        self.blank = blank
        self.wrapped = wrapped
        self.segments: list[str | Pen] = []
        self.width = 0
        self.glyphs: list[str] | None = None
        self.pens: list[Pen] = _NO_PENS

    @classmethod
    def of(cls, segments: list[str | Pen], blank: Pen) -> Line:
        """A fresh row with these texts and pens."""
        line = cls(blank)
        line.segments = segments
        line.width = sum(map(len, segments[::2]))  # type: ignore[arg-type]
        return line

    def copy(self) -> Line:
        """The row as it is now, which later changes leave alone."""
        line = Line(self.blank, self.wrapped)
        line.segments, line.width = self.segments[:], self.width
        line.glyphs = None if self.glyphs is None else self.glyphs[:]
        line.pens = self.pens[:]
        return line

    def cells(self, columns: int) -> list[str]:
        """The cells, to be read and changed at will; `pens` then goes with them."""
        glyphs = self.glyphs
        if glyphs is None:
            segments = self.segments
            glyphs = list("".join(segments[::2]))  # type: ignore[arg-type]
            pens: list[Pen] = []
            for text, pen in zip(segments[::2], segments[1::2], strict=True):
                pens += [pen] * len(text)  # type: ignore[arg-type,list-item]
            missing = columns - len(glyphs)
            if missing > 0:
                glyphs += [NULL] * missing
                pens += [self.blank] * missing
            self.glyphs, self.pens = glyphs, pens
            self.segments = _NO_SEGMENTS
        return glyphs

    def put(self, x: int, text: str, pen: Pen, columns: int) -> None:
        """Write cells of one character each from column `x` on; they fit. Cuts wide characters at both ends."""
        glyphs = self.glyphs
        end = x + len(text)
        if glyphs is None:
            width = self.width
            if x == width:
                segments = self.segments
                if segments and segments[-1] is pen:
                    segments[-2] += text  # type: ignore[operator]
                else:
                    segments += (text, pen)
                self.width = end
                return
            if x > width:
                self.segments += (NULL * (x - width), self.blank, text, pen)
                self.width = end
                return
            if x == 0 and end >= width:
                self.segments = [text, pen]
                self.width = end
                return
            glyphs = self.cells(columns)
        if x:
            before = glyphs[x - 1]
            if (before > "\u10ff" or before[0] == "\x04") and cell_width(before) == 2:
                glyphs[x - 1] = NULL
                self.pens[x - 1] = pen
        glyphs[x:end] = text
        self.pens[x:end] = [pen] * (end - x)
        if end < columns and glyphs[end] == TAIL:
            glyphs[end] = NULL
            self.pens[end] = pen

    def clear(self, pen: Pen) -> None:
        """Erase the whole row."""
        self.segments = []
        self.width = 0
        self.glyphs = None
        self.pens = _NO_PENS
        self.blank = pen

    def erase(self, start: int, end: int, columns: int, pen: Pen) -> None:
        """Erase the cells from `start` up to `end`, and halves of wide characters cut by that."""
        if self.glyphs is None and end >= columns:
            if start == 0:
                self.clear(pen)
                return
            if start >= self.width:
                if pen is not self.blank and start < columns:
                    self._fill_up(start, columns, pen)
                return
        glyphs = self.cells(columns)
        length = len(glyphs)
        if start and start <= length and cell_width(glyphs[start - 1]) == 2:
            self._null(start - 1, pen)
        if end < length and cell_width(glyphs[end - 1]) == 2:
            self._null(end, pen)
        end = min(end, length)
        if start < end:
            glyphs[start:end] = [NULL] * (end - start)
            self.pens[start:end] = [pen] * (end - start)

    def _fill_up(self, start: int, columns: int, pen: Pen) -> None:
        if start > self.width:
            self.segments += (NULL * (start - self.width), self.blank)
        self.segments += (NULL * (columns - start), pen)
        self.width = columns

    def erase_unprotected(self, start: int, end: int, columns: int, pen: Pen) -> None:
        """The same, but for protected cells (DECSCA)."""
        glyphs = self.cells(columns)
        pens, length = self.pens, len(glyphs)
        if start and cell_width(glyphs[start - 1]) == 2 and not pens[start - 1].flags & PROTECTED:
            self._null(start - 1, pen)
        if end < length and cell_width(glyphs[end - 1]) == 2 and not pens[end].flags & PROTECTED:
            self._null(end, pen)
        for x in range(start, min(end, length)):
            if not pens[x].flags & PROTECTED:
                self._null(x, pen)

    def insert(self, at: int, count: int, columns: int, pen: Pen) -> None:
        """Move the cells from `at` on to the right; what leaves the row is lost."""
        glyphs = self.cells(columns)
        pens, length = self.pens, len(glyphs)
        at %= length
        if at and cell_width(glyphs[at - 1]) == 2:
            self._null(at - 1, pen)
        count = min(count, length - at)
        glyphs[at:] = [NULL] * count + glyphs[at : length - count]
        pens[at:] = [pen] * count + pens[at : length - count]
        if cell_width(glyphs[length - 1]) == 2:
            self._null(length - 1, pen)

    def delete(self, at: int, count: int, columns: int, pen: Pen) -> None:
        """Remove cells; those behind move left, and erased ones come in at the end."""
        glyphs = self.cells(columns)
        pens, length = self.pens, len(glyphs)
        at %= length
        count = min(count, length - at)
        glyphs[at:] = glyphs[at + count :] + [NULL] * count
        pens[at:] = pens[at + count :] + [pen] * count
        if at and cell_width(glyphs[at - 1]) == 2:
            self._null(at - 1, pen)
        if glyphs[at] == TAIL:
            self._null(at, pen)

    def _null(self, x: int, pen: Pen) -> None:
        assert self.glyphs is not None
        self.glyphs[x] = NULL
        self.pens[x] = pen

    def resize(self, columns: int, before: int) -> None:
        """Cut off or add cells at the end; `before`: the row's length until now."""
        if self.glyphs is None:
            if self.width <= columns and self.blank is DEFAULT:
                return
            self.cells(before)
        glyphs = self.cells(before)
        missing = columns - len(glyphs)
        if missing < 0:
            del glyphs[columns:], self.pens[columns:]
        else:
            glyphs += [NULL] * missing
            self.pens += [DEFAULT] * missing

    def trimmed_length(self) -> int:
        """Columns up to the end of the last character, without the erased cells behind it."""
        if self.glyphs is None:
            text = "".join(self.segments[::2])  # type: ignore[arg-type]
            return len(text.rstrip(NULL))
        for x in range(len(self.glyphs) - 1, -1, -1):
            cell = self.glyphs[x]
            if cell != NULL and cell != TAIL:
                return x + cell_width(cell)
        return 0

    def text(self, columns: int) -> str:
        """One character or more a column, as pyte displays a row: with blanks up to its end, tails left out."""
        if self.glyphs is None:
            text = "".join(self.segments[::2])  # type: ignore[arg-type]
            return (text[:columns] + NULL * (columns - len(text))).replace(TAIL, "").replace(NULL, " ")
        return "".join(self.glyphs[:columns]).translate(_SHOWN)

    def pack(self, columns: int | None = None) -> Row:
        """The row in its smallest form, with no more than so many columns of it."""
        if self.glyphs is None and (columns is None or self.width <= columns):
            return packed(self.wrapped, self.blank, self.segments)
        glyphs, pens = self.cells(self.width), self.pens
        end = len(glyphs) if columns is None else min(columns, len(glyphs))
        while end and glyphs[end - 1] == NULL and pens[end - 1] is DEFAULT:
            end -= 1
        segments: list[str | Pen] = []
        at = 0
        for pen, run in groupby(pens[:end]):
            to = at + len(list(run))
            text = "".join(glyphs[at:to])
            if len(text) > to - at:
                text = "".join([cell if len(cell) == 1 else compound(cell) for cell in glyphs[at:to]])
            segments += (text, pen)
            at = to
        return packed(self.wrapped, DEFAULT, segments)


def unpack(row: Row, columns: int) -> Line:
    """The line of a packed row."""
    wrapped, blank, cells, segments = opened(row)
    line = Line.of(segments, blank)
    line.wrapped = wrapped
    if cells:
        glyphs = line.cells(columns)
        found = iter(cells)
        for x, cell in enumerate(glyphs):
            if cell == COMPOUND:
                glyphs[x] = next(found)
    return line


def ends_in_content(line: Line, columns: int) -> bool:
    """Whether the last column holds a character or the half of one."""
    if line.glyphs is None and line.width < columns:
        return False
    cell = line.cells(columns)[columns - 1]
    return has_content(cell) or cell == TAIL


_NO_PENS: Final[list[Pen]] = []
_NO_SEGMENTS: Final[list[str | Pen]] = []
_SHOWN: Final = {0: " ", 1: None, 2: None, 3: None, 4: None}
