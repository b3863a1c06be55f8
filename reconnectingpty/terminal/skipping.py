"""Which part of a stream provably leaves nothing behind, because as many lines follow as screen and scrollback hold.

It looks at bytes only, a block at a time, and each byte once. A stretch counts as simple while it holds nothing but
text, line ends, SGR and EL: on the normal screen with full margins that can only fill lines and scroll them away. It
knows neither log nor emulator; the model, which calls it, sees to it that the terminal is in such a state.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from .parameters import parse_parameters
from .pen import Pen
from .sgr import apply_sgr

BLOCK: Final = 1 << 15
"""Bytes looked at in one go: well under a millisecond."""
_SUSPECT: Final = (b"\x0e", b"\x0f", b"\xc2")
"""SO and SI, which change the charset, and the byte that begins a C1 control in UTF-8. All others can do no more than
fill a line or end one, but for ESC."""
_OTHER: Final = re.compile(rb"\x1b(?!\[[0-9;:]*+[mK])")
"""An ESC that begins neither SGR nor EL: a search for it runs from ESC to ESC and makes nothing on its way."""
_SIMPLE: Final = re.compile(rb"(?:[^\x0e\x0f\x1b\xc2]++|\x1b\[[0-9;:]*+[mK]|\xc2[\xa0-\xbf])*+")
_UNFINISHED: Final = re.compile(rb"\x1b(?:\[[0-9;:]{0,200})?\Z|\xc2\Z")
_SGR: Final = re.compile(rb"\x1b\[([0-9;:]*)m")
_RESETS: Final = (b"\x1b[m", b"\x1b[0m")


class Simple:
    """The simple stretch found so far: where it begins and ends, and the line feeds of each block in it.

    Offsets are the log's. `blocked`: what comes at `end` is not simple.
    """

    __slots__ = ("_blocks", "_total", "blocked", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.blocked = False
        self._blocks: deque[tuple[int, int]] = deque()
        self._total = 0

    def look(self, block: bytes) -> None:
        """Take the bytes that follow `end`."""
        if any(byte in block for byte in _SUSPECT):
            match = _SIMPLE.match(block)
            size = match.end() if match is not None else 0
        else:
            # Most blocks of a flood without colours have no ESC; to find that out costs a tenth of a search.
            other = _OTHER.search(block) if b"\x1b" in block else None
            size = other.start() if other is not None else len(block)
        if size < len(block) and _UNFINISHED.match(block, size) is None:
            self.blocked = True
        if size:
            feeds = block.count(b"\n", 0, size)
            self.end += size
            self._blocks.append((self.end, feeds))
            self._total += feeds

    def skippable(self, lines: int) -> tuple[int, int]:
        """Up to which offset nothing will be left once more than `lines` line feeds have followed.

        With it, how many line feeds there are before it.
        """
        to, left = self.start, self._total
        for end, feeds in self._blocks:
            if left - feeds <= lines:
                break
            to, left = end, left - feeds
        return to, self._total - left

    def skip(self, to: int, cut: int) -> None:
        """Begin at `cut`, behind the first line end after `to`, the end of a block."""
        while self._blocks and self._blocks[0][0] <= to:
            self._total -= self._blocks.popleft()[1]
        end, feeds = self._blocks.popleft()
        self._blocks.appendleft((end, feeds - 1))
        self._total -= 1
        self.start = cut


def pen_after(pen: Pen, data: bytes) -> Pen:
    """The pen that a simple stretch leads to."""
    if b"\x1b" not in data:
        return pen
    # The last reset is near the end, as a rule; before it nothing counts.
    near = max(data.rfind(reset, max(len(data) - BLOCK, 0)) for reset in _RESETS)
    begin = near if near >= 0 else max(*(data.rfind(reset) for reset in _RESETS), 0)
    for match in _SGR.finditer(data, begin):
        token = f"\x1b[{match[1].decode('ascii')}m"
        steps = pen.steps
        then = steps.get(token) if steps is not None else None
        if then is None:
            then = apply_sgr(pen, parse_parameters(token[2:-1]))
            pen.remember(token, then)
        pen = then
    return pen
