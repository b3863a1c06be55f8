"""Rows in the smallest form that keeps everything: text, with marks where the pen changes.

A row of the default pen is its text. Any other is bytes: UTF-8, with a mark before each stretch of one pen, which says
as much as the SGR sequences that lead there. Characters below a space say what no text does, as in cells. The
scrollback holds such rows. Called by lines, and by whoever looks at scrolled-off ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from sys import getsizeof
from typing import Final, NamedTuple, TypeAlias

from .cells import COMPOUND
from .pen import DEFAULT, MARK, MARK_END, Pen, marked
from .width import WHOLE

Row: TypeAlias = "str | bytes"

_WRAPPED: Final = "\x07"
_BLANK: Final = "\x08"
"""In place of a text: the mark before it is the pen of the erased cells behind the row's end."""
_NO_CELLS: Final = re.compile(f"{MARK}[^{MARK_END}]*{MARK_END}|[{_WRAPPED}{_BLANK}]")
_TEXT: Final = re.compile(f"{_WRAPPED}?(?:{MARK}[^{MARK_END}]*+{MARK_END}[ -~]*+)*+".encode())
_WIDER_TEXT: Final = re.compile(f"{_WRAPPED}?(?:{MARK}[^{MARK_END}]*+{MARK_END}{WHOLE.pattern})*+")
_COMPOUND: Final = re.compile(f"{COMPOUND}([^{MARK_END}]*){MARK_END}")


class Opened(NamedTuple):
    """A row to be read: text, pen, text, pen ... with COMPOUND where a cell of several characters has its place."""

    wrapped: bool
    blank: Pen
    compound: list[str]
    segments: list[str | Pen]


def packed(wrapped: bool, blank: Pen, segments: list[str | Pen]) -> Row:
    """The row of these texts and pens; cells of several characters are in the text as `compound` writes them."""
    if not wrapped and blank is DEFAULT:
        if not segments:
            return ""
        if len(segments) == 2 and segments[1] is DEFAULT:
            text = segments[0]
            if COMPOUND not in text:  # type: ignore[operator]
                return text  # type: ignore[return-value]
    parts = [_WRAPPED] if wrapped else []
    if blank is not DEFAULT:
        parts += (blank.mark, _BLANK)
    each = iter(segments)
    for text, pen in zip(each, each, strict=True):
        parts += (pen.mark, text)  # type: ignore[union-attr,arg-type]
    return "".join(parts).encode()


def compound(cell: str) -> str:
    """How a cell of several characters is written into a text."""
    return COMPOUND + cell + MARK_END


def opened(row: Row) -> Opened:
    """What is in a row."""
    if isinstance(row, str):
        return Opened(False, DEFAULT, [], [row, DEFAULT] if row else [])
    text = row.decode()
    cells: list[str] = []
    if COMPOUND in text:
        cells = _COMPOUND.findall(text)
        text = _COMPOUND.sub(COMPOUND, text)
    head, *runs = text.split(MARK)
    blank, segments = DEFAULT, list[str | Pen]()
    for run in runs:
        values, _, shown = run.partition(MARK_END)
        pen = marked(values)
        if shown == _BLANK:
            blank = pen
        else:
            segments += (shown, pen)
    return Opened(head == _WRAPPED, blank, cells, segments)


def is_wrapped(row: Row) -> bool:
    """Whether a row continues the one before."""
    return isinstance(row, bytes) and row.startswith(_WRAPPED.encode())


def unwrapped(row: Row) -> Row:
    """The row as one that does not."""
    return row[1:] if is_wrapped(row) else row


def has_blank(row: Row) -> bool:
    """Whether the erased cells behind its end have a pen of their own."""
    return isinstance(row, bytes) and _BLANK.encode() in row


def is_text(row: bytes) -> bool:
    """Whether there is nothing in a row but marks and the usual characters, each with all its columns."""
    return _TEXT.fullmatch(row) is not None or (not row.isascii() and _WIDER_TEXT.fullmatch(row.decode()) is not None)


def text_of(row: Row) -> str:
    """A character for each cell of a row, up to the last one that is kept."""
    if isinstance(row, str):
        return row
    text = row.decode()
    if COMPOUND in text:
        text = _COMPOUND.sub(COMPOUND, text)
    return _NO_CELLS.sub("", text)


def weigh(rows: Iterable[Row]) -> int:
    """How many bytes the rows take."""
    return sum(map(getsizeof, rows))
