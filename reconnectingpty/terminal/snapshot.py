"""A terminal's state as the bytes that draw it on a fresh terminal of the same size.

Lines first, from the oldest of the scrollback to the bottom of the screen, each printed once where it will scroll up
from; then what cannot be seen: modes, margins, tab stops, saved cursors, the pen, and at the very end whatever has
come of a sequence that is not whole yet. It asks nothing and rings nothing.
"""

from __future__ import annotations

from .buffer import Buffer, Saved
from .emulator import Emulator
from .line import Line, step
from .modes import AUTOWRAP, CURSOR_VISIBLE, KEPT_PRIVATE, ORIGIN
from .parser import Parser
from .pen import DEFAULT


def snapshot(parser: Parser, lines: int | None = None) -> bytes:
    """What draws the state of the parser's emulator; with at most `lines` lines of scrollback, where that is given.

    Empty where the terminal is as it was at first.
    """
    emulator = parser.emulator
    parts = [_lines(emulator.normal, lines)]
    if emulator.alternate is not None:
        parts += [_saved(emulator, emulator.normal), _cursor(emulator.normal), "\x1b[?47h", _rows(emulator.alternate)]
    parts += [
        _tabs(emulator.active),
        _margins(emulator),
        _saved(emulator, emulator.active),
        _switches(emulator),
        _title(emulator),
        _position(emulator),
        step(DEFAULT, emulator.pen),
        "\x1b[4h" if emulator.insert else "",
    ]
    return "".join(parts).encode("utf-8", "replace") + parser.pending


def _lines(buffer: Buffer, limit: int | None) -> str:
    """The scrollback and the screen, from top to bottom, but for the empty rows at its end."""
    gone = list(buffer.scrollback)
    if limit is not None:
        gone = gone[len(gone) - limit :] if limit else []
    last = max((row for row, line in enumerate(buffer.lines) if line.used()), default=-1)
    if gone:
        last = len(buffer.lines) - 1  # every row has to be there, for the lines above to have scrolled off
    shown = buffer.lines[: last + 1]
    parts: list[str] = []
    for line in gone:
        parts += ("" if line.wrapped or not parts else "\r\n", line.drawn)
    for row, shown_line in enumerate(shown):
        whole = row + 1 < len(shown) and shown[row + 1].wrapped
        joined = shown_line.wrapped and _is_full(shown, row, gone != [])
        parts += ("" if joined or not parts else "\r\n", shown_line.drawn(whole=whole))
    return "".join(parts)


def _is_full(rows: list[Line], row: int, after_scrollback: bool) -> bool:
    """Whether printing a row after the one above it makes it wrap: it has to begin with something."""
    line = rows[row]
    return bool(line.glyphs) and (row > 0 or after_scrollback)


def _rows(buffer: Buffer) -> str:
    """A screen without scrollback, row by row."""
    parts = ["\x1b[H"]
    for row, line in enumerate(buffer.lines):
        drawn = line.drawn()
        if drawn:
            parts += (f"\x1b[{row + 1}H", drawn)
    return "".join(parts)


def _cursor(buffer: Buffer) -> str:
    return f"\x1b[{buffer.row + 1};{min(buffer.column, buffer.size.cols - 1) + 1}H"


def _saved(emulator: Emulator, buffer: Buffer) -> str:
    """DECSC with what was saved; the charset as well."""
    saved = buffer.saved
    if saved == Saved():
        return ""
    charset = f"\x1b({saved.charset}" if saved.charset != "B" else ""
    back = "\x1b(B" if charset else ""
    pen, no_pen = step(DEFAULT, saved.pen), step(saved.pen, DEFAULT)
    return f"\x1b[{saved.row + 1};{saved.column + 1}H{charset}{pen}\x1b7{no_pen}{back}"


def _tabs(buffer: Buffer) -> str:
    if buffer.tabs is None:
        return ""
    return "\x1b[3g" + "".join(f"\x1b[{column + 1}G\x1bH" for column in sorted(buffer.tabs))


def _margins(emulator: Emulator) -> str:
    buffer = emulator.active
    if (buffer.top, buffer.bottom) == (0, emulator.lines - 1):
        return ""
    return f"\x1b[{buffer.top + 1};{buffer.bottom + 1}r"


def _switches(emulator: Emulator) -> str:
    on = [mode for mode in KEPT_PRIVATE if emulator.modes.get(mode)]
    on += [mode for mode in (emulator.mouse, emulator.mouse_encoding) if mode]
    parts = [f"\x1b[?{mode}h" for mode in on]
    parts += [f"\x1b[?{mode}l" for mode in (AUTOWRAP, CURSOR_VISIBLE) if not emulator.modes.get(mode)]
    parts += [f"\x1b{'()*+'[index]}{charset}" for index, charset in enumerate(emulator.charsets) if charset != "B"]
    if emulator.shift:
        parts.append("\x0e")
    if emulator.keypad:
        parts.append("\x1b=")
    if emulator.newline:
        parts.append("\x1b[20h")
    if emulator.cursor_shape:
        parts.append(f"\x1b[{emulator.cursor_shape} q")
    parts += [f"\x1b[>{flags}u" for flags in emulator.keyboard]
    return "".join(parts)


def _title(emulator: Emulator) -> str:
    parts = [f"\x1b]2;{title}\x1b\\\x1b[22;2t" for title in emulator.titles]
    if emulator.title:
        parts.append(f"\x1b]2;{emulator.title}\x1b\\")
    return "".join(parts)


def _position(emulator: Emulator) -> str:
    """The cursor; behind the last column by printing that cell again, which is the only way there."""
    buffer, columns = emulator.active, emulator.columns
    if (buffer.row, buffer.column) == (0, 0) and _pristine(emulator):
        return ""
    origin = "\x1b[?6h" if emulator.modes.get(ORIGIN) else ""
    row = buffer.row - (buffer.top if origin else 0)
    glyphs = buffer.line.glyphs
    if buffer.column < columns or glyphs is None or not emulator.modes.get(AUTOWRAP):
        return f"{origin}\x1b[{row + 1};{min(buffer.column, columns - 1) + 1}H"
    at = columns - 2 if glyphs[-1] == "" else columns - 1
    pen = buffer.line.pens[at]
    shifted = "\x0f\x1b(B" if emulator.shift or emulator.charsets[0] != "B" else ""
    back = f"\x1b({emulator.charsets[0]}{chr(0x0E) if emulator.shift else ''}" if shifted else ""
    return f"{origin}\x1b[{row + 1};{at + 1}H{shifted}{step(DEFAULT, pen)}{glyphs[at]}{step(pen, DEFAULT)}{back}"


def _pristine(emulator: Emulator) -> bool:
    return (
        emulator.alternate is None
        and not emulator.normal.scrollback
        and not any(line.used() for line in emulator.normal.lines)
    )
