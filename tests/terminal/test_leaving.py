"""What a program left on in a person's terminal is switched off again, and what is shown stays."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconnectingpty.size import Size
from reconnectingpty.terminal.leaving import clearing, leaving
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.snapshot import snapshot
from reconnectingpty_server.attach.notice import notice

from .mixtures import FEATURES, Stream
from .support import everything, fed, screen
from .xterm import TELL, xterm

TITLES = ("title", "shown_title", "icon_name", "title_stack", "icon_stack")
"""The terminal's own stack is for these."""


def left(parser: Parser) -> dict[str, object]:
    """What has to be as on a fresh terminal: all but what is shown, the cursor, and titles."""
    told = everything(parser)
    for name in ("x", "y", *TITLES):
        told.pop(name, None)
    for name in ("normal", "alternate"):
        margins, stops = told[name][2:4]
        told[name] = margins, [stop for stop in stops if stop < parser.emulator.columns]
    return told


def test_after_an_ordinary_program_there_is_nothing_to_do() -> None:
    assert leaving(fed()) == b""
    assert leaving(fed(b"hello\r\n\x1b[31mred\x1b[m\r\n")) == b""
    assert leaving(fed(b"\x1b[?1049h\x1b[?1000h\x1b[?2004h\x1b[H.\x1b[?2004l\x1b[?1000l\x1b[?1049l")) == b""
    assert leaving(fed(b"$ ")) == b"\r\n"


def test_each_thing_left_on_is_switched_off_by_its_name() -> None:
    for on, off in (
        (b"\x1b[?1003h\x1b[?1006h", b"\x1b[?1003l\x1b[?1006l"),
        (b"\x1b[?2004h", b"\x1b[?2004l"),
        (b"\x1b[?1h\x1b=", b"\x1b[?1l\x1b[?66l\x1b>"),
        (b"\x1b[>5u\x1b[>1u", b"\x1b[<2u"),
        (b"\x1b[?25l", b"\x1b[?25h"),
        (b"\x1b[5 q", b"\x1b[0 q"),
        (b"\x1b[31m", b"\x1b[m"),
        (b"\x1b]11;rgb:00/00/00\x07", b"\x1b]111\x1b\\"),
        (b"\x1b[2;3r", b"\x1b[r"),
    ):
        assert leaving(fed(on)) == off + b"\x1b[1H", on


def test_a_full_screen_program_gives_the_shells_screen_back_and_the_cursor_goes_below() -> None:
    parser = fed(b"$ vim\r\n", b"\x1b[?1049h\x1b[?1000;1006h\x1b[?25l\x1b[2;5rtext\x1b(0\x1b[7m")
    parser.feed(leaving(parser))
    assert screen(parser)[:2] == ["$ vim", ""]
    assert (parser.emulator.x, parser.emulator.y) == (0, 1)


def test_a_sequence_cut_in_half_does_not_swallow_what_follows() -> None:
    for cut in (b"\x1b", b"\x1b[12", b"\x1b]2;title", b"\x1bPq"):
        parser = fed(b"text", cut)
        parser.feed(leaving(parser) + b"next")
        assert screen(parser)[:2] == ["text", "next"], cut


@pytest.mark.parametrize("name", FEATURES)
def test_after_every_feature_a_terminal_is_as_a_fresh_one(name: str) -> None:
    parser = fed(FEATURES[name], columns=40, rows=10)
    parser.feed(leaving(parser))
    assert left(parser) == left(fed(columns=40, rows=10)) | {"joins": parser.joins}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(0, 2000))
@example(353009, 16)  # half a character
def test_whatever_was_sent_it_is_as_a_fresh_one_and_shows_the_same(seed: int, cut: int) -> None:
    parser = fed(Stream(seed).make(60)[:cut])
    shown = [line.text(20).rstrip() for line in parser.emulator.normal.lines]
    parser.feed(leaving(parser))
    assert left(parser) == left(fed()) | {"joins": parser.joins}
    assert parser.emulator.x == 0
    assert "".join(parser.emulator.grid[parser.emulator.y].text(20)).strip() == ""
    after = [row for row in screen(parser) if row]
    assert after == [row for row in shown if row][-len(after) :] if after else not any(shown[1:])
    again = leaving(parser)
    assert again == b""


def test_xterm_itself_is_as_a_fresh_one_afterwards() -> None:
    """But for the cursors that were saved, titles, and what it was asked."""
    streams = [*FEATURES.values(), *(Stream(seed).make(60) for seed in range(300))]
    clear = b"\x1b[H\x1b[2J\x1b[3J"
    with xterm() as judge:
        jobs = (
            (40, 10, 100, [data, leaving(fed(data, columns=40, rows=10)) + clear, TELL]) for data in [b"", *streams]
        )
        told = [states for states in judge.ask_all(jobs) if states is not None]
    fresh, *others = (states[0] for states in told)
    assert len(others) > 0.9 * len(streams)
    for state in (fresh, *others):
        for key in ("title", "answers", "savedCharset"):
            state.pop(key)
        state["normal"].pop("saved")
    for state, data in zip(others, streams, strict=False):
        assert state == fresh, data


def drawn_anew(data: bytes) -> tuple[dict[str, object], dict[str, object]]:
    """What a terminal is that was sent a snapshot, and one that was written over, cleared, and sent the same."""
    parser = fed(data, scrollback=0)
    picture = snapshot(parser, 0)
    other = fed(data, notice(["no connection", "for a while"], Size(6, 20)), clearing(parser), picture, scrollback=0)
    states = everything(fed(picture, scrollback=0)), everything(other)
    for state in states:
        for name in TITLES:
            state.pop(name, None)
    return states


@pytest.mark.parametrize("name", FEATURES)
def test_what_was_written_over_a_screen_is_gone_when_that_is_drawn_anew(name: str) -> None:
    fresh, again = drawn_anew(FEATURES[name])
    assert again == fresh


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(0, 2000))
@example(43565, 32)  # a tab stop behind the last column
def test_whatever_a_screen_shows_it_is_drawn_anew_in_place(seed: int, cut: int) -> None:
    fresh, again = drawn_anew(Stream(seed).make(60)[:cut])
    for state in (fresh, again):
        state.pop("pen")  # some that no sequence makes are made from a saved one, and that depends on what was before
        for name in ("normal", "alternate"):
            *shown, stops = state[name][:4]  # type: ignore[index]
            state[name] = [*shown, [stop for stop in stops if stop < 20]]
    assert again == fresh
