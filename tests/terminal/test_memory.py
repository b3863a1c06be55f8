"""What a model weighs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

from reconnectingpty.terminal.parser import Parser

from .support import fed


def weight(make: Callable[[], Parser]) -> int:
    """Bytes that a terminal takes, after one like it has filled what all share."""
    kept = make()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = make()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept.emulator.lines
    return after - before


def test_a_fresh_terminal_is_light() -> None:
    assert weight(lambda: fed(columns=80, rows=24)) < 30 << 10


def test_five_thousand_lines_are_light() -> None:
    lines = [
        b"".join(b"%05d some ordinary text of a program, 60 columns or so.\r\n" % n for n in range(i, i + 100))
        for i in range(0, 5100, 100)
    ]
    assert weight(lambda: fed(*lines, columns=80, rows=24, scrollback=5000)) < 1_500_000


def test_coloured_lines_are_light() -> None:
    line = b"-rw-r--r-- 1 user user %6d Jan  1 12:00 \x1b[01;34mname%d\x1b[0m\r\n"
    lines = [b"".join(line % (n, n) for n in range(i, i + 100)) for i in range(0, 5100, 100)]
    assert weight(lambda: fed(*lines, columns=80, rows=24, scrollback=5000)) < 1_000_000
