"""Any bytes, cut anywhere: the same terminal, no exception, and nothing that grows without end."""

from __future__ import annotations

import itertools
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.terminal import machine, meaning
from reconnectingpty.terminal.parameters import parse_parameters
from reconnectingpty.terminal.pen import DEFAULT
from reconnectingpty.terminal.sgr import apply_sgr, sgr_of

from . import fuzz
from .mixtures import Stream
from .support import everything, fed, screen

NUMBERS = ("", "0", "1", "2", "3", "7", "22", "23", "999", "2147483647", "99999999999999999999", "1;2", ";", "::")
CUTS = st.lists(st.integers(0, 2000), max_size=12)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data, cut at these places."""
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30), CUTS)
def test_how_a_stream_is_cut_makes_no_difference(seed: int, cuts: list[int]) -> None:
    data = Stream(seed).make(40)
    assert everything(fed(*pieces(data, cuts))) == everything(fed(data))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_taken_and_cuts_make_no_difference(data: bytes, cuts: list[int]) -> None:
    assert everything(fed(*pieces(data, cuts))) == everything(fed(data))


def test_a_byte_at_a_time_makes_no_difference() -> None:
    for seed in range(20):
        data = Stream(seed).make(60)
        assert everything(fed(*(bytes([byte]) for byte in data))) == everything(fed(data))


def test_every_control_sequence_takes_every_number() -> None:
    for key in meaning.CONTROL_SEQUENCES:
        prefix, rest = (key[0], key[1:]) if key[0] in "<=>?" else ("", key)
        for number in NUMBERS:
            parser = fed(b"text\x1b[2;3r\x1b[3;3H", f"\x1b[{prefix}{number}{rest}".encode(), b"x\r\n")
            emulator = parser.emulator
            assert 0 <= emulator.y < emulator.lines
            assert len(emulator.grid) == emulator.lines


def test_strings_without_end_are_bounded() -> None:
    for start in (b"\x1b]0;", b"\x1bP", b"\x1bPq", b"\x1b_", b"\x1b[", b"\x1b[1;", b"\x1b ", b"\x1b]"):
        parser = fed(start, *[b"1" * 65_536] * 20)
        assert len(parser.pending) <= 2 * machine.MAX_STRING
        assert sys.getsizeof(parser.machine._string) <= 4 * machine.MAX_STRING


def test_a_title_too_long_is_none() -> None:
    parser = fed(b"\x1b]2;short\x07", b"\x1b]2;" + b"x" * 100_000 + b"\x07")
    assert parser.emulator.title == "short"


def test_stacks_are_bounded() -> None:
    modes = b"".join(b"\x1b[?%dh" % number for number in range(3000, 5000))
    emulator = fed(b"\x1b[22t" * 1000, b"\x1b[>1u" * 1000, modes).emulator
    assert len(emulator.title_stack) <= 10
    assert len(emulator.keyboard[0]) <= 16
    assert len(emulator.unknown_modes) <= 64


def test_unclean_sequences_cost_no_more_than_their_length() -> None:
    parser = fed(b"\x1b[\n1mA" * 40_000, columns=80, rows=24)
    assert screen(parser)[-1].endswith("A")


def test_what_is_not_utf8_is_not_there() -> None:
    assert screen(fed(b"a\xffb\xc3c\xe4\xb8d\xed\xa0\x80e\xef\xbb\xbff\xc0\xafg"))[0] == "abcdefg"


def test_c1_controls_come_in_utf8() -> None:
    assert screen(fed("\x9b3Cx\x85y\x9d0;title\x9cz".encode()))[:2] == ["   x", "yz"]
    assert screen(fed(b"a\x9b3Cb"))[0] == "a3Cb"


@given(st.lists(st.integers(0, 110), min_size=1, max_size=8))
def test_a_pen_said_in_sgr_is_the_same_pen(codes: list[int]) -> None:
    pen = apply_sgr(DEFAULT, parse_parameters(";".join(map(str, codes))))
    assert apply_sgr(DEFAULT, parse_parameters(sgr_of(pen)[2:-1])) == pen


def test_nearly_anything_between_changes_of_size_and_snapshots_raises_nothing() -> None:
    for seed in range(150):
        fuzz.round_of(seed)
