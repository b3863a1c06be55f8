"""What a program asks of its terminal, and what a terminal in this state answers.

One function for each question, each taking the emulator and the question's parameters; the answer goes to
`emulator.on_query`, where there is one. Whether anybody is to answer at all is decided there. Sources: DEC's VT510
manual (DA, DSR, DECRQM, DECRQSS), xterm's ctlseqs (XTVERSION, XTGETTCAP, XTWINOPS, OSC), kitty's keyboard protocol.
Called by the parser. What is said of the terminal's kind is what xterm.js says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .emulator import Emulator
from .modes import MOUSE_ENCODING, MOUSE_TRACKING, SWITCHES
from .sgr import sgr_of

NAME: Final = "reconnectingpty"
CELL: Final = (17, 8)
"""Height and width of a cell in pixels, where nobody can know: a common font's."""
_ANSI: Final = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255),
    (255, 255, 255),
)  # fmt: skip
"""xterm's first sixteen colours."""
_SPECIAL: Final = {256: (255, 255, 255), 257: (0, 0, 0), 258: (255, 255, 255)}
_LEVELS: Final = (0, 95, 135, 175, 215, 255)
_NOT_RECOGNIZED, _SET, _RESET, _ALWAYS_SET, _ALWAYS_RESET = range(5)
_TERMINFO: Final = {
    "TN": "xterm-256color",
    "name": "xterm-256color",
    "Co": "256",
    "colors": "256",
    "RGB": "8",
}
"""XTGETTCAP: names of capabilities that are known, and their values."""
_CURSOR: Final = {"": 1, "block": 2, "underline": 4, "bar": 6}


def _answer(emulator: Emulator, text: str) -> None:
    if emulator.on_query is not None:
        emulator.on_query(text.encode())


def device_attributes(emulator: Emulator, which: int = 0) -> None:
    """DA1: a VT100 with advanced video."""
    if not which:
        _answer(emulator, "\x1b[?1;2c")


def secondary_attributes(emulator: Emulator, which: int = 0) -> None:
    """DA2."""
    if not which:
        _answer(emulator, "\x1b[>0;276;0c")


def tertiary_attributes(emulator: Emulator, which: int = 0) -> None:
    """DA3: a unit number of zeros."""
    if not which:
        _answer(emulator, "\x1bP!|00000000\x1b\\")


def _position(emulator: Emulator) -> str:
    return f"{emulator.y + 1};{min(emulator.x, emulator.columns - 1) + 1}R"


def status(emulator: Emulator, which: int = 0) -> None:
    """DSR: 5 all is well, 6 the cursor is here."""
    if which == 5:
        _answer(emulator, "\x1b[0n")
    elif which == 6:
        _answer(emulator, "\x1b[" + _position(emulator))


def private_status(emulator: Emulator, which: int = 0) -> None:
    """DECXCPR."""
    if which == 6:
        _answer(emulator, "\x1b[?" + _position(emulator))


def mode(emulator: Emulator, number: int = 0) -> None:
    """DECRQM for an ANSI mode."""
    states = {
        2: _ALWAYS_RESET,
        4: _SET if emulator.modes.insert else _RESET,
        12: _ALWAYS_SET,
        20: _SET if emulator.newline else _RESET,
    }
    _answer(emulator, f"\x1b[{number};{states.get(number, _NOT_RECOGNIZED)}$y")


def private_mode(emulator: Emulator, number: int = 0) -> None:
    """DECRQM for a DEC private mode."""
    _answer(emulator, f"\x1b[?{number};{_private_mode(emulator, number)}$y")


