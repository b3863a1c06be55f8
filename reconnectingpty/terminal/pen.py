"""What a cell looks like besides its character: colours, attributes, underline, hyperlink.

A pen is a small immutable value; equal pens are mostly the same object, and every pen remembers where each SGR string
led from it, so that a program that switches between a few colours costs one look-up each time. This module knows no
screen. The drawing methods and the SGR parser ask it for the next pen, the snapshot compares pens.
"""

from __future__ import annotations

from typing import Final

BOLD, DIM, ITALIC, BLINK, INVERSE, HIDDEN, STRIKE, OVERLINE, UNDERLINE, PROTECTED, EXTENDED = (
    1 << bit for bit in range(11)
)
"""Attribute bits. EXTENDED says that style, underline colour and link count: xterm.js keeps them apart from the rest,
restores the bit with DECRC, but not what it stands for."""

PALETTE16: Final = 1
"""Colours: 0 is the default, 1 to 16 the 16 colours of SGR 30 to 37 and 90 to 97."""
PALETTE256: Final = 0x100
"""Set in a colour chosen by `38;5;n`, with n below it: terminals may brighten the 16 with bold, but never these."""
RGB: Final = 0x1000000
"""Set in a colour that is 0xRRGGBB."""
UNDERLINE_RESET: Final = -1
"""The underline colour after SGR 59: the text's colour, except in xterm.js 6.0, which takes white."""

MARK, MARK_END = "\x1b", "\x06"
"""Around a pen's values in a packed row."""

_MAX_PENS = 4096
_MAX_STEPS = 512
_MAX_MARKS = 1024


class Pen:
    """Foreground, background, attribute bits, underline style (0 to 5) and colour, link (an OSC 8 body, or "")."""

    __slots__ = ("_blank", "bg", "fg", "flags", "key", "link", "mark", "steps", "style", "ucolour")

    def __init__(self, key: tuple[int, int, int, int, int, str]) -> None:
        self.key = key
        self.fg, self.bg, self.flags, self.style, self.ucolour, self.link = key
        self.steps: dict[str, Pen] | None = None
        self._blank: Pen | None = None
        values = f"{self.fg or ''},{self.bg or ''},{self.flags or ''},{self.style or ''},{self.ucolour or ''}"
        values = f"{values},{self.link}" if self.link else values.rstrip(",")
        self.mark = f"{MARK}{values}{MARK_END}"
        """What says in a packed row that this pen is used from here on."""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Pen) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Pen{self.key}"

    @property
    def blank(self) -> Pen:
        """The pen of cells that are erased under this one: the background alone stays (back colour erase)."""
        blank = self._blank
        if blank is None:
            blank = self._blank = pen_of((0, self.bg, 0, 0, 0, ""))
        return blank

    def remember(self, parameters: str, then: Pen) -> None:
        """Keep where an SGR string leads from here."""
        if self.steps is None or len(self.steps) >= _MAX_STEPS:
            self.steps = {}
        self.steps[parameters] = then

    @property
    def underline(self) -> int:
        """The underline style that can be seen: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed."""
        if not self.flags & UNDERLINE:
            return 0
        return (self.style or 1) if self.flags & EXTENDED else 1

    @property
    def seen_link(self) -> str:
        """The link of a cell with this pen."""
        return self.link if self.flags & EXTENDED else ""


DEFAULT: Final = Pen((0, 0, 0, 0, 0, ""))
_pens: dict[tuple[int, int, int, int, int, str], Pen] = {DEFAULT.key: DEFAULT}


def pen_of(key: tuple[int, int, int, int, int, str]) -> Pen:
    """The pen with these values, mostly the same object for the same values."""
    pen = _pens.get(key)
    if pen is None:
        if len(_pens) >= _MAX_PENS:
            _forget()
        pen = _pens[key] = Pen(key)
    return pen


_marked: dict[str, Pen] = {"": DEFAULT}


def marked(values: str) -> Pen:
    """The pen of the values in a mark."""
    pen = _marked.get(values)
    if pen is None:
        numbers = values.split(",", 5)
        link = numbers.pop() if len(numbers) == 6 else ""
        numbers += [""] * (5 - len(numbers))
        fg, bg, flags, style, ucolour = [int(number or 0) for number in numbers]
        if len(_marked) >= _MAX_MARKS:
            _marked.clear()
            _marked[""] = DEFAULT
        pen = _marked[values] = pen_of((fg, bg, flags, style, ucolour, link))
    return pen


def _forget() -> None:
    """Let go of all pens that no line holds: a picture in 24-bit colour has hundreds of thousands."""
    for pen in _pens.values():
        pen.steps = None
        pen._blank = None
    _pens.clear()
    _pens[DEFAULT.key] = DEFAULT


def with_extended(fg: int, bg: int, flags: int, style: int, ucolour: int, link: str) -> Pen:
    """A pen whose EXTENDED bit follows from its underline style and link."""
    flags = flags | EXTENDED if style or link else flags & ~EXTENDED
    return pen_of((fg, bg, flags, style, ucolour, link))
