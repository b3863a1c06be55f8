"""What a terminal shows, as something to read: text, text with colours, or values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .emulator import Emulator
from .line import Line
from .painting import drawn


@dataclass(frozen=True, slots=True)
class Screen:
    """One moment of a terminal. `lines` are the rows as text, `scrollback` is how many are above."""

    rows: int
    cols: int
    row: int
    col: int
    cursor_visible: bool
    alternate: bool
    title: str
    lines: tuple[str, ...]
    scrollback: int
    _rows: tuple[Line, ...] = field(repr=False, compare=False)

    @classmethod
    def of(cls, emulator: Emulator) -> Screen:
        """What an emulator shows now."""
        lines, columns = emulator.grid, emulator.columns
        return cls(
            rows=emulator.lines,
            cols=emulator.columns,
            row=emulator.y,
            col=min(emulator.x, columns - 1),
            cursor_visible=not emulator.cursor_hidden,
            alternate=emulator.is_alternate,
            title=emulator.title,
            lines=tuple(line.text(columns).rstrip() for line in lines),
            scrollback=emulator.normal.base,
            _rows=tuple(line.copy() for line in lines),
        )

    def text(self) -> str:
        """The rows as plain text, without the blanks at their ends and the empty rows below."""
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def drawn(self) -> Iterator[str]:
        """The rows with the SGR sequences that colour them, one after the other: of a large screen it takes a while."""
        return (drawn(row, self.cols) for row in self._rows)

    def ansi(self) -> str:
        """All of that."""
        return "\n".join(self.drawn()).rstrip("\n") + "\n"

    def json(self) -> dict[str, Any]:
        """Everything as values that JSON can hold; `cursor` counts from 0."""
        return {
            "rows": self.rows,
            "cols": self.cols,
            "cursor": {"row": self.row, "col": self.col, "visible": self.cursor_visible},
            "alternate": self.alternate,
            "title": self.title,
            "lines": list(self.lines),
            "scrollback": self.scrollback,
        }
