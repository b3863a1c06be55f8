"""A packed row cut into pieces that are drawn in one way each. Called by the painter; emits nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import groupby
from typing import NamedTuple

from .cells import COMPOUND, FORCED, NULL, TAIL, cell_width
from .line import Row
from .pen import DEFAULT, Pen


class Kind(Enum):
    """How a piece is drawn."""

    TEXT = "characters, one after the other"
    ERASED = "cells without a character"
    CELL = "one cell that has to be put in its place: several characters, or not the width they should have"
    ORPHAN = "the right half of a wide character without its left half"
    HALF = "a wide character without its right half"


class Piece(NamedTuple):
    """Cells from column `at` up to `end`, of one kind and one pen."""

    at: int
    kind: Kind
    text: str
    pen: Pen
    end: int

    @property
    def prints_at_once(self) -> bool:
        """Whether printing it where a wrap is pending wraps, as it does for all that takes columns."""
        return self.kind is Kind.TEXT or (
            self.kind is Kind.CELL and self.text[0] not in FORCED and cell_width(self.text[0]) > 0
        )


def pieces_of(row: Row) -> tuple[bool, Pen, list[Piece]]:
    """Whether the row is wrapped, the pen of the erased cells behind its end, and what is drawn before."""
    if isinstance(row, str):
        return False, DEFAULT, list(_pieces([row, DEFAULT], iter(()))) if row else []
    wrapped, blank, compound, *segments = row
    pieces = list(_pieces(segments, iter(compound)))  # type: ignore[call-overload]
    return bool(wrapped), blank, pieces  # type: ignore[return-value]


def _pieces(segments: list[object], compound: Iterator[str]) -> Iterator[Piece]:
    texts: list[str] = segments[::2]  # type: ignore[assignment]
    pens: list[Pen] = segments[1::2]  # type: ignore[assignment]
    whole = "".join(texts)
    easy = whole.isascii() and NULL not in whole and COMPOUND not in whole and TAIL not in whole
    at = 0
    for text, pen in zip(texts, pens, strict=True):
        end = at + len(text)
        if easy:
            yield Piece(at, Kind.TEXT, text, pen, end)
        else:
            for kind, run in groupby(range(at, end), lambda place: _kind(whole, place)):
                places = list(run)
                if kind is Kind.TEXT or kind is Kind.ERASED:
                    stop = places[-1] + 1
                    yield Piece(places[0], kind, whole[places[0] : stop], pen, stop)
                    continue
                for place in places:
                    cell = whole[place]
                    yield Piece(place, kind, next(compound) if cell == COMPOUND else cell, pen, place + 1)
        at = end


def _kind(row: str, at: int) -> Kind:
    """How the cell at a place is drawn."""
    cell = row[at]
    if " " <= cell < "\u0300":
        return Kind.TEXT
    if cell == NULL:
        return Kind.ERASED
    if cell == COMPOUND:
        return Kind.CELL
    if cell == TAIL:
        before = row[at - 1] if at else NULL
        if before == COMPOUND or cell_width(before) == 2:
            return Kind.TEXT
        return Kind.ORPHAN if row[max(at - 2, 0) : at] == NULL * 2 else Kind.ERASED
    columns = cell_width(cell)
    if columns == 2 and row[at + 1 : at + 2] != TAIL:
        return Kind.HALF
    return Kind.TEXT if columns else Kind.CELL
