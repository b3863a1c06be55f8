"""Random streams of everything a terminal understands, and of what none does, from a seed."""

# ruff: noqa: E501 - tables of sequences
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
LINES = ("-+|", "xyz ", "# $ %", "─│┌┐└┘├┤", "░▒▓█", "ä ö ü ß", "— “quoted” …")
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
ALTERNATE = (47, 1047, 1049)
SGR = ("", "0", "1", "2", "3", "4", "5", "7", "8", "9", "21", "22", "23", "24", "25", "27", "28", "29", "53", "55", "39", "49", "59",
       "4:0", "4:1", "4:2", "4:3", "4:4", "4:5", "4:9", "38;5;{b}", "48;5;{b}", "58;5;{b}", "38;2;{b};{b};{b}", "48;2;{b};{b};{b}",
       "38:5:{b}", "48:2::{b}:{b}:{b}", "58:2::{b}:{b}:{b}", "58:5:{b}", "38;5", "38;2;1", "38:2", "48;9;1", "3{d}", "4{d}", "9{d}", "10{d}")  # fmt: skip


class Stream:
    """Writes bytes at random. `simple`: no alternate screen, no wide character."""

    def __init__(self, seed: int = 0, columns: int = 20, rows: int = 6, *, simple: bool = False) -> None:
        self.random = random.Random(seed)
        self.simple = simple
        # Autowrap (7) only where nothing is wide: docs/terminal.md says what of that is not redrawn.
        self.private = (*(mode for mode in PRIVATE if mode not in ALTERNATE), 7) if simple else PRIVATE
        self.columns, self.rows = columns, rows
        self.makers: tuple[tuple[int, Callable[[], bytes]], ...] = (
            (30, self.text), (8, self.wide), (3, self.lines), (14, self.line_end), (10, self.sgr), (10, self.move),
            (8, self.erase), (6, self.edit), (4, self.scroll), (4, self.mode), (2, self.margins), (3, self.cursor),
            (2, self.tabs), (2, self.charset), (2, self.osc), (1, self.string), (1, self.odd), (2, self.control),
            (1, self.keyboard), (1, self.repeat), (1, self.rare),
        )  # fmt: skip

    def make(self, count: int) -> bytes:
        """That many things, one after the other."""
        weights, makers = zip(*self.makers, strict=True)
        return b"".join(maker() for maker in self.random.choices(makers, weights, k=count))

    def one(self, seed: int) -> bytes:
        """The thing that belongs to a seed of its own, so that a stream of many can lose some and keep the others."""
        self.random.seed(seed)
        return self.make(1)

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
        return b"narrow" if self.simple else self.random.choice(WIDE).encode()

    def lines(self) -> bytes:
        return self.random.choice(LINES[: 3 if self.simple else None]).encode()

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
        if r.random() < 0.1:
            # Nothing wide in here.
            return b"\x1b[?7l\r" + self.random.choice(WORDS).encode() * r.randint(1, 4) + self.move() + b"\x1b[?7h"
        if r.random() < 0.25:
            return f"\x1b[{r.choice((4, 20))}{r.choice('hll')}".encode()
        return f"\x1b[?{r.choice(self.private)}{r.choice('hl')}".encode()

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
        return b"\xff" if self.simple else self.random.choice(ODD_BYTES)

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


PROBE = b"P\tq\x0f.\r\nnext \x1b[3b\r\n\r\nmore\x1b8R\x1b[999;999Hend-of-line wraps"
"""What shows hidden state: text, a tab, a charset, line feeds, the saved cursor, a wrap."""

