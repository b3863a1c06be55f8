"""Terminals for tests: fed, looked at, and put side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.line import Line, unpack
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.snapshot import snapshot


def fed(*data: bytes, columns: int = 20, rows: int = 6, scrollback: int = 100) -> Parser:
    """A fresh terminal that was sent this."""
    parser = Parser(Emulator(columns, rows, scrollback))
    for piece in data:
        parser.feed(piece)
    return parser


def redrawn(parser: Parser) -> Parser:
    """A fresh terminal that was sent the other's snapshot."""
    emulator = parser.emulator
    return fed(snapshot(parser), columns=emulator.columns, rows=emulator.lines, scrollback=emulator.scrollback_limit)


def screen(parser: Parser) -> list[str]:
    """The rows, without the blanks at their ends."""
    return [row.rstrip() for row in parser.emulator.display]


def _cells(lines: Iterable[Line], columns: int) -> list[Any]:
    found = []
    for line in lines:
        cells = line.cells(columns)
        found.append((line.wrapped, list(zip(cells[:columns], (pen.key for pen in line.pens), strict=False))))
    return found


def everything(parser: Parser) -> dict[str, Any]:
    """All of a terminal's state, as values that can be compared."""
    emulator = parser.emulator
    columns = emulator.columns
    buffers = {}
    for name, buffer in (("normal", emulator.normal), ("alternate", emulator.alternate)):
        above = [row if isinstance(row, Line) else unpack(row, columns) for row in buffer.scrollback or ()]
        buffers[name] = (
            _cells(above, columns),
            _cells(buffer.lines, columns),
            (buffer.top, buffer.bottom),
            sorted(buffer.tabs),
            (buffer.saved.x, buffer.saved.y, buffer.saved.pen.key, buffer.saved.charset),
        )
    plain = ("x", "y", "plain", "charsets", "shift", "in_use", "title", "shown_title", "icon_name", "title_stack",
             "colours", "keyboard", "modify_other_keys", "unknown_modes", "cursor_hidden", "cursor_blinks", "newline",
             "mouse_tracking", "mouse_encoding", "is_alternate")  # fmt: skip
    return {
        **buffers,
        **{name: getattr(emulator, name) for name in plain},
        "modes": repr(emulator.modes),
        "pen": emulator.pen.key,
        "pending": parser.pending,
        "joins": parser.joins,
    }
