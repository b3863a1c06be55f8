"""A wrapped line's rows, wrapped anew cell by cell, as xterm.js does it: whatever is in them.

It knows lines alone. Called by the reflow for what :mod:`.rewrapping` can't do by texts.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from .cells import NULL, cell_width
from .line import Line
from .pen import DEFAULT

_T = TypeVar("_T")
Steps: TypeAlias = Generator[None, None, _T]
"""What gives somebody else a turn every now and then, and comes to a result."""


def join(group: list[Line], before: int, columns: int) -> Steps[int]:
    """Move the cells of a wrapped line's rows up; how many of the rows are then empty."""
    to, column = 0, _row_length(group, 0, before)
    row, taken = 1, 0
    while row < len(group):
        yield
        length = _row_length(group, row, before)
        count = min(length - taken, columns - column)
        _copy(group[row], taken, group[to], column, count)
        column += count
        if column == columns:
            to, column = to + 1, 0
        taken += count
        if taken == length:
            row, taken = row + 1, 0
        if column == 0 and to:
            last = group[to - 1].cells(columns)
            if cell_width(last[columns - 1]) == 2:
                _copy(group[to - 1], columns - 1, group[to], 0, 1)
                column = 1
                _clear(group[to - 1], columns - 1)
    if to < len(group):
        group[to].erase(column, columns, columns, DEFAULT)
    spare = 0
    for index in range(len(group) - 1, 0, -1):
        if index <= to and group[index].trimmed_length():
            break
        spare += 1
    return spare


def _row_length(group: list[Line], index: int, columns: int) -> int:
    """Cells of a row that belong to the text: all but one left empty because a wide character did not fit."""
    if index == len(group) - 1:
        return group[index].trimmed_length()
    empty = group[index].cells(columns)[columns - 1] == NULL
    return columns - 1 if empty and cell_width(group[index + 1].cells(columns)[0]) == 2 else columns


def lengths_of(group: list[Line], before: int, columns: int) -> Steps[list[int]]:
    """How long each row is to be, so that no wide character is cut."""
    needed = 0
    for index in range(len(group)):
        needed += _row_length(group, index, before)
        yield
    lengths: list[int] = []
    column = row = done = 0
    while done < needed:
        yield
        if needed - done < columns:
            lengths.append(needed - done)
            break
        column += columns
        length = _row_length(group, row, before)
        if column > length:
            column -= length
            row += 1
        cells = group[row].cells(before) if row < len(group) else []
        wide = 0 < column <= len(cells) and cell_width(cells[column - 1]) == 2
        if wide:
            column -= 1
        lengths.append(columns - wide)
        done += columns - wide
    return lengths


def spread(group: list[Line], fresh: list[Line], lengths: list[int], before: int, columns: int) -> Steps[None]:
    """Move the cells down into rows of these lengths, from the last one on."""
    rows = [*group, *fresh]
    for line in fresh:
        line.cells(columns)
        yield
    if not lengths:
        return
    to = len(lengths) - 1
    column = lengths[to]
    if column == 0:
        to -= 1
        column = lengths[to]
    row = len(group) - 1
    taken = group[row].trimmed_length()
    while row >= 0 and 0 <= to < len(rows):
        yield
        count = min(taken, column)
        _copy(rows[row], taken - count, rows[to], column - count, count)
        column -= count
        if column == 0:
            to -= 1
            column = lengths[to] if to >= 0 else 0
        taken -= count
        if taken == 0:
            row -= 1
            taken = _row_length(rows, max(row, 0), before)
    for line, length in zip(rows, lengths, strict=False):
        if length < columns:
            _clear(line, length)


def _copy(source: Line, at: int, target: Line, to: int, count: int) -> None:
    if count > 0 and source.glyphs is not None and target.glyphs is not None:
        glyphs, pens = source.glyphs[at : at + count], source.pens[at : at + count]
        end = min(to + len(glyphs), len(target.glyphs))
        target.glyphs[to:end] = glyphs[: end - to]
        target.pens[to:end] = pens[: end - to]


def _clear(line: Line, column: int) -> None:
    if line.glyphs is not None and column < len(line.glyphs):
        line.glyphs[column] = NULL
        line.pens[column] = DEFAULT
