"""A terminal's size, as a value that is always possible.

Every size that comes from outside passes through :meth:`Size.bounded` once; after that nobody checks again.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_ROWS = 1000
MAX_COLS = 2000
"""Larger than any screen, small enough that a model of it stays cheap. TIOCSWINSZ itself would take 65,535."""


class Size(NamedTuple):
    """Rows and columns of character cells, each at least 1."""

    rows: int
    cols: int

    @classmethod
    def bounded(cls, rows: int, cols: int) -> Size | None:
        """The nearest size a terminal can have, or None where a dimension is 0 or less ("no size known")."""
        if rows <= 0 or cols <= 0:
            return None
        return cls(min(rows, MAX_ROWS), min(cols, MAX_COLS))


DEFAULT_SIZE = Size(24, 80)
