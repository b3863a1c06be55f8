"""Lines in colour that go by many at a time leave what they leave one byte at a time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.terminal import parser as parsing
from reconnectingpty.terminal.emulator import Emulator

from .support import everything, fed

PIECES = st.sampled_from(
    (b"text", b"a longer text", b"x" * 19, b"x" * 21, b"\x1b[31m", b"\x1b[m", b"\x1b[0m", b"\x1b[44m",
     b"\x1b[1;38;5;9m", b"\x1b[K", b"\x1b[4:3m", b"\x1b[7m\x1b[K")
)  # fmt: skip
ODD = st.sampled_from(
    (b"\x1b[2K", b"\x1b[5C", b"\x1b[H", b"\x1b[2;4r", b"\x1b[?7l", b"\x1b[20h", b"\x1b[?1049h", b"\x1b", b"\x1b[3",
     b"\n", b"\r", b"\x1b]0;title", b"\x1b(0", b"\x1b[4h", b"\x1b[6;1H", b"\x1b[31")
)  # fmt: skip
LINES = st.lists(st.lists(PIECES, max_size=6).map(b"".join).map(lambda line: line + b"\r\n"), min_size=4, max_size=30)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Chunks of such lines, of which a few have something else in them, cut anywhere."""
    lines = draw(LINES)
    for at, odd in draw(st.lists(st.tuples(st.integers(0, len(lines)), ODD), max_size=2)):
        lines.insert(at, odd)
    data = b"".join(lines)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@settings(max_examples=500, deadline=None)
@given(streams(), st.sampled_from((1, 2, 6, 40)), st.sampled_from((0, 5, 100)))
def test_lines_at_once_are_lines_byte_by_byte(chunks: list[bytes], rows: int, scrollback: int) -> None:
    start = b"\r\n" * (rows - 1)
    at_once = fed(start, *chunks, rows=rows, scrollback=scrollback)
    one_by_one = fed(start, *(bytes([byte]) for chunk in chunks for byte in chunk), rows=rows, scrollback=scrollback)
    assert everything(at_once) == everything(one_by_one)


def test_such_lines_do_go_by_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = []

    def counting(emulator: Emulator, lines: list[str], first: int) -> int:
        end = parsing_pass(emulator, lines, first)
        passed.append(end - first)
        return end

    parsing_pass = parsing.pass_lines
    monkeypatch.setattr(parsing, "pass_lines", counting)
    fed(
        b"\r\n" * 6,
        b"\x1b[31mred\x1b[m and \x1b[1;32mgreen\x1b[m\x1b[K\r\n" * 50,
        b"\x1b[4",
        b"2mx\r\n" + b"y\x1b[m\r\n" * 20,
    )
    assert sum(passed) == 71


class Measured(str):
    """A text that counts how often it is measured."""

    times = 0

    def __len__(self) -> int:
        Measured.times += 1
        return super().__len__()


def test_lines_that_do_not_fit_do_not_have_all_behind_them_measured_again() -> None:
    emulator = Emulator(20, 6, 5000)
    emulator.draw_lines(["x"] * 6)
    emulator.draw_lines([Measured("x" * (30 if number % 10 == 0 else 10)) for number in range(5000)])
    assert Measured.times < 5000 * 40
