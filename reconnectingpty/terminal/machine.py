"""The parser's slow and exact half: one character at a time, and what is unfinished at the end of a chunk.

The states and what leads from one to the next are those of DEC's VT500 parser as Paul Williams drew it
(vt100.net/emu/dec_ansi_parser), with what xterm.js adds for Unicode. Every string it keeps is bounded. Called by the
parser for whatever is not a clean token.
"""

from __future__ import annotations

import re
from typing import Final

from . import queries
from .emulator import Emulator
from .meaning import SGR, Meaning, control, control_sequence, escape
from .operating import operate
from .parameters import parse_parameters
from .sgr import apply_sgr

(
    GROUND,
    ESCAPE,
    ESCAPE_INTERMEDIATE,
    CSI_ENTRY,
    CSI_PARAMETERS,
    CSI_INTERMEDIATE,
    CSI_IGNORE,
    STRING,
    OSC,
    DCS_ENTRY,
    DCS_PARAMETERS,
    DCS_IGNORE,
    DCS_INTERMEDIATE,
    DCS,
) = range(14)

MAX_STRING: Final = 1 << 16
"""Characters of an OSC that are kept; a longer one does nothing."""
MAX_DCS: Final = 1 << 12
"""The same for a DCS, of which only questions mean anything."""
MAX_SPELLING: Final = 1 << 10
"""Characters of parameters, or of intermediates, that are kept; what comes after is dropped."""

_STRING_END: Final = re.compile("[\x18\x1a\x1b\x80-\U0010ffff]")
_OSC_END: Final = re.compile("[\x00-\x1f\x80-\x9f]")
_DCS_END: Final = re.compile("[\x18\x1a\x1b\x7f-\x9f]")
_IGNORED: Final = "\x1b[0<"
_STARTS: Final = {"\x90": DCS_ENTRY, "\x98": STRING, "\x9b": CSI_ENTRY, "\x9d": OSC, "\x9e": STRING, "\x9f": STRING}
_AFTER_ESCAPE: Final = {"[": CSI_ENTRY, "]": OSC, "P": DCS_ENTRY, "X": STRING, "^": STRING, "_": STRING}
_QUESTIONS: Final = {"$q": queries.setting, "+q": queries.capability}
_OPENERS: Final = {
    ESCAPE: "\x1b",
    ESCAPE_INTERMEDIATE: "\x1b",
    CSI_ENTRY: "\x1b[",
    CSI_PARAMETERS: "\x1b[",
    CSI_INTERMEDIATE: "\x1b[",
    STRING: "\x1b_",
    OSC: "\x1b]",
    DCS_ENTRY: "\x1bP",
    DCS_PARAMETERS: "\x1bP",
    DCS_INTERMEDIATE: "\x1bP",
    DCS: "\x1bP",
}


