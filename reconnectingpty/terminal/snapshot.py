"""A terminal's whole state as the bytes that draw it on a fresh terminal of the same size.

Both screens, the scrollback with its wrap flags, and all that cannot be seen: pen, modes, margins, tab stops, saved
cursors, charsets, titles, colours, keyboard flags, a pending wrap, a sequence or character cut in half. The bytes never
ring, never ask, and scroll only as many lines as belong into the scrollback. Called by the model; it changes nothing.

What does not come back, since no sequence makes it so in xterm.js: erased cells with an underline, or with other
attributes that show, are spaces; a cursor saved while a wrap was pending on a row that has changed since; a link whose
lines are all gone; the halves that a change of size cuts off wide characters at the right edge; what the alternate
screen hides right of the edge after it became narrower.
"""

from __future__ import annotations

from collections.abc import Sequence

from .buffer import Buffer, usual_tabs
from .cells import NULL, TAIL, cell_width, glyph, has_content
from .charsets import ASCII, SHIFTS, untranslated
from .emulator import Emulator
from .line import Line
from .modes import MOUSE_ENCODING, MOUSE_TRACKING, SWITCHES, Modes
from .operating import SPECIAL
from .packing import Row
from .painting import Painter
from .parser import Parser
from .pen import DEFAULT, EXTENDED, PROTECTED, UNDERLINE, Pen, pen_of, with_extended
from .sgr import link_sequence, sgr_of

_STYLES = {"": 7, "block": 1, "underline": 3, "bar": 5}
_NUMBERS = {name: number for number, name in SWITCHES.items()}
_TRACKING = {name: number for number, name in MOUSE_TRACKING.items()}
_ENCODING = {name: number for number, name in MOUSE_ENCODING.items()}


def snapshot(parser: Parser, lines: int | None = None) -> bytes:
    """What draws the parser's terminal, with at most the newest `lines` of its scrollback.

    Empty for a terminal that nothing has happened to.
    """
    emulator = parser.emulator
    writer = _Writer(emulator, parser.joins)
    writer.write(lines)
    return "".join(writer.out).encode("utf-8") + parser.pending


