"""How a cell's character is written down: one string, of which most are one character.

Only conventions and what follows from them; lines store such strings, drawing makes them, the snapshot reads them.
Control characters never get into a cell, so they can stand for what no character says.
"""

from __future__ import annotations

from typing import Final

from .width import width

NULL: Final = "\x00"
"""A cell nothing was written to, or that was erased. It looks like a space, but is not part of the line's text."""
TAIL: Final = "\x01"
"""The right half of a wide character."""
FORCED: Final = ("\x02", "\x03", "\x04")
"""Before a glyph that takes 0, 1 or 2 columns against its nature: what combines onto an empty or a cut cell."""
COMPOUND: Final = "\x05"
"""In a packed row: a cell whose glyph has several characters, kept aside."""


def cell_width(cell: str) -> int:
    """Columns that a cell's glyph takes, 0 for a tail."""
    if cell < "\u0300":
        if cell[0] > "\x1f" or cell == NULL:
            return 1
        return 0 if cell == TAIL else ord(cell[0]) - 2
    return width(cell[0])


def has_content(cell: str) -> bool:
    """Whether a character was written here."""
    return cell != NULL and cell != TAIL


def glyph(cell: str) -> str:
    """The characters of a cell, "" for none."""
    if cell > "\x1f":
        return cell
    return cell[1:]


def with_width(characters: str, columns: int) -> str:
    """The cell for these characters, taking so many columns."""
    return characters if width(characters[0]) == columns else FORCED[columns] + characters


def shown(cells: str) -> str:
    """Text of cells of one character each, as a person sees it."""
    return cells.replace(TAIL, "").replace(NULL, " ")
