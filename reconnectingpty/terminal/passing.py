"""Lines of ASCII, SGR and EL that begin in the last row, many at a time: each scrolls the screen by one.

What a log or a listing in colour writes, and by far the most of all output that is not skipped. No cell, no token and
mostly no line is made: what is gone at once goes to the scrollback packed. Called by the parser; does what its tokens
would do, one after the other.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from .emulator import Emulator
from .line import Line
from .packing import packed
from .parameters import parse_parameters
from .pen import Pen
from .sgr import apply_sgr

_SEQUENCE: Final = re.compile("(\x1b\\[[0-9;:]*m|\x1b\\[K)")


def pass_lines(emulator: Emulator, lines: list[str], first: int) -> int:
    """Take lines from index `first` on, each with a line end behind it, up to one that does not fit: its index.

    The cursor has to be in the last row, as :attr:`.Emulator.in_fresh_last_row` has it.
    """
    columns = emulator.columns
    pen, blank = emulator.pen, emulator.grid[-1].blank
    rows: list[tuple[Pen, list[str | Pen]]] = []
    for line in islice(lines, first, None):
        if "\x1b" in line:
            found = _segments(line, pen, blank, columns)
            if found is None:
                break
            segments, pen = found
        elif len(line) <= columns:
            segments = [line, pen] if line else []
        else:
            break
        rows.append((blank, segments))
        blank = pen.blank
    if rows:
        emulator.pen = pen
        _scroll_in(emulator, rows)
    return first + len(rows)


def _segments(line: str, pen: Pen, blank: Pen, columns: int) -> tuple[list[str | Pen], Pen] | None:
    """A line's texts and pens, and the pen at its end; None where that is not all, or does not fit."""
    parts = _SEQUENCE.split(line)
    texts = parts[::2]
    whole = "".join(texts)
    if len(whole) > columns or "\x1b" in whole:
        return None
    segments: list[str | Pen] = [texts[0], pen] if texts[0] else []
    for sequence, text in zip(parts[1::2], texts[1:], strict=True):
        try:
            pen = pen.steps[sequence]  # type: ignore[index]
        except (KeyError, TypeError):
            if sequence == "\x1b[K":
                if pen.blank is not blank:
                    return None  # the row's end gets another background
            else:
                then = apply_sgr(pen, parse_parameters(sequence[2:-1]))
                pen.remember(sequence, then)
                pen = then
        if text:
            segments += (text, pen)
    return segments, pen


def _scroll_in(emulator: Emulator, rows: list[tuple[Pen, list[str | Pen]]]) -> None:
    lines, scrollback = emulator.grid, emulator.active.scrollback
    kept = emulator.lines - 1
    gone = max(len(rows) - kept, 0)
    leaving = lines[: min(len(rows), kept)]
    if scrollback is not None:
        scrollback.extend(leaving)
        scrollback.extend_packed([packed(False, blank, segments) for blank, segments in rows[:gone]])
    del lines[: len(leaving)], lines[-1]
    lines += [Line.of(segments, blank) for blank, segments in rows[gone:]]
    lines.append(Line(emulator.pen.blank))
    emulator.join = 0
