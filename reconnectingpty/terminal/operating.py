"""Operating system commands (OSC): titles, colours, hyperlinks. All others are swallowed.

One function for each command number, each taking the emulator and the command's text. Sources: xterm's ctlseqs for 0
to 112, Egmont Koblinger's gist for 8. A clipboard (52), a directory (7) or a shell's mark (133) is nothing to draw, so
it passes by here and is never told again to a later viewer. Called by the parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from . import queries
from .emulator import Emulator
from .modes import MAX_TITLES
from .sgr import set_link

SPECIAL: Final = 256
"""Where foreground, background and cursor colour follow the palette."""
_DIGITS: Final = re.compile(r"[0-9]+")
_RGB: Final = re.compile(r"([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})")
_HASH: Final = re.compile(r"[0-9a-f]+")


def parse_colour(text: str) -> tuple[int, int, int] | None:
    """`rgb:r/g/b` with one to four digits each, or `#rgb` with one to four digits each (XParseColor)."""
    low = text.lower()
    if low.startswith("rgb:"):
        match = _RGB.fullmatch(low, 4)
        if match is None or len({len(part) for part in match.groups()}) > 1:
            return None
        most = 16 ** len(match[1]) - 1
        red, green, blue = (int(int(part, 16) / most * 255 + 0.5) for part in match.groups())
        return red, green, blue
    digits = low[1:]
    if not low.startswith("#") or len(digits) not in (3, 6, 9, 12) or _HASH.fullmatch(digits) is None:
        return None
    size = len(digits) // 3
    shift = 4 * (size - 2)
    values = (int(digits[at : at + size], 16) for at in range(0, len(digits), size))
    red, green, blue = (value >> shift if shift >= 0 else value << -shift for value in values)
    return red, green, blue


def set_title(emulator: Emulator, text: str) -> None:
    """OSC 2."""
    emulator.title = emulator.shown_title = text


def set_icon_name(emulator: Emulator, text: str) -> None:
    """OSC 1."""
    emulator.icon_name = text


def _set_both(emulator: Emulator, text: str) -> None:
    set_title(emulator, text)
    set_icon_name(emulator, text)


def _palette(emulator: Emulator, text: str) -> None:
    """OSC 4: pairs of index and colour, or of index and "?"."""
    slots = text.split(";")
    for index, colour in zip(slots[::2], slots[1::2], strict=False):
        number = _index(index)
        if number is not None:
            _set_or_report(emulator, number, colour)


def _index(text: str) -> int | None:
    if _DIGITS.fullmatch(text) is None or len(text) > 9 or int(text) > 255:
        return None
    return int(text)


def _set_or_report(emulator: Emulator, number: int, colour: str) -> None:
    if colour == "?":
        queries.colour(emulator, number)
        return
    value = parse_colour(colour)
    if value is not None:
        emulator.colours[number] = value


def _special(first: int) -> Callable[[Emulator, str], None]:
    def special(emulator: Emulator, text: str) -> None:
        for offset, colour in enumerate(text.split(";")[: 3 - first]):
            _set_or_report(emulator, SPECIAL + first + offset, colour)

    return special


def _restore_palette(emulator: Emulator, text: str) -> None:
    """OSC 104: these entries, or all."""
    if not text:
        for number in [number for number in emulator.colours if number < SPECIAL]:
            del emulator.colours[number]
    for slot in text.split(";"):
        index = _index(slot)
        if index is not None:
            emulator.colours.pop(index, None)


def _restore_special(number: int) -> Callable[[Emulator, str], None]:
    def restore(emulator: Emulator, text: str) -> None:
        emulator.colours.pop(SPECIAL + number, None)

    return restore


def _link(emulator: Emulator, text: str) -> None:
    """OSC 8: parameters, a semicolon, a URI; without a URI the link ends."""
    parameters, separator, uri = text.partition(";")
    if separator and (uri or not parameters.strip()):
        emulator.pen = set_link(emulator.pen, text if uri else "")


COMMANDS: Final[dict[int, Callable[[Emulator, str], None]]] = {
    0: _set_both,
    1: set_icon_name,
    2: set_title,
    4: _palette,
    8: _link,
    10: _special(0),
    11: _special(1),
    12: _special(2),
    104: _restore_palette,
    110: _restore_special(0),
    111: _restore_special(1),
    112: _restore_special(2),
}


def operate(emulator: Emulator, payload: str) -> None:
    """Carry out `OSC payload ST`."""
    number, _, text = payload.partition(";")
    if _DIGITS.fullmatch(number) is not None and len(number) < 9:
        command = COMMANDS.get(int(number))
        if command is not None:
            command(emulator, text)


def title_stack(emulator: Emulator, operation: int = 0, which: int = 0) -> None:
    """XTWINOPS 22 and 23: keep, and bring back, title (0, 2) and icon name (0, 1)."""
    if operation == 22:
        for wanted, stack, text in (
            ((0, 2), emulator.title_stack, emulator.title),
            ((0, 1), emulator.icon_stack, emulator.icon_name),
        ):
            if which in wanted:
                stack.append(text)
                del stack[:-MAX_TITLES]
    elif operation == 23:
        if which in (0, 2) and emulator.title_stack:
            emulator.title = emulator.title_stack.pop()
        if which in (0, 1) and emulator.icon_stack:
            emulator.icon_name = emulator.icon_stack.pop()
