"""Finds what a terminal model need not parse: output that has provably scrolled out of everything it keeps.

A stretch of text, line ends and SGR on the normal screen with full margins leaves nothing behind but its last lines
and its pen, once as many lines have followed as screen and scrollback hold together. Every byte is looked at once,
piece by piece, by searches that run at memory speed; what is known of a piece is where it is and its line feeds.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from ..output_log import OutputLog

PIECE = 64 << 10
LOOK_EVERY = 64 << 10
"""Bytes that have to come before looking again is worth it."""
LONGEST_SGR = 64
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")
_RESETS = (b"\x1b[m", b"\x1b[0m")
_NOT_SGR = re.compile(rb"\x1b(?!\[[0-9;:]*+m)")
_UNPRINTED = (b"\x0e", b"\x0f", b"\xc2", b"\x9b")
"""What may change more than a line: SO, SI, and the first byte of a C1 control in UTF-8 (also of Latin-1 letters,
which are then parsed as well). 0x9b alone is no control in UTF-8, and too rare to look into."""


class _Piece(NamedTuple):
    start: int
    end: int
    line_feeds: int
    escapes: bool


class Skip(NamedTuple):
    """What may be left out: everything up to offset `to`, where a line begins, but for the SGR `sequences`.

    `reset`: the pen is the default one before the first of them.
    """

    to: int
    reset: bool
    sequences: list[bytes]


class Skipping:
    """What is known of the log ahead of a model. Invariant: the pieces follow each other and end at `_known`."""

    __slots__ = ("_blocked", "_known", "_log", "_look_from", "_pieces")

    def __init__(self, log: OutputLog) -> None:
        self._log = log
        self._pieces: deque[_Piece] = deque()
        self._known = 0
        self._blocked = 0  # up to here it has to be parsed
        self._look_from = LOOK_EVERY

    def worth_a_look(self, offset: int) -> bool:
        """Whether there may be anything to skip for a model that is at `offset`; cheap."""
        return offset >= self._blocked and self._log.end >= self._look_from

    def find(self, offset: int, end: int, lines: int) -> Skip | None:
        """What can be left out from `offset` on, for a model that keeps `lines` lines; `end`: look no further."""
        self._look_from = self._log.end + LOOK_EVERY
        self._look(offset, end)
        after = 0
        for piece in reversed(self._pieces):
            if after > lines and piece.end > offset:
                cut = self._last_line_end(max(piece.start, offset), piece.end)
                if cut is not None:
                    return self._skip(offset, cut)
            after += piece.line_feeds
        return None

    def _look(self, offset: int, end: int) -> None:
        """Look at what is not known yet, up to the first thing that is not plain."""
        while self._pieces and self._pieces[0].end <= offset:
            self._pieces.popleft()
        if not self._pieces:
            self._known = offset
        while self._known < end:
            data = self._log.slice(self._known, min(self._known + PIECE, end))
            stop = _end_of_plain(data)
            if stop:
                line_feeds, escapes = data.count(b"\n", 0, stop), data.find(b"\x1b", 0, stop) >= 0
                self._pieces.append(_Piece(self._known, self._known + stop, line_feeds, escapes))
                self._known += stop
            if stop < len(data) - LONGEST_SGR or stop == 0:
                if len(data) - stop > LONGEST_SGR:
                    self._blocked = self._known + 1
                return

    def _last_line_end(self, start: int, end: int) -> int | None:
        data = self._log.slice(start, end)
        found = data.rfind(b"\r\n")
        return None if found < 0 else start + found + 2

    def _skip(self, offset: int, cut: int) -> Skip:
        """What the skipped part leaves behind: the SGR since its last reset, looked for from its end on."""
        sequences: list[bytes] = []
        for piece in reversed(self._pieces):
            start, end = max(piece.start, offset), min(piece.end, cut)
            if start >= end or not piece.escapes:
                continue
            data = self._log.slice(start, end)
            reset = max(data.rfind(sequence) for sequence in _RESETS)
            sequences[:0] = _SGR.findall(data, max(reset, 0))
            if reset >= 0:
                return Skip(cut, True, sequences)
        return Skip(cut, False, sequences)


def _end_of_plain(data: bytes) -> int:
    """How far the data is text, line ends and SGR alone."""
    end = len(data)
    for byte in _UNPRINTED:
        found = data.find(byte, 0, end)
        if found >= 0:
            end = found
    other = _NOT_SGR.search(data, 0, end)
    return end if other is None else other.start()
