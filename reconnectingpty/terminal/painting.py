"""Rows of cells as the bytes that draw them, on a screen that is still empty, from the top down.

It knows lines and pens, but no cursor and no modes: those are the snapshot's affair, which calls it for each buffer.
What it emits moves forward only; the one thing that scrolls is the line feed in the last row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from .cells import COMPOUND, FORCED, NULL, TAIL, cell_width, glyph
from .line import Line, Row
from .pen import DEFAULT, Pen
from .sgr import sgr_between
from .width import width


class Painter:
    """Collects the bytes, and knows the pen that they leave."""

    __slots__ = ("_height", "columns", "out", "pen")

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.out: list[str] = []
        self.pen: Pen = DEFAULT
        self._height = 0

    def use(self, pen: Pen) -> None:
        """Go on with another pen."""
        if pen is not self.pen:
            self.out.append(sgr_between(self.pen, pen))
            self.pen = pen

    def rows(self, rows: Sequence[Row | Line], scrolled: int) -> None:
        """Draw rows from the top of an empty screen, of which so many scroll off it."""
        end = len(rows)
        self._height = end - scrolled
        if not scrolled:
            while end and _is_empty(rows[end - 1]):
                end -= 1
        out, plain = self.out, self.pen is DEFAULT
        last: Row | Line = ""
        for index in range(end):
            row = rows[index]
            if plain and isinstance(row, str) and NULL not in row and TAIL not in row:
                if index:
                    out.append("\r\n")
                out.append(row)
            else:
                packed = row.pack() if isinstance(row, Line) else row
                self._row(packed, last, index)
                plain = self.pen is DEFAULT
            last = row

    def _row(self, row: Row, last: Row | Line, index: int) -> None:
        if isinstance(row, str):
            wrapped, blank, compound, segments = False, DEFAULT, (), [row, DEFAULT] if row else []
        else:
            wrapped, blank, compound, *segments = row  # type: ignore[assignment]
        pieces = list(_pieces(segments, iter(compound)))
        if wrapped:
            self._wrap(pieces, last, index)
        elif index:
            if self.pen.bg:
                self.use(DEFAULT)
            self.out.append("\r\n")
        self._pieces(pieces, blank)

    def _pieces(self, pieces: list[tuple[int, str, Pen]], blank: Pen) -> None:
        """Draw a row's pieces, then erased cells of pen `blank` to the end."""
        columns, out = self.columns, self.out
        x = 0
        for at, text, pen in pieces:
            if text == TAIL and x < at:
                x = self._orphan(at, pen)
                continue
            if text[0] == NULL:
                end = at + len(text)
                if pen.bg or _shows_on_blank(pen):
                    x = self._erased(x, at, end, pen)
                continue
            if x != at:
                out.append(f"\x1b[{at - x}C" if x < at else f"\x1b[{at + 1}G")
            self.use(pen)
            odd = TAIL < text[0] < COMPOUND
            if odd or (width(text[0]) == 0 and not text[0].isascii()):
                out.append(_odd_cell(text, at, columns))
                x = columns + 1 if odd else at + 1
            else:
                out.append(text.replace(TAIL, ""))
                x = at + _columns(text)
        end = pieces[-1][0] + _columns(pieces[-1][1]) if pieces else 0
        if blank.bg and end < columns:
            self._erased(x, end, columns, blank)

    def _orphan(self, at: int, pen: Pen) -> int:
        """The right half of a wide character whose left half is erased: what an insertion between the two leaves."""
        self.use(pen)
        self.out.append(f"\x1b[{at - 1}G\u4e2d\x1b[{at}G")
        self.use(DEFAULT)
        self.out.append("\x1b[@")
        return at - 1

    def _erased(self, x: int, at: int, end: int, pen: Pen) -> int:
        """Erased cells that can be seen; where the cursor is then."""
        out = self.out
        if x != at:
            out.append(f"\x1b[{at + 1}G")
        if _shows_on_blank(pen):
            self.use(pen)
            out.append(" " * (end - at))
            return end
        self.use(pen.blank)
        out.append(f"\x1b[{end - at}X")
        return at

    def _wrap(self, pieces: list[tuple[int, str, Pen]], last: Row | Line, index: int) -> None:
        """Get into a row that continues the one before. No pen with a background may be in use when that scrolls."""
        out, columns = self.out, self.columns
        first = pieces[0] if pieces else (0, NULL, DEFAULT)
        if not index:
            # There is no row before: make two, and delete the first.
            out.append(f"\x1b[{columns}G  \x1b[H\x1b[M\x1b[X")
            return
        previous = _last_cell(last, columns)
        # What is printed in the last row scrolls, and the fresh row has the background of the pen in use.
        straight = cell_width(first[1][0]) > 0 and first[1][0] != NULL and (not first[2].bg or index < self._height)
        if previous[0] != NULL:
            if not straight:
                self.use(DEFAULT)
                out.append(" \r\x1b[X" if first[1][0] == NULL else " \r")
        elif straight and previous[1] == first[2] and first[1][0] > "\u10ff" and width(first[1][0]) == 2:
            # A wide character that does not fit leaves the last cell empty all by itself.
            self.use(first[2])
            out.append(f"\x1b[{columns}G")
        else:
            self._wrap_after_erased(previous[1])

    def _wrap_after_erased(self, pen: Pen) -> None:
        """Continue a row whose last cell, which has this pen, is erased: fill it, wrap, and go back to erase it."""
        out, columns = self.out, self.columns
        self.use(DEFAULT)
        out.append(f"\x1b[{columns}G  \x1b[A\x1b[{columns}G")
        self.use(pen if _shows_on_blank(pen) else pen.blank)
        out.append((" " if _shows_on_blank(pen) else "\x1b[X") + "\x1b[B\r")
        self.use(DEFAULT)
        out.append("\x1b[X")


