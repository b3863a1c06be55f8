"""The signals that a supervisor of a whole process answers. Only the command installs them, never the library."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from .supervisor import SshSupervisor

ANSWERED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""SIGUSR2 is caught and means nothing, as in autossh: it would end the process otherwise."""


@contextmanager
def handled(supervisor: SshSupervisor) -> Iterator[None]:
    """While this lasts, the process's signals go to the supervisor."""
    loop = asyncio.get_running_loop()
    for number in ANSWERED:
        loop.add_signal_handler(number, supervisor.take_signal, number)
    try:
        yield
    finally:
        for number in ANSWERED:
            loop.remove_signal_handler(number)
