"""The modes and character sets of a terminal, with their numbers (xterm's ctlseqs; DEC's VT510 manual)."""

from __future__ import annotations

MOUSE_TRACKING = (9, 1000, 1002, 1003)
"""X10, VT200, button-event, any-event: at most one is on."""
MOUSE_ENCODING = (1006, 1016)
"""SGR, SGR pixels: at most one is on."""
KEPT_PRIVATE = (1, 66, 1004, 2004, 2026, 45)
"""Application cursor keys, application keypad, focus reports, bracketed paste, synchronised output, reverse wrap:
plain switches, off at first, that the model only remembers."""

ORIGIN, AUTOWRAP, CURSOR_VISIBLE = 6, 7, 25
INSERT, NEWLINE = 4, 20

DEC_GRAPHICS = str.maketrans(
    {
        "`": "◆", "a": "▒", "b": "␉", "c": "␌", "d": "␍", "e": "␊", "f": "°", "g": "±", "h": "␤", "i": "␋", "j": "┘",
        "k": "┐", "l": "┌", "m": "└", "n": "┼", "o": "⎺", "p": "⎻", "q": "─", "r": "⎼", "s": "⎽", "t": "├", "u": "┤",
        "v": "┴", "w": "┬", "x": "│", "y": "≤", "z": "≥", "{": "π", "|": "≠", "}": "£", "~": "·",
    }
)  # fmt: skip
"""DEC special graphics, VT100."""
UNITED_KINGDOM = str.maketrans({"#": "£"})
CHARSETS: dict[str, dict[int, str] | None] = {"B": None, "0": DEC_GRAPHICS, "A": UNITED_KINGDOM}
"""Final character of the designating escape sequence to the translation; None is ASCII."""
