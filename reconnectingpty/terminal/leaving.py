"""What takes a real terminal out of all that a program has switched on in it, and leaves what it shows.

For whoever passes a program's output on to a person's own terminal: when that is over, or is to be drawn anew, the
terminal has to be as it was for whatever writes to it next. Only what differs from a fresh terminal is named, so that
after most programs nothing is.
"""

from __future__ import annotations

from .buffer import usual_tabs
from .charsets import ASCII
from .emulator import Emulator
from .machine import GROUND
from .modes import MOUSE_ENCODING, MOUSE_TRACKING, SWITCHES, Modes
from .operating import SPECIAL
from .parser import Parser
from .pen import DEFAULT

_NUMBERS = {name: number for number, name in SWITCHES.items()}
_TRACKING = {name: number for number, name in MOUSE_TRACKING.items()}
_ENCODING = {name: number for number, name in MOUSE_ENCODING.items()}


def leaving(parser: Parser) -> bytes:
    """What puts the parser's terminal back; the cursor ends at the start of the first row below what is shown.

    Titles stay: there is a stack for them in the terminal itself.
    """
    put_back = resetting(parser)
    return put_back + _cursor(parser.emulator, moved=bool(put_back)).encode()


def resetting(parser: Parser) -> bytes:
    """The same, with the cursor anywhere: for whoever clears the screen then."""
    emulator = parser.emulator
    cut = parser.machine.state != GROUND or parser.pending
    out = ["\x18"] if cut else []  # CAN ends a sequence or a character cut in half, and shows nothing
    if emulator.modes.synchronized:
        out.append("\x1b[?2026l")
    out += _keyboard(emulator)
    out += _modes(emulator)
    out += _drawing(emulator)
    return "".join(out).encode()


def clearing(parser: Parser) -> bytes:
    """What makes the parser's terminal a fresh one, with what had scrolled away: for a snapshot to be drawn on."""
    forget = b"\x1b[m\x0f\x1b(B\x1b[?6l\x1b[r\x1b[H\x1b7" if parser.emulator.is_alternate else b""
    return forget + resetting(parser) + b"\x1b[H\x1b7\x1b[J"


def _keyboard(emulator: Emulator) -> list[str]:
    """Kitty's keyboard flags of both screens; and the normal screen, if it was not shown."""
    forget = ["", ""]
    for screen, (first, *pushed) in enumerate(emulator.keyboard):
        forget[screen] = (f"\x1b[<{len(pushed)}u" if pushed else "") + ("\x1b[=0u" if first else "")
    alternate = emulator.is_alternate
    out = [forget[1] + "\x1b[?1049l"] if alternate else []
    if not alternate and forget[1]:
        out.append(f"\x1b[?1049h{forget[1]}\x1b[?1049l")
    return [*out, forget[0]]


def _modes(emulator: Emulator) -> list[str]:
    modes, usual, out = emulator.modes, Modes(), []
    private = [_NUMBERS[name] for name in _NUMBERS if getattr(modes, name) and not getattr(usual, name)]
    if emulator.mouse_tracking:
        private.append(_TRACKING[emulator.mouse_tracking])
    if emulator.mouse_encoding:
        private.append(_ENCODING[emulator.mouse_encoding])
    if emulator.cursor_blinks:
        private.append(12)
    if modes.origin:
        private.append(6)
    # One each: a terminal that doesn't know a number may drop the whole sequence.
    out += [f"\x1b[?{number}l" for number in (*private, *sorted(emulator.unknown_modes))]
    if modes.application_keypad:
        out.append("\x1b>")
    if not modes.wraparound:
        out.append("\x1b[?7h")
    if modes.insert:
        out.append("\x1b[4l")
    if emulator.newline:
        out.append("\x1b[20l")
    if emulator.modify_other_keys:
        out.append("\x1b[>4m")
    if modes.cursor_style or modes.cursor_blink is not None:
        out.append("\x1b[0 q")
    if emulator.cursor_hidden:
        out.append("\x1b[?25h")
    return out


def _drawing(emulator: Emulator) -> list[str]:
    """Pen, charsets, colours, margins, tab stops."""
    out = []
    pen = emulator.pen
    if pen is not DEFAULT or emulator.is_alternate:  # leaving the alternate screen brings an older pen back
        out.append("\x1b[m" + ("\x1b]8;;\x1b\\" if pen.link else ""))
    if emulator.shift or emulator.in_use != ASCII or emulator.charsets != [ASCII] * 4 or emulator.is_alternate:
        out.append("\x0f\x1b(B")
        out += [f"\x1b{slot}B" for slot, charset in zip(")*+", emulator.charsets[1:], strict=True) if charset != ASCII]
    if any(number < SPECIAL for number in emulator.colours):
        out.append("\x1b]104\x1b\\")
    out += [f"\x1b]{number - SPECIAL + 110}\x1b\\" for number in sorted(emulator.colours) if number >= SPECIAL]
    buffers = (emulator.normal, emulator.alternate)
    if any((buffer.top, buffer.bottom) != (0, emulator.lines - 1) for buffer in buffers):
        out.append("\x1b[r")
    stops = usual_tabs(emulator.columns)
    if any({stop for stop in buffer.tabs if stop < emulator.columns} != stops for buffer in buffers):
        out.append("\x1b[3g" + "".join(f"\x1b[{stop + 1}G\x1bH" for stop in sorted(stops)))
    return out


def _cursor(emulator: Emulator, *, moved: bool) -> str:
    """To the start of the first row below all that is shown; by a line feed alone where nothing has `moved` it."""
    normal, alternate = emulator.normal, emulator.is_alternate
    x, y = (normal.x, normal.y) if alternate else (emulator.x, emulator.y)
    columns = emulator.columns
    last = max((row for row, line in enumerate(normal.lines) if line.text(columns).strip()), default=-1)
    to = f"\x1b[{max(last, y) + 1}H" if moved or y < last else ""
    return to if x == 0 and y > last else to + "\r\n"
