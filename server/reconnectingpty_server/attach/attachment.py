"""One person's terminal, or a pipe, on a session: what is typed goes there, what the session shows comes here.

Stands on the client library, which keeps the connection. This owns the terminal meanwhile: every way out of `run` puts
it back.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from reconnectingpty import NotAllowed
from reconnectingpty.client import Closed, Exited, SessionEnded, Terminal
from reconnectingpty.size import Size

from ..own_terminal import STDIN, Raw
from .escapes import Command, Escapes
from .screen import Screen
from .words import Words

SLICE = 64 << 10
EOF_SECONDS = 1.0
"""How long a session must be silent before the end of the input is typed again: one that was typed while nothing read
is lost where a shell's line editor takes the terminal over then."""
BETWEEN = 64 << 10
"""Bytes typed that are kept between two terminals."""
EOF = b"\x04"
INTERRUPT = b"\x03"
_CHARACTER = (1,) * 12 + (2, 2, 3, 4)
"""Bytes of a character in UTF-8, by the upper half of its first one."""
_STOPS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Left:
    """The person has gone, the session goes on: with this exit status, and words about it."""

    status: int
    text: str = ""


End = Exited | Closed | Left
LEFT = Left(0, "left; the session goes on")
HUNG_UP = Left(128 + signal.SIGHUP)


