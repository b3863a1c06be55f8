"""What has scrolled away: kept small, kept whole, and never more than there may be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.terminal.line import Line, unpack
from reconnectingpty.terminal.packing import is_wrapped, opened, packed, text_of
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.pen import DEFAULT, Pen, marked
from reconnectingpty.terminal.scrollback import BATCH, LEAST_BYTES, Scrollback
from reconnectingpty.terminal.snapshot import snapshot

from .mixtures import Stream
from .support import fed, redrawn, screen

WIDTH = 160
LINKS = ("", "id=1;http://h/?a=1,2,3", ";x,,", ";\u4e2d")


def look(line: Line, columns: int) -> tuple[bool, list[str], list[Pen]]:
    return line.wrapped, list(line.cells(columns)), list(line.pens)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_packed_row_is_the_same_row(seed: int) -> None:
    emulator = fed(Stream(seed).make(60)).emulator
    for line in emulator.grid:
        row = line.pack()
        again = unpack(row, 20)
        assert look(again, 20) == look(line, 20)
        assert is_wrapped(row) == line.wrapped
        assert len(text_of(row)) <= 20


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("values", [(0, 0, 0, 0, 0), (1, 0, 0, 0, 0), (0, 0, 0, 0, -1), (0x1FFFFFF, 0x1FF, 2047, 5, 9)])
def test_a_pen_comes_back_from_its_mark(values: tuple[int, int, int, int, int], link: str) -> None:
    pen = Pen((*values, link))
    assert marked(pen.mark[1:-1]).key == pen.key
    assert opened(packed(False, pen, ["text", pen])).segments == (
        ["text", pen] if pen != DEFAULT else ["text", DEFAULT]
    )


def coloured(count: int) -> bytes:
    """Lines of which each cell has a colour of its own."""
    cells = (b"\x1b[38;2;%d;%d;%dm\xe2\x96\x84" % (n % 256, n // 7 % 256, n // 3 % 256) for n in range(count * WIDTH))
    return b"".join(cell + b"\x1b[m\r\n" * (n % WIDTH == WIDTH - 1) for n, cell in enumerate(cells))


def heavy(scrollback: int) -> Parser:
    return fed(coloured(1100), b"the last line", columns=WIDTH, rows=24, scrollback=scrollback)


def test_there_are_bounds_in_lines_and_in_bytes() -> None:
    parser = heavy(1000)
    scrollback = parser.emulator.normal.scrollback
    assert scrollback is not None
    assert (len(scrollback), scrollback.most) == (1000, LEAST_BYTES)
    assert 0 < scrollback.weight <= LEAST_BYTES
    known = len(scrollback) - scrollback.forgotten
    assert 400 < known < 600
    again = fed(snapshot(parser), columns=WIDTH, rows=24, scrollback=1000)
    assert screen(again) == screen(parser)
    assert again.emulator.normal.base == known


def test_what_is_forgotten_stays_forgotten_when_the_size_changes() -> None:
    parser = heavy(1000)
    scrollback = parser.emulator.normal.scrollback
    assert scrollback is not None
    for columns in (200, WIDTH, 60, WIDTH):
        parser.emulator.resize(24, columns)
        known = len(scrollback) - scrollback.forgotten
        assert 300 < known <= 1000
        assert scrollback.weight <= LEAST_BYTES
        assert screen(redrawn(parser)) == screen(parser)


def test_light_lines_take_the_place_of_heavy_ones() -> None:
    parser = heavy(1000)
    parser.feed(b"\r\nlight" * 1200)
    scrollback = parser.emulator.normal.scrollback
    assert scrollback is not None
    assert scrollback.forgotten == 0
    assert scrollback.weight < 1000 * 100


def test_a_line_that_went_on_from_a_forgotten_one_begins_anew() -> None:
    scrollback = Scrollback(1000)
    pen = Pen((0x1000001, 0, 0, 0, 0, ""))
    for _ in range(4 * BATCH):
        line = Line(wrapped=True)
        line.put(0, "x" * 9000, pen, 9000)
        scrollback.append(line)
    scrollback.pack()
    known = scrollback.last(1000)
    assert 0 < scrollback.forgotten < 4 * BATCH
    assert len(known) == 4 * BATCH - scrollback.forgotten
    assert [is_wrapped(row) for row in known if not isinstance(row, Line)] == [False] + [True] * (len(known) - 1)


@pytest.mark.parametrize("limit", [0, 1, BATCH, 3 * BATCH])
def test_every_line_is_weighed_until_it_goes(limit: int) -> None:
    scrollback = Scrollback(limit)
    for number in range(10 * BATCH):
        line = Line()
        line.put(0, "x", DEFAULT, 80)
        if number % 7 == 0:
            scrollback.extend_text(["", "x"], DEFAULT)
        elif number % 7 == 1:
            scrollback.extend([line])
        else:
            scrollback.append(line)
        assert scrollback.forgotten == 0
    scrollback.pack()
    assert len(scrollback) == limit
    assert limit * 45 < scrollback.weight + 1 <= limit * 60 + 1
    scrollback.clear()
    assert (len(scrollback), scrollback.weight, scrollback.forgotten) == (0, 0, 0)
