"""The terminal itself: a `pyte.Screen` in what it can be asked, with storage of its own, that does what xterm.js does.

Here are the modes, charsets, the saved cursor, resets, the two buffers and the size; what draws and what edits lies
below, in its own rooms. The parser calls one method for each thing a program says. It never reads bytes and never
raises on what a program sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..size import Size
from .buffer import usual_tabs
from .charsets import ASCII, DESIGNATIONS, SLOTS
from .editing import Editing
from .modes import (
    ALTERNATE,
    CURSOR_STYLES,
    KNOWN,
    MAX_KEYBOARD_STACK,
    MAX_UNKNOWN,
    MOUSE_ENCODING,
    MOUSE_TRACKING,
    SWITCHES,
    Modes,
)
from .parameters import Parameters
from .pen import DEFAULT, PROTECTED, pen_of
from .reflow import resize_buffer
from .sgr import apply_sgr
from .state import MINIMUM_COLUMNS


class Emulator(Editing):
    """A terminal of a size, with at most `scrollback` lines above its screen."""

    # -- modes

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        """SM; with `private=True` DECSET."""
        self._change_modes(modes, True, bool(kwargs.get("private")))

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        """RM; with `private=True` DECRST."""
        self._change_modes(modes, False, bool(kwargs.get("private")))

    def _change_modes(self, modes: tuple[int, ...], on: bool, private: bool) -> None:
        for mode in modes:
            if private:
                self._change_private_mode(mode, on)
            elif mode == 4:
                self.modes.insert = on
            elif mode == 20:
                self.newline = on
        self.look_at_text_modes()

    def _change_private_mode(self, mode: int, on: bool) -> None:
        if mode in SWITCHES:
            setattr(self.modes, SWITCHES[mode], on)
        elif mode == 25:
            self.cursor_hidden = not on
        elif mode in ALTERNATE:
            self._switch_buffer(mode, on)
        elif mode in MOUSE_TRACKING:
            self.mouse_tracking = MOUSE_TRACKING[mode] if on else ""
        elif mode in MOUSE_ENCODING:
            self.mouse_encoding = MOUSE_ENCODING[mode] if on else ""
        elif mode == 6:
            self.modes.origin = on
            self._set_cursor(0, 0)
        elif mode == 12:
            self.cursor_blinks = on
        elif mode == 1048:
            (self.save_cursor if on else self.restore_cursor)()
        elif mode == 2 and on:
            for slot in range(4):
                self._designate(slot, ASCII)
        elif mode not in KNOWN:
            if not on:
                self.unknown_modes.discard(mode)
            elif len(self.unknown_modes) < MAX_UNKNOWN:
                self.unknown_modes.add(mode)

    def _switch_buffer(self, mode: int, to_alternate: bool) -> None:
        """47 and 1047 switch, 1049 also saves and restores the cursor; the alternate screen is empty each time."""
        if to_alternate:
            if mode == 1049:
                self.save_cursor()
            if not self.is_alternate:
                self.normal.x, self.normal.y = self.x, self.y
                self.alternate.fill(self.lines, self.pen.blank)
                self._activate(alternate=True)
            return
        if self.is_alternate:
            buffer = self.alternate
            buffer.lines = []
            buffer.top, buffer.bottom = 0, self.lines - 1
            buffer.tabs = usual_tabs(self.columns)
            self._activate(alternate=False)
        if mode == 1049:
            self.restore_cursor()

    def _activate(self, *, alternate: bool) -> None:
        self.active = self.alternate if alternate else self.normal
        self.grid = self.active.lines

    def cursor_style(self, style: int = 0) -> None:
        """DECSCUSR."""
        if style == 0:
            self.modes.cursor_style, self.modes.cursor_blink = "", None
        else:
            self.modes.cursor_style = CURSOR_STYLES.get(style, self.modes.cursor_style)
            self.modes.cursor_blink = style % 2 == 1

    def set_application_keypad(self, on: bool) -> None:
        """DECKPAM, DECKPNM."""
        self.modes.application_keypad = on

    def set_modify_other_keys(self, resource: int = 0, value: int = 0) -> None:
        """XTMODKEYS, of which only modifyOtherKeys is kept."""
        if resource == 4:
            self.modify_other_keys = value

    def push_keyboard_flags(self, flags: int = 0) -> None:
        """Kitty's `CSI > flags u`."""
        stack = self.keyboard[self.is_alternate]
        stack.append(flags)
        if len(stack) > MAX_KEYBOARD_STACK:
            del stack[0]

    def pop_keyboard_flags(self, count: int = 0) -> None:
        """Kitty's `CSI < count u`; the first entry stays."""
        stack = self.keyboard[self.is_alternate]
        del stack[max(1, len(stack) - (count or 1)) :]

    def set_keyboard_flags(self, flags: int = 0, how: int = 0) -> None:
        """Kitty's `CSI = flags ; how u`: 1 sets all, 2 adds, 3 removes."""
        stack = self.keyboard[self.is_alternate]
        how = how or 1
        stack[-1] = flags if how == 1 else stack[-1] | flags if how == 2 else stack[-1] & ~flags

    # -- pen and charsets

    def select_graphic_rendition(self, *attrs: int, **kwargs: Any) -> None:
        """SGR, with plain numbers; the parser, which knows sub-parameters, goes another way."""
        if not kwargs.get("private"):
            self.pen = apply_sgr(self.pen, Parameters(attrs or (0,), {}))

    def select_protected(self, how: int = 0) -> None:
        """DECSCA: 1 protects what is written from now on against selective erasing."""
        pen = self.pen
        if how == 1:
            flags = pen.flags | PROTECTED
        elif how in (0, 2):
            flags = pen.flags & ~PROTECTED
        else:
            return
        self.pen = pen_of((pen.fg, pen.bg, flags, pen.style, pen.ucolour, pen.link))

    def _designate(self, slot: int, name: str) -> None:
        self.charsets[slot] = name
        if self.shift == slot:
            self.in_use = name

    def define_charset(self, code: str, mode: str) -> None:
        """SCS: the set named by `code` for the slot named by the intermediate `mode`."""
        if code in DESIGNATIONS and mode in SLOTS:
            self._designate(SLOTS[mode], code)
            self.look_at_text_modes()

    def shift_to(self, slot: int) -> None:
        """SI, SO, LS2, LS3 and their like: use G0 to G3."""
        self.shift = slot
        self.in_use = self.charsets[slot]
        self.look_at_text_modes()

    def shift_in(self) -> None:
        """SI."""
        self.shift_to(0)

    def shift_out(self) -> None:
        """SO."""
        self.shift_to(1)

    def select_default_charset(self) -> None:
        """`ESC % @` and `ESC % G`."""
        self._designate(0, ASCII)
        self.shift_to(0)

    # -- the saved cursor

    def save_cursor(self) -> None:
        """DECSC: one slot a buffer."""
        saved = self.active.saved
        saved.x, saved.y = self.x, self.active.base + self.y
        saved.pen, saved.charset = self.pen, self.in_use

    def restore_cursor(self) -> None:
        """DECRC."""
        saved, pen = self.active.saved, self.pen
        self.x, self.y = saved.x, max(saved.y - self.active.base, 0)
        self.pen = pen_of((saved.pen.fg, saved.pen.bg, saved.pen.flags, pen.style, pen.ucolour, pen.link))
        self.in_use = saved.charset
        self.look_at_text_modes()
        self._restrict()

    # -- margins, resets, size

    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        """DECSTBM."""
        first = top or 1
        last = bottom if bottom and bottom <= self.lines else self.lines
        if last > first:
            self.active.top, self.active.bottom = first - 1, last - 1
            self._set_cursor(0, 0)

    def soft_reset(self) -> None:
        """DECSTR."""
        self.cursor_hidden = False
        buffer = self.active
        buffer.top, buffer.bottom = 0, self.lines - 1
        self.pen = DEFAULT
        self.modes = Modes()
        self.reset_charsets()
        saved = buffer.saved
        saved.x, saved.y, saved.pen, saved.charset = 0, buffer.base, DEFAULT, ASCII

    def reset(self) -> None:
        """RIS. Title, palette, blinking, LNM and a hidden cursor stay as they are."""
        self._start_over()

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Take another size; the normal buffer's long lines are wrapped anew."""
        for _ in self.resizing(lines or self.lines, columns or self.columns):
            pass

    def resizing(self, lines: int, columns: int) -> Iterator[None]:
        """The same step by step, of well under a millisecond each. Between the steps, nothing else may be done."""
        rows, width = max(lines, 1), max(columns, MINIMUM_COLUMNS)
        if (rows, width) == (self.lines, self.columns):
            return
        self.active.x, self.active.y = self.x, self.y
        before, after = Size(self.lines, self.columns), Size(rows, width)
        self.lines, self.columns = rows, width
        for buffer in (self.normal, self.alternate):
            yield from resize_buffer(buffer, before, after)
            buffer.extend_tabs(width)
        self.grid = self.active.lines
        self.x, self.y = self.active.x, self.active.y

    def execute(self, control: str) -> None:
        """IND, NEL and HTS as C1 controls; the others do nothing."""
        if control != "\x9c":
            self.join = 0
        if control == "\x84":
            self.index()
        elif control == "\x85":
            self.next_line()
        elif control == "\x88":
            self.set_tab_stop()

    # -- what pyte has besides, and terminals of today do not

    def bell(self, *args: Any) -> None:
        """BEL: nothing to be seen."""

    def debug(self, *args: Any, **kwargs: Any) -> None:
        """What nobody knows does nothing."""

    def report_device_attributes(self, mode: int = 0, **kwargs: Any) -> None:
        """Queries are answered elsewhere."""

    def report_device_status(self, mode: int = 0) -> None:
        """Queries are answered elsewhere."""
