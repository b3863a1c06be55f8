"""Terminals on a test's own server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reconnectingpty.client import Backoff, Settings, Terminal, connect

from ..support.attached import PATIENCE
from ..support.serving import TOKEN, Serving

QUICK = Settings(backoff=Backoff(0.01, 0.05))
ECHO = "stty raw -echo; echo -n ready; exec cat"


class Unhurried(Backoff):
    """Comes back after `longest` seconds, each time."""

    def wait(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds."""
        return self.longest


def terminal_of(s: Serving, command: str, **more: Any) -> Terminal:
    """A terminal on session "x", which runs `command`."""
    return connect(s.http, token=TOKEN, command=command, **{"session": "x", "settings": QUICK, **more})


async def until(terminal: Terminal, text: bytes) -> bytes:
    """Read until `text` has come; all that was read."""
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while text not in seen:
            data = await terminal.read()
            assert data, seen
            seen += data
    return seen


def cut(s: Serving) -> None:
    """Cut all connections that a server has, as a network does that fails."""
    for session in s.server.sessions:
        for viewer in session._viewers:
            viewer._connection.close()
