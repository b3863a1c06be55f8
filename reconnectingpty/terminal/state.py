"""What a terminal is, besides what it does: size, buffers, cursor, pen, modes, titles; and pyte's way to look at it.

The ground floor of the emulator: drawing, editing and the emulator itself are built on top of it, one on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from pyte import modes as pyte_modes
from pyte.screens import Char, Cursor, Margins, Screen

from .buffer import Buffer
from .cells import glyph
from .charsets import ASCII
from .line import Line
from .modes import Modes
from .pen import BLINK, BOLD, DEFAULT, INVERSE, ITALIC, PALETTE256, RGB, STRIKE, Pen
from .scrollback import Scrollback

MINIMUM_COLUMNS: Final = 2
"""A wide character has to fit; xterm.js has no narrower screen either."""
_COLOURS: Final = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
"""pyte's names; the bright ones have "bright" before them."""


class TerminalState(Screen):
    """Everything that a snapshot has to bring back.

    Invariant: `grid` is the active buffer's list of rows; `plain` tells that text does nothing but overwrite cells and
    wrap: no insert mode, autowrap on, no charset but ASCII in use.
    """

    # More than Python packs into an instance that has a dictionary: a session weighs a KiB less.
    __slots__ = (
        "active",
        "alternate",
        "charsets",
        "colours",
        "columns",
        "cursor_blinks",
        "cursor_hidden",
        "grid",
        "icon_name",
        "icon_stack",
        "in_use",
        "join",
        "keyboard",
        "lines",
        "modes",
        "modify_other_keys",
        "mouse_encoding",
        "mouse_tracking",
        "newline",
        "normal",
        "on_query",
        "pen",
        "plain",
        "scrollback_limit",
        "shift",
        "shown_title",
        "title",
        "title_stack",
        "unknown_modes",
        "x",
        "y",
    )

    def __init__(self, columns: int, lines: int, scrollback: int = 5000) -> None:
        # pyte's own constructor would build its storage; nothing of that is used.
        self.columns = max(columns, MINIMUM_COLUMNS)
        self.lines = max(lines, 1)
        self.scrollback_limit = scrollback
        self.on_query: Callable[[bytes], None] | None = None
        self.cursor_hidden = False
        self.cursor_blinks = False
        self.newline = False
        self.title = ""
        self.shown_title = ""
        """The title where the title stack does nothing, as in xterm.js by default."""
        self.icon_name = ""
        self.title_stack: list[str] = []
        self.icon_stack: list[str] = []
        self.colours: dict[int, tuple[int, int, int]] = {}
        """Palette entries that were changed; 256, 257 and 258 are foreground, background and cursor."""
        self._start_over()

    def _start_over(self) -> None:
        """What RIS puts back, and no more."""
        self.normal = Buffer(self.lines, self.columns, Scrollback(self.scrollback_limit))
        self.alternate = Buffer(self.lines, self.columns, None)
        self.normal.fill(self.lines, DEFAULT)
        self.active = self.normal
        self.grid: list[Line] = self.normal.lines
        self.x = self.y = 0
        self.pen: Pen = DEFAULT
        self.modes = Modes()
        self.reset_charsets()
        self.mouse_tracking = self.mouse_encoding = ""
        self.keyboard: tuple[list[int], list[int]] = ([0], [0])
        """Kitty's keyboard flags, a stack for the normal and one for the alternate screen."""
        self.modify_other_keys = 0
        self.unknown_modes: set[int] = set()
        self.join = 0
        """Columns of the character just printed, to which a combining one goes; 0 after anything else."""

    def reset_charsets(self) -> None:
        """ASCII everywhere, G0 in use."""
        self.charsets = [ASCII] * 4
        self.shift = 0
        self.in_use = ASCII
        self.look_at_text_modes()

    def look_at_text_modes(self) -> None:
        """Work out `plain`, after a change of what it depends on."""
        self.plain = self.modes.wraparound and not self.modes.insert and self.in_use == ASCII

    @property
    def is_alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return self.active is self.alternate

    # -- pyte's surface

    @property
    def display(self) -> list[str]:
        """The rows as text, with blanks up to their ends."""
        return [line.text(self.columns) for line in self.grid]

    @property
    def cursor(self) -> Cursor:
        """The cursor as pyte has it; `x` is the number of columns while a wrap is pending."""
        return _CursorView(self)

    @cursor.setter
    def cursor(self, value: Cursor) -> None:
        self.x, self.y, self.cursor_hidden = value.x, value.y, value.hidden

    @property
    def buffer(self) -> Any:  # type: ignore[override]
        """Rows of pyte's characters, by row and column, to be read."""
        return _Rows(self)

    @property
    def mode(self) -> set[int]:  # type: ignore[override]
        """The modes that pyte knows, in its numbers: those of DEC times 32."""
        modes = self.modes
        states = {
            pyte_modes.IRM: modes.insert,
            pyte_modes.LNM: self.newline,
            pyte_modes.DECAWM: modes.wraparound,
            pyte_modes.DECOM: modes.origin,
            pyte_modes.DECTCEM: not self.cursor_hidden,
        }
        return {number for number, on in states.items() if on}

    @property
    def margins(self) -> Margins | None:  # type: ignore[override]
        """The scrolling region's first and last row, or None where it is the whole screen."""
        top, bottom = self.active.top, self.active.bottom
        return None if (top, bottom) == (0, self.lines - 1) else Margins(top, bottom)

    @property
    def tabstops(self) -> set[int]:  # type: ignore[override]
        """The active buffer's tab stops."""
        return set(self.active.tabs)

    @property
    def dirty(self) -> set[int]:  # type: ignore[override]
        """Every row: what changed is not tracked."""
        return set(range(self.lines))

    def char_at(self, row: int, column: int) -> Char:
        """A cell, as pyte has it."""
        line = self.grid[row]
        cells = line.cells(self.columns)
        pen = line.pens[column]
        cell = glyph(cells[column]) if cells[column] != "\x00" else " "
        return Char(cell, *_pyte_attributes(pen))


