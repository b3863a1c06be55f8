"""A model of what this process's terminal shows, behind what is written to it, so that it can be drawn anew and left.

It follows as the library's own sessions do it: in the quiet, or where it would fall too far behind; what scrolls away
is skipped. Nobody waits for it but who asks.
"""

from __future__ import annotations

import asyncio
import time

from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size
from reconnectingpty.terminal.catchup import TerminalModel

LIMIT = 1 << 20
"""Bytes that it may be behind."""
QUIET = 0.02
"""Seconds without output after which it catches up."""
TURN = 0.003
"""Seconds for which it holds up the event loop."""


class Mirror:
    """What the terminal shows."""

    def __init__(self, size: Size) -> None:
        self._log = OutputLog(LIMIT, size)
        self._model = TerminalModel(self._log, size, scrollback=0, clock=time.perf_counter)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def written(self, data: bytes) -> None:
        """This was written to the terminal."""
        self._log.append(data)
        if self._timer is None:
            self._timer = self._loop.call_later(QUIET, self._advance)

    def resized(self, size: Size) -> None:
        """What comes is for a terminal of that size."""
        self._log.resize(size)

    async def keep_up(self) -> None:
        """Return when there is room for more."""
        while self._model.lag > LIMIT // 2:
            self._model.advance(TURN, LIMIT // 4)
            await asyncio.sleep(0)

    def catch_up(self) -> None:
        """Have it know all that was written."""
        while not self._model.advance(1.0):
            pass

    def _advance(self) -> None:
        self._timer = None
        if not self._model.advance(TURN):
            self._timer = self._loop.call_later(TURN, self._advance)

    def redrawn(self) -> bytes:
        """What draws the screen anew, whatever was written over it."""
        self.catch_up()
        held = self._model.emulator.modes.synchronized
        return b"\x1b[?2026h" + self._model.redrawn() + (b"" if held else b"\x1b[?2026l")

    def leaving(self) -> bytes:
        """What takes the terminal out of all that was switched on in it; what it shows stays."""
        self.catch_up()
        return self._model.leaving()

    @property
    def titles(self) -> int:
        """How many titles were pushed on the terminal's stack, and not popped."""
        return len(self._model.emulator.title_stack)

    def close(self) -> None:
        """Follow no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
