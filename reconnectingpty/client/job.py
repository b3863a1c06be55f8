"""One command that was typed into a shell: what came of it so far, and how it ended."""

from __future__ import annotations

import asyncio
import re

from .shell import Echo, Shell, without_end_of_line

MOST_OUTPUT = 8 << 20
"""Bytes of a command's output that are kept at its beginning, and as many at its end."""
_SYNTAX_ERROR = re.compile(rb"(?:syntax|parse) error", re.IGNORECASE)


class Job:
    """A command. Its `word` is what its own marks repeat."""

    def __init__(self, shell: Shell, word: str, text: str) -> None:
        self.shell = shell
        self.word = word
        self.status: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        """None where the shell wants the rest of the command."""
        self.begun = False
        """Whether its shell has said that it began."""
        self.others: list[int] = []
        """The statuses of what ended in its shell since it was typed, and before it began."""
        self.other_began = False
        """Whether its shell has said that something else began."""
        self.dropped = 0
        self._output = bytearray()
        self._tail = bytearray()
        self._echo = Echo(text)
        self._ended = False

    def begin(self) -> None:
        """The shell says that the output begins here."""
        self.begun = True
        self._start()

    def _start(self) -> None:
        self._ended = False
        self._output.clear()
        self._tail.clear()
        self._echo.over = True

    def finish(self) -> None:
        """The output ends here."""
        self._ended = True

    def other(self, status: int) -> None:
        """Something else has ended in the shell, or the command itself, if the shell could not make sense of it."""
        self.others.append(status)
        if not self.begun:
            self.finish()

    @property
    def refused(self) -> int | None:
        """The status, where the shell seems to have said that it did not understand the line.

        To be asked when it is known that it never ran.
        """
        if self.shell.edits or self.other_began or len(self.others) != 1 or not _SYNTAX_ERROR.search(self._output):
            return None
        return self.others[0] or None

    def add(self, data: bytes) -> None:
        """More of the output."""
        if self._ended:
            return
        if not self._echo.over:
            at = self._echo.feed(data)
            if self._echo.over:
                self._start()
                data = data[at:]
        room = MOST_OUTPUT - len(self._output)
        self._output += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > 2 * MOST_OUTPUT:
            self._drop()

    def _drop(self) -> None:
        surplus = max(len(self._tail) - MOST_OUTPUT, 0)
        del self._tail[:surplus]
        self.dropped += surplus

    def raw(self) -> bytes:
        """All that was kept."""
        self._drop()
        return without_end_of_line(self.shell, bytes(self._output + self._tail))

    def end(self, status: int | None) -> None:
        """It has ended."""
        if not self.status.done():
            self.status.set_result(status)
