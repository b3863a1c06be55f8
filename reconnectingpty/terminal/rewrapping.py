"""A wrapped line's packed rows, packed anew for another width: what :mod:`.reflow` does with cells, many times as fast.

Only for rows whose cells are a character each, with none erased between them: nearly all that a scrollback holds.
It knows rows alone. Called by the reflow, which does the others, and what is on the screen, by cells.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import accumulate

from .cells import NULL, cell_width
from .packing import Row, is_wrapped, opened, packed
from .pen import DEFAULT, Pen

_STEP = 32
"""Rows between two turns that somebody else is given."""


def rewrapped(rows: list[Row], before: int, columns: int) -> Generator[None, None, list[Row] | None]:
    """The rows of a line that was wrapped at `before` columns, wrapped at `columns`; None where that takes cells."""
    texts: list[str] = []
    pens: list[Pen] = []
    awaits_wide = False
    for index, row in enumerate(rows):
        _, blank, compound, segments = opened(row)
        text = "".join(segments[::2])  # type: ignore[arg-type]
        if compound or blank is not DEFAULT or not text or NULL in text:
            return None
        if awaits_wide and cell_width(text[0]) < 2:
            return None
        awaits_wide = len(text) == before - 1
        if len(text) < before - 1 and index < len(rows) - 1:
            return None
        texts += segments[::2]  # type: ignore[arg-type]
        pens += segments[1::2]  # type: ignore[arg-type]
        if not index % _STEP:
            yield
    found: list[Row] = []
    ends = list(accumulate(map(len, texts)))
    whole = "".join(texts)
    run = start = 0
    while start < len(whole):
        end = min(start + columns, len(whole))
        if end < len(whole) and cell_width(whole[end - 1]) == 2:
            end -= 1
        parts: list[str | Pen] = []
        at = start
        while at < end:
            to = min(ends[run], end)
            if parts and parts[-1] is pens[run]:
                parts[-2] += whole[at:to]  # type: ignore[operator]
            else:
                parts += (whole[at:to], pens[run])
            if to == ends[run]:
                run += 1
            at = to
        found.append(packed(is_wrapped(rows[0]) if not found else True, DEFAULT, parts))
        start = end
        if not len(found) % _STEP:
            yield
    return found
