"""A packed row cut into pieces that are drawn in one way each. Called by the painter; emits nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from .cells import COMPOUND, FORCED, NULL, TAIL, cell_width
from .packing import Row, opened
from .pen import Pen
from .width import WIDTHS


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
    wrapped, blank, compound, segments = opened(row)
    return wrapped, blank, list(_pieces(segments, iter(compound))) if segments else []


def _pieces(segments: list[str | Pen], compound: Iterator[str]) -> Iterator[Piece]:
    texts: list[str] = segments[::2]  # type: ignore[assignment]
    pens: list[Pen] = segments[1::2]  # type: ignore[assignment]
    whole = "".join(texts)
    easy = whole.isascii() and NULL not in whole and COMPOUND not in whole and TAIL not in whole
    letters = "" if easy else whole.translate(WIDTHS)
    at = 0
    for text, pen in zip(texts, pens, strict=True):
        end = at + len(text)
        if easy:
            yield Piece(at, Kind.TEXT, text, pen, end)
        else:
            for match in _RUNS.finditer(letters, at, end):
                kind = _kind(match, letters)
                first, last = match.span()
                cell = whole[first:last]
                if kind is Kind.CELL and cell == COMPOUND:
                    cell = next(compound)
                    if cell[0] not in FORCED and cell_width(cell) == 2 and letters[last : last + 1] != "t":
                        kind = Kind.HALF
                yield Piece(first, kind, cell, pen, last)
        at = end


def _kind(match: re.Match[str], letters: str) -> Kind:
    """How the cells of a run are drawn."""
    if match["text"]:
        return Kind.TEXT
    if match["erased"]:
        return Kind.ERASED
    at = match.start()
    if match["tail"]:
        if letters[max(at - 1, 0)] in "wc" and at:
            return Kind.TEXT
        return Kind.ORPHAN if letters[max(at - 2, 0) : at] == "00" else Kind.ERASED
    if match["wide"]:
        return Kind.TEXT if letters[at + 1 : at + 2] == "t" else Kind.HALF
    return Kind.CELL


_RUNS: Final = re.compile("(?P<text>(?:n|wt)+)|(?P<erased>0+)|(?P<compound>c)|(?P<zero>z)|(?P<wide>w)|(?P<tail>t)")
"""Over a row's letters (see :data:`.width.WIDTHS`)."""