class Machine:
    """State, and the spelling so far of what was begun: prefix, parameters, intermediates, string."""

    __slots__ = ("_final", "_intermediates", "_overlong", "_parameters", "_prefix", "_string", "emulator", "state")

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.state = GROUND
        self._overlong = False
        self._clear()

    def _clear(self) -> None:
        self._prefix = self._parameters = self._intermediates = self._final = self._string = ""
        self._overlong = False

    @property
    def pending(self) -> str:
        """What a fresh machine has to read to be where this one is."""
        state = self.state
        if state == GROUND:
            return ""
        if state in (CSI_IGNORE, DCS_IGNORE):
            return _IGNORED if state == CSI_IGNORE else "\x1bP0<"
        string = "x" if self._overlong else self._string
        return _OPENERS[state] + self._prefix + self._parameters + self._intermediates + self._final + string

    def run(self, text: str, at: int) -> int:
        """Take characters from position `at` until nothing is unfinished; the position behind the last one taken."""
        end = len(text)
        while at < end:
            at = self._long(text, at)
            if at < end:
                self._take(text[at])
                at += 1
            if self.state == GROUND:
                return at
        return at

    def _long(self, text: str, at: int) -> int:
        """Take the bulk of a string at once."""
        state = self.state
        if state == STRING:
            found = _STRING_END.search(text, at)
        elif state == OSC:
            found = _OSC_END.search(text, at)
        elif state == DCS:
            found = _DCS_END.search(text, at)
        else:
            return at
        end = found.start() if found is not None else len(text)
        if state != STRING and end > at:
            self._keep(text, at, end, MAX_STRING if state == OSC else MAX_DCS)
        return end

    def _keep(self, text: str, at: int, end: int, limit: int) -> None:
        if self._overlong:
            return
        if len(self._string) + end - at > limit:
            self._overlong = True
            self._string = ""
        else:
            self._string += text[at:end]

    def _take(self, character: str) -> None:
        state = self.state
        if character == "\x1b":
            self._finish(state, done=True)
            self._clear()
            self.state = ESCAPE
        elif character in "\x18\x1a":
            self._finish(state, done=False)
            self.emulator.join = 0
            self._end()
        elif "\x7f" < character < "\xa0":
            self._take_c1(character, state)
        elif character < " ":
            self._take_c0(character, state)
        elif character >= "\xa0":
            if state not in (CSI_IGNORE, DCS_IGNORE, OSC, DCS):
                self._end()
        else:
            _TAKE[state](self, character)

    def _end(self) -> None:
        self.state = GROUND
        self._clear()

    def _finish(self, state: int, *, done: bool) -> None:
        """A string has come to its end, or is given up."""
        if state in (OSC, DCS):
            self.emulator.join = 0
        if done and not self._overlong:
            if state == OSC:
                operate(self.emulator, self._string)
            elif state == DCS and not self._prefix:
                question = _QUESTIONS.get(self._intermediates + self._final)
                if question is not None:
                    question(self.emulator, self._string)

    def _take_c1(self, character: str, state: int) -> None:
        if character == "\x9c" and state in (OSC, DCS):
            self._finish(state, done=True)
        self._end()
        start = _STARTS.get(character)
        if start is not None:
            self.state = start
        elif character != "\x9c":
            self.emulator.execute(character)

    def _take_c0(self, character: str, state: int) -> None:
        if state <= CSI_IGNORE:
            self._do(control(character))
        elif state == OSC and character == "\x07":
            self._finish(state, done=True)
            self._end()
        elif state == DCS:
            self._keep(character, 0, 1, MAX_DCS)

    def _do(self, meaning: Meaning) -> None:
        method, arguments = meaning
        method(self.emulator, *arguments)
        self.emulator.join = 0

    # -- printable ASCII and DEL, state by state

    def _take_ground(self, character: str) -> None:
        """Never: what is not begun is not taken."""

    def _take_escape(self, character: str) -> None:
        if character == "\x7f":
            return
        start = _AFTER_ESCAPE.get(character)
        if start is not None:
            self.state = start
        elif character < "0":
            self._intermediates = character
            self.state = ESCAPE_INTERMEDIATE
        else:
            self._end()
            self._do(escape(character))

    def _take_escape_intermediate(self, character: str) -> None:
        if character < "0":
            self._add_intermediate(character)
            return
        key = self._intermediates + character
        self._end()
        if character != "\x7f":
            self._do(escape(key))

    def _add_intermediate(self, character: str) -> None:
        if len(self._intermediates) < MAX_SPELLING:
            self._intermediates += character

    def _take_csi(self, character: str) -> None:
        if character == "\x7f":
            return
        if character < "0":
            self._add_intermediate(character)
            self.state = CSI_INTERMEDIATE
        elif character < "<":
            if len(self._parameters) < MAX_SPELLING:
                self._parameters += character
            self.state = CSI_PARAMETERS
        elif character < "@":
            if self.state == CSI_ENTRY:
                self._prefix = character
                self.state = CSI_PARAMETERS
            else:
                self.state = CSI_IGNORE
        else:
            self._dispatch(character)

    def _take_csi_intermediate(self, character: str) -> None:
        if character == "\x7f":
            return
        if character < "0":
            self._add_intermediate(character)
        elif character < "@":
            self.state = CSI_IGNORE
        else:
            self._dispatch(character)

    def _take_csi_ignore(self, character: str) -> None:
        if "@" <= character < "\x7f":
            self._end()

    def _dispatch(self, final: str) -> None:
        parameters = self._parameters
        meaning = control_sequence(self._prefix + self._intermediates + final, parameters)
        self._end()
        if meaning[0] is SGR:
            self.emulator.join = 0
            self.emulator.pen = apply_sgr(self.emulator.pen, parse_parameters(parameters))
        else:
            self._do(meaning)

    def _take_string(self, character: str) -> None:
        """What is in SOS, PM and APC means nothing."""

    def _take_osc(self, character: str) -> None:
        self._keep(character, 0, 1, MAX_STRING)

    def _take_dcs_head(self, character: str) -> None:
        state = self.state
        if character == "\x7f":
            return
        if character < "0":
            self._add_intermediate(character)
            self.state = DCS_INTERMEDIATE
        elif character < "@":
            if state == DCS_INTERMEDIATE or (character >= "<" and state == DCS_PARAMETERS):
                self.state = DCS_IGNORE
                return
            if character >= "<":
                self._prefix = character
            elif len(self._parameters) < MAX_SPELLING:
                self._parameters += character
            self.state = DCS_PARAMETERS
        else:
            self._final = character
            self.state = DCS

    def _take_dcs_ignore(self, character: str) -> None:
        """Until it ends."""

    def _take_dcs(self, character: str) -> None:
        if character != "\x7f":
            self._keep(character, 0, 1, MAX_DCS)


_TAKE: Final = (
    Machine._take_ground,
    Machine._take_escape,
    Machine._take_escape_intermediate,
    Machine._take_csi,
    Machine._take_csi,
    Machine._take_csi_intermediate,
    Machine._take_csi_ignore,
    Machine._take_string,
    Machine._take_osc,
    Machine._take_dcs_head,
    Machine._take_dcs_head,
    Machine._take_dcs_ignore,
    Machine._take_dcs_head,
    Machine._take_dcs,
)
"""By state."""
