"""Random streams of everything a terminal understands, and of what none does, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

WORDS = ("hello", "fox jumps", "x", "  ", "a-rather-long-word-that-wraps", "0123456789" * 9, "lqqqk", "#[]{|}~")
WIDE = (
    "中文",
    "漢字漢",
    "日本語テキスト",
    "😀",
    "👍🏽",
    "가나다",
    "é",
    "e\u0301",
    "a\u0300\u0301",
    "\u200d",
    "👨\u200d👩\u200d👧",
    "❤\ufe0f",
    "🇩🇪",
)
LINES = ("─│┌┐└┘├┤", "░▒▓█", "ä ö ü ß", "— “quoted” …")
ODD_BYTES = (
    b"\xff",
    b"\xc3",
    b"\xe4\xb8",
    b"\x80",
    b"\xf0\x9f",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xc0\xaf",
    b"\xf5\x80\x80\x80",
)
PRIVATE = (
    1,
    6,
    7,
    9,
    12,
    25,
    45,
    66,
    1000,
    1002,
    1003,
    1004,
    1006,
    1016,
    2004,
    2026,
    1048,
    47,
    1047,
    1049,
    2,
    3,
    5,
    1007,
    2031,
)
SGR = ("", "0", "1", "2", "3", "4", "5", "7", "8", "9", "21", "22", "23", "24", "25", "27", "28", "29", "53", "55", "39", "49", "59",
       "4:0", "4:1", "4:2", "4:3", "4:4", "4:5", "4:9", "38;5;{b}", "48;5;{b}", "58;5;{b}", "38;2;{b};{b};{b}", "48;2;{b};{b};{b}",
       "38:5:{b}", "48:2::{b}:{b}:{b}", "58:2::{b}:{b}:{b}", "58:5:{b}", "38;5", "38;2;1", "38:2", "48;9;1", "3{d}", "4{d}", "9{d}", "10{d}")  # fmt: skip


class Stream:
    """Writes bytes at random. `wild`: also what makes terminals disagree with themselves from one write to the next."""

    def __init__(self, seed: int, columns: int = 20, rows: int = 6) -> None:
        self.random = random.Random(seed)
        self.columns, self.rows = columns, rows
        self.makers: tuple[tuple[int, Callable[[], bytes]], ...] = (
            (30, self.text), (8, self.wide), (3, self.lines), (14, self.line_end), (10, self.sgr), (10, self.move),
            (8, self.erase), (6, self.edit), (4, self.scroll), (4, self.mode), (2, self.margins), (3, self.cursor),
            (2, self.tabs), (2, self.charset), (2, self.osc), (1, self.string), (1, self.odd), (2, self.control),
            (1, self.keyboard), (1, self.repeat), (1, self.rare),
        )  # fmt: skip

    def make(self, count: int) -> bytes:
        weights, makers = zip(*self.makers, strict=True)
        return b"".join(maker() for maker in self.random.choices(makers, weights, k=count))

    def _n(self, most: int | None = None) -> str:
        r = self.random
        return r.choice(("", "0", "1", "2", str(r.randint(1, most or max(self.columns, self.rows) + 3)), "999"))

    def _row(self) -> int:
        return self.random.randint(1, self.rows)

    def _column(self) -> int:
        return self.random.randint(1, self.columns)

    def text(self) -> bytes:
        return self.random.choice(WORDS).encode()

    def wide(self) -> bytes:
        return self.random.choice(WIDE).encode()

    def lines(self) -> bytes:
        return self.random.choice(LINES).encode()

    def line_end(self) -> bytes:
        return self.random.choice(
            (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\n" * 7, b"\x0b", b"\x1bE", b"\x1bD", b"\x1bM")
        )

    def sgr(self) -> bytes:
        r = self.random
        codes = []
        for _ in range(r.choice((1, 1, 2, 3))):
            code = r.choice(SGR).replace("{d}", str(r.randint(0, 7)))
            while "{b}" in code:
                code = code.replace("{b}", str(r.randint(0, 270)), 1)
            codes.append(code)
        return f"\x1b[{';'.join(codes)}m".encode()

    def move(self) -> bytes:
        r = self.random
        if r.random() < 0.4:
            return f"\x1b[{self._row()};{self._column()}H".encode()
        return f"\x1b[{self._n()}{r.choice('ABCDEFGHIZade`f')}".encode()

    def erase(self) -> bytes:
        r = self.random
        return f"\x1b[{r.choice(('', '?'))}{r.choice(('', '0', '1', '2', '3', '4'))}{r.choice('JKK')}".encode()

    def edit(self) -> bytes:
        return f"\x1b[{self._n()}{self.random.choice(('@', 'P', 'X', 'L', 'M'))}".encode()

    def scroll(self) -> bytes:
        return f"\x1b[{self._n(4)}{self.random.choice(('S', 'T', ' @', ' A', chr(39) + '}', chr(39) + '~'))}".encode()

    def mode(self) -> bytes:
        r = self.random
        if r.random() < 0.25:
            return f"\x1b[{r.choice((4, 20))}{r.choice('hll')}".encode()
        return f"\x1b[?{r.choice(PRIVATE)}{r.choice('hl')}".encode()

    def margins(self) -> bytes:
        top = self._row()
        return self.random.choice((b"\x1b[r", f"\x1b[{top};{self.random.randint(top, self.rows + 1)}r".encode()))

    def cursor(self) -> bytes:
        return self.random.choice(
            (b"\x1b7", b"\x1b8", b"\x1b[s", b"\x1b[u", b"\x1b[5 q", b"\x1b[2 q", b"\x1b[0 q", b"\x1b[7 q")
        )

    def tabs(self) -> bytes:
        return self.random.choice((b"\t", b"\t", b"\x1bH", b"\x1b[g", b"\x1b[3g", b"\x1b[2I", b"\x1b[Z"))

    def charset(self) -> bytes:
        return self.random.choice(
            (
                b"\x1b(0",
                b"\x1b(B",
                b"\x1b)0",
                b"\x0e",
                b"\x0f",
                b"\x1b(A",
                b"\x1b*K",
                b"\x1bn",
                b"\x1bo",
                b"\x1b%G",
                b"\x1b-=",
            )
        )

    def osc(self) -> bytes:
        r = self.random
        end = r.choice((b"\x07", b"\x1b\\"))
        body = r.choice((b"0;title %d", b"2;t%d", b"1;i%d", b"8;;http://h/%d", b"8;id=%d;http://h", b"8;;", b"4;%d;rgb:12/34/56",
                         b"10;#abcdef", b"11;rgb:1/2/3", b"12;#123", b"104;%d", b"104", b"110", b"111", b"112", b"7;file:///%d", b"133;A"))  # fmt: skip
        return b"\x1b]" + (body % r.randint(0, 9) if b"%d" in body else body) + end

    def string(self) -> bytes:
        return self.random.choice(
            (
                b"\x1bP1;2|17/ab\x1b\\",
                b"\x1b_Gf=32;AAAA\x1b\\",
                b"\x1b^pm\x1b\\",
                b"\x1bXsos\x1b\\",
                b"\x1bPq#0!5~\x1b\\",
            )
        )

    def odd(self) -> bytes:
        return self.random.choice(ODD_BYTES)

    def control(self) -> bytes:
        return self.random.choice(
            (
                b"\x08",
                b"\x08\x08",
                b"\x00",
                b"\x07",
                b"\x7f",
                b"\x18",
                b"\x1b[3\n;4H",
                b"\xc2\x84",
                b"\xc2\x85",
                b"\xc2\x9b2C",
                b"\x05",
            )
        )

    def keyboard(self) -> bytes:
        return self.random.choice((b"\x1b[>1u", b"\x1b[<u", b"\x1b[=5;1u", b"\x1b[>4;2m", b"\x1b[>4m", b"\x1b="))

    def repeat(self) -> bytes:
        return b"r\x1b[%db" % self.random.randint(0, 30)

    def rare(self) -> bytes:
        return self.random.choice(
            (b"\x1b#8", b"\x1b[!p", b"\x1bc", b'\x1b[1"q', b'\x1b[0"q', b"\x1b[?1;9999h", b"\x1b[1?h", b"\x1b[ q")
        )
