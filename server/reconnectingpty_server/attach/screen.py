"""Where `attach` writes: a terminal that a person looks at, with words over it now and then, or just standard output.

A terminal is cleared at first, since a session's pictures count rows from its top, and is left as it was
found: with nothing switched on, its title, and the cursor below what is shown.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from reconnectingpty.size import DEFAULT_SIZE, Size

from .. import own_terminal
from ..own_terminal import STDIN, STDOUT, Outlet
from .mirror import Mirror
from .notice import notice

RESET = b"\x1bc"
_KEEP_TITLE, _OLD_TITLE = b"\x1b[22;2t", b"\x1b[23;2t"


class Screen:
    """What is written, in order."""

    def __init__(self) -> None:
        self.size = own_terminal.size()
        """This terminal's own; None where it is none."""
        self.bytes = 0
        """What was shown of the session so far."""
        self._outlet = Outlet()
        self._mirror: Mirror | None = None
        if os.isatty(STDOUT) and os.environ.get("TERM", "dumb") != "dumb":
            self._mirror = Mirror(self.size or DEFAULT_SIZE)
        self._covered = 0  # rows
        self._begun = False  # and not left

    @property
    def personal(self) -> bool:
        """Whether a person looks at it and types, so that words may be written over it."""
        return self.drawn and os.isatty(STDIN)

    @property
    def drawn(self) -> bool:
        """Whether it is a terminal's, to be left as it was found, whatever is typed comes from."""
        return self._mirror is not None

    @property
    def broken(self) -> bool:
        """Whether nothing can be written any more."""
        return self._outlet.broken is not None

    def measure(self) -> Size | None:
        """Look how large it is now."""
        self.size = own_terminal.size()
        return self.size

    # -- the session's output

    def begin(self) -> None:
        """A clean screen; what was there goes up into the scrollback. Called again after somebody else wrote on it."""
        if self._mirror is not None:
            rows = (self.size or DEFAULT_SIZE).rows
            keep = b"" if self._begun else _KEEP_TITLE
            self._outlet.write(keep + b"\x1b[%dH" % rows + b"\n" * rows + b"\x1b[H")
            self._begun = True

    def write(self, data: bytes) -> None:
        """Show output of the session."""
        self.uncover()
        self._outlet.write(data)
        self.bytes += len(data)
        if self._mirror is not None:
            self._mirror.written(data)

    async def taken(self) -> None:
        """Return when the terminal has taken most of it, and the model of it is not far behind."""
        await self._outlet.drain()
        if self._mirror is not None:
            await self._mirror.keep_up()

    async def done(self) -> None:
        """Return when the terminal has taken all of it."""
        await self._outlet.drain(0)

    def start_over(self) -> None:
        """Another session's output follows."""
        if self._mirror is not None:
            self.write(RESET)

    def resized(self, size: Size) -> None:
        """The session's terminal has another size from here on."""
        if self._mirror is not None:
            self._mirror.resized(size)

    def leave(self) -> None:
        """As a shell wants it."""
        self.uncover()
        if self._mirror is not None:
            self._outlet.write(self._mirror.leaving() + _OLD_TITLE * (self._mirror.titles + 1))
            self._begun = False

    def close(self) -> None:
        """Write what waits."""
        if self._mirror is not None:
            self._mirror.close()
        self._outlet.close()

    # -- words over it

    def redraw(self) -> None:
        """Draw what the session shows anew."""
        self._covered = 0
        if self._mirror is not None:
            self._outlet.write(self._mirror.redrawn())

    def cover(self, lines: Sequence[str]) -> None:
        """Show words over it, until more of the session is shown or they are taken off."""
        if self._mirror is not None:
            if self._covered != len(lines):
                self.uncover()
            self._mirror.catch_up()
            self._covered = len(lines)
            self._outlet.write(notice(lines, self.size or DEFAULT_SIZE))

    def uncover(self) -> None:
        """Take the words off."""
        if self._covered:
            self.redraw()
