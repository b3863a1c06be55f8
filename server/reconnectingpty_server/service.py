"""The server as a service of systemd: the sockets that it is given, and what the manager is told of it.

Sockets come as sd_listen_fds(3) says, and news goes as sd_notify(3) says. Without a manager nothing happens here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from reconnectingpty.tunnel.notify import Systemd

from .values import ConfigError

FIRST = 3
"""The first descriptor that is passed (SD_LISTEN_FDS_START)."""
STATUS_SECONDS = 10.0
"""Between two looks at what the status line says."""
RETRY_SECONDS = 0.1
"""Until the manager is told again what it had no room for."""


def passed(environment: Mapping[str, str]) -> list[socket.socket]:
    """The listeners that the manager has opened for this process. Raises ConfigError for what is no listener."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = environment.get("LISTEN_FDS", "")
    if not count.isdecimal():
        return []
    return [_listener(descriptor) for descriptor in range(FIRST, FIRST + int(count))]


def _listener(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    try:
        given = socket.socket(fileno=descriptor)
        if given.type == socket.SOCK_STREAM and given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            given.setblocking(False)
            return given
        given.detach()
    except OSError:
        pass
    raise ConfigError(f"descriptor {descriptor}, which was passed, is no socket that listens for connections")


def into_journal(environment: Mapping[str, str], descriptor: int) -> bool:
    """Whether what is written there ends in the journal, which more people read than may have a token."""
    there = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


class Service:
    """What the manager knows of this process. `status` is asked for a line that says how it does."""

    def __init__(self, environment: Mapping[str, str], status: Callable[[], str]) -> None:
        self._systemd = Systemd(environment)
        self._status = status
        self._said = ""
        self._owed: deque[str] = deque()
        """News that the manager had no room for, oldest first."""
        self._telling: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Clients can come. From now on the manager gets signs of life, as often as it wants them."""
        self._tell("READY=1")
        if self._systemd and self._telling is None:
            self._telling = asyncio.create_task(self._keep_telling())

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """While the configuration is read again."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self._tell("READY=1")

    def stopping(self) -> None:
        """No more clients; the end has begun. Signs of life go on until it is reached."""
        self._tell("STOPPING=1")

    async def close(self) -> None:
        """Say no more."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
            self._telling = None
        self._pay()

    def _tell(self, *news: str) -> None:
        """Tell what must arrive, and how it does."""
        self._said = self._status()
        self._owed.append("\n".join((*news, f"STATUS={self._said}")))
        self._pay()

    def _pay(self) -> None:
        while self._owed and self._systemd.send(self._owed[0]):
            self._owed.popleft()

    async def _keep_telling(self) -> None:
        watchdog = self._systemd.watchdog
        period = STATUS_SECONDS if watchdog is None else min(STATUS_SECONDS, watchdog / 2)
        while True:
            await asyncio.sleep(min(period, RETRY_SECONDS) if self._owed else period)
            if watchdog is not None:
                self._systemd.send("WATCHDOG=1")  # one that finds no room is not the last
            if not self._owed and self._status() != self._said:
                self._tell()
            self._pay()
