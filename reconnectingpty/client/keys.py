"""Keys by their names, as the bytes that a terminal sends for them. Pure.

A name is a character, or one of `NAMES`, with `C-`, `M-` and `S-` (Ctrl, Alt, Shift) before it: `a`, `C-c`, `M-Enter`,
`C-S-Left`. Sources: xterm's ctlseqs ("PC-Style Function Keys"), and what xterm.js sends without modifyOtherKeys.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ReconnectingPTYError

_PLAIN = {
    "Enter": "\r",
    "Return": "\r",
    "Tab": "\t",
    "Escape": "\x1b",
    "Esc": "\x1b",
    "Space": " ",
    "Backspace": "\x7f",
}
_LETTERS = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "End": "F", "Home": "H"}
"""`CSI letter`, or `SS3 letter` while the program has asked for application cursor keys."""
_FUNCTION_LETTERS = {"F1": "P", "F2": "Q", "F3": "R", "F4": "S"}
"""`SS3 letter`, always."""
_NUMBERS = {
    "Insert": 2,
    "Delete": 3,
    "PageUp": 5,
    "PageDown": 6,
    "F5": 15,
    "F6": 17,
    "F7": 18,
    "F8": 19,
    "F9": 20,
    "F10": 21,
    "F11": 23,
    "F12": 24,
}
"""`CSI number ~`."""
_MODIFIERS = {"S": 1, "M": 2, "C": 4}
"""Added to 1 they are the parameter that tells of modifiers."""
_CONTROLS = {" ": 0, "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31, "/": 31, "?": 127}
"""Ctrl with a character that is no letter."""
NAMES = (*_PLAIN, *_LETTERS, *_FUNCTION_LETTERS, *_NUMBERS)
"""The keys that have names."""


class UnknownKey(ReconnectingPTYError, ValueError):
    """No key has this name."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, by its name. Raises UnknownKey."""

    name: str

    def __post_init__(self) -> None:
        self.encode()

    def encode(self, *, application_cursor: bool = False) -> bytes:
        """What a terminal sends for it."""
        name, modifiers = self.name, 0
        while len(name) > 2 and name[1] == "-" and name[0] in _MODIFIERS:
            modifiers |= _MODIFIERS[name[0]]
            name = name[2:]
        encoded = _encode(name, modifiers, application_cursor)
        if encoded is None:
            raise UnknownKey(
                f"{self.name!r} is no key; one is a character or {', '.join(NAMES)}, with C-, M-, S- before it"
            )
        return encoded


def _encode(name: str, modifiers: int, application_cursor: bool) -> bytes | None:
    if name in _LETTERS or name in _FUNCTION_LETTERS:
        letter = _LETTERS.get(name) or _FUNCTION_LETTERS[name]
        if modifiers:
            return f"\x1b[1;{1 + modifiers}{letter}".encode()
        return (f"\x1bO{letter}" if application_cursor or name in _FUNCTION_LETTERS else f"\x1b[{letter}").encode()
    if name in _NUMBERS:
        return f"\x1b[{_NUMBERS[name]}{f';{1 + modifiers}' if modifiers else ''}~".encode()
    if name == "Tab" and modifiers & _MODIFIERS["S"]:
        return b"\x1b[Z"
    character = _PLAIN.get(name, name)
    if len(character) != 1:
        return None
    if modifiers & _MODIFIERS["S"]:
        character = character.upper()
    if modifiers & _MODIFIERS["C"]:
        if name == "Backspace":
            character = "\b"
        elif character.isascii() and character.isalpha():
            character = chr(ord(character) & 0x1F)
        elif character in _CONTROLS:
            character = chr(_CONTROLS[character])
        elif name not in _PLAIN:
            return None
    return (b"\x1b" if modifiers & _MODIFIERS["M"] else b"") + character.encode()


def paste(text: str, *, bracketed: bool) -> bytes:
    """Text as a terminal pastes it: lines end as by Enter, and where the program asked for it, it is told of both ends.

    Nothing in the text can end a bracketed paste before its time.
    """
    lines = text.replace("\r\n", "\r").replace("\n", "\r")
    if not bracketed:
        return lines.encode()
    return b"\x1b[200~" + lines.replace("\x1b", "").encode() + b"\x1b[201~"
