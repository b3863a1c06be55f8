"""The sessions of a server by their ids: found, started once, counted, and remembered for a while after their end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconnectingpty import Metrics, Options, ReconnectingPTY, ReconnectingPTYError, SessionClosed, State, new
from reconnectingpty.container import Container
from reconnectingpty.screen import adopt

from .config import check_here

REMEMBERED = 1024
REMEMBERED_SECONDS = 600.0

log = logging.getLogger(__name__)


class TooManySessions(ReconnectingPTYError):
    """The server has as many sessions as it may have."""


class TooManyOfOneUser(TooManySessions):
    """Its owner has as many sessions as one user may have."""


class NoSuchSession(ReconnectingPTYError):
    """There is no session of that id, and none was to be started."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What is remembered of a session that ended: enough to tell a client that comes back for it."""

    code: int | None
    signal: int | None
    error: ReconnectingPTYError | None
    """None where the process ended by itself."""
    at: float


class Sessions:
    """Invariant: an id means one session at a time, from the first that asked for it until that one begins to close."""

    def __init__(
        self,
        options: Options,
        metrics: Metrics,
        limit: int,
        user_limit: int | None = None,
    ) -> None:
        self._metrics = metrics
        self.on_end: Callable[[ReconnectingPTY], None] = lambda session: None
        """Called when a session begins to close."""
        self.configure(options, limit, user_limit)
        self._live: dict[str, ReconnectingPTY] = {}
        self._all: set[ReconnectingPTY] = set()
        self._ended: OrderedDict[tuple[str, str], Ended] = OrderedDict()  # by id and epoch
        self._watchers: dict[tuple[str, str], asyncio.Task[None]] = {}
        self.expected: set[str] = set()
        """Ids of sessions whose command is about to start."""

    def configure(self, options: Options, limit: int, user_limit: int | None = None) -> None:
        """What sessions started from now on get, and how many there may be, in all and of one user.

        Raises ConfigError for what can't be.
        """
        held = check_here(options)
        if held:
            log.info("sessions are limited: %s", ", ".join(f"{name} by {what}" for name, what in held.items()))
        self.options = replace(options, metrics=self._metrics)
        self.limit = limit
        self.user_limit = user_limit

    def __iter__(self) -> Iterator[ReconnectingPTY]:
        return iter(tuple(self._live.values()))

    def __len__(self) -> int:
        return len(self._live)

    def get(self, session_id: str) -> ReconnectingPTY | None:
        """The living session of that id."""
        return self._live.get(session_id)

    @property
    def full(self) -> bool:
        """Whether no further session may be started. One that is still ending counts."""
        return len(self._all) >= self.limit

    def check(self, owner: str) -> None:
        """Whether `owner` may have one more session. Raises TooManySessions, which says why not."""
        if self.full:
            raise TooManySessions(f"this server has {self.limit} sessions already, which is the most it takes")
        if self.user_limit is not None and sum(one.owner == owner for one in self._all) >= self.user_limit:
            raise TooManyOfOneUser(f"{owner} has {self.user_limit} sessions already, the most that a user may have")

    @property
    def ending(self) -> int:
        """How many have begun to close and are not done."""
        return len(self._all) - len(self._live)

    async def end_of(self, session_id: str, epoch: str) -> Ended | None:
        """What is remembered of that run of the session, awaited where it is just ending; None where it lives on."""
        run = session_id, epoch
        session = self._live.get(session_id)
        if run in self._watchers and (session is None or session.epoch != epoch):
            await asyncio.shield(self._watchers[run])
        return self._ended.get(run)

    def get_or_start(
        self,
        session_id: str,
        command: str | Sequence[str],
        options: Options | None = None,
        container: Container | None = None,
        *,
        owner: str = "",
    ) -> ReconnectingPTY:
        """The session of that id, made now for `owner` if there is none. Raises TooManySessions, OptionError.

        `options`: those of this session, made from `self.options`.
        """
        session = self._live.get(session_id)
        if session is None:
            self.check(owner)
            session = new(command, options or self.options, session_id=session_id, container=container)
            session.describe(owner=owner)
            self._add(session)
        return session

    def options_of(self, backend: str) -> Options:
        """A new session's options, with the backend that its client names; empty: the server's own."""
        return replace(self.options, backend_type=backend) if backend else self.options

    async def adopt(self) -> int:
        """Take over what a killed server left in GNU screen; how many sessions that are. Call it before serving."""
        adopted = await adopt(self.options)
        for session in adopted:
            self._add(session)
        return len(adopted)

    def _add(self, session: ReconnectingPTY) -> None:
        self._live[session.id] = session
        self._all.add(session)
        run = session.id, session.epoch
        self._watchers[run] = asyncio.create_task(self._watch(session))
        self._watchers[run].add_done_callback(lambda _: self._watchers.pop(run))

    async def _watch(self, session: ReconnectingPTY) -> None:
        await session.wait(State.READY)
        self.expected.discard(session.id)
        await session.wait(State.CLOSING)
        if self._live.get(session.id) is session:
            del self._live[session.id]
        self.on_end(session)
        await session.wait(State.DONE)
        self._all.discard(session)
        status, error = session.exit_status, session.error
        self._remember(
            (session.id, session.epoch),
            Ended(
                status.code if status is not None else None,
                status.signal if status is not None else None,
                error if isinstance(error, ReconnectingPTYError) else None,
                time.monotonic(),
            ),
        )

    def _remember(self, run: tuple[str, str], ended: Ended) -> None:
        self._ended[run] = ended
        while len(self._ended) > REMEMBERED or next(iter(self._ended.values())).at < ended.at - REMEMBERED_SECONDS:
            self._ended.popitem(last=False)

    async def close(self, error: SessionClosed, seconds: float) -> None:
        """End all sessions, with their grace; what is not done after `seconds` is aborted."""
        for session in tuple(self._all):
            session.close(error)
        if self._watchers:
            await asyncio.wait(tuple(self._watchers.values()), timeout=seconds)
        await self.abort()

    async def abort(self) -> None:
        """End all sessions at once."""
        for session in tuple(self._all):
            session.abort()
        if self._watchers:
            await asyncio.wait(tuple(self._watchers.values()))
