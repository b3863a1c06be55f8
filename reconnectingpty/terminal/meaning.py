"""What a complete control means: its spelling to a method of the emulator, or a question, and its arguments.

Only tables and the way to look them up; nothing is carried out here. Sources: ECMA-48, DEC's VT510 manual, xterm's
ctlseqs, kitty's keyboard protocol; what is not listed does nothing. Called by the parser and its state machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from . import queries
from .charsets import DESIGNATIONS, SLOTS
from .emulator import Emulator
from .operating import title_stack
from .parameters import parse_parameters

Meaning: TypeAlias = "tuple[Callable[..., Any], tuple[Any, ...]]"

_CSI: Final = re.compile(r"(?:\x1b\[|\x9b)([<-?]?)([0-?]*)([ -/]*)([@-~])")
_ESC: Final = re.compile(r"\x1b([ -/]*)([0-~])")


def nothing(emulator: Emulator) -> None:
    """What nobody knows."""


def ignored(emulator: Emulator) -> None:
    """What is no sequence at all, and so does not even come between a character and what combines with it."""


def SGR(emulator: Emulator) -> None:
    """Stands for `CSI m`, which the parser looks up in the pen."""


def _set_private(emulator: Emulator, *modes: int) -> None:
    emulator.set_mode(*modes, private=True)


def _reset_private(emulator: Emulator, *modes: int) -> None:
    emulator.reset_mode(*modes, private=True)


def _erase_in_display(emulator: Emulator, how: int) -> None:
    emulator.erase_in_display(how, private=True)


def _erase_in_line(emulator: Emulator, how: int) -> None:
    emulator.erase_in_line(how, private=True)


def _window(emulator: Emulator, operation: int = 0, which: int = 0) -> None:
    title_stack(emulator, operation, which)
    queries.window(emulator, operation, which)


_ALL: Final = 99
CONTROL_SEQUENCES: Final[dict[str, tuple[Callable[..., Any], int]]] = {
    "@": (Emulator.insert_characters, 1),
    " @": (Emulator.scroll_left, 1),
    "A": (Emulator.cursor_up, 1),
    " A": (Emulator.scroll_right, 1),
    "B": (Emulator.cursor_down, 1),
    "C": (Emulator.cursor_forward, 1),
    "D": (Emulator.cursor_back, 1),
    "E": (Emulator.cursor_down1, 1),
    "F": (Emulator.cursor_up1, 1),
    "G": (Emulator.cursor_to_column, 1),
    "H": (Emulator.cursor_position, 2),
    "I": (Emulator.tab, 1),
    "J": (Emulator.erase_in_display, 1),
    "?J": (_erase_in_display, 1),
    "K": (Emulator.erase_in_line, 1),
    "?K": (_erase_in_line, 1),
    "L": (Emulator.insert_lines, 1),
    "M": (Emulator.delete_lines, 1),
    "P": (Emulator.delete_characters, 1),
    "S": (Emulator.scroll_up, 1),
    "T": (Emulator.scroll_down, 1),
    "X": (Emulator.erase_characters, 1),
    "Z": (Emulator.tab_back, 1),
    "`": (Emulator.cursor_to_column, 1),
    "a": (Emulator.cursor_forward, 1),
    "b": (Emulator.repeat, 1),
    "c": (queries.device_attributes, 1),
    ">c": (queries.secondary_attributes, 1),
    "=c": (queries.tertiary_attributes, 1),
    "d": (Emulator.cursor_to_line, 1),
    "e": (Emulator.cursor_lines_down, 1),
    "f": (Emulator.cursor_position, 2),
    "g": (Emulator.clear_tab_stop, 1),
    "h": (Emulator.set_mode, _ALL),
    "?h": (_set_private, _ALL),
    "l": (Emulator.reset_mode, _ALL),
    "?l": (_reset_private, _ALL),
    "m": (SGR, 0),
    ">m": (Emulator.set_modify_other_keys, 2),
    "n": (queries.status, 1),
    "?n": (queries.private_status, 1),
    "!p": (Emulator.soft_reset, 0),
    "$p": (queries.mode, 1),
    "?$p": (queries.private_mode, 1),
    " q": (Emulator.cursor_style, 1),
    '"q': (Emulator.select_protected, 1),
    ">q": (queries.version, 1),
    "r": (Emulator.set_margins, 2),
    "s": (Emulator.save_cursor, 0),
    "t": (_window, 2),
    "u": (Emulator.restore_cursor, 0),
    "?u": (queries.keyboard_flags, 0),
    ">u": (Emulator.push_keyboard_flags, 1),
    "<u": (Emulator.pop_keyboard_flags, 1),
    "=u": (Emulator.set_keyboard_flags, 2),
    "'}": (Emulator.insert_columns, 1),
    "'~": (Emulator.delete_columns, 1),
}
"""Prefix, intermediates and final character: what to call with how many of the parameters."""

_ESCAPES: Final[dict[str, Meaning]] = {
    "7": (Emulator.save_cursor, ()),
    "8": (Emulator.restore_cursor, ()),
    "D": (Emulator.index, ()),
    "E": (Emulator.next_line, ()),
    "H": (Emulator.set_tab_stop, ()),
    "M": (Emulator.reverse_index, ()),
    "=": (Emulator.set_application_keypad, (True,)),
    ">": (Emulator.set_application_keypad, (False,)),
    "c": (Emulator.reset, ()),
    "n": (Emulator.shift_to, (2,)),
    "o": (Emulator.shift_to, (3,)),
    "|": (Emulator.shift_to, (3,)),
    "}": (Emulator.shift_to, (2,)),
    "~": (Emulator.shift_to, (1,)),
    "%@": (Emulator.select_default_charset, ()),
    "%G": (Emulator.select_default_charset, ()),
    "#8": (Emulator.alignment_display, ()),
}
_CHARSETS: Final[dict[str, Meaning]] = {
    slot + name: (Emulator.define_charset, (name, slot)) for slot in SLOTS for name in DESIGNATIONS
}

CONTROLS: Final[dict[str, Meaning]] = {
    "\x08": (Emulator.backspace, ()),
    "\x09": (Emulator.tab, ()),
    "\x0a": (Emulator.linefeed, ()),
    "\x0b": (Emulator.linefeed, ()),
    "\x0c": (Emulator.linefeed, ()),
    "\x0d": (Emulator.carriage_return, ()),
    "\x0e": (Emulator.shift_out, ()),
    "\x0f": (Emulator.shift_in, ()),
}
_NOTHING: Final[Meaning] = (nothing, ())


def control_sequence(key: str, parameters: str) -> Meaning:
    """What a CSI means, given prefix, intermediates and final as one key."""
    entry = CONTROL_SEQUENCES.get(key)
    if entry is None:
        return _NOTHING
    method, count = entry
    if not count:
        return method, ()
    return method, parse_parameters(parameters).values[:count]


def escape(key: str) -> Meaning:
    """What an ESC means, given intermediates and final."""
    return _ESCAPES.get(key) or _CHARSETS.get(key, _NOTHING)


def control(character: str) -> Meaning:
    """What a C0 control means."""
    return CONTROLS.get(character, _NOTHING)


def meaning_of(spelling: str) -> Meaning | None:
    """What a control character or sequence means, or None where it is not complete and clean."""
    if spelling[0] != "\x1b":
        return control(spelling) if len(spelling) == 1 else None
    if spelling[1:2] == "[":
        match = _CSI.fullmatch(spelling)
        if match is None:
            return None
        prefix, parameters, intermediates, final = match.groups()
        if not parameters.isascii() or any(character in parameters for character in "<=>?"):
            return ignored, ()
        return control_sequence(prefix + intermediates + final, parameters)
    match = _ESC.fullmatch(spelling)
    if match is None or (not match[1] and match[2] in "PX[]^_"):
        return None
    return escape(match[1] + match[2])
