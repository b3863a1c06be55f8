"""This process's own terminal, for commands that put something else on it: raw while they run, as it was afterwards.

Standard input is switched to raw, and back whatever happens. What is written goes out without ever blocking the event
loop, through a description of the file that nobody else shares.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
import termios
import tty
from contextlib import suppress

from reconnectingpty.size import Size

STDIN, STDOUT = 0, 1
MAX_WAITING = 64 << 10
"""Bytes that may wait for a slow terminal before `drain` waits."""
LAST_SECONDS = 2.0
"""How long a terminal that takes nothing is waited for in the end."""
AT_ONCE = 4096
"""Bytes that a pipe takes without blocking, if it takes any (pipe(7))."""


def size() -> Size | None:
    """The size of this process's terminal; None where there is none."""
    for descriptor in (STDOUT, STDIN):
        with suppress(OSError):
            found = os.get_terminal_size(descriptor)
            return Size.bounded(found.lines, found.columns)
    return None


class Raw:
    """Standard input without line editing and signals; nothing where it is no terminal."""

    def __init__(self) -> None:
        self._before: list[object] | None = None

    def enter(self) -> None:
        """Switch it. Called again after somebody else had the terminal, which may be raw still."""
        with suppress(termios.error):
            if self._before is None:
                self._before = termios.tcgetattr(STDIN)
            tty.setraw(STDIN)

    def leave(self) -> None:
        """As it was before; what was typed and not read, such as answers to a program's questions, is dropped."""
        if self._before is not None:
            with suppress(termios.error):
                termios.tcsetattr(STDIN, termios.TCSAFLUSH, self._before)  # type: ignore[arg-type]
            self._before = None

    def __enter__(self) -> Raw:
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


class Outlet:
    """Standard output, from an event loop: writes at once what it takes, and the rest when it takes more."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._drained: asyncio.Future[None] | None = None
        self._own = -1
        self.broken: OSError | None = None
        """Why nothing can be written any more."""
        with suppress(OSError):
            # O_NONBLOCK belongs to an open file, and the shell that started this has the one of standard output, too.
            # So has a file its position there, but no writer of a plain file ever waits.
            kind = os.fstat(STDOUT).st_mode
            if stat.S_ISCHR(kind) or stat.S_ISFIFO(kind):
                self._own = os.open(f"/proc/self/fd/{STDOUT}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        self._descriptor = self._own if self._own >= 0 else STDOUT

    def write(self, data: bytes) -> None:
        """Have it written, in order."""
        if self.broken is not None:
            return
        if self._waiting:
            self._waiting += data
            return
        written = self._write(data)
        if written < len(data) and self.broken is None:
            self._waiting += memoryview(data)[written:]
            self._loop.add_writer(self._descriptor, self._writable)

    def _write(self, data: bytes | bytearray) -> int:
        """How much of it went out."""
        view, done = memoryview(data), 0
        try:
            while done < len(view):
                if self._own < 0 and not self._has_room():
                    break
                done += os.write(self._descriptor, view[done:] if self._own >= 0 else view[done : done + AT_ONCE])
        except BlockingIOError:
            pass
        except OSError as error:
            self.broken = error
        finally:
            view.release()
        return done

    def _has_room(self) -> bool:
        return bool(select.select([], [self._descriptor], [], 0)[1])

    def _writable(self) -> None:
        del self._waiting[: self._write(self._waiting)]
        if not self._waiting or self.broken is not None:
            self._waiting.clear()
            self._loop.remove_writer(self._descriptor)
        if len(self._waiting) <= MAX_WAITING and self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    async def drain(self, most: int = MAX_WAITING) -> None:
        """Return when at most so many bytes wait."""
        while len(self._waiting) > most and self.broken is None:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def close(self) -> None:
        """Write what waits, unless nothing of it is taken for a while, and let go of it."""
        if self._waiting and self.broken is None:
            self._loop.remove_writer(self._descriptor)
            while self._waiting and select.select([], [self._descriptor], [], LAST_SECONDS)[1] and self.broken is None:
                del self._waiting[: self._write(self._waiting)]
        if self._own >= 0:
            os.close(self._own)
            self._own = -1
