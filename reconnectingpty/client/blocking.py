"""The same terminal for programs without an event loop: scripts and notebooks. Each call returns when it is done.

with blocking.connect(session="work") as terminal:
    print(terminal.run("make").output)

The terminal lives in a thread of its own, so it keeps its connection between the calls. ^C ends the call, not the
session. To be used by one thread at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from pyte.screens import Char

from ..size import Size
from ..terminal.screen import Screen
from .commands import Completed
from .events import Closed, Event, Exited
from .keys import Key
from .output import SLICE
from .terminal import ANSWER_SECONDS
from .terminal import Terminal as AsyncTerminal
from .terminal import connect as connect_async
from .view import Mark
from .waiting import Condition, Found

T = TypeVar("T")


class Terminal:
    """A session. What its methods do, and raise, is told of those of the same names in `reconnectingpty.client`.

    Made by :func:`connect`; used as a context manager.
    """

    def __init__(self, make: Callable[[], AsyncTerminal]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="terminal", daemon=True)
        self._make = make
        self._terminal: AsyncTerminal | None = None
        self._read = b""  # and not given out yet

    def __enter__(self) -> Terminal:
        self._thread.start()
        try:
            self._terminal = self._wait(self._open())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _open(self) -> AsyncTerminal:
        return await self._make().open()

    def close(self) -> None:
        """Leave the session, which goes on."""
        if self._terminal is not None:
            terminal, self._terminal = self._terminal, None
            try:
                self._wait(terminal.aclose())
            finally:
                self._stop()

    def _stop(self) -> None:
        try:
            self._wait(_others_ended())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # ^C: whoever called has gone
            raise

    @property
    def _open_one(self) -> AsyncTerminal:
        if self._terminal is None:
            raise RuntimeError("this terminal is not open")
        return self._terminal

    @property
    def session(self) -> str:
        """The session's id."""
        return self._open_one.session

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._open_one.connected

    @property
    def size(self) -> Size:
        """The terminal's size."""
        return self._open_one.size

    @property
    def end(self) -> Exited | Closed | None:
        """How the session ended, once it has."""
        return self._open_one.end

    def send(self, *what: str | bytes | Key) -> None:
        """Type."""
        self._wait(self._open_one.send(*what))

    def press(self, *names: str) -> None:
        """Press keys."""
        self._wait(self._open_one.press(*names))

    def paste(self, text: str) -> None:
        """Paste text."""
        self._wait(self._open_one.paste(text))

    def flush(self) -> None:
        """Return when the session has all that was typed."""
        self._wait(self._open_one.flush())

    def read(self, most: int = SLICE) -> bytes:
        """The next output; `b""` at the very end. What had come when a ^C ended the call is for the next one."""
        self._wait(self._fetch(most))
        data, self._read = self._read[:most], self._read[most:]
        return data

    async def _fetch(self, most: int) -> None:
        if not self._read:
            self._read = await self._open_one.read(most)

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read():
            yield data

    def screen(self) -> Screen:
        """What the terminal shows."""
        return self._wait(self._open_one.screen())

    def cells(self) -> list[list[Char]]:
        """The same, cell by cell."""
        return self._wait(self._open_one.cells())

    def mark(self) -> Mark:
        """The present place on the screen."""
        return self._wait(self._open_one.mark())

    def wait_for(self, *conditions: Condition, timeout: float | None = 30.0, since: Mark | None = None) -> Found:
        """Wait for the first of these."""
        return self._wait(self._open_one.wait_for(*conditions, timeout=timeout, since=since))

    def run(self, command: str, *, timeout: float | None = None) -> Completed:
        """Run a command in the shell."""
        return self._wait(self._open_one.run(command, timeout=timeout))

    def enter(self, *, timeout: float = ANSWER_SECONDS) -> str:
        """Make ready for `run` the shell that is at its prompt."""
        return self._wait(self._open_one.enter(timeout=timeout))

    def events(self) -> Iterator[Event]:
        """The events, as they happen."""
        events = self._open_one.events()
        while (event := self._wait(_next(events))) is not None:
            yield event

    def resize(self, rows: int, cols: int) -> None:
        """Tell of another size of this client's window."""
        self._wait(_calling(self._open_one.resize, rows, cols))

    def kill(self) -> None:
        """End the session, for everybody."""
        self._wait(_calling(self._open_one.kill))

    def wait_closed(self) -> Exited | Closed:
        """Return when the session is over, and how."""
        return self._wait(self._open_one.wait_closed())


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)


async def _others_ended() -> None:
    """Return when nothing else goes on in this event loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _calling(function: Callable[..., None], *arguments: Any) -> None:
    function(*arguments)


def connect(*arguments: Any, **settings: Any) -> Terminal:
    """A terminal on a session, to be entered by `with`; takes what `reconnectingpty.client.connect` takes."""
    return Terminal(lambda: connect_async(*arguments, **settings))
