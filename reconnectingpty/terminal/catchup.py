"""Moves an emulator along the log, behind everybody's back, in slices of time; skips what has provably scrolled away.

A stretch of text, line ends and SGR on the normal screen with full margins leaves nothing behind but its last lines
and its pen, once as many lines have followed as screen and scrollback hold together. That is decided by searching
bytes, which is a hundred times faster than parsing them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..output_log import OutputLog
from ..size import Size
from .emulator import Emulator
from .modes import AUTOWRAP
from .parser import Parser
from .pen import DEFAULT
from .screen import Screen
from .snapshot import snapshot

PARSE = 4 << 10
"""Bytes parsed between two looks at the clock: well under a millisecond of most streams."""
LOOK_EVERY = 128 << 10
"""Bytes that have to come before it is looked again whether anything can be skipped."""
LONGEST_SGR = 64
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")
_NOT_SGR = re.compile(rb"\x1b(?!\[[0-9;:]*+m)")
_RESET = re.compile(rb"\x1b\[0?m")
_UNPRINTED = (b"\x0e", b"\x0f", b"\xc2", b"\x9b")
"""What may change more than a line: SO, SI, and the first byte of a C1 control in UTF-8 (or of Latin-1 letters, which
are then parsed as well). 0x9b alone is no control in UTF-8, and too rare to look into."""


class TerminalModel:
    """An emulator that follows a log. `clock` counts seconds and is only ever compared with itself."""

    __slots__ = ("_clock", "_log", "_look_from", "_parse_to", "_parser", "_reader")

    def __init__(self, log: OutputLog, size: Size, *, scrollback: int = 5000, clock: Callable[[], float]) -> None:
        self._log = log
        self._reader = log.reader(log.start)
        self._parser = Parser(Emulator(size, scrollback))
        self._clock = clock
        self._parse_to = 0  # what lies before this offset can't be skipped
        self._look_from = LOOK_EVERY  # looking is worth it once the log has come this far

    @property
    def emulator(self) -> Emulator:
        """The terminal as of `lag` bytes before the log's end."""
        return self._parser.emulator

    @property
    def lag(self) -> int:
        """Bytes of the log that the emulator has not seen."""
        return self._reader.lag

    def advance(self, seconds: float, lag: int = 0) -> bool:
        """Catch up for about that long, or until at most `lag` bytes behind.

        True where the log's end, and every change of size, is reached.
        """
        until = self._clock() + seconds
        while not self._reader.at_end:
            self._skip()
            if self.lag < lag:
                break
            data = self._reader.read(PARSE)
            if isinstance(data, Size):
                self.emulator.resize(data.rows, data.cols)
            else:
                self._parser.feed(data)
            if self._clock() >= until:
                break
        return self._reader.at_end

    def snapshot(self, lines: int | None = None) -> bytes:
        """What draws the terminal on a fresh one. Raises ValueError unless the model has caught up."""
        if not self._reader.at_end:
            raise ValueError("the model has not caught up with the log")
        return snapshot(self._parser, lines)

    def screen(self) -> Screen:
        """What the terminal shows, as of `lag` bytes before the log's end."""
        return Screen.of(self.emulator)

    # -- skipping

    def _skip(self) -> None:
        """Jump over what will have scrolled away, if there is anything of that kind ahead."""
        emulator, start = self.emulator, self._reader.offset
        kept = emulator.lines + emulator.scrollback_limit
        if start < self._parse_to or self._log.end < self._look_from or not self._plain_state():
            return
        change = self._reader.next_size_change()
        data = self._log.slice(start, self._log.end if change is None else change)
        stop = _end_of_plain(data)
        cut = _before_last_lines(data, stop, kept)
        if cut > 0:
            self._fast_forward(data[:cut])
            self._reader.skip_to(start + cut)
        self._look_from = self._log.end + LOOK_EVERY
        if stop < len(data) - LONGEST_SGR:  # else it may be an SGR that is not whole yet
            self._parse_to = start + stop + 1

    def _plain_state(self) -> bool:
        """Whether text and line ends do now what they do on a fresh terminal."""
        emulator = self.emulator
        buffer = emulator.active
        return (
            emulator.alternate is None
            and (buffer.top, buffer.bottom) == (0, emulator.lines - 1)
            and not emulator.insert
            and emulator.charsets[emulator.shift] == "B"
            and bool(emulator.modes.get(AUTOWRAP))
            and not self._parser.pending
        )

    def _fast_forward(self, skipped: bytes) -> None:
        """Leave the emulator as the skipped bytes would, as far as anything of that will be left to see."""
        emulator = self.emulator
        resets = [match.end() for match in _RESET.finditer(skipped, max(len(skipped) - 4096, 0))]
        if not resets:
            resets = [0]
        else:
            emulator.pen = DEFAULT._replace(link=emulator.pen.link) if emulator.pen.link else DEFAULT
        for match in _SGR.finditer(skipped, resets[-1]):
            emulator.sgr(match[0][2:-1].decode("ascii"))
        # The skipped part ended with a line end: the cursor is where that leaves it, on the last row.
        emulator.active.row = emulator.lines - 1
        emulator.active.column = 0


def _end_of_plain(data: bytes) -> int:
    """How far the data is text, line ends and SGR alone."""
    end = len(data)
    for byte in _UNPRINTED:
        found = data.find(byte, 0, end)
        if found >= 0:
            end = found
    other = _NOT_SGR.search(data, 0, end)
    return end if other is None else other.start()


def _before_last_lines(data: bytes, end: int, lines: int) -> int:
    """Where the last `lines` line ends of `data[:end]` begin to count: just behind the `\\r\\n` before them, or 0."""
    if data.count(b"\n", 0, end) <= lines + 1:
        return 0
    position = end
    for _ in range(lines + 1):
        position = data.rfind(b"\n", 0, position)
    return position + 1 if data[position - 1 : position] == b"\r" else 0
