"""SGR (ECMA-48, 8.3.117; xterm's ctlseqs; ITU T.416 for colours), both ways: parameters to pen, pens to parameters.

What an unusual sequence does is what xterm.js 6.0 does. Called by the parser for every `CSI m` that a pen does not
remember, and by the snapshot. It holds no state but memories of what it worked out before.
"""

from __future__ import annotations

from functools import lru_cache

from .parameters import Parameters
from .pen import (
    BLINK,
    BOLD,
    DEFAULT,
    DIM,
    EXTENDED,
    HIDDEN,
    INVERSE,
    ITALIC,
    OVERLINE,
    PALETTE256,
    PROTECTED,
    RGB,
    STRIKE,
    UNDERLINE,
    UNDERLINE_RESET,
    Pen,
    pen_of,
    with_extended,
)

_ON = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 7: INVERSE, 8: HIDDEN, 9: STRIKE, 53: OVERLINE}
_OFF = {22: BOLD | DIM, 23: ITALIC, 25: BLINK, 27: INVERSE, 28: HIDDEN, 29: STRIKE, 55: OVERLINE}
_FOREGROUND = {30 + n: 1 + n for n in range(8)} | {90 + n: 9 + n for n in range(8)} | {39: 0}
_BACKGROUND = {40 + n: 1 + n for n in range(8)} | {100 + n: 9 + n for n in range(8)} | {49: 0}
_UNDERLINES = {21: 2, 24: 0}


def apply_sgr(pen: Pen, parameters: Parameters) -> Pen:
    """The pen after `CSI parameters m`."""
    fg, bg, flags, style, ucolour, link = pen.key
    extended = flags & EXTENDED
    values, subs = parameters
    at = 0
    while at < len(values):
        code = values[at]
        if code == 0:
            fg = bg = flags = style = ucolour = 0
            extended = EXTENDED if link else 0
        elif code in _FOREGROUND:
            fg = _FOREGROUND[code]
        elif code in _BACKGROUND:
            bg = _BACKGROUND[code]
        elif code in _ON:
            flags |= _ON[code]
        elif code in _OFF:
            flags &= ~_OFF[code]
        elif code == 4 or code in _UNDERLINES:
            style = _UNDERLINES[code] if code != 4 else _style(subs.get(at))
            flags = flags | UNDERLINE if style else flags & ~UNDERLINE
            extended = EXTENDED if style or link else 0
        elif code in (38, 48, 58):
            colour, used = _colour(parameters, at)
            at += used
            if colour is None:
                pass
            elif code == 38:
                fg = colour
            elif code == 48:
                bg = colour
            else:
                ucolour = colour
        elif code == 59:
            ucolour = UNDERLINE_RESET
            extended = EXTENDED if style or link else 0
        at += 1
    return pen_of((fg, bg, flags & ~EXTENDED | extended, style, ucolour, link))


def _style(subs: tuple[int, ...] | None) -> int:
    """The style of `4` or `4:n`; unknown ones are single."""
    return 1 if subs is None or subs[0] < 0 or subs[0] > 5 else subs[0]


def _colour(parameters: Parameters, at: int) -> tuple[int | None, int]:
    """The colour that begins at a 38, 48 or 58, and how many parameters more than that one it took.

    The slots are: target, kind, colour space, three values. By semicolons there is no colour space, and the kind
    decides after how many parameters it ends; sub-parameters end it where they end.
    """
    values, subs = parameters
    slots = [0, 0, -1, 0, 0, 0]
    space = used = 0
    while True:
        slots[used + space] = values[at + used]
        below = subs.get(at + used)
        if below is not None:
            for index, value in enumerate(below):
                if slots[1] == 5:
                    space = 1
                if used + index + 1 + space >= len(slots):
                    break
                slots[used + index + 1 + space] = value
            break
        if (slots[1] == 5 and used + space >= 2) or (slots[1] == 2 and used + space >= 5):
            break
        if slots[1]:
            space = 1
        used += 1
        if used + at >= len(values) or used + space >= len(slots):
            break
    red, green, blue = (0 if value == -1 else value & 255 for value in slots[3:])
    if slots[1] == 2:
        return RGB | red << 16 | green << 8 | blue, used
    return (PALETTE256 | red if slots[1] == 5 else None), used


