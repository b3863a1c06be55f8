"""Going to the background: two forks, a session without a terminal, and a word to whoever waits in front."""

from __future__ import annotations

import os
import sys

from .errors import DaemonizeError

STARTED = b"+"


class Front:
    """The process that was started by hand, as the one in the background sees it: it waits to learn how things went."""

    def __init__(self, pipe: int | None = None) -> None:
        self._pipe = pipe

    def started(self) -> None:
        """All is well: let it end with status 0."""
        self._tell(STARTED)

    def failed(self, message: str) -> None:
        """Let it end with status 1 and this message."""
        self._tell(message.encode("utf-8", "surrogateescape"))

    def _tell(self, what: bytes) -> None:
        if self._pipe is not None:
            os.write(self._pipe, what[:4096])
            os.close(self._pipe)
            self._pipe = None


def daemonize(*, wait: bool) -> Front:
    """Return in the background only, in `/`, with /dev/null for standard streams.

    The process in front ends: at once with 0, as autossh's does, or with `wait` when the other has said how it went.
    To be called before there are threads or an event loop. Raises DaemonizeError.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        child = os.fork()
    except OSError as error:
        raise DaemonizeError(error.strerror or str(error)) from error
    if child:
        os.close(writing)
        os.waitpid(child, 0)
        os._exit(_verdict(reading) if wait else 0)
    os.close(reading)
    os.setsid()
    # A second fork: what does not lead its session never gets a terminal again.
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    if null > 2:
        os.close(null)
    if not wait:
        os.close(writing)
        return Front()
    return Front(writing)


def _verdict(pipe: int) -> int:
    said = b""
    while piece := os.read(pipe, 4096):
        said += piece
    if said == STARTED:
        return 0
    os.write(2, said + b"\n" if said else b"the process in the background ended before it was up\n")
    return 1
