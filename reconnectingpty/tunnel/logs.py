"""The command's log: where it goes, how its lines look, and what they say of a supervisor's events."""

from __future__ import annotations

import logging
import logging.handlers
import signal
from collections.abc import Iterator

from ..outlet import standard_error
from .errors import LogfileError, MaxLifetimeReached, MaxStartsReached, SshFailed
from .events import (
    Event,
    Exited,
    GaveUp,
    ProbeFailed,
    ProbeOk,
    Ready,
    Restarting,
    SignalReceived,
    Started,
    Stopped,
    Woke,
)
from .policy import Reason
from .supervisor import SshSupervisor

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
SYSLOG = "/dev/log"
LEVELS = (60, 60, logging.CRITICAL, ERROR, WARNING, WARNING, INFO, DEBUG)
"""Python's levels for syslog's 0 to 7."""
Line = tuple[int, str]


def open_log(
    program: str, level: int, *, file: str | None = None, stderr: bool = False, syslog: bool = True
) -> logging.Logger:
    """A log of its own for a process: to `file` where one is named, else to syslog and stderr as wanted.

    `level` is syslog's number. Raises LogfileError.
    """
    # A log that can't be written (no syslog on this machine, a terminal that has gone) is no reason to say so in it.
    logging.raiseExceptions = False
    log = logging.Logger(program, LEVELS[level])
    form = logging.Formatter(f"{program}[%(process)d]: %(message)s")
    handlers: list[logging.Handler] = []
    if file is not None:
        form = logging.Formatter(f"%(asctime)s {program}[%(process)d]: %(message)s", datefmt="%Y/%m/%d %H:%M:%S")
        try:
            handlers.append(logging.handlers.WatchedFileHandler(file, encoding="utf-8"))
        except OSError as error:
            raise LogfileError(file, error.strerror or str(error)) from error
    else:
        if syslog:
            handlers.append(logging.handlers.SysLogHandler(SYSLOG))
        if stderr:
            handlers.append(standard_error)
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(form)
        log.addHandler(handler)
    return log


async def keep(supervisor: SshSupervisor, log: logging.Logger) -> None:
    """Write down what happens, until the supervisor has ended."""
    writer = Autossh(log.name) if supervisor.settings.strict else Plain()
    async for event in supervisor.events():
        for level, text in writer.lines(event):
            log.log(level, "%s", text)


class Plain:
    """Our own lines."""

    def lines(self, event: Event) -> Iterator[Line]:
        """What is to be said of an event."""
        match event:
            case Started(pid, count):
                yield INFO, f"ssh started (pid {pid}, start {count})"
            case Ready(seconds):
                yield INFO, f"the tunnel stands after {seconds:.1f} s"
            case ProbeOk(seconds):
                yield DEBUG, f"the line came back in {seconds * 1000:.0f} ms"
            case ProbeFailed(why):
                yield WARNING, f"the tunnel is down: {why}"
            case Exited(end, uptime, words):
                said = f": {'; '.join(words)}" if words else ""
                yield INFO, f"ssh ended with {end} after {uptime:.1f} s{said}"
            case Restarting(reason, delay):
                yield WARNING, f"ssh is started again in {delay:.1f} s ({reason})"
            case SignalReceived(number):
                yield INFO, f"received {number.name}"
            case Woke(seconds):
                yield INFO, f"this machine has slept for {seconds:.0f} s"
            case GaveUp(error):
                yield ERROR, str(error)
            case Stopped(asked):
                yield INFO, "stopped as asked" if asked else "ssh has ended well"


class Autossh:
    """autossh's lines, so that whatever reads its log can read ours."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._end: Exited | None = None

    def lines(self, event: Event) -> Iterator[Line]:
        """What autossh would say of an event."""
        match event:
            case Started(pid, count, limit):
                yield INFO, f"starting ssh (count {count}{'' if limit is None else f' of {limit}'})"
                yield INFO, f"ssh child pid is {pid}"
            case ProbeOk():
                yield DEBUG, "connection ok"
            case ProbeFailed():
                yield INFO, "port down, restarting ssh"
            case Exited():
                self._end = event
            case Restarting(reason, delay):
                yield from self._restarting(reason)
                if delay:
                    yield DEBUG, f"sleeping for grace time {delay:.0f} secs"
            case SignalReceived(signal.SIGTERM | signal.SIGINT as number):
                yield INFO, f"received signal to exit ({int(number)})"
            case SignalReceived(signal.SIGUSR1):
                yield INFO, "signalled to kill and restart ssh"
            case GaveUp(SshFailed() as error):
                early = "prematurely " if error.early else ""
                level = ERROR if error.early else INFO
                yield level, f"ssh exited {early}with status {error.status}; {self._program} exiting"
            case GaveUp(MaxStartsReached()):
                yield INFO, "max start count reached; exiting"
            case GaveUp(MaxLifetimeReached()):
                yield INFO, "exceeded maximum time to live, shutting down"
            case GaveUp(error):
                yield ERROR, str(error)
            case Stopped(asked=False):
                yield INFO, f"ssh exited with status 0; {self._program} exiting"

    def _restarting(self, reason: Reason) -> Iterator[Line]:
        if self._end is None or reason in (Reason.REQUESTED, Reason.PROBE_FAILED):
            return
        if self._end.end.signal is not None:
            yield INFO, f"ssh exited on signal {self._end.end.signal}, restarting ssh"
        else:
            yield INFO, f"ssh exited with error status {self._end.end.code}; restarting ssh"
