"""What listeners and connections need of sockets beyond asyncio's own: stale files cleared, vanished peers noticed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import socket
import stat
import struct
import sys
import termios
from contextlib import suppress
from typing import Any

from .values import Address, ConfigError

PROBE_SECONDS = 2.0
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 120_000}
"""tcp(7). A peer that has vanished is noticed after a minute in silence, and after two (in ms) with output under way;
without it a client that went away behind a NAT would be a viewer for ever."""
AT_ONCE = 32
"""Connections that asyncio accepts before it looks at any of them. It means to spare a look at the listener for each;
but of a thousand that come at once none could be turned away before all descriptors were gone."""
BACKLOG = 1024


def address_of(listener: socket.socket) -> Address:
    """Where a socket listens; an abstract one's name begins with `@`, as systemd writes it."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return Address("", 0, name if isinstance(name, str) else name.decode().replace("\0", "@", 1))
    return Address(*name[:2])


def deepen(server: asyncio.Server) -> None:
    """Let more connections wait in the kernel than are accepted at once; asyncio has one number for both."""
    for listener in server.sockets:
        with socket.socket(fileno=os.dup(listener.fileno())) as sock:
            sock.listen(BACKLOG)


def keep_alive(server: asyncio.Server) -> None:
    """Have the kernel notice when the peer of a TCP connection is not there any more.

    Said to the listeners: Linux has each connection inherit it, and so it costs none of them anything.
    """
    for listener in server.sockets:
        if listener.family == socket.AF_UNIX:
            continue
        # asyncio gives out a view that can't change anything.
        with socket.socket(fileno=os.dup(listener.fileno())) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEPALIVE.items():
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def hung_up(connection: Any) -> None:
    """Return when the peer of a socket says no more (EPOLLRDHUP, epoll_ctl(2)), whatever of it is still to be read.

    A transport that is not read from notices nothing of that.
    """
    loop = asyncio.get_running_loop()
    seen = asyncio.Event()
    try:
        watch = select.epoll(1)
    except OSError:  # out of descriptors
        await seen.wait()
    with watch:
        if connection.fileno() < 0:  # closed by now
            return
        watch.register(connection.fileno(), select.EPOLLRDHUP)
        loop.add_reader(watch.fileno(), seen.set)
        try:
            await seen.wait()
        finally:
            loop.remove_reader(watch.fileno())


_ACKNOWLEDGED = struct.Struct("120xQ")
"""`tcpi_bytes_acked` of `struct tcp_info` (linux/tcp.h)."""


def delivery(connection: Any) -> tuple[int, int]:
    """How much of what was written the peer of a socket has, and how much waits in the kernel (tcp(7), SIOCOUTQ).

    In bytes. Of a Unix socket's peer only the second is known. 0 and 0 where nobody is there any more.
    """
    waiting = bytearray(4)
    try:
        fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, waiting)
        if connection.family == socket.AF_UNIX:
            return 0, int.from_bytes(waiting, sys.byteorder)
        packed = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
        return int(_ACKNOWLEDGED.unpack(packed)[0]), int.from_bytes(waiting, sys.byteorder)
    except (OSError, ValueError, struct.error):
        return 0, 0


_CREDENTIALS = struct.Struct("iII")


def peer_user(connection: Any) -> int | None:
    """The user id of the process at the other end of a Unix socket (unix(7), SO_PEERCRED)."""
    try:
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except (AttributeError, OSError):
        return None
    return int(_CREDENTIALS.unpack(packed)[1])


async def clear_stale(path: str) -> None:
    """Remove a socket file that nobody listens on any more. Raises ConfigError for one that somebody does."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise ConfigError(f"cannot listen on unix:{path}: there is a file that is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await asyncio.get_running_loop().sock_connect(probe, path)
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                os.unlink(path)
            return
        except FileNotFoundError:
            return
        except (TimeoutError, BlockingIOError):  # somebody listens who is too busy to answer
            pass
    raise ConfigError(f"cannot listen on unix:{path}: another server does")
