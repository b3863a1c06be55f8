"""The modes a program can switch, by number, and what they are called here. Only tables.

Sources: ECMA-48 7.2, DEC's VT510 manual, xterm's ctlseqs; which of them do anything, and what a reset restores, is as
in xterm.js 6.0. Kitty's keyboard protocol and xterm's modifyOtherKeys are kept, though xterm.js has neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class Modes:
    """The switches that RIS and DECSTR both put back to these values."""

    application_cursor: bool = False
    application_keypad: bool = False
    bracketed_paste: bool = False
    focus: bool = False
    insert: bool = False
    origin: bool = False
    reverse_wrap: bool = False
    synchronized: bool = False
    wraparound: bool = True
    cursor_style: str = ""
    cursor_blink: bool | None = None


SWITCHES: Final = {
    1: "application_cursor",
    7: "wraparound",
    45: "reverse_wrap",
    66: "application_keypad",
    1004: "focus",
    2004: "bracketed_paste",
    2026: "synchronized",
}
"""DEC private modes that are a switch of :class:`Modes` and nothing more (6, origin, also homes the cursor)."""

MOUSE_TRACKING: Final = {9: "X10", 1000: "VT200", 1002: "DRAG", 1003: "ANY"}
MOUSE_ENCODING: Final = {1006: "SGR", 1016: "SGR_PIXELS"}
ALTERNATE: Final = frozenset((47, 1047, 1049))
DONE_ELSEWHERE: Final = frozenset((2, 3, 6, 12, 25, 1048)) | ALTERNATE
"""Private modes that are known, but no switch: charsets, columns (ignored), origin, blinking, cursor, buffers."""
KNOWN: Final = DONE_ELSEWHERE | set(SWITCHES) | set(MOUSE_TRACKING) | set(MOUSE_ENCODING)
MAX_UNKNOWN: Final = 64
"""Private modes of other numbers are remembered, so many of them, for a viewer's terminal that knows them."""

CURSOR_STYLES: Final = {1: "block", 2: "block", 3: "underline", 4: "underline", 5: "bar", 6: "bar"}
"""DECSCUSR; odd numbers blink."""
MAX_KEYBOARD_STACK: Final = 16
"""Entries of kitty's stack of keyboard flags, one stack a screen."""
MAX_TITLES: Final = 10
"""Entries of the title stack (XTWINOPS 22 and 23)."""