class Attachment:
    """This process's terminal on one `Terminal` after the other: where a server came back with its sessions, their
    offsets have begun anew, but for whoever looks on it is the same session."""

    def __init__(
        self, make: Callable[[Size | None, bool], Terminal], escape: bytes | None, tell: Callable[[str], None]
    ) -> None:
        self._make = make
        self._escape = escape if os.isatty(STDIN) else None
        self._keys = Escapes(self._escape)
        self._loop = asyncio.get_running_loop()
        self._raw = Raw()
        self._screen = Screen()
        self._words = Words(self._screen, self._escape, tell)
        self._terminal: Terminal | None = None
        self._ours = False  # this process's terminal is raw, and shows the session
        self._between = b""  # typed while there was none
        self._end: asyncio.Future[End] = self._loop.create_future()
        self._stopping = False

    async def run(self) -> End:
        """Until the session ends or the person leaves. Raises ConnectFailed, SessionEnded before there was anything."""
        async with self._signals():
            try:
                terminal = await self._open(again=False)  # not raw yet, so that ^C ends a wait for the server
                return await self._attached(terminal) if terminal is not None else self._end.result()
            finally:
                self._words.silence()
                self._screen.close()

    async def _open(self, *, again: bool) -> Terminal | None:
        """A terminal that is open; None where the person has left before."""
        terminal = self._make(self._screen.size, again)
        terminal.on_event = self._words.happened
        opening = asyncio.create_task(terminal.open())
        await asyncio.wait((opening, self._end), return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            return opening.result()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        return None

    async def _attached(self, first: Terminal) -> End:
        """The life of a terminal that is open, and of those that follow it."""
        self._terminal = first
        with self._raw:
            self._ours = True
            typing = asyncio.create_task(self._type())
            typing.add_done_callback(self._typed)
            try:
                self._screen.begin()
                return await self._serve_all(first)
            finally:
                typing.cancel()
                await asyncio.gather(typing, return_exceptions=True)
                self._ours = False
                self._words.silence()
                self._screen.leave()

    async def _serve_all(self, first: Terminal) -> End:
        terminal: Terminal | None = first
        while terminal is not None:
            self._terminal = terminal
            try:
                if self._between:
                    typed, self._between = self._between, b""
                    await self._send(typed)
                end = await self._serve(terminal)
            finally:
                self._terminal = None
                await terminal.aclose()
            if not self._screen.personal or not isinstance(end, Closed) or end.reason != "replaced":
                return end
            terminal = await self._open(again=True)
            self._screen.start_over()
        return self._end.result()

    async def _serve(self, terminal: Terminal) -> End:
        showing = asyncio.create_task(self._show(terminal))
        try:
            await asyncio.wait((showing, self._end), return_when=asyncio.FIRST_COMPLETED)
            if self._end.done():
                with suppress(TimeoutError, SessionEnded):  # what was typed before leaving is for the session
                    async with asyncio.timeout(1.0 if terminal.connected else 0.0):
                        await terminal.flush()
                return self._end.result()
            await showing
            return await terminal.wait_closed()
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    def _finish(self, end: End) -> None:
        if not self._end.done():
            self._end.set_result(end)

    # -- from the session

    async def _show(self, terminal: Terminal) -> None:
        """Write what the session shows, as fast as this terminal takes it, until its end."""
        screen = self._screen
        with terminal.reader() as reader:
            while item := await reader.next(SLICE):
                await self._words.read()
                if isinstance(item, Size):
                    screen.resized(item)
                    continue
                screen.write(item)
                await screen.taken()
                if screen.broken:
                    self._finish(Left(128 + signal.SIGPIPE))
                    break
                if not reader.waiting:
                    self._words.remind()
        await screen.done()

    # -- to the session

    async def _type(self) -> None:
        try:
            await (self._from_keys() if os.isatty(STDIN) else self._from_pipe())
        except OSError:  # the terminal is gone
            self._finish(HUNG_UP)

    def _typed(self, typing: asyncio.Task[None]) -> None:
        if not typing.cancelled() and (error := typing.exception()) is not None and not self._end.done():
            self._end.set_exception(error)

    async def _from_keys(self) -> None:
        while True:
            await _readable(STDIN)
            data = os.read(STDIN, SLICE)
            if not data:
                self._finish(HUNG_UP)
                return
            for part in self._keys.feed(data):
                if isinstance(part, Command):
                    self._obey(part)
                    continue
                if self._words.helping:
                    self._words.go_on()
                    part = _behind_a_key(part)
                if part:
                    await self._send(part)

    async def _send(self, data: bytes) -> None:
        """Type; while more waits for the session than may, nothing else is read from the keyboard."""
        try:
            if self._terminal is not None:
                await self._terminal.send(data)
                return
        except NotAllowed:
            if INTERRUPT in data:  # nobody else could want it
                self._finish(LEFT)
            return
        except SessionEnded:
            pass  # whoever reads learns how; it may be for the next
        self._between += data[: BETWEEN - len(self._between)]

    async def _from_pipe(self) -> None:
        """What comes by a pipe, or from a file; and then the end of input, for each program that reads on."""
        terminal = self._terminal
        assert terminal is not None
        try:
            while data := await _piped():
                await terminal.send(data)
            await terminal.flush()
            while True:
                await terminal.send(EOF)
                seen = -1
                while seen != self._screen.bytes or not terminal.connected:
                    seen = self._screen.bytes
                    await asyncio.sleep(EOF_SECONDS)
        except (NotAllowed, SessionEnded):
            pass  # whoever reads learns how

    # -- what the person asks for

    def _obey(self, command: Command) -> None:
        self._words.go_on()
        match command:
            case Command.LEAVE:
                self._finish(LEFT)
            case Command.SUSPEND:
                self._suspend()
            case Command.REDRAW:
                self._screen.redraw()
            case Command.HELP:
                self._words.help(self._terminal)

    def _suspend(self) -> None:
        """Give the terminal back, stop, and take it again."""
        if self._ours:
            self._screen.leave()
        self._raw.leave()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        self._stopping = True
        os.kill(0, signal.SIGTSTP)  # the whole job, as the terminal's own ^Z would
        self._resumed()
        self._loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        self._loop.call_later(0.2, setattr, self, "_stopping", False)

    def _continued(self) -> None:
        """Somebody has stopped this process without asking, and woken it."""
        if not self._stopping and not self._end.done():
            self._resumed()

    def _resumed(self) -> None:
        if self._ours:
            self._raw.enter()
            self._screen.begin()
            self._screen.redraw()
            self._resized()

    def _resized(self) -> None:
        size = self._screen.measure()
        if size is not None and self._terminal is not None:
            self._terminal.resize(size.rows, size.cols)

    # -- signals

    @asynccontextmanager
    async def _signals(self) -> AsyncIterator[None]:
        handlers: dict[int, Callable[[], None]] = {
            number: partial(self._finish, Left(128 + number)) for number in _STOPS
        }
        if os.isatty(STDIN) or self._screen.drawn:
            handlers |= {signal.SIGWINCH: self._resized, signal.SIGCONT: self._continued}
            handlers |= {signal.SIGTSTP: self._suspend}
        for number, handler in handlers.items():
            self._loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                self._loop.remove_signal_handler(number)


def _behind_a_key(typed: bytes) -> bytes:
    """Without the first key: a sequence, which comes alone, or a character of one byte or more."""
    return b"" if typed.startswith(b"\x1b") else typed[_CHARACTER[typed[0] >> 4] :]


async def _piped() -> bytes:
    with suppress(PermissionError):  # of a plain file, which can always be read
        await _readable(STDIN)
    return os.read(STDIN, SLICE)


async def _readable(descriptor: int) -> None:
    """Return when there is something to read. Raises PermissionError for what can't be waited for."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, wake)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
