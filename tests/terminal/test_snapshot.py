"""A snapshot draws the terminal again, and does nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.terminal.snapshot import snapshot

from .mixtures import FEATURES, Stream
from .support import everything, fed, redrawn, screen

_QUERY = re.compile(rb"\x1b\[[>=?]?[0-9;]*[cn]|\x1b\[\??[0-9]+\$p|\x1b\[>[0-9]*q|\x1b\[\?u|\?\x1b\\|\x1b\[1[4-8]t")
UNSEEN = ("joins", "plain")


def test_a_fresh_terminal_needs_nothing() -> None:
    assert snapshot(fed()) == b""
    assert snapshot(fed(b"\x1b[m\x1b[H\x1b[2J\x1b[?25h\x07")) == b""


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_comes_back(name: str) -> None:
    parser = fed(FEATURES[name], columns=40, rows=10)
    again = redrawn(parser)
    assert again.emulator.display == parser.emulator.display
    before, after = everything(parser), everything(again)
    for key in before:
        if key not in ("normal", "alternate", "title_stack", "pen"):
            assert after[key] == before[key], key
    for buffer in ("normal", "alternate"):
        assert [row[0] for row in after[buffer][0]] == [row[0] for row in before[buffer][0]]
        assert after[buffer][2:4] == before[buffer][2:4]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(0, 2000))
def test_a_snapshot_of_what_a_snapshot_drew_is_the_same(seed: int, cut: int) -> None:
    once = redrawn(fed(Stream(seed).make(60)[:cut]))
    assert once.emulator.display == redrawn(once).emulator.display
    assert snapshot(redrawn(once)) == snapshot(once)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_snapshot_neither_rings_nor_asks(seed: int) -> None:
    data = Stream(seed).make(60) + b"\x1b[c\x1b[6n\x1b]10;?\x07\x1b[>q\x1b[?u\x07"
    drawn = snapshot(fed(data))
    assert b"\x07" not in drawn
    assert _QUERY.search(drawn) is None


def test_taking_a_snapshot_changes_nothing() -> None:
    for seed in range(30):
        parser = fed(Stream(seed).make(60))
        before = everything(parser)
        snapshot(parser)
        assert everything(parser) == before


def test_a_sequence_cut_in_half_goes_on() -> None:
    for whole in (b"\x1b[1;31mred", b"\x1b]2;t\x07x", "中".encode(), b"\x1bP1$r\x1b\\x", b"\x1b(0q", b"\x1b[\x0831mx"):
        for cut in range(1, len(whole)):
            again = redrawn(fed(b"text ", whole[:cut]))
            again.feed(whole[cut:])
            expected = fed(b"text ", whole)
            assert screen(again) == screen(expected)
            assert again.emulator.title == expected.emulator.title
            assert again.emulator.pen == expected.emulator.pen


def test_fewer_lines_of_scrollback_on_demand() -> None:
    parser = fed(b"".join(b"line %d\r\n" % number for number in range(50)))
    again = fed(snapshot(parser, 10))
    assert again.emulator.normal.base == 10
    assert screen(again) == screen(parser)
    assert fed(snapshot(parser, 0)).emulator.normal.base == 0


def test_plain_text_costs_little_more_than_itself() -> None:
    data = b"".join(b"some text in line %d\r\n" % number for number in range(80))
    assert len(snapshot(fed(data))) < len(data) + 20


def test_a_title_that_was_popped_ends_right_with_and_without_a_stack() -> None:
    parser = fed(b"\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07\x1b[23;2t")
    assert (parser.emulator.title, parser.emulator.shown_title) == ("one", "two")
    again = redrawn(parser).emulator
    assert (again.title, again.shown_title) == ("one", "two")


def test_the_clipboard_is_not_told_again() -> None:
    assert snapshot(fed(b"\x1b]52;c;aGk=\x07\x1b]7;file:///\x07")) == b""
