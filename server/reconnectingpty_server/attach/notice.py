"""A few words over what a terminal shows, as bytes. What they cover has to be drawn anew later. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconnectingpty.size import Size
from reconnectingpty.terminal.width import width

_LOOK = "\x1b[0;7m"


def notice(lines: Sequence[str], size: Size) -> bytes:
    """Lines at the top of the screen, in reverse, over all its columns; the cursor stays where it is."""
    shown = [_fitted(f" {line}", size.cols) for line in lines[: max(size.rows - 1, 1)]]
    rows = (f"\x1b[{row}H{_LOOK}{line}{' ' * (size.cols - _width(line))}" for row, line in enumerate(shown, 1))
    # Saved and restored: position, pen, charsets, origin. Where inserting is on, the row shifts, and is drawn anew.
    # CAN ends a sequence that was cut in half with the connection.
    return ("\x18\x1b7\x1b[?6l\x0f\x1b(B" + "".join(rows) + "\x1b[m\x1b8").encode()


def _width(text: str) -> int:
    return sum(map(width, text))


def _fitted(text: str, columns: int) -> str:
    while _width(text) > columns:
        text = text[:-1]
    return text
