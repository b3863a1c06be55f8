"""Waits on a terminal until one of several conditions holds: what `wait_for` does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from .errors import OutputLost, SessionEnded
from .events import Closed, Exited
from .view import Mark, View
from .waiting import Condition, Ended, Found, Quiet, Search, compiled


class Watched(Protocol):
    """What has to be known of the terminal."""

    came_at: float

    @property
    def caught_up(self) -> bool:
        """Whether there is a connection, and what came before it was made is here."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing will come any more."""
        ...

    @property
    def end(self) -> Exited | Closed | None:
        """How the session ended."""
        ...

    def ended(self) -> SessionEnded:
        """What to raise then."""
        ...

    async def changed(self) -> None:
        """Return when anything has happened."""
        ...

    async def drawn(self) -> View:
        """Its view, as of all that has come."""
        ...


async def first_of(
    terminal: Watched, conditions: Sequence[Condition], timeout: float | None, since: Mark | None
) -> Found:
    """The first condition that holds. Raises TimeoutError, SessionEnded, OutputLost, re.error."""
    wanted = [compiled(condition) for condition in conditions]
    view = None
    try:
        async with asyncio.timeout(timeout):
            view = await terminal.drawn()
            return await _watched(terminal, view, wanted, since)
    except TimeoutError:
        raise TimeoutError(_not_seen(wanted, timeout, view)) from None


async def _watched(terminal: Watched, view: View, wanted: list[Condition], since: Mark | None) -> Found:
    search = Search(view, since, wanted)
    search.look()
    view.watchers.append(search.look)
    try:
        return await _found(terminal, view, search, wanted, since)
    finally:
        view.watchers.remove(search.look)


async def _found(
    terminal: Watched, view: View, search: Search, wanted: Sequence[Condition], since: Mark | None
) -> Found:
    quiet = min(((c.seconds, number) for number, c in enumerate(wanted) if isinstance(c, Quiet)), default=None)
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        if search.found is None and view.behind:
            view.advance()
            await asyncio.sleep(0)
            continue
        if found := search.judge():
            return found
        if terminal.over:
            ended = [number for number, condition in enumerate(wanted) if isinstance(condition, Ended)]
            if not ended or terminal.end is None:
                raise terminal.ended()
            return Found(ended[0], view.screen(), end=terminal.end)
        if since is not None and since.lost:
            raise OutputLost("output was missed since the mark")
        left = None
        if quiet is not None and terminal.caught_up:
            left = max(terminal.came_at, began) + quiet[0] - clock()
            if left <= 0:
                return Found(quiet[1], view.screen())
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await terminal.changed()


def _not_seen(wanted: Sequence[Condition], timeout: float | None, view: View | None) -> str:
    names = ", ".join(map(_named, wanted))
    if view is None:
        return f"not seen within {timeout:g} s: {names}; the screen had not come by then"
    last = view.screen().text().rstrip("\n").rpartition("\n")[2]
    return f"not seen within {timeout:g} s: {names}; the screen ends with {last!r}"


def _named(condition: Condition) -> str:
    match condition:
        case re.Pattern():
            return repr(condition.pattern)
        case Quiet():
            return f"{condition.seconds:g} s of quiet"
        case Ended():
            return "the end"
    return repr(condition)
