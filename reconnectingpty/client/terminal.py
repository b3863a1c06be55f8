"""A session on a server, as a program uses it: one `Terminal` over as many connections as it takes.

It types, reads, looks at the screen, waits for what appears there, and runs commands. The connection is its `Link`'s
affair, what comes is kept by the link's `Output`, and everything that is to be known of terminals and shells lies in
rooms of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable

from pyte.screens import Char

from ..errors import NotAllowed
from ..size import DEFAULT_SIZE, Size
from ..terminal.screen import Screen
from ..wire.address import AttachRequest
from ..wire.messages import Hello
from .address import Address
from .commands import Commands, Completed
from .errors import ConnectFailed, SessionEnded
from .events import Closed, Connected, Event, Exited, Resynced
from .keys import Key, paste
from .link import Link, Settings
from .output import SLICE, OutputReader
from .view import Mark, View
from .waiting import Condition, Found
from .watching import first_of

MAX_EVENTS = 256
"""Events that wait to be read; then the oldest are forgotten."""
ANSWER_SECONDS = 15.0
"""How long a shell may take to say that it is one."""


class Terminal:
    """A session. Made by :func:`connect`; used as an async context manager, in one event loop."""

    def __init__(self, address: Address, request: AttachRequest, settings: Settings) -> None:
        self._link = Link(address, request, settings, self._happened, self._came)
        self._output = self._link.output
        self._changed = self._link.changed
        self._protocol = self._link.protocol
        self._commands = Commands(self)
        self._reader: OutputReader | None = None
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.came_at = 0.0
        """When output came last, or a connection by which more may come, by the event loop's clock."""
        if settings.scrollback is not None:
            self._output.view = View(self._output.log, settings.scrollback)
        self.on_event: Callable[[Event], object] | None = None
        """Called with each event as it happens, in the event loop."""

    # -- what can be told

    @property
    def session(self) -> str:
        """The session's id; empty for a new one that has not been opened."""
        return self._link.request.session

    @property
    def client(self) -> str:
        """This client's id, by which the session knows it over all connections."""
        assert self._link.request.client is not None
        return self._link.request.client

    @property
    def hello(self) -> Hello | None:
        """What the session said of itself when the present connection, or the last one, was made."""
        return self._link.hello

    @property
    def over(self) -> bool:
        """Whether nothing will come or go any more."""
        return self._link.over

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._link.connected

    @property
    def caught_up(self) -> bool:
        """Whether there is a connection, and what the session had to tell when it was made has come."""
        return self.connected and self._link.caught_up and not self._protocol.drawing

    @property
    def end(self) -> Exited | Closed | None:
        """How the session ended, once it has."""
        return self._protocol.end

    @property
    def size(self) -> Size:
        """The terminal's size, which the session's size policy has made of its clients' own."""
        return self._output.log.size

    @property
    def viewers(self) -> int:
        """Clients attached, this one included."""
        return self._link.viewers

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._link.connections

    @property
    def resyncs(self) -> int:
        """How often output was missed, and a picture came instead."""
        return self._link.resyncs

    @property
    def unsent(self) -> int:
        """Bytes of input that the session has not acknowledged."""
        return len(self._protocol.typed)

    # -- life

    async def open(self) -> Terminal:
        """Connect; return when the session is there.

        Raises ConnectFailed, SessionEnded.
        """
        self._link.start()
        try:
            while self.hello is None and not self.over:
                await self._changed.wait()
            if self.hello is None:
                raise self._failure()
        except BaseException:
            await self.aclose()
            raise
        return self

    def _failure(self) -> ConnectFailed | SessionEnded:
        """Why there never was a connection."""
        end = self.end
        if isinstance(end, Closed) and end.reason == "refused":
            return ConnectFailed(end.detail, code=end.code)
        return self.ended()

    async def aclose(self) -> None:
        """Leave the session, which goes on. What was typed and not acknowledged may be lost: see `flush`."""
        await self._link.aclose()
        self._commands.over(self.ended())

    async def __aenter__(self) -> Terminal:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # -- input

    async def send(self, *what: str | bytes | Key) -> None:
        """Type: text as UTF-8, bytes as they are, keys as the program wants them. A person's Enter is "\\r".

        Sent now, or when there is a connection again; each byte arrives once. Waits while more than `input_limit`
        bytes wait for the session. Raises NotAllowed, SessionEnded.
        """
        data = b"".join([await self._encoded(part) for part in what])
        limit = self._link.settings.input_limit
        for start in range(0, len(data), limit):
            while self.unsent >= limit and not self.over:
                await self._changed.wait()
            self.send_nowait(data[start : start + limit])

    async def _encoded(self, part: str | bytes | Key) -> bytes:
        if isinstance(part, Key):
            view = await self.view()
            return part.encode(application_cursor=view is not None and view.emulator.modes.application_cursor)
        return part.encode() if isinstance(part, str) else bytes(part)

    def send_nowait(self, data: bytes) -> None:
        """Type bytes without waiting; the caller looks at `unsent` so that not too many wait.

        Raises NotAllowed, SessionEnded.
        """
        self._may_write()
        self._protocol.typed.push(data)
        self._link.send_soon()

    async def press(self, *names: str) -> None:
        """Press keys, by their names: `await terminal.press("Escape", ":", "w", "Enter", "C-c", "S-Up")`.

        Raises UnknownKey, and what `send` does.
        """
        await self.send(*(Key(name) for name in names))

    async def paste(self, text: str) -> None:
        """Paste text, as a terminal does: bracketed where the program has asked for that. Raises what `send` does."""
        view = await self.view()
        await self.send(paste(text, bracketed=view is not None and view.emulator.modes.bracketed_paste))

    async def flush(self) -> None:
        """Return when the session has all that was typed. Raises SessionEnded."""
        while self.unsent:
            if self.over:
                raise self.ended()
            await self._changed.wait()

    def resize(self, rows: int, cols: int) -> None:
        """Tell of another size of this client's window; what becomes of it is the session's size policy's."""
        size = Size.bounded(rows, cols)
        if size is not None:
            self._link.resize(size)

    def kill(self) -> None:
        """End the session, for everybody. Raises NotAllowed, SessionEnded."""
        self._may_write()
        self._protocol.kill()
        self._link.send_soon()

    def _may_write(self) -> None:
        if self.over:
            raise self.ended()
        if self._link.request.readonly or self._protocol.readonly:
            raise NotAllowed("this terminal is read-only")

    # -- output

    def reader(self) -> OutputReader:
        """A reader of the output, from the oldest that is still kept; while it is open, nothing is lost to it.

        More than `hold` bytes that it has not read hold the program back, so it has to be read or closed.
        """
        return self._output.reader()

    async def read(self, most: int = SLICE) -> bytes:
        """The next at most `most` bytes of output, as soon as there are any; `b""` at the very end.

        The first call begins with the oldest output that is still kept. From then on nothing is lost: what is not
        read holds the program back.
        """
        if self._reader is None:
            self._reader = self.reader()
        return await self._reader.read(most)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    # -- the screen

    async def view(self) -> View | None:
        """The terminal as of all that has come; None where nothing is drawn here."""
        view = self._output.view
        while view is not None and self._protocol.drawing and not self.over:
            await self._changed.wait()
        while view is not None and view.behind:
            view.advance()
            if view.behind:
                await asyncio.sleep(0)
        return view

    async def screen(self) -> Screen:
        """What the terminal shows: text, cursor, title."""
        return (await self.drawn()).screen()

    async def cells(self) -> list[list[Char]]:
        """What it shows, by row and column: each a character with its colours and attributes."""
        return (await self.drawn()).cells()

    async def mark(self) -> Mark:
        """The present place on the screen: `wait_for(..., since=mark)` looks at what is written from here on."""
        return (await self.drawn()).mark()

    async def drawn(self) -> View:
        """The view of a terminal that draws. Raises RuntimeError for one that does not."""
        view = await self.view()
        if view is None:
            raise RuntimeError("this terminal draws no screen: its settings have no scrollback")
        return view

    async def wait_for(self, *conditions: Condition, timeout: float | None = 30.0, since: Mark | None = None) -> Found:
        """Wait for the first of these: a pattern to match the text on the screen or what scrolls off it, a function
        of the screen to be true, `Quiet(seconds)`, `Ended()`.

        A pattern is a regular expression, `^` and `$` the ends of a line. Text that is there already counts, unless
        `since` is a mark: then only what was written after it. What is typed is written, too, where it is echoed.

        Raises TimeoutError, SessionEnded, OutputLost where output since the mark was missed, re.error.
        """
        return await first_of(self, conditions, timeout, since)

    # -- commands

    async def run(self, command: str, *, timeout: float | None = None) -> Completed:
        """Run a command in the shell that is at its prompt: its exit status, its output, how long it took.

        It has ended when the shell says so, by a mark that no output can forge; silence tells nothing. The first run
        makes the shell print these marks; `enter` says how. `timeout` counts from this call on. After a TimeoutError
        the command goes on.

        Raises TimeoutError, Busy where something else is running or has taken what was typed, NoShell where nothing
        answers as a shell does, Incomplete for an open quote and the like, OutputLost, SessionEnded, NotAllowed,
        ValueError for what can't be typed.
        """
        self._may_write()
        return await self._commands.run(command, timeout, ANSWER_SECONDS)

    async def enter(self, *, timeout: float = ANSWER_SECONDS) -> str:
        """Make ready for `run` the shell that is at its prompt: bash, zsh, fish or "sh", which is all the others.

        To be called for a shell that was started from within another one, as by ssh; for the first one `run` does it.
        It is typed two lines that make it print marks with its prompts, from now on. Raises NoShell, SessionEnded.
        """
        self._may_write()
        return (await self._commands.enter(timeout)).kind

    # -- events

    async def events(self) -> AsyncIterator[Event]:
        """The events, those that were not read before first, until the last, which is `Exited` or `Closed`."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._output.done:
                return
            await self._changed.wait()

    async def changed(self) -> None:
        """Return when anything has happened here, or come."""
        await self._changed.wait()

    async def wait_closed(self) -> Exited | Closed:
        """Return when the session is over, and how."""
        while self.end is None:
            if self._output.done:
                raise self.ended()
            await self._changed.wait()
        return self.end

    def _came(self, data: bytes) -> None:
        self.came_at = asyncio.get_running_loop().time()
        self._commands.came(data)

    def _happened(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, Connected | Resynced):
            self.came_at = asyncio.get_running_loop().time()
        if isinstance(event, Resynced):
            self._commands.missed()
            if self._output.view is not None:
                self._output.view.lose_marks()
        elif isinstance(event, Exited | Closed):
            self._commands.over(self.ended())
        if self.on_event is not None:
            self.on_event(event)

    def ended(self) -> SessionEnded:
        """What is raised once nothing will come or go any more."""
        return SessionEnded(self.end or Closed("left", "this terminal has been closed"))


def connect(
    url: str | None = None,
    *,
    session: str | None = None,
    token: str | None = None,
    rows: int = DEFAULT_SIZE.rows,
    cols: int = DEFAULT_SIZE.cols,
    command: str = "",
    readonly: bool = False,
    attach_only: bool = False,
    answers: bool = False,
    backend: str = "",
    client: str | None = None,
    settings: Settings | None = None,
) -> Terminal:
    """A terminal on a session of a server, to be entered: `async with connect(...) as terminal`.

    `url` is a server's address or the link it printed; without one $RECONNECTINGPTY_URL counts, else the server that
    runs here. The session is started if there is none, unless `attach_only`; without a `session` it is the link's or a
    new one. `command` is what a new session runs, where the server allows that. `rows` or `cols` 0: this client has no
    size of its own to offer. `answers`: what is sent comes from a terminal that answers what programs ask of it; by
    default the session answers. `client` names this client over all its connections, by default at random.

    Raises AddressError.
    """
    address = Address.of(url, token)
    request = AttachRequest(
        session=session or address.session or "",
        rows=rows,
        cols=cols,
        client=client or secrets.token_hex(8),
        readonly=readonly,
        attach_only=attach_only,
        answers=answers,
        command=command,
        backend_type=backend,
    )
    return Terminal(address, request, settings or Settings())
