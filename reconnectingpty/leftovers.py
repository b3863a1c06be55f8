"""What is left of a session's processes after its shell has gone: found, and ended.

A process belongs to a session when the kernel says so (same session leader) or when its environment carries the
session's epoch, which survives `setsid`, double forks and re-parenting. Reads /proc; knows nothing of PTYs.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

EPOCH_VARIABLE = "RECONNECTINGPTY_EPOCH"
KILL_TRIES = 10
"""Then what is left can't be killed at all (uninterruptible sleep)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a session's processes are recognised: its leader's pid, and its epoch."""

    leader: int
    epoch: str


def _session_of(pid: str) -> int | None:
    """The kernel session (field 6 of /proc/PID/stat, proc(5)) of a living process; None for a zombie."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        # The second field is the command in parentheses, and may hold anything, parentheses included.
        fields = file.read().rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[3])


def _epoch_of(pid: str) -> str | None:
    with open(f"/proc/{pid}/environ", "rb") as file:
        environ = b"\0" + file.read()
    _, found, rest = environ.partition(b"\0" + EPOCH_VARIABLE.encode() + b"=")
    return rest.partition(b"\0")[0].decode("ascii", "replace") if found else None


def scan(marks: Iterable[Mark]) -> dict[Mark, set[int]]:
    """The living processes of each mark. One walk over /proc serves them all; blocks for milliseconds."""
    leaders = {mark.leader: mark for mark in marks}
    epochs = {mark.epoch: mark for mark in leaders.values()}
    found: dict[Mark, set[int]] = {mark: set() for mark in leaders.values()}
    own = os.getpid()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == own:
            continue
        # Processes end while they are looked at, and other users' environments can't be read.
        with suppress(OSError, ValueError, IndexError):
            session = _session_of(entry)
            if session is None:
                continue
            mark = leaders.get(session) or epochs.get(_epoch_of(entry) or "")
            if mark is not None:
                found[mark].add(int(entry))
    return found


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each process; one that has gone meanwhile is no error. A stopped one is woken so that it can obey."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            if number is not signal.SIGKILL:
                os.kill(pid, signal.SIGCONT)


class Sweeper:
    """Ends what is left of sessions. Sessions that end together share each walk over /proc."""

    def __init__(self) -> None:
        self._waiting: dict[Mark, asyncio.Future[set[int]]] = {}
        self._walk: asyncio.Task[None] | None = None

    async def find(self, mark: Mark) -> set[int]:
        """The session's living processes, as of a moment after this call. Raises OSError where /proc can't be read."""
        future = self._waiting.get(mark)
        if future is None:
            future = self._waiting[mark] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_retrieve)
        if self._walk is None or self._walk.done():
            self._walk = asyncio.create_task(self._scan_waiting())
        return set(await asyncio.shield(future))

    async def _scan_waiting(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await asyncio.to_thread(scan, asked)
            except asyncio.CancelledError:
                for future in asked.values():
                    future.cancel()
                raise
            except Exception as error:  # noqa: BLE001 (told to those who asked)
                for future in asked.values():
                    # One that is no OSError is a machine's as well: there was no thread to be had.
                    future.set_exception(error if isinstance(error, OSError) else OSError(errno.EAGAIN, str(error)))
                continue
            for mark, future in asked.items():
                future.set_result(found.get(mark, set()))

    async def end(self, mark: Mark, grace: float) -> None:
        """HUP, TERM and at last KILL whatever is left of the session, `grace` seconds apart; return when none is.

        Raises OSError where the processes can't be found, as for want of descriptors.
        """
        for number in (signal.SIGHUP, signal.SIGTERM):
            pids = await self.find(mark)
            send(pids, number)
            if not await self._gone(mark, pids, grace):
                return
        await self.kill(mark)

    async def kill(self, mark: Mark) -> None:
        """KILL whatever is left of the session; return when none is. Raises OSError as :meth:`end` does."""
        for _ in range(KILL_TRIES):
            # More than once: a process may fork between the walk and the signal.
            pids = await self.find(mark)
            if not pids:
                return
            send(pids, signal.SIGKILL)
            await self._gone(mark, pids, 1.0)

    async def _gone(self, mark: Mark, pids: set[int], seconds: float) -> set[int]:
        """Wait until `pids` have ended, but not longer than `seconds`; what is left then."""
        watches = [asyncio.create_task(ended(pid)) for pid in pids]
        try:
            if watches:
                await asyncio.wait(watches, timeout=seconds)
        finally:
            for watch in watches:
                watch.cancel()
            results = await asyncio.gather(*watches, return_exceptions=True)
        for result in results:
            if isinstance(result, OSError):
                raise result
        return await self.find(mark)


_sweepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Sweeper] = WeakKeyDictionary()


def sweeper() -> Sweeper:
    """The running loop's own sweeper."""
    return _sweepers.setdefault(asyncio.get_running_loop(), Sweeper())


async def ended(pid: int) -> None:
    """Return when a process, not necessarily our child, has ended: its pidfd becomes readable (pidfd_open(2)).

    Raises OSError where there is no descriptor left for it.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        if not future.done():
            future.set_result(None)

    loop.add_reader(pidfd, readable)
    try:
        await future
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)


def _retrieve(future: asyncio.Future[set[int]]) -> None:
    """Whoever asked may have gone, and nobody else has to know of an error."""
    if not future.cancelled():
        future.exception()
