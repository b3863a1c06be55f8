"""A free pair of ports on this machine for the monitor: one for ssh to listen on, the one above it for us."""

from __future__ import annotations

import random
import socket

from .errors import PortUnavailable

LOWEST, HIGHEST = 20000, 32766
"""Below the ports that Linux gives to outgoing connections (ip_local_port_range begins at 32768)."""
TRIES = 200


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


def choose(chance: random.Random | None = None) -> tuple[int, socket.socket]:
    """A port that nobody has, and a socket bound to the one above it. Raises PortUnavailable when none is found.

    The lower one is given back before ssh takes it; should somebody be quicker, ssh fails, and another pair is chosen.
    """
    numbers = chance or random.SystemRandom()
    for _ in range(TRIES):
        port = numbers.randrange(LOWEST, HIGHEST, 2)
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