def _private_mode(emulator: Emulator, number: int) -> int:
    if number in (8, 1048):
        return _ALWAYS_SET if number == 8 else _SET
    if number in (67, 1005, 1015):
        return _ALWAYS_RESET
    states: dict[int, Callable[[], bool]] = {
        6: lambda: emulator.modes.origin,
        12: lambda: emulator.cursor_blinks,
        25: lambda: not emulator.cursor_hidden,
    }
    if number in SWITCHES:
        on = bool(getattr(emulator.modes, SWITCHES[number]))
    elif number in MOUSE_TRACKING:
        on = emulator.mouse_tracking == MOUSE_TRACKING[number]
    elif number in MOUSE_ENCODING:
        on = emulator.mouse_encoding == MOUSE_ENCODING[number]
    elif number in (47, 1047, 1049):
        on = emulator.is_alternate
    elif number in states:
        on = states[number]()
    else:
        return _NOT_RECOGNIZED
    return _SET if on else _RESET


def version(emulator: Emulator, which: int = 0) -> None:
    """XTVERSION."""
    if not which:
        _answer(emulator, f"\x1bP>|{NAME}\x1b\\")


def window(emulator: Emulator, operation: int = 0, which: int = 0) -> None:
    """XTWINOPS 14, 16 and 18: the text area in pixels, a cell in pixels, the text area in cells."""
    rows, columns = emulator.lines, emulator.columns
    if operation == 14 and which != 2:
        _answer(emulator, f"\x1b[4;{rows * CELL[0]};{columns * CELL[1]}t")
    elif operation == 16:
        _answer(emulator, f"\x1b[6;{CELL[0]};{CELL[1]}t")
    elif operation == 18:
        _answer(emulator, f"\x1b[8;{rows};{columns}t")


def keyboard_flags(emulator: Emulator) -> None:
    """Kitty's `CSI ? u`."""
    _answer(emulator, f"\x1b[?{emulator.keyboard[emulator.is_alternate][-1]}u")


def palette_colour(number: int) -> tuple[int, int, int]:
    """xterm's colour of this number, before any program changed it."""
    if number < 16:
        return _ANSI[number]
    if number >= 256:
        return _SPECIAL[number]
    if number >= 232:
        grey = 8 + (number - 232) * 10
        return grey, grey, grey
    number -= 16
    return _LEVELS[number // 36], _LEVELS[number // 6 % 6], _LEVELS[number % 6]


def colour(emulator: Emulator, number: int) -> None:
    """OSC 4, 10, 11 and 12 with "?" for a colour."""
    value = emulator.colours.get(number) or palette_colour(number)
    command = f"4;{number}" if number < 256 else str(number - 246)
    _answer(emulator, f"\x1b]{command};rgb:{'/'.join(f'{part:02x}{part:02x}' for part in value)}\x1b\\")


def setting(emulator: Emulator, payload: str) -> None:
    """DECRQSS."""
    modes, buffer = emulator.modes, emulator.active
    blink = modes.cursor_blink if modes.cursor_blink is not None else emulator.cursor_blinks
    settings: dict[str, Callable[[], str]] = {
        '"q': lambda: f'{int(bool(emulator.pen.flags & 512))}"q',
        '"p': lambda: '61;1"p',
        "r": lambda: f"{buffer.top + 1};{buffer.bottom + 1}r",
        "m": lambda: f"{sgr_of(emulator.pen)[2:-1] or '0'}m",
        " q": lambda: f"{(_CURSOR[modes.cursor_style] or 2) - int(bool(blink) and bool(modes.cursor_style))} q",
    }
    known = settings.get(payload)
    _answer(emulator, f"\x1bP1$r{known()}\x1b\\" if known is not None else "\x1bP0$r\x1b\\")


def capability(emulator: Emulator, payload: str) -> None:
    """XTGETTCAP: names in hexadecimal, by semicolons; the first unknown one ends the answer."""
    for code in payload.split(";"):
        try:
            name = bytes.fromhex(code).decode("ascii")
        except ValueError:
            name = ""
        value = _TERMINFO.get(name)
        if value is None:
            _answer(emulator, f"\x1bP0+r{code}\x1b\\" if code.isalnum() and code.isascii() else "\x1bP0+r\x1b\\")
            return
        _answer(emulator, f"\x1bP1+r{code}={value.encode().hex().upper()}\x1b\\")
