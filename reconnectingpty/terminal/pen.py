"""What a cell looks like besides its character, and how SGR (ECMA-48, 8.3.117; xterm's ctlseqs) says so.

A pen is a small immutable value. Equal pens are mostly the same object, and the steps from one to the next are
remembered, so that a program that switches between a few colours costs a dictionary look-up each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

BOLD, DIM, ITALIC, BLINK, INVERSE, HIDDEN, STRIKE, OVERLINE = (1 << bit for bit in range(8))
RGB = 1 << 24
"""Set in a colour that is 0xRRGGBB; without it, a colour is an index into the palette of 256."""


class Pen(NamedTuple):
    """Colours (None: the default), attribute bits, underline style (0 to 5) and colour, and a hyperlink ("": none)."""

    fg: int | None = None
    bg: int | None = None
    flags: int = 0
    underline: int = 0
    underline_colour: int | None = None
    link: str = ""

    @property
    def blank(self) -> Pen:
        """The pen of a cell that is erased under this one: the background alone stays (back colour erase)."""
        return DEFAULT if self.bg is None else _background(self.bg)


DEFAULT = Pen()


@lru_cache(maxsize=512)
def _background(colour: int) -> Pen:
    return Pen(bg=colour)


_FLAGS_ON = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 6: BLINK, 7: INVERSE, 8: HIDDEN, 9: STRIKE, 53: OVERLINE}
_FLAGS_OFF = {22: BOLD | DIM, 23: ITALIC, 25: BLINK, 27: INVERSE, 28: HIDDEN, 29: STRIKE, 55: OVERLINE}


def _simple(pen: Pen, code: int) -> Pen:
    if code == 0:
        return Pen(link=pen.link)
    if code in _FLAGS_ON:
        return pen._replace(flags=pen.flags | _FLAGS_ON[code])
    if code in _FLAGS_OFF:
        return pen._replace(flags=pen.flags & ~_FLAGS_OFF[code])
    for first, change in _RANGES:
        if first <= code < first + 8:
            return change(pen, code - first)
    other = _OTHER.get(code)
    return other(pen) if other is not None else pen


_RANGES: tuple[tuple[int, Callable[[Pen, int], Pen]], ...] = (
    (30, lambda pen, index: pen._replace(fg=index)),
    (40, lambda pen, index: pen._replace(bg=index)),
    (90, lambda pen, index: pen._replace(fg=index + 8)),
    (100, lambda pen, index: pen._replace(bg=index + 8)),
)
_OTHER: dict[int, Callable[[Pen], Pen]] = {
    4: lambda pen: pen._replace(underline=1),
    21: lambda pen: pen._replace(underline=2),
    24: lambda pen: pen._replace(underline=0),
    39: lambda pen: pen._replace(fg=None),
    49: lambda pen: pen._replace(bg=None),
    59: lambda pen: pen._replace(underline_colour=None),
}
_COLOURS: dict[int, Callable[[Pen, int], Pen]] = {
    38: lambda pen, colour: pen._replace(fg=colour),
    48: lambda pen, colour: pen._replace(bg=colour),
    58: lambda pen, colour: pen._replace(underline_colour=colour),
}


@lru_cache(maxsize=4096)
def apply_sgr(pen: Pen, parameters: str) -> Pen:
    """The pen after `CSI parameters m`, parameters as they stand between the two."""
    groups = parameters.split(";")
    index = 0
    while index < len(groups):
        head, *rest = groups[index].split(":")
        code = _number(head)
        index += 1
        if code == 4 and rest:
            style = _number(rest[0])
            pen = pen._replace(underline=style if style <= 5 else 1)
        elif code in _COLOURS:
            if rest:
                colour = _colour([_number(part) for part in rest], with_space=True)
            else:
                numbers = [_number(group) for group in groups[index : index + 4]]
                index += {2: 4, 5: 2}.get(numbers[0] if numbers else 0, 1)
                colour = _colour(numbers, with_space=False)
            if colour is not None:
                pen = _COLOURS[code](pen, colour)
        else:
            pen = _simple(pen, code)
    return DEFAULT if pen == DEFAULT else pen


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _colour(numbers: list[int], *, with_space: bool) -> int | None:
    """`5;index` or `2;r;g;b`; by colons there may be a colour space before the r (ITU T.416)."""
    if numbers[:1] == [5] and len(numbers) >= 2:
        return min(numbers[1], 255)
    if numbers[:1] == [2]:
        channels = numbers[2:5] if with_space and len(numbers) > 4 else numbers[1:4]
        if len(channels) == 3:
            r, g, b = (min(channel, 255) for channel in channels)
            return RGB | r << 16 | g << 8 | b
    return None


@lru_cache(maxsize=4096)
def sgr_of(pen: Pen) -> str:
    """The sequence that makes this pen out of any other; a hyperlink is not SGR's."""
    codes = ["0"]
    codes += [str(code) for code, flag in _FLAGS_ON.items() if pen.flags & flag and code != 6]
    if pen.underline:
        codes.append("4" if pen.underline == 1 else f"4:{pen.underline}")
    codes += _colour_codes(pen.fg, 30, 90, "38")
    codes += _colour_codes(pen.bg, 40, 100, "48")
    if pen.underline_colour is not None:
        codes.append(_extended("58", pen.underline_colour, ":"))
    return f"\x1b[{';'.join(codes)}m" if len(codes) > 1 else "\x1b[m"


def _colour_codes(colour: int | None, normal: int, bright: int, extended: str) -> list[str]:
    if colour is None:
        return []
    if colour < 8:
        return [str(normal + colour)]
    if colour < 16:
        return [str(bright + colour - 8)]
    return [_extended(extended, colour, ";")]


def _extended(code: str, colour: int, by: str) -> str:
    if colour & RGB:
        space = [""] if by == ":" else []
        return by.join([code, "2", *space, str(colour >> 16 & 255), str(colour >> 8 & 255), str(colour & 255)])
    return by.join([code, "5", str(colour)])
