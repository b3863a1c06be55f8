"""The screen at the client, and the text since a mark, whatever a program does with the cursor."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.client.integration import MarkScanner, ShellMark
from reconnectingpty.client.rendering import Rendering, rendered
from reconnectingpty.client.shell import Echo, Shell, without_end_of_line
from reconnectingpty.client.view import View
from reconnectingpty.client.waiting import Condition, Search
from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size


class Shown:
    """A view of what is written."""

    def __init__(self, rows: int = 5, cols: int = 10) -> None:
        self.log = OutputLog(1 << 20, Size(rows, cols))
        self.view = View(self.log, 1000)

    def write(self, text: str) -> None:
        self.log.append(text.encode())
        self.view.advance(60)

    def resize(self, rows: int, cols: int) -> None:
        self.log.resize(Size(rows, cols))
        self.view.advance(60)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("$ ", "", ""),
        ("$ ", "ls\r\na b\r\n$ ", "ls\na b\n$ "),
        ("old\r\n$ ", "x", "x"),
        ("$ ", "\r\n" * 30 + "far", "\n" * 30 + "far"),
        ("$ ", "0123456789" * 3 + "\r\nend", "0123456789" * 3 + "\nend"),
        ("10 %", "\r20 %", "20 %"),
        ("one\r\ntwo\r\nthree", "\x1b[2J\x1b[Htop", "top"),
        ("one\r\ntwo\r\nthree", "\x1b[A\rTWO", "TWO\nthree"),
        ("abc", "\b\bX", "Xc"),
        ("some text", "\x1b[?1049h\x1b[Hfull", "full"),
        ("some text", "\x1b[?1049h\x1b[Hfull\x1b[?1049l more", " more"),
        ("some\r\ntext", "\x1bcnew", "new"),
        ("漢字", "漢字漢字!", "漢字漢字!"),
    ],
)  # fmt: skip
def test_text_since_a_mark_is_what_was_written_after_it(before: str, after: str, text: str) -> None:
    for cut in range(max(len(after), 1)):
        shown = Shown()
        shown.write(before)
        mark = shown.view.mark()
        shown.write(after[:cut])
        shown.write(after[cut:])
        assert shown.view.text(mark) == text, cut


def test_what_falls_off_the_scrollback_is_gone_and_the_rest_is_still_since_the_mark() -> None:
    shown = Shown()
    mark = shown.view.mark()
    shown.write("".join(f"{number}\r\n" for number in range(3000)))
    lines = shown.view.text(mark).split("\n")
    assert lines[-1] == "2999"
    assert len(lines) == 1000 + 4
    assert lines == [str(number) for number in range(3000 - len(lines), 3000)]


@given(st.integers(12, 60), st.integers(0, 40), st.integers(0, 30))
def test_a_mark_stays_with_its_text_when_the_width_changes(cols: int, before: int, after: int) -> None:
    shown = Shown(6, 20)
    shown.write("".join(f"line {number} is long enough to be wrapped\r\n" for number in range(before)))
    shown.write("start")
    mark = shown.view.mark()
    text = "the first\r\n" + "".join(f"after {number} and so on and on\r\n" for number in range(after))
    shown.write(text)
    wanted = shown.view.text(mark)
    assert wanted == text.replace("\r", "").rstrip("\n")
    shown.resize(6, cols)
    assert shown.view.text(mark) == wanted


def test_a_reset_terminal_has_nothing_of_before() -> None:
    shown = Shown()
    shown.write("a\r\n" * 50)
    mark = shown.view.mark_top()
    shown.write("\x1bcnew")
    assert shown.view.text(mark) == "new"


async def test_output_is_rendered_as_text() -> None:
    assert await rendered(b"a\r\nb \x1b[31mred\x1b[m  \r\n", Size(5, 10)) == "a\nb red"
    assert await rendered(b"0123456789" * 5 + b"\r\n", Size(2, 10)) == "0123456789" * 5
    assert await rendered(b"10%\r100%\r\n", Size(2, 10)) == "100%"
    assert await rendered(b"before\r\n\x1b[?1049hfull\x1b[?1049lafter", Size(4, 10)) == "before\nafter"
    assert await rendered(b"\x1b[?1049hfull", Size(4, 10)) == ""
    numbers = [str(number) for number in range(5000)]
    assert await rendered("\r\n".join(numbers).encode(), Size(4, 80)) == "\n".join(numbers)


def test_no_row_in_the_middle_of_a_line_is_taken_for_its_beginning() -> None:
    shown = Shown()
    mark = shown.view.mark()
    patterns: list[Condition] = [re.compile(pattern, re.MULTILINE) for pattern in (r"^b", r"\Ab", "^last$")]
    search = Search(shown.view, mark, patterns)
    shown.view.watchers.append(search.look)
    shown.write("a" * 5000 + "b" * 20_000)
    assert search.found is None
    shown.write("\r\nnext\r\n" * 300 + "last")
    assert search.found is not None
    assert search.found.index == 2


async def test_a_reset_and_an_empty_scrollback_leave_nothing_of_before() -> None:
    lines = "".join(f"{n}\r\n" for n in range(5000))
    for erase, left in (("\x1bc", "end"), ("\x1b[H\x1b[2J\x1b[3J", "end"), ("\x1b[3J", "4998\n4999\nend")):
        assert await rendered(f"{lines}{erase}end".encode(), Size(3, 20)) == left


@given(
    st.lists(
        st.sampled_from(
            ["a", "漢", "\r\n", "\n", "word " * 9, "\x1b7", "\x1b8", "\x1b[A", "\x1b[31m", "\x1b[2J", "\x1bM"]
        ),
        max_size=300,
    ),
    st.integers(1, 40),
)
def test_text_that_is_taken_as_it_scrolls_off_is_the_same(parts: list[str], piece: int) -> None:
    size, data = Size(4, 12), "".join(parts).encode()
    rendering, whole = Rendering(size), Rendering(size)
    for start in range(0, len(data), piece):
        rendering.feed(data[start : start + piece])
    whole._parser.feed(data)
    assert rendering.text() == whole.text()


async def test_a_long_output_holds_up_nobody() -> None:
    rendering = asyncio.create_task(rendered(b"0123456789" * 100_000 + b"\r\nline" * 50_000, Size(24, 80)))
    turns = 0
    while not rendering.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 200
    assert len(await rendering) == 1_000_000 + 5 * 50_000


def test_what_only_zsh_prints_at_an_outputs_end_is_left_out_and_soon_found() -> None:
    zsh, bash = Shell("zsh", "a", "1"), Shell("bash", "a", "1")
    shown = b"\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m" + b" " * 79 + b"\r \r"
    assert without_end_of_line(zsh, b"output" + shown) == b"output"
    assert without_end_of_line(bash, b"output" + shown) == b"output" + shown
    for output in (b"\x1b[m" * 100_000, b"\x1b[m" * 100_000 + b"\r \r", b"\x1b[1m " * 100_000 + b"x\r \r"):
        assert without_end_of_line(zsh, output) == output


MARKED = b"a\x1b]133;C;aid=x\x07out\x1b[1mput\x1b]133;D;3;aid=x;n=4;p=5\x1b\\b\x1b]0;t\x07"


@given(st.lists(st.integers(0, len(MARKED)), max_size=8))
def test_marks_are_found_wherever_the_output_is_cut(cuts: list[int]) -> None:
    scanner, text, marks = MarkScanner(), b"", []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(MARKED)], strict=True):
        for part in scanner.feed(MARKED[start:end]):
            if isinstance(part, ShellMark):
                marks.append((part, text))
            else:
                text += part
    assert text == b"aout\x1b[1mputb\x1b]0;t\x07"
    assert marks == [
        (ShellMark("C", (), {"aid": "x"}), b"a"),
        (ShellMark("D", ("3",), {"aid": "x", "n": "4", "p": "5"}), b"aout\x1b[1mput"),
    ]


def test_what_is_too_long_for_a_mark_is_none_and_holds_nothing_back() -> None:
    scanner = MarkScanner()
    long = b"\x1b]133;" + b"x" * 10_000
    got = b"".join(part for data in (long, b"\x07after") for part in scanner.feed(data) if isinstance(part, bytes))
    assert got == long + b"\x07after"


def test_the_echo_of_a_line_ends_where_the_line_does() -> None:
    for echoed in (b"ls -l\r\n", b"ls\r\n -l\r\r\n", b"\x1b[1ml\x1b[ms -l\x1b[K\n", b"> ls -l\n"):
        echo = Echo("ls -l")
        assert [echo.feed(bytes([byte])) for byte in echoed + b"out\n"][: len(echoed)] == [1] * len(echoed)
        assert echo.over
        echo = Echo("ls -l")
        assert echo.feed(echoed + b"out\n") == len(echoed)
