"""What a person says to `attach` itself, in between what is typed into the session, as ssh has it. Pure.

An escape character counts at the beginning of a line alone, so right after Enter, and never within a paste. Typed
twice, it is one of itself; before anything that is no command, it is what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

DEFAULT = "~"
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
_ENTER = b"\r\n"


class Command(Enum):
    """What the character behind the escape character asks for; the values are these."""

    LEAVE = b"."
    SUSPEND = b"\x1a"
    REDRAW = b"r"
    HELP = b"?"


_COMMANDS = {command.value: command for command in Command}


def escape_character(text: str) -> bytes | None:
    """What a setting means: a character, `^X` for one typed with Ctrl, `none`. Raises ValueError."""
    if text == "none":
        return None
    if len(text) == 2 and text[0] == "^" and "@" <= text[1].upper() <= "_":
        return bytes([ord(text[1].upper()) & 0x1F])
    if len(text) == 1 and text.isascii() and text not in "\r\n":
        return text.encode()
    raise ValueError(f"{text!r} must be a character, ^ and a letter, or none")


def shown(character: bytes) -> str:
    """How to tell a person of a key."""
    code = character[0]
    return f"^{chr(code + 64)}" if code < 32 else chr(code)


class Escapes:
    """Finds commands in what is typed."""

    def __init__(self, character: bytes | None) -> None:
        self._escape = character
        self._fresh = True  # at the beginning of a line
        self._begun = False  # the escape character was typed
        self._pasting = False
        self._tail = b""  # of what came before, so that a mark cut in half is seen

    def feed(self, data: bytes) -> Iterator[bytes | Command]:
        """What is to be typed, and what is asked for, in order."""
        escape = self._escape
        if escape is None:
            yield data
            return
        typed = bytearray()
        while data:
            if self._begun:
                self._begun = False
                key, data = data[:1], data[1:]
                if key in _COMMANDS:
                    if typed:
                        yield bytes(typed)
                        typed.clear()
                    yield _COMMANDS[key]
                    self._fresh = True
                    continue
                typed += key if key == escape else escape + key
                self._pass(key)
                continue
            if self._fresh and not self._pasting and data[:1] == escape:
                self._begun, data = True, data[1:]
                continue
            end = self._plain(data)
            typed += data[:end]
            self._pass(data[:end])
            data = data[end:]
        if typed:
            yield bytes(typed)

    def _plain(self, data: bytes) -> int:
        """How much of it goes by before the escape character could count."""
        assert self._escape is not None
        found = [at + 1 for enter in (b"\r", b"\n") if (at := data.find(enter + self._escape)) >= 0]
        return min(found, default=len(data))

    def _pass(self, data: bytes) -> None:
        self._fresh = data[-1] in _ENTER
        recent = self._tail + data
        begun, ended = recent.rfind(_PASTE), recent.rfind(_PASTED)
        if begun != ended:
            self._pasting = begun > ended
        self._tail = recent[-len(_PASTE) + 1 :]
