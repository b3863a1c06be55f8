"""What pyte 0.8.2 does wrong, each seen in programs' real output, done right."""

from __future__ import annotations

import pyte
import pytest

from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.pen import BOLD, DIM, OVERLINE

from .support import fed, screen


def test_the_emulator_is_a_pyte_screen() -> None:
    emulator = fed(b"\x1b[1;31mhi\x1b[m \xe4\xb8\xad", columns=6, rows=2).emulator
    assert isinstance(emulator, pyte.Screen)
    assert emulator.display == ["hi 中 ", "      "]
    assert (emulator.buffer[0][0].data, emulator.buffer[0][0].fg, emulator.buffer[0][0].bold) == ("h", "red", True)
    assert (emulator.cursor.x, emulator.cursor.y, emulator.cursor.hidden) == (5, 0, False)
    assert pyte.modes.DECAWM in emulator.mode


@pytest.mark.parametrize(
    "data",
    [b"\x1b[?4m", b"\x1b[?1r", b"\x1b[?6n", b"\x1b[1;2G", b"\x1b[2;1M", b"\x1b[2;3;4H", b"\x1b[9J", b"\x1b[7K"],
)
def test_unusual_parameters_raise_nothing_and_lose_nothing(data: bytes) -> None:
    assert "after" in "".join(screen(fed(data + b"after")))


def test_the_alternate_screen_leaves_the_normal_one_alone() -> None:
    parser = fed(b"shell\x1b[?1049h\x1b[2J\x1b[Hfull")
    assert screen(parser)[0] == "full"
    parser.feed(b"\x1b[?1049l")
    assert (screen(parser)[0], parser.emulator.x) == ("shell", 5)


def test_erasing_keeps_the_background_and_nothing_else() -> None:
    emulator = fed(b"\x1b[1;4;31;44mtext\x1b[2K").emulator
    assert emulator.buffer[0][0] == pyte.screens.Char(" ", bg="blue")


def test_line_drawing_works_in_utf8() -> None:
    assert screen(fed(b"\x1b(0lqk\x1b(B lqk \x1b)0\x0ex\x0fx"))[0] == "┌─┐ lqk │x"


def test_strings_are_not_printed() -> None:
    strings = (b"\x1bP+q544e\x1b\\", b"\x1b_apc\x1b\\", b"\x1b^pm\x1b\\", b"\x1bXsos\x1b\\", b"\x1b]P123456\x07")
    assert screen(fed(b"a" + b"b".join(strings) + b"c"))[0] == "abbbbc"


def test_an_osc_ends_where_another_sequence_begins() -> None:
    assert screen(fed(b"\x1b]0;title\x1b[1mtext\x18"))[0] == "text"


def test_private_prefixes_are_not_taken_for_others() -> None:
    parser = fed(b"\x1b[>4;2m\x1b[<u\x1b[=1;1u\x1b[!p\x1b[1\"q\x1b[2'}\x1b[0%mtext")
    assert screen(parser)[0] == "text"
    assert parser.emulator.pen.underline == 0


def test_sub_parameters_are_understood() -> None:
    emulator = fed(b"\x1b[4:3;58:2::1:2:3;38:5:9mx").emulator
    assert (emulator.pen.underline, emulator.pen.fg & 255) == (3, 9)
    assert screen(fed(b"\x1b[4:3mx"))[0] == "x"


def test_less_common_controls_work() -> None:
    assert screen(fed(b"ab\x1b[3b"))[0] == "abbbb"
    assert screen(fed(b"abc\x1b[2 @"))[0] == "c"
    assert screen(fed(b"1\r\n2\r\n3\x1b[S"))[:3] == ["2", "3", ""]
    assert screen(fed(b"\x1b[2Ix"))[0].index("x") == 16


def test_all_attributes_are_kept() -> None:
    flags = fed(b"\x1b[1;2;53m").emulator.pen.flags
    assert flags & (BOLD | DIM | OVERLINE) == BOLD | DIM | OVERLINE
    assert fed(b"\x1b[21m").emulator.pen.underline == 2
    assert fed(b"\x1b[58;5;1;4m").emulator.pen.flags & BOLD == 0


def test_nothing_is_lost_after_a_character_without_width() -> None:
    assert screen(fed("a\u200db\u200bc ᄒ\u1161ᆫ d".encode()))[0].endswith("d")


def test_half_of_a_wide_character_does_not_stay() -> None:
    assert screen(fed("中文".encode() + b"\x1b[2Gx"))[0] == " x文"


def test_a_wide_character_that_does_not_fit_moves_whole() -> None:
    parser = fed("abc中".encode(), columns=4, rows=3)
    assert (screen(parser)[:2], parser.emulator.x) == (["abc", "中"], 2)


def test_a_pending_wrap_ends_when_the_cursor_moves() -> None:
    assert screen(fed(b"abcd\x1b[Dx", columns=4, rows=2)) == ["abxd", ""]
    assert screen(fed(b"abcd\x1b[1mx", columns=4, rows=2)) == ["abcd", "x"]


def test_resetting_the_margins_homes_the_cursor() -> None:
    emulator = fed(b"\x1b[2;4r\x1b[5;5H\x1b[r").emulator
    assert (emulator.x, emulator.y, emulator.margins) == (0, 0, None)


def test_the_saved_cursor_is_one_slot() -> None:
    parser = fed(b"\x1b[3;3H" + b"\x1b7" * 100_000 + b"\x1b[H\x1b8\x1b8x")
    assert screen(parser)[2] == "  x"


def test_scrollback_erased_leaves_the_screen() -> None:
    parser = fed(b"line\r\n" * 20 + b"\x1b[3Jx")
    assert (parser.emulator.normal.base, screen(parser)[0]) == (0, "line")


def test_a_long_line_is_wrapped_anew_when_the_size_changes() -> None:
    parser = fed(b"0123456789" * 3 + b"\r\n", columns=10, rows=6)
    parser.emulator.resize(6, 15)
    assert screen(parser)[:3] == ["012345678901234", "567890123456789", ""]
    parser.emulator.resize(6, 30)
    assert screen(parser)[0] == "0123456789" * 3


def test_a_screen_of_one_column_and_row_takes_anything() -> None:
    assert Emulator(1, 1).columns == 2
    assert screen(fed("a中b\r\n\x1b[5L\x1b[5Mc".encode(), columns=1, rows=1)) == ["c"]
