"""What `attach` says to its person, over the screen or, where nobody looks at one, in lines: help, lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reconnectingpty.client import Closed, Connected, Down, Event, Exited, Terminal

from ..logs import clean
from .escapes import shown
from .screen import Screen

GRACE = 0.4
"""Seconds without a connection before it is worth a word."""


class Words:
    """At most one thing is said at a time; help goes before the connection."""

    def __init__(self, screen: Screen, escape: bytes | None, tell: Callable[[str], None]) -> None:
        self._screen = screen
        self._escape = escape
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._read: asyncio.Future[None] | None = None  # done when the help was
        self._telling: asyncio.TimerHandle | None = None
        self._why = ""  # there is no connection
        self._since = self._next = 0.0  # when it was lost, and when the next attempt is made
        self._notice = ""  # about that

    # -- help

    @property
    def helping(self) -> bool:
        """Whether help is shown, so that the next key is only to go on."""
        return self._read is not None

    def help(self, terminal: Terminal | None) -> None:
        """Say which keys there are."""
        assert self._escape is not None
        key = shown(self._escape)
        lines = [
            f"{key}.   leave; the session goes on",
            f"{key}^Z  stop this program, until `fg`",
            f"{key}r   draw the screen anew",
            f"{key}{key}   type {key}",
            "These count after Enter.",
        ]
        if not self._screen.personal:
            self._tell("; ".join(lines))
            return
        if terminal is not None:
            state = "connected" if terminal.connected else "not connected"
            lines.append(f"Session {terminal.session}: {state}, {terminal.viewers} attached. Any key goes on.")
        self._read = self._loop.create_future()
        self._screen.cover(lines)

    def go_on(self) -> None:
        """The help was read."""
        read, self._read = self._read, None
        if read is None:
            return
        if not read.done():
            read.set_result(None)
        self._screen.uncover()
        self.remind()

    async def read(self) -> None:
        """Return when no help is shown."""
        if self._read is not None:
            await asyncio.shield(self._read)

    # -- the connection

    def happened(self, event: Event) -> None:
        """Something has happened to it."""
        match event:
            case Down():
                now = self._loop.time()
                self._why = event.reason
                self._next = now + event.seconds
                if self._telling is None:
                    self._since = now
                    self._telling = self._loop.call_later(GRACE, self._tell_down)
            case Connected():
                if self.silence() and not self._screen.personal:
                    self._tell("connected again")
            case Exited() | Closed():
                self.silence()

    def _tell_down(self) -> None:
        """Say that there is none; and for how long, every second."""
        now = self._loop.time()
        leave = f"; {shown(self._escape)}. leaves" if self._escape is not None else ""
        soon = f"next attempt in {self._next - now:.0f} s" if self._next - now > 1 else "trying again"
        self._notice = f"no connection for {now - self._since:.0f} s; {soon}{leave} ({clean(self._why)})"
        if not self._screen.personal:
            self._tell(f"{self._why}; trying again{leave}")
            return
        self.remind()
        self._telling = self._loop.call_later(1.0, self._tell_down)

    def remind(self) -> None:
        """Say again what still counts; something was written over it."""
        if self._notice and self._read is None and self._screen.personal:
            self._screen.cover([self._notice])

    def silence(self) -> bool:
        """Say no more of it: there is a connection, or none is wanted any more. Whether anything was said."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        said, self._notice = bool(self._notice), ""
        if said and self._screen.personal and self._read is None:
            self._screen.uncover()
        return said
