"""Ports for the monitor: a free pair on this machine, one for ssh and the one above it for us; and one to try afar."""

from __future__ import annotations

import random
import socket

from .errors import PortUnavailable

LOWEST, HIGHEST = 20000, 32766
"""Below the ports that Linux gives to outgoing connections (ip_local_port_range begins at 32768)."""
TRIES = 200
_CHANCE = random.SystemRandom()


def bind(port: int) -> socket.socket:
    """A socket bound to the port on 127.0.0.1. Raises PortUnavailable."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen(16)
    except OSError as error:
        bound.close()
        raise PortUnavailable(port, error.strerror or str(error)) from error
    bound.setblocking(False)
    return bound


def _any() -> int:
    """An even port, so that pairs don't overlap."""
    return _CHANCE.randrange(LOWEST, HIGHEST, 2)


def choose_far(port: int) -> int:
    """A port to try on the server, where nobody can look: whoever is refused tries another. Never `port`."""
    while (far := _any()) == port:
        pass
    return far


def choose() -> tuple[int, socket.socket]:
    """A port that nobody has, and a socket bound to the one above it. Raises PortUnavailable when none is found.

    The lower one is given back before ssh takes it; should somebody be quicker, ssh fails, and another pair is chosen.
    """
    for _ in range(TRIES):
        port = _any()
        try:
            above = bind(port + 1)
        except PortUnavailable:
            continue
        try:
            bind(port).close()
        except PortUnavailable:
            above.close()
            continue
        return port, above
    raise PortUnavailable(LOWEST, "no free pair of ports was found")
