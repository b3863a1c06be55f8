"""Bytes to calls on the emulator: the part that pyte.ByteStream plays, made for speed.

A chunk is cut into tokens by one regular expression: runs of text, complete sequences, single controls. What a
sequence means is worked out once and remembered by its spelling. A token that is not complete, or not clean, goes a
character at a time through the state machine (:mod:`.machine`), which also carries what is unfinished over to the next
chunk. It never raises on any input, and what it keeps is bounded.
"""

from __future__ import annotations

import re
from typing import Final

from .emulator import Emulator
from .machine import GROUND, MAX_STRING, Machine
from .meaning import SGR, Meaning, ignored, meaning_of, nothing
from .operating import operate
from .parameters import parse_parameters
from .passing import pass_lines
from .pen import RGB, pen_of
from .sgr import apply_sgr

_CONTROLS: Final = "\x00-\x1f\x7f-\x9f"
TOKENS: Final = re.compile(
    rf"[^{_CONTROLS}]+"
    r"|\r\n"
    r"|\x1b\[[0-9;:]*[@-~]"
    r"|[\x00-\x17\x18-\x1a\x1c-\x1f]"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b(?:[0-OQ-WYZ\\`-~]|[ -/]+[0-~])"
    rf"|\x1b\][^\x00-\x1f\x80-\x9f]*(?:\x07|\x1b\\)"
    r"|\x1b[\s\S]*"
)
"""Text; line end; CSI without prefix; C0; CSI; ESC; OSC; and the rest, from what is no token. DEL is none of them."""
_TRUE_COLOUR: Final = ("\x1b[38;2;", "\x1b[48;2;")
_BYTES: Final = {str(value): value for value in range(256)}
_C1: Final = re.compile("[\x80-\x9f]")
_PLAIN: Final = bytes(range(0x20, 0x7F)) + b"\r\n"
_PARTIAL: Final = re.compile(rb"(?:[\xc0-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf7][\x80-\xbf]{0,2})\Z")
"""A UTF-8 character cut short by the end of the chunk."""
_LINE_END: Final = "\r\n"
_NOT_COLOURED: Final = re.compile("\x1b(?!\\[(?:[0-9;:]*m|K))")
_FEW: Final = 4
"""Lines from which on it is worth taking them together."""
_FIRST_WINDOW: Final = 256
_MAX_MEANINGS: Final = 4096

_meanings: dict[str, Meaning] = {}
"""Shared by all parsers: what a sequence means depends on nothing but its spelling."""


class Parser:
    """Feeds one emulator."""

    __slots__ = ("_text_last", "emulator", "machine", "partial")

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.machine = Machine(emulator)
        self.partial = b""
        """The first bytes of a UTF-8 character that is not complete."""
        self._text_last = False

    @property
    def joins(self) -> bool:
        """Whether a combining character that comes now would join the one before."""
        return self._text_last and self.emulator.join > 0

    @property
    def pending(self) -> bytes:
        """What was begun and not finished, as bytes that bring a fresh parser to the same point."""
        return self.machine.pending.encode() + self.partial

    def feed(self, data: bytes) -> None:
        """Take any bytes, cut anywhere."""
        if self.machine.state != GROUND and not self.partial and data.isascii():
            data = data[self._run(data.decode("ascii"), 0) :]
        if self.machine.state == GROUND and not self.partial:
            others = data.translate(None, _PLAIN)
            if not others:
                self._feed_lines(data.decode("ascii"))
                return
            if not others.translate(None, b"\x1b") and self._feed_coloured_lines(data.decode("ascii")):
                return
        text = self._decode(data)
        if self.machine.state != GROUND:
            text = text[self._run(text, 0) :]
        if text:
            if not text.isascii() and _C1.search(text) is not None:
                self._feed_rest(text)
                return
            rest = self._feed_tokens(TOKENS.findall(text))
            if rest:
                self._feed_rest(rest)

    def _decode(self, data: bytes) -> str:
        """As xterm.js does: what is not UTF-8 is not there, nor is a byte order mark."""
        if self.partial:
            data = self.partial + data
            self.partial = b""
        if data.isascii():
            return data.decode("ascii")
        cut = _PARTIAL.search(data, max(len(data) - 3, 0))
        if cut is not None:
            self.partial = cut[0]
            data = data[: cut.start()]
        text = data.decode("utf-8", "ignore")
        return text.replace("\ufeff", "") if "\ufeff" in text else text

    def _feed_lines(self, text: str) -> None:
        """Printable ASCII and line ends alone."""
        emulator = self.emulator
        if not text:
            return
        if text[0] == "\n":
            emulator.linefeed()
            text = text[1:]
        last_return = text.endswith("\r")
        if last_return:
            text = text[:-1]
        lines = text.split("\r\n")
        rest = lines.pop()
        if lines and "\n" not in rest and text.count("\n") == len(lines) == text.count("\r"):
            emulator.draw_lines(lines)
            if rest:
                emulator.draw(rest)
            self._text_last = bool(rest)
        elif text:
            self._feed_tokens(TOKENS.findall(text))
        if last_return:
            emulator.x = 0
            self._text_last = False

    def _feed_coloured_lines(self, text: str) -> bool:
        """Lines with SGR and EL among them. False where nothing was done, since there is more to it."""
        start, end = int(text.startswith("\n")), text.rfind("\r\n") + 2
        lines = text[start : max(end - 2, 0)].split("\r\n")
        count = len(lines)
        if count < _FEW or text.count("\n", start, end) != count or text.count("\r", start, end) != count:
            return False
        if start:
            self._feed_tokens(["\n"])
        emulator = self.emulator
        at = 0
        while at < count:
            if emulator.in_fresh_last_row:
                at = pass_lines(emulator, lines, at)
                self._text_last = False
            if at < count:
                if _NOT_COLOURED.search(lines[at]) is not None:
                    break
                self._feed_tokens(TOKENS.findall(lines[at] + _LINE_END))
                at += 1
        rest = self._feed_tokens(TOKENS.findall(_LINE_END.join([*lines[at:], text[end:]])))
        if rest:
            self._feed_rest(rest)
        return True

    def _feed_tokens(self, tokens: list[str]) -> str:
        """Carry out the tokens; what comes back is the last one, where it is none: it begins what is no token."""
        emulator = self.emulator
        draw, known = emulator.draw, _meanings.get
        text_last = self._text_last
        if not text_last:
            emulator.join = 0
        for token in tokens:
            first = token[0]
            if first > "\x1f":
                if not text_last:
                    emulator.join = 0
                draw(token)
                text_last = True
                continue
            if token == _LINE_END:
                emulator.x = 0
                emulator.linefeed()
                text_last = False
                continue
            meaning = known(token)
            if meaning is None:
                meaning = self._learn(token)
                if meaning is None:
                    self._text_last = text_last
                    return token
            method, arguments = meaning
            if method is SGR:
                steps = emulator.pen.steps
                pen = steps.get(token) if steps is not None else None
                if pen is None:
                    pen = apply_sgr(emulator.pen, parse_parameters(token[2:-1]))
                    emulator.pen.remember(token, pen)
                emulator.pen = pen
            elif method is ignored:
                continue
            else:
                if not text_last:
                    emulator.join = 0
                method(emulator, *arguments)
            text_last = False
        self._text_last = text_last
        return ""

    def _learn(self, token: str) -> Meaning | None:
        """What a token means that is not known yet; None for what is no token."""
        if token.startswith(_TRUE_COLOUR) and token[-1] == "m":
            # Pictures in 24-bit colour have another in every cell: nothing to remember.
            values = token[7:-1].split(";")
            if len(values) == 3 and all(map(_BYTES.__contains__, values)):
                colour = RGB | _BYTES[values[0]] << 16 | _BYTES[values[1]] << 8 | _BYTES[values[2]]
                return _set_foreground if token[2] == "3" else _set_background, (colour,)
        if token.startswith("\x1b]"):
            payload = token[2:-1] if token[-1] == "\x07" else token[2:-2]
            if "\x1b" in payload or token[-1] not in "\x07\\":
                return None
            return (operate, (payload,)) if len(payload) <= MAX_STRING else (nothing, ())
        meaning = meaning_of(token)
        if meaning is not None:
            if len(_meanings) >= _MAX_MEANINGS:
                _meanings.clear()
            if len(token) < 64:
                _meanings[token] = meaning
        return meaning

    def _feed_rest(self, text: str) -> None:
        """What begins with something unclean: through the state machine up to its end, then by tokens again.

        By windows that grow, since what follows may be unclean again, and looking at all of it each time would take
        time that grows with the square of its length.
        """
        at, window = 0, _FIRST_WINDOW
        while at < len(text):
            if self.machine.state == GROUND:
                end = min(at + window, len(text))
                control = None if text.isascii() else _C1.search(text, at, end)
                if control is not None:
                    end = control.start()
                done = end - len(self._feed_tokens(TOKENS.findall(text, at, end)))
                if done > at:
                    window = window * 2 if done == end else _FIRST_WINDOW
                    at = done
                    continue
            at = self._run(text, at)

    def _run(self, text: str, at: int) -> int:
        """Through the state machine; a character printed before is still joined until something is carried out."""
        emulator = self.emulator
        if not self._text_last:
            emulator.join = 0
        at = self.machine.run(text, at)
        self._text_last = emulator.join > 0
        return at


def _set_foreground(emulator: Emulator, colour: int) -> None:
    _, bg, flags, style, ucolour, link = emulator.pen.key
    emulator.pen = pen_of((colour, bg, flags, style, ucolour, link))


def _set_background(emulator: Emulator, colour: int) -> None:
    fg, _, flags, style, ucolour, link = emulator.pen.key
    emulator.pen = pen_of((fg, colour, flags, style, ucolour, link))
