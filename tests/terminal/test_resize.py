"""Another size: lines wrapped anew as xterm.js wraps them, by texts as by cells, and nobody waits for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size
from reconnectingpty.terminal import catchup, reflow
from reconnectingpty.terminal.catchup import TerminalModel
from reconnectingpty.terminal.parser import Parser

from .reattaching import differences, seen
from .support import everything, fed
from .xterm import TELL, Job, xterm

PIECES = st.sampled_from(
    (b"word ", b"a-longer-word", b"0123456789" * 3, "中文字".encode(), "x中".encode(), "e\u0301".encode(),
     "é→".encode(), b"\x1b[31m", b"\x1b[1;44m", b"\x1b[m", b"\x1b]8;;http://h/\x07", b"\x1b]8;;\x07",
     b"\x1b[4:3;58;5;9m", b"\x1b[K", b"\x1b[3X", b"\x1b[2C", b"\t", b"\r\n", b"\r\n", b"\r\n\r\n")
)  # fmt: skip
TEXTS = st.lists(PIECES, min_size=1, max_size=60).map(b"".join)
WIDTHS = st.lists(st.integers(2, 40), min_size=1, max_size=4)


def resized(data: bytes, widths: list[int], scrollback: int = 100) -> Parser:
    """A terminal that was sent this, then took these widths."""
    parser = fed(data, b"\x1b[m\r\n", scrollback=scrollback)
    for width in widths:
        parser.emulator.resize(6, width)
    return parser


@settings(max_examples=400, deadline=None)
@given(TEXTS, WIDTHS, st.sampled_from((0, 4, 100)))
def test_wrapping_by_texts_and_by_cells_come_to_the_same(data: bytes, widths: list[int], scrollback: int) -> None:
    def never(*_: object) -> Iterator[None]:
        return None
        yield

    quick = everything(resized(data, widths, scrollback))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reflow, "rewrapped", never)
        slow = everything(resized(data, widths, scrollback))
    assert quick == slow


@pytest.mark.timeout(300)
def test_lines_above_are_wrapped_as_xterm_wraps_them() -> None:
    found: list[tuple[bytes, list[int]]] = []

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(TEXTS, st.lists(st.integers(5, 40), min_size=1, max_size=3))
    def collect(data: bytes, widths: list[int]) -> None:
        found.append((data, widths))

    def jobs() -> Iterator[Job]:
        for data, widths in found:
            steps = [(width, 6) for width in widths]
            model = resized(data, widths, 1000)
            yield 20, 6, 1000, [data, b"\x1b[m\r\n", *steps, TELL]
            yield widths[-1], 6, 1000, [catchup.snapshot(model), TELL]

    collect()
    with xterm() as judge:
        answers = judge.ask_all(jobs())
        wrong = [
            (case, lines[:3])
            for case, expected, drawn in zip(found, answers, answers, strict=True)
            if expected is not None and drawn is not None
            if (lines := differences(seen(expected[0]), seen(drawn[0])))
        ]
    assert wrong == []


def follower(data: bytes) -> tuple[OutputLog, TerminalModel]:
    """A model that has caught up with this, and whose clock counts how often it is looked at, in milliseconds."""
    log, looks = OutputLog(1 << 20, Size(6, 20)), itertools.count()
    model = TerminalModel(log, Size(6, 20), clock=lambda: next(looks) * 0.001)
    log.append(data)
    while not model.advance(60):
        pass
    return log, model


@pytest.mark.parametrize(
    "line",
    [
        b"some words \x1b[32mthat wrap\x1b[m\r\n",
        b"x" * 19,
        "中\x1b[44m\x1b[3C and words that wrap\x1b[K\x1b[m\r\n".encode(),
    ],
)
def test_a_change_of_size_is_done_in_slices(line: bytes) -> None:
    data = line * 4000 + b"\r\n"
    log, model = follower(data)
    at_once = fed(data, scrollback=5000)
    for size in (Size(6, 31), Size(9, 13)):
        log.resize(size)
        turns = 1
        while not model.advance(0.004):
            turns += 1
        at_once.emulator.resize(size.rows, size.cols)
        assert turns > 5
    assert everything(model._parser) == everything(at_once)


def test_no_picture_of_half_a_change_of_size() -> None:
    log, model = follower(b"some words that wrap\r\n" * 4000)
    log.resize(Size(6, 13))
    assert not model.advance(0.004)
    assert (model.lag, model.caught_up) == (0, False)
    with pytest.raises(ValueError, match="caught up"):
        model.snapshot()
    assert model.screen().lines[-3:] == ("some words th", "at wrap", "")


def test_output_waits_for_a_change_of_size() -> None:
    log, model = follower(b"some words that wrap\r\n" * 4000)
    log.resize(Size(6, 13))
    log.append(b"\x1b[H" + b"y" * 14)
    assert not model.advance(0.004)
    while not model.advance(0.004):
        pass
    assert model.screen().lines[:2] == ("y" * 13, "yome words th")
