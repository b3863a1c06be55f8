"""Bytes to calls on an emulator: the part that `pyte.ByteStream` plays.

One compiled pattern finds the next whole thing: a run of text, a control character, a whole sequence. What is not
whole yet waits for the bytes that finish it. Any input is taken; nothing is kept beyond a bound.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from .emulator import Emulator

MAX_SEQUENCE = 8192
"""Characters that an unfinished sequence may have; a longer string (OSC, DCS ...) is swallowed to its end."""
MAX_PARAMETER = 65535

_TOKEN = re.compile(
    r"""
      (?P<text>[^\x00-\x1f\x7f-\x9f]+)
    | (?:\x1b\[|\x9b)(?P<parameters>[0-?]*)(?P<intermediate>[ -/]*)(?P<final>[@-~])
    | (?:\x1b\]|\x9d)(?P<osc>[^\x07\x1b\x9c\x18\x1a]*)(?:\x07|\x1b\\|\x9c|[\x18\x1a])
    | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f])(?P<string>[^\x1b\x9c\x18\x1a]*)(?:\x1b\\|\x9c|[\x18\x1a])
    | \x1b(?P<charset>[()*+])(?P<which>[0-~])
    | \x1b(?P<escape>[ -/]*[0-OQ-WYZ\\`-~])
    | (?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x8f\x91-\x97\x99\x9a\x9c])
    """,
    re.VERBOSE,
)
_UNFINISHED = re.compile(
    r"(?:\x1b(?:[ -/]*|\[[0-?]*[ -/]*|\][^\x07\x1b\x9c\x18\x1a]*\x1b?|[PX^_][^\x1b\x9c\x18\x1a]*\x1b?)"
    r"|\x9b[0-?]*[ -/]*|\x9d[^\x07\x1b\x9c\x18\x1a]*\x1b?|[\x90\x98\x9e\x9f][^\x1b\x9c\x18\x1a]*\x1b?)\Z"
)
_STRING_START = re.compile(r"\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]")
_STRING_END = re.compile(r"\x07|\x1b|\x9c|\x18|\x1a")
_BROKEN_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[ -/]*)?|\x9b[0-?]*[ -/]*|\x1b?[\]PX^_][^\x1b]*|.", re.DOTALL)


class Parser:
    """Feeds one emulator. `pending` is what has come of a sequence or character that is not whole."""

    __slots__ = ("_decoder", "_rest", "_swallowing", "emulator")

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._swallowing = False

    @property
    def pending(self) -> bytes:
        """The bytes that wait for others; a terminal given them is in the same state of parsing."""
        start = "\x1b_" if self._swallowing else ""
        return (start + self._rest).encode() + self._decoder.getstate()[0]

    def feed(self, data: bytes) -> None:
        """Take bytes, in any chunking."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        position = self._swallow(text) if self._swallowing else 0
        match, emulator = _TOKEN.match, self.emulator
        while position < len(text):
            token = match(text, position)
            if token is None:
                position = self._unmatched(text, position)
                continue
            position = token.end()
            kind = token.lastgroup
            if kind == "text":
                emulator.draw(token["text"])
            elif kind == "final":
                self._csi(token["parameters"], token["intermediate"], token["final"])
            elif kind == "control":
                _CONTROLS.get(token["control"], _nothing)(emulator)
            elif kind == "osc":
                self._osc(token["osc"])
            elif kind == "which":
                emulator.define_charset(token["which"], token["charset"])
            elif kind == "escape":
                _ESCAPES.get(token["escape"], _nothing)(emulator)
            if kind != "text" and kind != "final":
                emulator.last = ""

    def _unmatched(self, text: str, position: int) -> int:
        """Nothing whole begins here: wait for the rest of it, or step over what can't become anything."""
        if _UNFINISHED.match(text, position):
            if len(text) - position <= MAX_SEQUENCE:
                self._rest = text[position:]
            else:
                self._swallowing = _STRING_START.match(text, position) is not None
            return len(text)
        broken = _BROKEN_SEQUENCE.match(text, position)
        return broken.end() if broken is not None else position + 1

    def _swallow(self, text: str) -> int:
        """The end of a string that was too long to keep."""
        end = _STRING_END.search(text)
        if end is None:
            return len(text)
        self._swallowing = False
        return end.end() + (1 if text[end.end() : end.end() + 1] == "\\" else 0)

    def _csi(self, parameters: str, intermediate: str, final: str) -> None:
        emulator = self.emulator
        if final == "m" and not intermediate and parameters[:1] not in _PREFIXES:
            emulator.sgr(parameters)
            return
        prefix = parameters[:1] if parameters[:1] in _PREFIXES else ""
        act = _SEQUENCES.get(prefix + intermediate + final)
        if act is not None:
            act(emulator, _numbers(parameters[len(prefix) :]))
        if final != "b":
            emulator.last = ""

    def _osc(self, body: str) -> None:
        number, _, value = body.partition(";")
        act = _OSC.get(number)
        if act is not None:
            act(self.emulator, value)


_PREFIXES = frozenset("<=>?")


def _numbers(parameters: str) -> list[int]:
    """The parameters as numbers, 0 where none is given; of sub-parameters the first."""
    if not parameters:
        return []
    heads = (part.partition(":")[0] for part in parameters.split(";")[:32])
    return [min(int(head), MAX_PARAMETER) if head.isdigit() and len(head) < 10 else 0 for head in heads]


def _nothing(emulator: Emulator) -> None:
    pass


def _next_line(emulator: Emulator) -> None:
    emulator.carriage_return()
    emulator.index()


_CONTROLS: dict[str, Callable[[Emulator], None]] = {
    "\x08": Emulator.backspace,
    "\x09": Emulator.tab,
    "\x0a": Emulator.linefeed,
    "\x0b": Emulator.linefeed,
    "\x0c": Emulator.linefeed,
    "\x0d": Emulator.carriage_return,
    "\x0e": Emulator.shift_out,
    "\x0f": Emulator.shift_in,
    "\x84": Emulator.index,
    "\x85": _next_line,
    "\x88": Emulator.set_tab_stop,
    "\x8d": Emulator.reverse_index,
}


def _keypad(on: bool) -> Callable[[Emulator], None]:
    def act(emulator: Emulator) -> None:
        emulator.keypad = on

    return act


_ESCAPES: dict[str, Callable[[Emulator], None]] = {
    "7": Emulator.save_cursor,
    "8": Emulator.restore_cursor,
    "=": _keypad(True),
    ">": _keypad(False),
    "D": Emulator.index,
    "E": _next_line,
    "H": Emulator.set_tab_stop,
    "M": Emulator.reverse_index,
    "c": Emulator.reset,
    "#8": Emulator.alignment_display,
}


def _at(numbers: list[int], index: int, default: int) -> int:
    """A parameter; `default` also for 0, as most sequences have it."""
    return (numbers[index] if index < len(numbers) else 0) or default


def _count(method: Callable[[Emulator, int], None]) -> Callable[[Emulator, list[int]], None]:
    return lambda emulator, numbers: method(emulator, _at(numbers, 0, 1))


def _how(method: Callable[[Emulator, int], None]) -> Callable[[Emulator, list[int]], None]:
    return lambda emulator, numbers: method(emulator, _at(numbers, 0, 0))


def _modes(on: bool, private: bool) -> Callable[[Emulator, list[int]], None]:
    def act(emulator: Emulator, numbers: list[int]) -> None:
        (emulator.set_mode if on else emulator.reset_mode)(*numbers, private=private)

    return act


def _by(rows: int, columns: int) -> Callable[[Emulator, list[int]], None]:
    def act(emulator: Emulator, numbers: list[int]) -> None:
        count = _at(numbers, 0, 1)
        emulator.move(rows * count, columns * count)

    return act


def _line_start(direction: int) -> Callable[[Emulator, list[int]], None]:
    def act(emulator: Emulator, numbers: list[int]) -> None:
        emulator.move(direction * _at(numbers, 0, 1), 0)
        emulator.carriage_return()

    return act


def _tabs(emulator: Emulator, numbers: list[int]) -> None:
    for _ in range(min(_at(numbers, 0, 1), emulator.columns)):
        emulator.tab()


def _cursor_shape(emulator: Emulator, numbers: list[int]) -> None:
    emulator.cursor_shape = _at(numbers, 0, 1)


def _window(emulator: Emulator, numbers: list[int]) -> None:
    if _at(numbers, 1, 0) in (0, 2):
        {22: Emulator.push_title, 23: Emulator.pop_title}.get(_at(numbers, 0, 0), _nothing)(emulator)


def _keyboard_push(emulator: Emulator, numbers: list[int]) -> None:
    emulator.keyboard = [*emulator.keyboard, _at(numbers, 0, 0)][-16:]


def _keyboard_pop(emulator: Emulator, numbers: list[int]) -> None:
    del emulator.keyboard[max(len(emulator.keyboard) - _at(numbers, 0, 1), 0) :]


_SEQUENCES: dict[str, Callable[[Emulator, list[int]], None]] = {
    "@": _count(Emulator.insert_characters),
    "A": _by(-1, 0),
    "B": _by(1, 0),
    "C": _by(0, 1),
    "D": _by(0, -1),
    "E": _line_start(1),
    "F": _line_start(-1),
    "G": _count(Emulator.cursor_to_column),
    "H": lambda emulator, n: emulator.cursor_position(_at(n, 0, 1), _at(n, 1, 1)),
    "I": _tabs,
    "J": _how(Emulator.erase_in_display),
    "K": _how(Emulator.erase_in_line),
    "L": _count(Emulator.insert_lines),
    "M": _count(Emulator.delete_lines),
    "P": _count(Emulator.delete_characters),
    "S": _count(Emulator.scroll_up),
    "T": _count(Emulator.scroll_down),
    "X": _count(Emulator.erase_characters),
    "Z": _count(Emulator.back_tab),
    "`": _count(Emulator.cursor_to_column),
    "a": _by(0, 1),
    "b": _count(Emulator.repeat),
    "d": _count(Emulator.cursor_to_line),
    "e": _by(1, 0),
    "f": lambda emulator, n: emulator.cursor_position(_at(n, 0, 1), _at(n, 1, 1)),
    "g": _how(Emulator.clear_tab_stop),
    "h": _modes(on=True, private=False),
    "l": _modes(on=False, private=False),
    "?h": _modes(on=True, private=True),
    "?l": _modes(on=False, private=True),
    "r": lambda emulator, n: emulator.set_margins(_at(n, 0, 0), _at(n, 1, 0)),
    "s": lambda emulator, n: emulator.save_cursor(),
    "u": lambda emulator, n: emulator.restore_cursor(),
    "t": _window,
    " q": _cursor_shape,
    "!p": lambda emulator, n: emulator.soft_reset(),
    ">u": _keyboard_push,
    "<u": _keyboard_pop,
}


def _link(emulator: Emulator, value: str) -> None:
    emulator.set_link(value.partition(";")[2][:2048])


_OSC: dict[str, Callable[[Emulator, str], None]] = {"0": Emulator.set_title, "2": Emulator.set_title, "8": _link}
