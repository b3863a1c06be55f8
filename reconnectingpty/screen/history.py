"""What had scrolled off the screen before another server took a session over: drawn from the runner's latest output.

Screen redraws what its window shows, and nothing above it. Pure; called in a thread, since it parses.
"""

from __future__ import annotations

from ..size import Size
from ..terminal.emulator import Emulator
from ..terminal.parser import Parser
from ..terminal.snapshot import snapshot

_AS_SCREEN_WANTS_IT = (
    b"\x1b\\\x1b[?1049l\x1b[?1;9;1000;1002;1003;1004;1005;1006;2004l\x1b[?25h\x1b[4l\x1b[>4;0m\x1b>"
    b"\x1b[0 q\x1b]8;;\x1b\\\x1b(B\x0f\x1b[r\x1b[m"
)
"""Takes back what the program had set: a screen client sets again what it knows of."""


def picture(recent: bytes, size: Size, scrollback: int) -> bytes:
    """What draws the lines that `recent` output has left above the screen, on a fresh terminal of this size.

    What it draws on the screen itself is for the screen client to clear. The first line may be half of one.
    """
    if not recent:
        return b""
    parser = Parser(Emulator(size.cols, size.rows, scrollback))
    parser.feed(recent[recent.find(b"\n") + 1 :])
    parser.feed(_AS_SCREEN_WANTS_IT)
    return snapshot(parser)