def set_link(pen: Pen, link: str) -> Pen:
    """The pen with another hyperlink, "" for none."""
    return with_extended(pen.fg, pen.bg, pen.flags, pen.style, pen.ucolour, link)


def _colour_codes(colour: int, normal: int, bright: int, extended: str, by: str = ";") -> str:
    if colour & RGB:
        space = ":" if by == ":" else ""
        return by.join((extended, "2" + space, str(colour >> 16 & 255), str(colour >> 8 & 255), str(colour & 255)))
    if colour & PALETTE256:
        return by.join((extended, "5", str(colour & 255)))
    return str(normal + colour - 1 if colour <= 8 else bright + colour - 9)


def _underline_colour(colour: int) -> str:
    return "59" if colour == UNDERLINE_RESET else _colour_codes(colour, 0, 0, "58", ":")


def _all(pen: Pen) -> list[str]:
    codes = [str(code) for code, flag in _ON.items() if pen.flags & flag]
    style = pen.underline
    if style:
        codes.append("4" if style == 1 else f"4:{style}")
    if pen.fg:
        codes.append(_colour_codes(pen.fg, 30, 90, "38"))
    if pen.bg:
        codes.append(_colour_codes(pen.bg, 40, 100, "48"))
    if pen.ucolour:
        codes.append(_underline_colour(pen.ucolour))
    return codes


def _change(last: Pen, pen: Pen) -> list[str] | None:
    """The codes for what differs; None where only a reset leads there."""
    if last.ucolour != pen.ucolour and not pen.ucolour:
        return None
    codes = []
    gone = last.flags & ~pen.flags
    for code, flag in _OFF.items():
        if gone & flag:
            codes.append(str(code))
            if code == 22:
                gone_too = flag & pen.flags & last.flags
                codes += [str(on) for on, bit in _ON.items() if bit & gone_too]
    codes += [str(code) for code, flag in _ON.items() if pen.flags & ~last.flags & flag]
    if last.underline != pen.underline:
        style = pen.underline
        codes.append("24" if not style else "4" if style == 1 else f"4:{style}")
    if last.fg != pen.fg:
        codes.append(_colour_codes(pen.fg, 30, 90, "38") if pen.fg else "39")
    if last.bg != pen.bg:
        codes.append(_colour_codes(pen.bg, 40, 100, "48") if pen.bg else "49")
    if last.ucolour != pen.ucolour:
        codes.append(_underline_colour(pen.ucolour))
    return codes


@lru_cache(maxsize=4096)
def sgr_between(last: Pen, pen: Pen) -> str:
    """What leads from one pen to another, links included: the shorter of a reset with all, and the changes alone."""
    link = "" if last.seen_link == pen.seen_link else link_sequence(pen.seen_link)
    if (last.flags | pen.flags) & PROTECTED:
        return link + sgr_of(pen) + ('\x1b[1"q' if pen.flags & PROTECTED else "")
    if last.key[:5] == pen.key[:5]:
        return link
    whole = _all(pen)
    reset = f"\x1b[{';'.join(['0', *whole]) if whole else ''}m"
    codes = _change(last, pen)
    if codes is None:
        return link + reset
    change = f"\x1b[{';'.join(codes)}m" if codes else ""
    return link + (change if len(change) <= len(reset) else reset)


def sgr_of(pen: Pen) -> str:
    """What makes this pen out of any other, links and protection excepted."""
    return f"\x1b[{';'.join(['0', *_all(pen)])}m" if pen.key[:5] != DEFAULT.key[:5] else "\x1b[m"


def link_sequence(link: str) -> str:
    """OSC 8 for a link's body, or for no link."""
    return f"\x1b]8;{link or ';'}\x1b\\"
