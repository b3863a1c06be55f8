"""The sessions that a server left in GNU screen when it was killed: taken over, or ended where they are overdue."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from itertools import count

from ..errors import ReconnectingPTYError
from ..leftovers import Mark, sweeper
from ..limits import Confinement
from ..options import Options
from ..state import State
from .directory import Record, SessionDirectory, home
from .session import ScreenPTY
from .window import Window

AT_ONCE = 8
"""Sessions that are taken over at the same time."""

log = logging.getLogger(__name__)


async def adopt(options: Options) -> list[ScreenPTY]:
    """This user's sessions that no living server has, ready to be attached to; call it before serving anybody.

    They go on with `options`, and with what was left of their timeout. Those whose timeout has passed are ended, those
    whose command has ended are forgotten. The epoch is a new one, since the output of before is not known.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(directory: SessionDirectory) -> ScreenPTY | None:
        async with gate:
            return await _adopt(directory, options)

    directories = await asyncio.to_thread(_abandoned)
    adopted = [session for session in await asyncio.gather(*map(one, directories)) if session is not None]
    adopted.sort(key=lambda session: session.created)
    _tell_apart(adopted)
    return adopted


def _tell_apart(sessions: list[ScreenPTY]) -> None:
    """Where several servers left sessions of one id, all but the oldest get a number after it."""
    taken = {session.id for session in sessions}
    seen: set[str] = set()
    for session in sessions:
        if session.id in seen:
            names = (f"{session.id[:56]}-{number}" for number in count(2))
            session.id = next(name for name in names if name not in taken)
            taken.add(session.id)
        seen.add(session.id)


def _abandoned() -> list[SessionDirectory]:
    """The directories of sessions that nobody has, this process's own from now on."""
    try:
        paths = sorted(path for path in home().iterdir() if path.name != "terminfo")
    except OSError:  # there is none, or it is not ours to see
        return []
    found: list[SessionDirectory] = []
    for path in paths:
        with suppress(OSError):
            directory = SessionDirectory.take(path)
            if directory is not None:
                found.append(directory)
    return found


async def _adopt(directory: SessionDirectory, options: Options) -> ScreenPTY | None:
    record, pidfd, deserted = await asyncio.to_thread(_look, directory)
    if record is None or pidfd is None:
        await _forget(directory, record)
        return None
    window = Window(directory, record.epoch)
    window.found(pidfd)
    if window.ended.done():
        await asyncio.to_thread(_remove_cgroup, record)
        await window.close()
        return None
    session = ScreenPTY(record.command, options, record.id, container=record.container, window=window)
    session.created = record.created
    session.name, session.owner = record.name, record.owner
    session.confined(Confinement.left(record.limits, record.cgroup))
    try:
        await session.resume(deserted)
    except ReconnectingPTYError as error:
        log.error("session %s: cannot be taken over: %s", record.id, error)
        return None
    if session.state is not State.READY:
        await session.wait()
        return None
    return session


def _look(directory: SessionDirectory) -> tuple[Record | None, int | None, float]:
    """Whose session it is, its daemon, and since when nobody is attached, which is looked up before anybody is."""
    record = directory.record()
    pidfd = directory.daemon() if record is not None else None
    return record, pidfd, directory.deserted_since() if pidfd is not None else 0.0


async def _forget(directory: SessionDirectory, record: Record | None) -> None:
    """Delete what is left of a session without a daemon, and what still runs of it if its daemon died before it."""
    if record is not None and directory.ended() is None:
        # By its epoch alone: the pids of then may mean others by now.
        await sweeper().kill(Mark(-1, record.epoch))
        if record.cgroup is not None:
            await asyncio.to_thread(_remove_cgroup, record)
    await asyncio.to_thread(directory.remove)


def _remove_cgroup(record: Record) -> None:
    try:
        Confinement.left(record.limits, record.cgroup).end()
    except OSError as error:
        log.error("session %s: %s can't be removed: %s", record.id, record.cgroup, error)