def drawn(line: Line, columns: int) -> str:
    """One row, as the characters and sequences that draw it from the default pen and back to it."""
    painter = Painter(columns)
    wrapped, line.wrapped = line.wrapped, False
    painter.rows([line], 0)
    line.wrapped = wrapped
    painter.use(DEFAULT)
    return "".join(painter.out)


def _pieces(segments: list[object], compound: Iterator[str]) -> Iterator[tuple[int, str, Pen]]:
    """Runs of one pen, cut into erased cells, cells of one character, and cells of several: column, text, pen."""
    texts: list[str] = segments[::2]  # type: ignore[assignment]
    pens: list[Pen] = segments[1::2]  # type: ignore[assignment]
    whole = "".join(texts)
    easy = whole.isascii() and NULL not in whole and COMPOUND not in whole and TAIL not in whole
    x = 0
    for text, pen in zip(texts, pens, strict=True):
        if easy:
            yield x, text, pen
            x += len(text)
            continue
        kinds = [_kind(whole, at) for at in range(x, x + len(text))]
        at = x
        for kind, run in groupby(kinds):
            count = sum(1 for _ in run)
            if kind == "plain":
                yield at, whole[at : at + count], pen
            elif kind == "null":
                yield at, NULL * count, pen
            else:
                for place in range(at, at + count):
                    yield place, next(compound) if kind == "compound" else whole[place], pen
            at += count
        x += len(text)


def _kind(row: str, at: int) -> str:
    """What a cell needs to be drawn."""
    cell = row[at]
    if cell == NULL:
        return "null"
    if cell == COMPOUND:
        return "compound"
    if cell == TAIL:
        before = row[at - 1] if at else NULL
        if before == COMPOUND or cell_width(before) == 2:
            return "plain"
        return "orphan" if row[max(at - 2, 0) : at] == NULL * 2 else "null"
    return "zero" if cell > "\u02ff" and width(cell) == 0 else "plain"


def _odd_cell(cell: str, at: int, columns: int) -> str:
    """A character in a cell of its own that has no width, or not the width it should have."""
    text = glyph(cell)
    if cell[0] == FORCED[2] and at == columns - 2:
        # Without autowrap, a wide character that does not fit is lost, but what combines with it makes this cell wide.
        base = text[0] if width(text[0]) else ""
        return f"\x1b[{at + 1}G{base}\x1b[?7l\x1b[{columns}G\u4e2d{text[len(base) :]}\x1b[?7h"
    return f"\x1b[{at + 1}G{text}"


def _columns(text: str) -> int:
    """Columns that a piece takes: one a character, unless it is a cell of several."""
    if TAIL < text[0] < COMPOUND:
        return 1
    return 1 if len(text) > 1 and text[1] > "\u02ff" and width(text[1]) == 0 else len(text)


def _last_cell(row: Row | Line, columns: int) -> tuple[str, Pen]:
    """The cell in the last column, and its pen."""
    if isinstance(row, Line):
        return row.cells(columns)[columns - 1], row.pens[columns - 1]
    if isinstance(row, str):
        return (row[columns - 1], DEFAULT) if len(row) >= columns else (NULL, DEFAULT)
    _, blank, _, *segments = row
    if sum(map(len, segments[::2])) < columns:  # type: ignore[arg-type]
        return NULL, blank  # type: ignore[return-value]
    return segments[-2][-1], segments[-1]  # type: ignore[index,return-value]


def _is_empty(row: Row | Line) -> bool:
    if isinstance(row, Line):
        if row.wrapped or row.blank is not DEFAULT:
            return False
        if row.glyphs is None:
            return not row.width
        row = row.pack()
    return row == ""


def _shows_on_blank(pen: Pen) -> bool:
    """Whether more of the pen than its background can be seen where there is no character."""
    return bool(pen.flags & _DRAWN) or bool(pen.underline)


_DRAWN = 1 << 4 | 1 << 6 | 1 << 7  # INVERSE, STRIKE, OVERLINE