FEATURES: dict[str, bytes] = {
    "every SGR": b"".join(b"\x1b[%sm%s \x1b[0m" % (code, code) for code in (
        b"1", b"2", b"3", b"4", b"4:2", b"4:3", b"4:4", b"4:5", b"5", b"7", b"8", b"9", b"21", b"53", b"31", b"42", b"93", b"104",
        b"38;5;200", b"48;5;20", b"38;2;1;2;3", b"48:2::9:8:7", b"4;58:5:9", b"4:3;58:2::1:2:3", b"1;2;22", b"4;59", b"38:5:7")),
    "a pen left on": b"plain \x1b[1;31;44mleft on",
    "an underline colour for later": b"\x1b[58;5;3mnot yet",
    "background colour erase": b"\x1b[44mblue\x1b[K\r\n\x1b[2;5H\x1b[1K\x1b[5;1H\x1b[J\x1b[m",
    "erased in the middle": b"abcdefgh\x1b[3G\x1b[42m\x1b[3X\x1b[m\x1b[2;4H\x1b[45mx\x1b[1K",
    "alternate screen 1049": b"shell\r\n\x1b[31m\x1b[?1049h\x1b[2J\x1b[Hfull screen\x1b[5;5Hhere",
    "alternate screen 47 and back": b"one\x1b[?47htwo\x1b[?47l three",
    "alternate screen with a background": b"\x1b[41m\x1b[?1047h\x1b[3;3Hx",
    "scrollback": b"".join(b"line %d\r\n" % number for number in range(40)),
    "scrollback of long lines": b"0123456789" * 60,
    "coloured scrollback": b"".join(b"\x1b[3%dmline\x1b[m %d\r\n" % (number % 8, number) for number in range(40)),
    "background wraps": b"\x1b[42m" + b"0123456789" * 12 + b"\x1b[m\r\n" + b"\x1b[43m" + b"x" * 500,
    "scrollback emptied": b"gone\r\n" * 30 + b"\x1b[3Jstays",
    "margins": b"\x1b[3;7r\x1b[7;1Ha\nb\nc\x1b[3;1H\x1bM\x1b[5;5H",
    "margins and origin": b"\x1b[3;7r\x1b[?6h\x1b[2;3Hhere",
    "a margin at the top": b"\x1b[1;5r" + b"scrolls\r\n" * 12,
    "tab stops": b"\x1b[3g\x1b[5G\x1bH\x1b[12G\x1bH\r\ta\tb\tc",
    "tab stops removed": b"\x1b[9G\x1b[g\r\tx",
    "saved cursor": b"\x1b[4;7H\x1b[33m\x1b7\x1b[m\x1b[Habc",
    "saved cursor, scrolled": b"\x1b[4;7H\x1b7" + b"\n" * 30,
    "charsets": b"\x1b(0lqqk\x1b(B ascii \x1b)0\x0exx\x0f",
    "a charset left on": b"\x1b(0lqqqk",
    "a charset restored": b"\x1b(0\x1b7\x1b(B\x1b8qqq",
    "pending wrap": b"x" * 40,
    "pending wrap after SGR": b"x" * 40 + b"\x1b[1m",
    "pending wrap, erased": b"x" * 40 + b"\x1b[2K",
    "insert mode": b"world\x1b[4h\rhello ",
    "no autowrap": b"\x1b[?7l" + b"0123456789" * 6,
    "reverse wrap": b"\x1b[?45h" + b"x" * 42 + b"\x08" * 4,
    "newline mode": b"\x1b[20hone\ntwo",
    "wide characters": "中文漢字かな 😀👍🏽 가나다".encode() * 3,
    "wide characters cut": "中文\x1b[2Gx漢字\x1b[1;6H\x1b[P\r\n漢字\x1b[2G\x1b[@".encode(),
    "a wide character that does not fit": b"x" * 39 + "中文".encode(),
    "combining characters": "e\u0301 a\u0308\u0304 \u200b|\u200d ❤\ufe0f 👨\u200d👩\u200d👧".encode(),
    "a combining character to come": b"abc e",
    "links": b"\x1b]8;;http://a.example/\x1b\\link\x1b]8;;\x1b\\ text \x1b]8;id=1;http://b.example/;x\x07on",
    "titles": b"\x1b]0;both\x07\x1b]2;window\x1b\\\x1b]1;icon\x07",
    "titles kept": b"\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07\x1b[23;2t",
    "palette": b"\x1b]4;1;rgb:12/34/56;200;#abc\x07\x1b]10;#010203\x07\x1b]11;rgb:f/0/f\x07\x1b]12;#fff\x07",
    "palette restored": b"\x1b]4;1;#fff;2;#000\x07\x1b]104;1\x07\x1b]11;#123\x07\x1b]111\x07",
    "mouse": b"\x1b[?1002h\x1b[?1006h",
    "all modes": b"\x1b[?1;45;66;1004;2004;2026;12;1003;1016;25h\x1b[?25l\x1b=\x1b[4 q",
    "cursor shapes": b"\x1b[5 q\x1b[7 q",
    "soft reset": b"\x1b[?1h\x1b[1;31m\x1b[2;4r\x1b[4h\x1b7\x1b[!ptext",
    "hard reset": b"text\r\n" * 20 + b"\x1b[?1000h\x1b[?25l\x1bcfresh",
    "alignment": b"\x1b[2;5r\x1b[41m\x1b#8",
    "repeat": b"ab\x1b[5b\r\n" + "中\x1b[3b".encode(),
    "insert and delete lines": b"1\r\n2\r\n3\r\n4\x1b[2H\x1b[44m\x1b[2L\x1b[m\x1b[5H\x1b[M",
    "scrolling": b"1\r\n2\r\n3\x1b[42m\x1b[S\x1b[2T",
    "scrolling sideways": b"abcdef\r\nghijkl\x1b[2 @\x1b[1 A\x1b[4G\x1b[2'}\x1b[1'~",
    "protected cells": b'ab\x1b[1"qcd\x1b[0"qef\x1b[?2K',
    "strings swallowed": b"a\x1bP1;2|x\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1bXsos\x1b\\e\x1b]777;x\x07f",
    "a sequence cut short": b"text\x1b[1;3",
    "an OSC cut short": b"text\x1b]0;titl",
    "a DCS cut short": b"text\x1bP1$q",
    "a character cut short": b"text\xe4\xb8",
    "what is not UTF-8": b"a\xffb\xc3c\xe4\xb8d\xed\xa0\x80e\xf5f\xc0\xaf",
    "C1 controls": "a\x84b\x85c\x9b31md\x88".encode(),
    "controls in sequences": b"ab\x1b[\n2\x08Cx\x1b[3\x18y",
    "every control": bytes(range(1, 27)),
}  # fmt: skip