class _Writer:
    """One snapshot in the making."""

    def __init__(self, emulator: Emulator, joins: bool) -> None:
        self.emulator = emulator
        self.joins = joins
        self.painter = Painter(emulator.columns)
        self.out = self.painter.out

    def write(self, lines: int | None) -> None:
        emulator = self.emulator
        normal, alternate = emulator.normal, emulator.alternate
        self._titles_and_colours()
        self._keyboard(1)
        scrollback = normal.scrollback
        assert scrollback is not None
        above = scrollback.last(len(scrollback) if lines is None else max(lines, 0))
        self._rows(normal, [*above, *normal.lines], len(above), len(scrollback) - len(above))
        self._keyboard(0)
        self._tabs_and_margins(normal)
        if emulator.is_alternate:
            self.out.append(f"{_to(normal.x, normal.y)}\x1b[?1047h\x1b[H")
            self._rows(alternate, alternate.lines, 0, 0)
            self._tabs_and_margins(alternate)
        self._modes()
        self._finish()

    def _titles_and_colours(self) -> None:
        emulator, out = self.emulator, self.out
        for stack, command, which in ((emulator.icon_stack, 1, 1), (emulator.title_stack, 2, 2)):
            out += [f"\x1b]{command};{entry}\x1b\\\x1b[22;{which}t" for entry in stack]
        if emulator.title != emulator.shown_title:
            # Terminals without a title stack have to end with what they show now, the others with what they popped.
            out.append(f"\x1b]2;{emulator.title}\x1b\\\x1b[22;2t\x1b]2;{emulator.shown_title}\x1b\\\x1b[23;2t")
        elif emulator.title or emulator.title_stack:
            out.append(f"\x1b]2;{emulator.title}\x1b\\")
        if emulator.icon_name or emulator.icon_stack:
            out.append(f"\x1b]1;{emulator.icon_name}\x1b\\")
        palette = [f"{number};{_rgb(value)}" for number, value in emulator.colours.items() if number < SPECIAL]
        if palette:
            out.append(f"\x1b]4;{';'.join(palette)}\x1b\\")
        for number, value in emulator.colours.items():
            if number >= SPECIAL:
                out.append(f"\x1b]{number - SPECIAL + 10};{_rgb(value)}\x1b\\")

    def _keyboard(self, which: int) -> None:
        """Kitty's keyboard flags of the normal (0) or the alternate (1) screen."""
        first, *others = self.emulator.keyboard[which]
        if first or others:
            flags = (f"\x1b[={first}u" if first else "") + "".join(f"\x1b[>{flag}u" for flag in others)
            self.out.append(f"\x1b[?1047h{flags}\x1b[?1047l" if which else flags)

    def _rows(self, buffer: Buffer, rows: Sequence[Row | Line], scrolled: int, missing: int) -> None:
        """The rows of a buffer, and its saved cursor; `missing` is how many rows of the scrollback are left out."""
        saved = buffer.saved
        index = saved.y - missing
        usual = saved.pen is DEFAULT and saved.charset == ASCII and not saved.x and index <= 0

        def save(below: int) -> None:
            # DECSC counts rows from the oldest of the scrollback, so it has to be done before that row scrolls away.
            up, down = (f"\x1b[{below}A", f"\x1b[{below}B") if below else ("", "")
            self._save_cursor(buffer, f"{up}\x1b[{min(saved.x, self.emulator.columns - 1) + 1}G", down + "\r")

        beyond = index - self.emulator.lines + 1
        limit = buffer.scrollback.limit if buffer.scrollback is not None else 0
        if index - scrolled >= self.emulator.lines and beyond <= limit:
            # The scrollback was emptied since: scroll as far, save, and empty it again.
            self._save_cursor(buffer, _to(saved.x, self.emulator.lines - 1) + "\n" * beyond, "\x1b[3J\x1b[H")
            usual = True
        early = not usual and 0 <= index < scrolled
        done = self.painter.rows(rows, scrolled, index if early else -1, save if early else None)
        self.painter.use(DEFAULT)
        if not usual and not done:
            row = min(max(index - scrolled, 0), self.emulator.lines - 1)
            if saved.x >= self.emulator.columns:
                self._wait_to_wrap(buffer, row)
                self._save_cursor(buffer, "", "")
            else:
                self._save_cursor(buffer, _to(saved.x, row), "")

    def _save_cursor(self, buffer: Buffer, before: str, after: str) -> None:
        out, saved = self.out, buffer.saved
        charset = (f"\x1b({saved.charset}", "\x1b(B") if saved.charset != ASCII else ("", "")
        out.append(before)
        self.painter.use(saved.pen)
        out.append(f"{charset[0]}\x1b7{charset[1]}{after}")
        self.painter.use(DEFAULT)

    def _tabs_and_margins(self, buffer: Buffer) -> None:
        """Tab stops and margins of the buffer in use."""
        out, emulator = self.out, self.emulator
        columns = emulator.columns
        tabs = {stop for stop in buffer.tabs if stop < columns}
        if tabs != usual_tabs(columns):
            out.append("\x1b[3g" + "".join(f"\x1b[{stop + 1}G\x1bH" for stop in sorted(tabs)))
        if (buffer.top, buffer.bottom) != (0, emulator.lines - 1):
            out.append(f"\x1b[{buffer.top + 1};{buffer.bottom + 1}r")

    def _modes(self) -> None:
        emulator, out = self.emulator, self.out
        modes, usual = emulator.modes, Modes()
        private = [_NUMBERS[name] for name in _NUMBERS if getattr(modes, name) and not getattr(usual, name)]
        if emulator.cursor_blinks:
            private.append(12)
        if emulator.mouse_tracking:
            private.append(_TRACKING[emulator.mouse_tracking])
        if emulator.mouse_encoding:
            private.append(_ENCODING[emulator.mouse_encoding])
        private += sorted(emulator.unknown_modes)
        for at in range(0, len(private), 16):
            out.append(f"\x1b[?{';'.join(map(str, private[at : at + 16]))}h")
        if emulator.cursor_hidden:
            out.append("\x1b[?25l")
        if not modes.wraparound:
            out.append("\x1b[?7l")
        if modes.cursor_style or modes.cursor_blink is not None:
            out.append(f"\x1b[{_STYLES[modes.cursor_style] + (not modes.cursor_blink)} q")
        if emulator.modify_other_keys:
            out.append(f"\x1b[>4;{emulator.modify_other_keys}m")
        if emulator.newline:
            out.append("\x1b[20h")
        if modes.insert:
            out.append("\x1b[4h")
        if modes.origin:
            out.append("\x1b[?6h")

    def _charsets(self) -> None:
        emulator, out = self.emulator, self.out
        for slot, charset in zip("()*+", emulator.charsets, strict=True):
            if charset != ASCII:
                out.append(f"\x1b{slot}{charset}")
        if emulator.shift:
            out.append(SHIFTS[emulator.shift])

    def _finish(self) -> None:
        """The pen, and the cursor; where it stands behind a character just printed, by printing that again."""
        emulator, out = self.emulator, self.out
        pen, saved = emulator.pen, emulator.active.saved
        irregular = bool(pen.flags & EXTENDED) != bool(pen.style or pen.link) or (pen.style > 0) != bool(
            pen.flags & UNDERLINE
        )
        odd_charset = emulator.in_use != emulator.charsets[emulator.shift]
        if odd_charset:
            self._charsets()
        if odd_charset or (irregular and _same(pen, saved.pen)):
            self._restore_cursor(pen, saved.pen)
        if not odd_charset:
            self._charsets()
        x, y = emulator.x, emulator.y
        columns = emulator.columns
        if self.joins and self._print_again(x, y):
            return
        if x >= columns:
            self._wait_to_wrap(emulator.active, y, emulator.in_use)
            out.append("\x1b\\")  # nothing but the end of what a combining character could join
        elif out or x or y:
            out.append(self._to(x, y))
        self._use(pen)

    def _restore_cursor(self, pen: Pen, saved: Pen) -> None:
        """DECRC brings a charset, or attributes, that nothing else says: it leaves underline style and link."""
        last = self.painter.pen
        if _same(pen, saved):
            whole = with_extended(pen.fg, pen.bg, UNDERLINE if pen.style else 0, pen.style, pen.ucolour, pen.link)
            self._use(whole)
            last = whole
        self.out.append("\x1b8")
        self.painter.pen = pen_of((saved.fg, saved.bg, saved.flags, last.style, last.ucolour, last.link))

    def _to(self, x: int, y: int) -> str:
        return _to(x, y - self.emulator.active.top if self.emulator.modes.origin else y)

    def _use(self, pen: Pen) -> None:
        """Take the pen with everything that shows only later."""
        last = self.painter.pen
        if last.key[:5] != pen.key[:5]:
            self.out.append(sgr_of(pen) + ('\x1b[1"q' if pen.flags & PROTECTED else ""))
        if last.link != pen.link:
            self.out.append(link_sequence(pen.link))
        self.painter.pen = pen

    def _print_again(self, x: int, y: int) -> bool:
        emulator = self.emulator
        at = x - emulator.join
        line = emulator.grid[y]
        cells = line.cells(emulator.columns)
        cell = cells[at] if 0 <= at < emulator.columns else NULL
        if not has_content(cell) or cell_width(cell) != emulator.join or line.pens[at] != emulator.pen:
            return False  # a change of size has moved the cursor away from what was printed
        self.out.append(self._to(at, y))
        if emulator.modes.insert:
            self.out.append(f"\x1b[{emulator.join}P")
        self._use(emulator.pen)
        text = glyph(cell)
        self.out.append(untranslated(text[0], emulator.in_use) + text[1:])
        return True

    def _wait_to_wrap(self, buffer: Buffer, y: int, charset: str = ASCII) -> None:
        """Leave the cursor behind the last column, by printing what is there."""
        columns = self.emulator.columns
        line = buffer.lines[y]
        cells = line.cells(columns)
        at = columns - 2 if cells[columns - 1] == TAIL else columns - 1
        cell = cells[at]
        self.out.append(self._to(at, y))
        if has_content(cell):
            self.painter.use(line.pens[at])
            text = glyph(cell)
            self.out.append(untranslated(text[0], charset) + text[1:])
            return
        empty = cells.count(NULL) == len(cells) and not line.wrapped
        self.painter.use(line.pens[at])
        self.out.append(" \x1b[2K" if empty else " ")


def _same(pen: Pen, saved: Pen) -> bool:
    return (pen.fg, pen.bg, pen.flags) == (saved.fg, saved.bg, saved.flags)


def _to(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"


def _rgb(value: tuple[int, int, int]) -> str:
    return f"rgb:{value[0]:02x}/{value[1]:02x}/{value[2]:02x}"
