"""Connections that begin with TLS: accepted here, so that handshakes are counted, and bounded as all that is begun.

An honest handshake takes a moment. So where there are too many, newcomers wait until one is done, or the oldest has had
its moment and is cut: who only holds on to theirs keeps nobody out.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from .http import HEAD_SECONDS
from .sockets import BACKLOG

MAX_HANDSHAKES = 512
SHARE = 8
"""And no more than this part of the descriptors that there may be."""
CLOSING_SECONDS = 24 * 3600.0
"""For TLS to end, and that is none of its own: a peer may take long for what it was sent before. HTTP and WebSocket
know when it takes nothing, and cut it off."""
HONEST_SECONDS = 1.0
"""What each has where others wait."""
SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
SHORT_SECONDS = 0.1
"""Between two tries to accept where there is no descriptor for it."""


class Handshakes:
    """All handshakes of a server, the oldest first, and who accepts their connections."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[None], float] = {}  # since when
        self._fewer = asyncio.Event()
        self._accepting: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        return len(self._open)

    def accept(
        self,
        server: asyncio.Server,
        context: Callable[[], ssl.SSLContext],
        connection: Callable[[], asyncio.Protocol],
    ) -> None:
        """Accept, in place of a server that has not begun to, what comes to its sockets.

        `context` is asked anew for each connection.
        """
        for bound in server.sockets:
            listener = socket.socket(fileno=os.dup(bound.fileno()))
            listener.setblocking(False)
            listener.listen(BACKLOG)
            self._accepting.append(asyncio.create_task(self._accept(listener, context, connection)))

    def stop(self) -> None:
        """Accept no more, and cut those that are under way."""
        for task in (*self._accepting, *self._open):
            task.cancel()
        self._accepting.clear()

    async def _accept(
        self, listener: socket.socket, context: Callable[[], ssl.SSLContext], connection: Callable[[], asyncio.Protocol]
    ) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                try:
                    peer, _ = await loop.sock_accept(listener)
                except OSError as error:  # or whoever it was has gone
                    short = error.errno in SHORT
                    if short:
                        self._cut_oldest()
                    await asyncio.sleep(SHORT_SECONDS if short else 0)
                    continue
                try:
                    await self._room()
                except asyncio.CancelledError:
                    peer.close()
                    raise
                task = loop.create_task(self._shake(peer, context(), connection))
                self._open[task] = loop.time()
                task.add_done_callback(self._end)
                await asyncio.sleep(0)  # others want their turn, too, while connections keep coming

    async def _room(self) -> None:
        """Return when there may be one more."""
        while len(self._open) >= _most():
            since = next(iter(self._open.values()))
            self._fewer.clear()
            try:
                async with asyncio.timeout_at(since + HONEST_SECONDS):
                    await self._fewer.wait()
            except TimeoutError:
                self._cut_oldest()

    def _cut_oldest(self) -> None:
        oldest = next(iter(self._open), None)
        if oldest is not None:
            self._end(oldest)
            oldest.cancel()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)
        self._fewer.set()

    async def _shake(
        self, peer: socket.socket, context: ssl.SSLContext, connection: Callable[[], asyncio.Protocol]
    ) -> None:
        """From the first byte on it is the connection's affair, which notices the end as well."""
        with suppress(OSError):  # whoever it was speaks no TLS, or none that is good enough, or has gone
            await asyncio.get_running_loop().connect_accepted_socket(
                connection,
                peer,
                ssl=context,
                ssl_handshake_timeout=HEAD_SECONDS,
                ssl_shutdown_timeout=CLOSING_SECONDS,
            )


def _most() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_HANDSHAKES if soft == resource.RLIM_INFINITY else max(1, min(MAX_HANDSHAKES, soft // SHARE))