def _pyte_attributes(pen: Pen) -> tuple[str, str, bool, bool, bool, bool, bool, bool]:
    flags = pen.flags
    return (
        _pyte_colour(pen.fg),
        _pyte_colour(pen.bg),
        bool(flags & BOLD),
        bool(flags & ITALIC),
        bool(pen.underline),
        bool(flags & STRIKE),
        bool(flags & INVERSE),
        bool(flags & BLINK),
    )


def _pyte_colour(colour: int) -> str:
    if not colour:
        return "default"
    if colour & RGB:
        return f"{colour & 0xFFFFFF:06x}"
    index = colour & 0xFF if colour & PALETTE256 else colour - 1
    if index < 16:
        return "bright" * (index > 7) + _COLOURS[index & 7]
    if index > 231:
        return f"{8 + (index - 232) * 10:02x}" * 3
    levels = (0, 95, 135, 175, 215, 255)
    index -= 16
    return "".join(f"{levels[index // by % 6]:02x}" for by in (36, 6, 1))


class _CursorView(Cursor):
    """pyte's cursor, kept where the emulator keeps it."""

    __slots__ = ("_state",)

    def __init__(self, state: TerminalState) -> None:
        self._state = state

    @property
    def x(self) -> int:
        return self._state.x

    @x.setter
    def x(self, value: int) -> None:
        self._state.x = value

    @property
    def y(self) -> int:
        return self._state.y

    @y.setter
    def y(self, value: int) -> None:
        self._state.y = value

    @property
    def hidden(self) -> bool:
        return self._state.cursor_hidden

    @hidden.setter
    def hidden(self, value: bool) -> None:
        self._state.cursor_hidden = value

    @property
    def attrs(self) -> Char:  # type: ignore[override]
        return Char(" ", *_pyte_attributes(self._state.pen))


class _Rows:
    """`screen.buffer[row][column]`."""

    __slots__ = ("_row", "_state")

    def __init__(self, state: TerminalState, row: int = -1) -> None:
        self._state = state
        self._row = row

    def __getitem__(self, index: int) -> Any:
        if self._row < 0:
            return _Rows(self._state, range(self._state.lines)[index])
        return self._state.char_at(self._row, range(self._state.columns)[index])

    def __len__(self) -> int:
        return self._state.lines if self._row < 0 else self._state.columns

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))
