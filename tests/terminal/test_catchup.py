# ruff: noqa: E501 - tables of sequences
"""The model follows the log, in slices, and what it skips makes no difference."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size
from reconnectingpty.terminal import skipping
from reconnectingpty.terminal.catchup import TerminalModel
from reconnectingpty.terminal.parser import Parser

from .mixtures import Stream
from .support import everything, fed

SIZE = Size(6, 20)
Feed: TypeAlias = Callable[[Parser, bytes], None]


def model(log: OutputLog, scrollback: int = 20) -> TerminalModel:
    """A model whose clock ticks a microsecond a look."""
    ticks = itertools.count()
    return TerminalModel(log, SIZE, scrollback=scrollback, clock=lambda: next(ticks) * 1e-6)


def flood(seed: int) -> bytes:
    """Plain and coloured lines, with something else among them now and then."""
    chance = random.Random(seed)
    parts = [Stream(seed).make(chance.choice((0, 5, 20)))]
    for _ in range(chance.randint(1, 4)):
        line = chance.choice(
            (
                b"plain line\r\n",
                b"\x1b[3%dmcolour\x1b[m line\r\n" % chance.randint(0, 7),
                b"\x1b[4%dmleft on\r\n" % chance.randint(0, 7),
                "ümläut 中文 \u00a0\r\n".encode(),
                b"no return\n",
                b"a line that is much longer than the screen is wide\r\n",
                b"\xc2\r\n",
                b"\x1b[Kerased\r\n",
                b"\x1b[1;2;38;5;9mx\r\n",
                b"tab\tbell\x07\x08\r\n",
                b"\r\n",
                b"\xff\xe4\xb8\r\n",
            )
        )
        parts.append(line * chance.choice((10, 1500, 6000)))
        parts.append(chance.choice((b"", b"\x0e", "\x9b2J".encode(), b"\x1b[H", b"\x1b(0", b"\x1b[?1049h", b"\x1b]8;;u\x07", b"\x1b[4h", b"\x1b[20h",
                                    b"\x1b[?7l", b"\x1b[2;4r", b"\x1b7", b"\x1b8", b"\x1b[?45h", b"\x1b", b"\x1b[3", b"\xe4", b"half a line")))  # fmt: skip
    return b"".join(parts)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([0, 3, 20]), st.booleans())
def test_skipping_makes_no_difference(seed: int, scrollback: int, resized: bool) -> None:
    data = flood(seed)
    log = OutputLog(1 << 22, SIZE)
    follower = model(log, scrollback)
    parser = fed(columns=SIZE.cols, rows=SIZE.rows, scrollback=scrollback)
    middle = len(data) // 2 if resized else 0
    for piece, size in ((data[:middle], Size(9, 31)), (data[middle:], None)):
        log.append(piece)
        parser.feed(piece)
        if size is not None and resized:
            log.resize(size)
            parser.emulator.resize(size.rows, size.cols)
    while not follower.advance(1):
        pass
    assert everything(follower._parser) == everything(parser)


def test_a_flood_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (b"plain text\r\n", b"\x1b[31mred\x1b[m\r\n", "größer\r\n".encode()):
        log = OutputLog(1 << 20, SIZE)
        follower = model(log)
        log.append(line * 50_000)
        parsed: list[int] = []
        feed = Parser.feed

        def counting(parser: Parser, data: bytes, parsed: list[int] = parsed, feed: Feed = feed) -> None:
            parsed.append(len(data))
            feed(parser, data)

        monkeypatch.setattr(Parser, "feed", counting)
        assert follower.advance(10)
        assert sum(parsed) < 4 * skipping.BLOCK
        monkeypatch.undo()


def test_time_is_kept() -> None:
    log = OutputLog(1 << 20, SIZE)
    now = [0.0]

    def clock() -> float:
        now[0] += 0.001
        return now[0]

    follower = TerminalModel(log, SIZE, scrollback=100_000, clock=clock)
    log.append(b"\x1b[H\x1b[31mx" * 50_000)
    assert not follower.advance(0.004)
    assert 0 < follower.lag < 450_000
    assert now[0] < 0.01


def test_a_model_that_need_not_be_up_to_date_stops_early() -> None:
    log = OutputLog(1 << 20, SIZE)
    follower = model(log)
    log.append(b"\x1b[H\x1b[31mx" * 50_000)
    assert not follower.advance(10, 200_000)
    assert 0 < follower.lag <= 200_000


def test_a_size_takes_effect_where_it_changed() -> None:
    log = OutputLog(1 << 20, SIZE)
    follower = model(log)
    log.append(b"x" * 25)
    log.resize(Size(6, 30))
    log.append(b"\r\n" + b"y" * 25)
    assert follower.advance(1)
    assert follower.screen().lines[:3] == ("x" * 20, "x" * 5, "y" * 25)


def test_no_snapshot_of_a_model_that_lags() -> None:
    log = OutputLog(1 << 20, SIZE)
    follower = model(log)
    assert follower.snapshot() == b""
    log.append(b"text")
    with pytest.raises(ValueError, match="caught up"):
        follower.snapshot()
    assert follower.advance(1)
    assert follower.snapshot().startswith(b"text") or follower.snapshot().startswith(b"tex")


def test_what_the_log_forgot_is_left_out() -> None:
    log = OutputLog(1000, SIZE)
    follower = model(log)
    log.append(b"lost\r\n" * 1000 + b"kept")
    assert follower.advance(1)
    assert follower.screen().text().endswith("kept\n")


def test_a_screen_stays_as_it_was_when_the_terminal_goes_on() -> None:
    log = OutputLog(1000, SIZE)
    follower = model(log)
    log.append(b"\x1b[31mone\r\ntwo\x1b[m\x1b[2;2HW")
    follower.advance(1)
    shown = follower.screen()
    before = shown.ansi()
    log.append(b"\x1b[1;4Hmore\x1b[2;1Hover\x1b[3;1Hnew\x1b[L")
    follower.advance(1)
    assert (shown.ansi(), shown.text()) == (before, "one\ntWo\n")
    assert follower.screen().ansi() != before


def test_the_screen_as_text_colours_and_values() -> None:
    log = OutputLog(1000, SIZE)
    follower = model(log)
    log.append(b"\x1b]2;title\x07one\r\n\x1b[31mred\x1b[m plain\r\n\x1b[?25l")
    follower.advance(1)
    shown = follower.screen()
    assert shown.text() == "one\nred plain\n"
    assert shown.ansi() == "one\n\x1b[31mred\x1b[m plain\n"
    assert shown.json() == {
        "rows": 6, "cols": 20, "cursor": {"row": 2, "col": 0, "visible": False}, "alternate": False, "title": "title",
        "lines": ["one", "red plain", "", "", "", ""], "scrollback": 0,
    }  # fmt: skip
