"""Rows of cells as the bytes that draw them, on a screen that is still empty, from the top down.

It knows lines and pens, but no cursor and no modes: those are the snapshot's affair, which calls it for each buffer.
What it emits moves forward only; the one thing that scrolls is the line feed in the last row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from typing import Final

from .cells import FORCED, NULL, TAIL, cell_width, glyph
from .line import Line
from .packing import Row, is_text, is_wrapped
from .pen import DEFAULT, INVERSE, MARK, MARK_END, OVERLINE, STRIKE, Pen, marked
from .pieces import Kind, Piece, pieces_of
from .sgr import sgr_between
from .width import WHOLE

_DRAWN: Final = INVERSE | STRIKE | OVERLINE
_MAX_STEPS: Final = 4096
_ANY_WIDE: Final = "\u4e2d"


class Painter:
    """Collects the bytes, and knows the pen that they leave."""

    __slots__ = ("_height", "_last", "_steps", "columns", "out", "pen")

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.out: list[str] = []
        self.pen: Pen = DEFAULT
        self._height = 0
        self._steps: dict[tuple[str, str], tuple[str, Pen]] = {}
        """From a pen's mark and the values in another's: what leads there, and the pen it leads to."""
        self._last: list[tuple[int, Pen, str, Pen]] = []
        """What has to wait until the row, and rows that continue it, are drawn: row, pen, what to send, pen then."""

    def use(self, pen: Pen) -> None:
        """Go on with another pen."""
        if pen is not self.pen:
            self.out.append(sgr_between(self.pen, pen))
            self.pen = pen

    def rows(
        self, rows: Sequence[Row | Line], scrolled: int, mark: int = -1, at_mark: Callable[[int], None] | None = None
    ) -> bool:
        """Draw rows from the top of an empty screen, of which so many scroll off it.

        While row `mark` is still on the screen, `at_mark` is called at the start of a row that is so many rows below
        it; it has to bring the cursor back. True where that came to pass.
        """
        end = len(rows)
        self._height = end - scrolled
        if not scrolled:
            while end and end > mark and _is_empty(rows[end - 1]):
                end -= 1
        marked = full = False
        last: Row | Line = ""
        for index in range(end):
            row = rows[index]
            due = index >= mark >= 0 and not marked
            packed = row.pack(self.columns) if isinstance(row, Line) else row
            if self._last and not is_wrapped(packed):
                self._draw_last(index)
            columns = -1 if due else self._text(packed, index, full)
            if columns < 0:
                if due and at_mark is not None and index - mark < self._height:
                    marked = True
                    self._row(packed, last, index, partial(at_mark, index - mark))
                else:
                    self._row(packed, last, index)
            full = columns == self.columns
            last = row
        self._draw_last(end)
        return marked

    def _draw_last(self, index: int) -> None:
        """Before row `index` begins, or at the end: draw what had to wait, in rows that are still on the screen."""
        for row, pen, text, then in self._last:
            up = index - 1 - row
            if up < self._height:
                self.use(pen)
                there, back = (f"\x1b[{up}A", f"\x1b[{up}B") if up else ("", "")
                self.out.append(f"{there}\x1b[?7l{text}\x1b[?7h{back}")
                self.pen = then
        self._last.clear()

    def _text(self, row: Row, index: int, after_full: bool) -> int:
        """Draw a row that is nothing but text; its columns, or -1 where it is not, and nothing was done."""
        if isinstance(row, str):
            if WHOLE.fullmatch(row) is None:
                return -1
            self._next_row(index)
            if row:
                self.use(DEFAULT)
                self.out.append(row if row.isascii() else row.replace(TAIL, ""))
            return len(row)
        if not is_text(row):
            return -1
        head, *runs = row.decode().split(MARK)
        if not head:
            self._next_row(index)
        elif not after_full or not runs or (index >= self._height and marked(runs[0].partition(MARK_END)[0]).bg):
            return -1
        out, steps, pen, columns = self.out, self._steps, self.pen, 0
        for run in runs:
            values, _, text = run.partition(MARK_END)
            step = steps.get((pen.mark, values))
            if step is None:
                if len(steps) >= _MAX_STEPS:
                    steps.clear()
                then = marked(values)
                step = steps[pen.mark, values] = ("" if then == pen else sgr_between(pen, then), then)
            change, pen = step
            if change:
                out.append(change)
            columns += len(text)
            out.append(text if text.isascii() else text.replace(TAIL, ""))
        self.pen = pen
        return columns

    def _next_row(self, index: int) -> None:
        """To the start of row `index`, without a background for what scrolls in."""
        if index:
            if self.pen.bg:
                self.use(DEFAULT)
            self.out.append("\r\n")

    def _row(self, row: Row, last: Row | Line, index: int, at_start: Callable[[], None] | None = None) -> None:
        wrapped, blank, pieces = pieces_of(row)
        if wrapped:
            self._wrap(pieces, last, index, stop=at_start is not None)
        else:
            self._next_row(index)
        if at_start is not None:
            at_start()
        x = 0
        erased = blank
        for piece, after in zip_longest(pieces, pieces[1:]):
            if piece.kind is Kind.ORPHAN:
                x = self._orphan(piece, erased)
                continue
            if piece.kind is Kind.HALF and piece.at == self.columns - 2:
                self._half(piece, after, index)
                continue
            if piece.kind is Kind.ERASED:
                erased = piece.pen
            x = self._piece(piece, x, index)
        end = pieces[-1].end if pieces else 0
        if blank.bg and end < self.columns:
            self._erased(x, end, self.columns, blank)

    def _piece(self, piece: Piece, x: int, index: int) -> int:
        """Draw a piece of row `index` from column `x` on; the cursor's column then."""
        out, columns = self.out, self.columns
        at, kind, text, pen, end = piece
        if kind is Kind.ERASED:
            return self._erased(x, at, end, pen) if pen.bg or _shows_on_blank(pen) else x
        if x != at:
            out.append(f"\x1b[{at - x}C" if x < at else f"\x1b[{at + 1}G")
        self.use(pen)
        if kind is Kind.TEXT:
            out.append(text.replace(TAIL, ""))
            return end
        if kind is Kind.HALF:
            out.append(" ")
            return columns + 1
        if text[0] == FORCED[2] and at == columns - 2:
            # What combines with the one that is lost makes this cell wide.
            out.append(text[1])
            self._last.append((index, pen, f"\x1b[{columns}G{_ANY_WIDE}{text[2:]}", pen))
            return at + 1
        # To a cell of its own comes what has no width only if nothing was printed just before.
        out.append(text if piece.prints_at_once else f"\x1b[{at + 1}G{glyph(text)}")
        return columns + 1 if text[0] in FORCED else end

    def _half(self, piece: Piece, after: Piece | None, index: int) -> None:
        """A wide character in the last two columns without its right half.

        Without autowrap, what does not fit any more takes that half's place, or, if it is wide itself, empties it.
        """
        pen, character = piece.pen, _ANY_WIDE
        if after is not None and after.kind is Kind.TEXT:
            pen, character = after.pen, after.text
        text = f"\x1b[{piece.at + 1}G{piece.text}{sgr_between(piece.pen, pen)}{character}"
        self._last.append((index, piece.pen, text, pen))

    def _orphan(self, piece: Piece, before: Pen) -> int:
        """The right half of a wide character whose left half is erased: what an insertion between the two leaves."""
        self.use(piece.pen)
        self.out.append(f"\x1b[{piece.at - 1}G{_ANY_WIDE}\x1b[{piece.at}G")
        self.use(before.blank)
        self.out.append("\x1b[@")
        return piece.at - 1

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

    def _wrap(self, pieces: list[Piece], last: Row | Line, index: int, *, stop: bool) -> None:
        """Get into a row that continues the one before; `stop`: and be at its start, before anything is drawn.

        No pen with a background may be in use when that scrolls.
        """
        out, columns = self.out, self.columns
        if not index:
            # There is no row before: make two, and delete the first.
            out.append(f"\x1b[{columns}G  \x1b[H\x1b[M\x1b[X")
            return
        cell, cell_pen = _last_cell(last, columns)
        first = pieces[0] if pieces and pieces[0].at == 0 else None
        written = first is not None and first.kind is not Kind.ERASED
        # What is printed in the last row scrolls, and the fresh row has the background of the pen in use.
        straight = (
            not stop and first is not None and first.prints_at_once and (not first.pen.bg or index < self._height)
        )
        if cell != NULL:
            if not straight:
                self.use(DEFAULT)
                out.append(" \r" if written else " \r\x1b[X")
        elif straight and first is not None and cell_pen == first.pen and cell_width(first.text[0]) == 2:
            # A wide character that does not fit leaves the last cell empty all by itself.
            self.use(first.pen)
            out.append(f"\x1b[{columns}G")
        else:
            self._wrap_after_erased(cell_pen)

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


def _last_cell(row: Row | Line, columns: int) -> tuple[str, Pen]:
    """The cell in the last column, and its pen."""
    if isinstance(row, Line):
        return row.cells(columns)[columns - 1], row.pens[columns - 1]
    if isinstance(row, str):
        return (row[columns - 1], DEFAULT) if len(row) >= columns else (NULL, DEFAULT)
    _, blank, pieces = pieces_of(row)
    if not pieces or pieces[-1].end < columns:
        return NULL, blank
    return (NULL if pieces[-1].kind is Kind.ERASED else pieces[-1].text[-1]), pieces[-1].pen


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
