"""One row of cells, and its compact form once it has scrolled away.

A cell is a glyph (with the marks combined onto it) and a pen. The second half of a wide character has the glyph "".
A row nobody has written to costs next to nothing.
"""

from __future__ import annotations

from .pen import DEFAULT, Pen, sgr_of

BLANK = " "


class Line:
    """A row. `wrapped`: it goes on where the row above was full, so that both are one line of text."""

    __slots__ = ("glyphs", "pens", "wrapped")

    def __init__(self, columns: int, pen: Pen = DEFAULT) -> None:
        self.wrapped = False
        self.glyphs: list[str] | None = None
        self.pens: list[Pen] = []
        if pen is not DEFAULT:
            self.glyphs = [BLANK] * columns
            self.pens = [pen] * columns

    def cells(self, columns: int) -> list[str]:
        """The glyphs, as a list that may be changed."""
        if self.glyphs is None:
            self.glyphs = [BLANK] * columns
            self.pens = [DEFAULT] * columns
        return self.glyphs

    def fill(self, start: int, end: int, columns: int, pen: Pen) -> None:
        """Erase the cells from `start` up to `end`, and the other half of any wide character cut by that."""
        if start >= end or (self.glyphs is None and pen is DEFAULT):
            return
        glyphs = self.cells(columns)
        self.split(start, columns)
        self.split(end, columns)
        glyphs[start:end] = [BLANK] * (end - start)
        self.pens[start:end] = [pen] * (end - start)

    def split(self, at: int, columns: int) -> None:
        """Let no wide character reach over the border before column `at`: both of its halves become blanks."""
        glyphs = self.glyphs
        if glyphs is not None and 0 < at < columns and glyphs[at] == "":
            glyphs[at - 1] = glyphs[at] = BLANK

    def insert(self, at: int, count: int, columns: int, pen: Pen) -> None:
        """Move the cells from `at` on to the right; what leaves the row is lost."""
        glyphs = self.cells(columns)
        count = min(count, columns - at)
        self.split(at, columns)
        self.split(columns - count, columns)
        glyphs[at:] = [BLANK] * count + glyphs[at : columns - count]
        self.pens[at:] = [pen] * count + self.pens[at : columns - count]

    def delete(self, at: int, count: int, columns: int, pen: Pen) -> None:
        """Remove cells; those behind move left, and blanks come in at the end."""
        glyphs = self.cells(columns)
        count = min(count, columns - at)
        self.split(at, columns)
        self.split(at + count, columns)
        glyphs[at:] = glyphs[at + count :] + [BLANK] * count
        self.pens[at:] = self.pens[at + count :] + [pen] * count

    def resize(self, columns: int) -> None:
        """Cut off or add cells at the end."""
        if self.glyphs is None:
            return
        self.split(columns, len(self.glyphs))
        missing = columns - len(self.glyphs)
        if missing < 0:
            del self.glyphs[columns:], self.pens[columns:]
        else:
            self.glyphs += [BLANK] * missing
            self.pens += [DEFAULT] * missing

    def copy(self) -> Line:
        """The same row again."""
        other = Line(0)
        other.wrapped = self.wrapped
        other.glyphs = None if self.glyphs is None else self.glyphs[:]
        other.pens = self.pens[:]
        return other

    @property
    def text(self) -> str:
        """The characters, without the blanks at the end."""
        return "" if self.glyphs is None else "".join(self.glyphs).rstrip()

    def used(self) -> int:
        """How many cells there are up to the last that is not a blank of the default pen."""
        glyphs = self.glyphs
        if glyphs is None:
            return 0
        end = len(glyphs)
        while end and glyphs[end - 1] == BLANK and self.pens[end - 1] is DEFAULT:
            end -= 1
        return end

    def drawn(self, *, whole: bool = False) -> str:
        """The row as the characters and SGR that draw it, from the default pen and back to it.

        `whole`: with the blanks at its end, so that what is drawn next wraps onto the next row.
        """
        glyphs = self.glyphs
        if glyphs is None:
            return ""
        end = len(glyphs) if whole else self.used()
        first = self.pens[0] if end else DEFAULT
        if self.pens.count(first) == len(self.pens):
            text = "".join(glyphs[:end])
            return text if first is DEFAULT else f"{_begin(first)}{text}{_end(first)}"
        return _runs(glyphs, self.pens, end)


def _runs(glyphs: list[str], pens: list[Pen], end: int) -> str:
    parts: list[str] = []
    last, start = DEFAULT, 0
    for at in range(end):
        pen = pens[at]
        if pen is not last and pen != last:
            parts += ("".join(glyphs[start:at]), step(last, pen))
            last, start = pen, at
    parts += ("".join(glyphs[start:end]), step(last, DEFAULT))
    return "".join(parts)


def step(last: Pen, pen: Pen) -> str:
    """What leads from one pen to another."""
    if last == pen:
        return ""
    link = "" if last.link == pen.link else f"\x1b]8;;{pen.link}\x1b\\"
    return link + (sgr_of(pen) if last._replace(link="") != pen._replace(link="") else "")


def _begin(pen: Pen) -> str:
    return step(DEFAULT, pen)


def _end(pen: Pen) -> str:
    return step(pen, DEFAULT)
