"""Requests for terminals: who gets which session, started for whom, and what each attach was let in on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

from reconnectingpty import (
    AttachRefused,
    Metrics,
    NotAllowed,
    OptionError,
    Options,
    Outcome,
    ReconnectingPTY,
    SessionClosed,
    State,
    backends,
)
from reconnectingpty.container import Container
from reconnectingpty.wire.address import AttachRequest, FieldError, InvalidQuery, parse_query
from reconnectingpty.wire.coder import Init
from reconnectingpty.wire.messages import Closing, Exited

from .access.reception import Reception
from .access.visitor import ADMIN, Access, Role, Visitor
from .agent import AgentConnection
from .cluster.names import Node
from .config import Config
from .exchange import Refused, Request, Response
from .measures import defects_counted
from .queues import Queues
from .reserve import Reserve
from .sessions import Ended, NoSuchSession, Sessions, TooManyOfOneUser, TooManySessions
from .stays import noted
from .websocket import CoderSocket, V1Socket

PATHS = re.compile(r"/pty|/api/v2/workspaceagents/[0-9a-fA-F-]{36}/pty")
SHORT = "this server is short of file descriptors; try again later"


@dataclass(frozen=True, slots=True)
class Entry:
    """A request for a terminal that was let in: what it asks for, who asks, and from where."""

    asked: AttachRequest
    visitor: Visitor
    request: Request


AGENT = Visitor(ADMIN, Role.ADMIN, "agent stream")
"""Who comes by the agent stream: it knows no login, so that is whoever runs this server."""


class Terminals:
    """Lets clients to sessions, as far as they may have them."""

    def __init__(
        self,
        config: Config,
        reception: Reception,
        sessions: Sessions,
        node: Node,
        metrics: Metrics,
        reserve: Reserve,
        stopping: Callable[[], bool],
    ) -> None:
        self.config = config
        self.reception = reception
        self.sessions = sessions
        self.node = node
        self.metrics = metrics
        self._reserve = reserve
        self._stopping = stopping
        self.drawing = Queues()
        """Of those who want a screen drawn, which takes room and time."""
        sessions.on_end = self.session_ends

    def entry(self, request: Request) -> Entry:
        """A request for a terminal that can be had. Raises Refused."""
        if not PATHS.fullmatch(request.path):
            raise Refused(Response.error(404, "there is no terminal here"))
        if not self.reception.from_here(request):
            raise Refused(Response.error(403, "pages of other sites are refused; --origin allows one"))
        visitor = self.reception.door.by_ticket(request) or self.reception.visitor(request)
        if self._stopping():
            raise Refused(Response.error(503, "the server is shutting down", Retry_After="5"))
        if self._reserve.touched:
            raise Refused(Response.error(503, SHORT, Retry_After="5"))
        try:
            asked = parse_query(request.query)
            self.permit(asked)
        except InvalidQuery as error:
            validations = [{"field": field, "detail": detail} for field, detail in error.validations]
            raise Refused(Response.error(400, "Invalid query parameters.", validations)) from None
        entry = Entry(asked, visitor, request)
        session = self.sessions.get(asked.session)
        if session is not None and visitor.access(session) is not None:
            return entry
        # That somebody else's session is there nobody learns; but its id is taken, and none is started under it.
        taken = session is not None and not asked.attach_only
        if asked.epoch is None and (taken or visitor.role is Role.GUEST):
            raise Refused(Response.error(404, f"there is no session {asked.session!r} for you"))
        if self.starts(entry):
            self.may_start(visitor)
        return entry

    def may_start(self, visitor: Visitor) -> None:
        """Whether the visitor may have one more session. Raises Refused."""
        try:
            self.sessions.check(visitor.name)
        except TooManyOfOneUser as error:
            raise Refused(Response.error(429, str(error), refusal="quota", Retry_After="30")) from None
        except TooManySessions as error:
            raise Refused(Response.error(503, str(error), Retry_After="30")) from None

    def starts(self, entry: Entry) -> bool:
        """Whether a session would be started; a client that comes back would rather be told that it ended."""
        asked = entry.asked
        if asked.epoch is not None or asked.attach_only or not entry.visitor.creates:
            return False
        return self.sessions.get(asked.session) is None

    def expect(self, session_id: str) -> None:
        """A client was let in, and the command of its session may have to be started."""
        session = self.sessions.get(session_id)
        if session is None or session.state is State.STARTING:
            self.sessions.expected.add(session_id)

    def permit(self, asked: AttachRequest | Init) -> None:
        """Raises InvalidQuery for what a client may not choose."""
        errors = []
        if asked.command and not self.config.allow_command and isinstance(asked, AttachRequest):
            errors.append(
                FieldError("command", "is not allowed here; the server runs with --allow-command to allow it")
            )
        if (asked.container or asked.container_user) and not self.config.allow_containers:
            errors.append(
                FieldError("container", "is not allowed here; the server runs with --allow-containers to allow it")
            )
        else:
            try:
                self.container(asked)
            except OptionError as error:
                errors.append(FieldError("container", str(error)))
        if asked.backend_type not in ("", "auto", *backends()):
            errors.append(FieldError("backend_type", f"must be one of {', '.join(('auto', *backends()))}"))
        if errors:
            raise InvalidQuery(errors)

    def container(self, asked: AttachRequest | Init) -> Container | None:
        """Where the command shall run. Raises OptionError for what can't be."""
        if not asked.container:
            if asked.container_user:
                raise OptionError("a user in a container needs a container")
            return None
        return Container(asked.container, asked.container_user, self.config.container_program)

    def start(
        self,
        session_id: str,
        command: str | Sequence[str],
        options: Options,
        container: Container | None,
        *,
        visitor: Visitor,
        peer: str,
    ) -> ReconnectingPTY:
        """A new session of the visitor's. Raises TooManySessions, OptionError."""
        session = self.sessions.get_or_start(session_id, command, options, container, owner=visitor.name)
        self.reception.audit.note("start", peer, visitor, session=session.id, command=session.info().command)
        return session

    def session_ends(self, session: ReconnectingPTY) -> None:
        """What rests on a session ends with it."""
        self.reception.links.forget(session)
        reason = getattr(session.error, "reason", "exit")
        self.reception.audit.note("end", "", None, session=session.id, owner=session.owner, reason=reason)

    async def attach(self, entry: Entry, connection: V1Socket | CoderSocket, *, v1: bool) -> Outcome:
        """Show a session to a client that was let in, until it leaves, or the session ends, or its proof does."""
        self.metrics.connections.inc()
        try:
            with defects_counted(self.metrics):
                return await self._attach(entry, connection, v1=v1)
        finally:
            self.sessions.expected.discard(entry.asked.session)

    async def _attach(self, entry: Entry, connection: V1Socket | CoderSocket, *, v1: bool) -> Outcome:
        asked, visitor = entry.asked, entry.visitor
        ended = await self.sessions.end_of(asked.session, asked.epoch) if asked.epoch is not None else None
        if ended is not None:
            return await _tell(connection, ended)
        # Since it was let in the loop has had turns, and an end of its proof would have found nobody to put out.
        why_not = self.reception.door.why_not(visitor)
        if why_not is not None:
            raise NotAllowed(why_not)
        session = self.sessions.get(asked.session)
        if session is None and self.starts(entry):
            session = self.start(
                asked.session,
                asked.command or self.config.command,
                self.sessions.options_of(asked.backend_type),
                self.container(asked),
                visitor=visitor,
                peer=connection.name,
            )
        access = visitor.access(session) if session is not None else None
        if session is None or access is None:
            raise NoSuchSession(f"there is no session {asked.session}")
        readonly = asked.readonly or access is Access.READ
        reception = self.reception
        with (
            noted(reception.audit, session, connection.name, visitor, access) as stay,
            reception.admissions.hold(visitor),
        ):
            stay.outcome = await session.attach(
                connection if readonly else stay.overheard(connection),
                connection.name,
                asked.rows,
                asked.cols,
                # Ids of clients stand in addresses: somebody else who has seen one is another client all the same.
                client=f"{visitor.who}/{asked.client}" if asked.client is not None else None,
                attempt=asked.attempt,
                epoch=asked.epoch,
                offset=asked.offset,
                readonly=readonly,
                answers=asked.answers,
                window=session.options.window if v1 else None,
                paces=access is not Access.READ,
            )
        return stay.outcome

    async def attach_agent(self, init: Init, connection: AgentConnection) -> Outcome:
        """The same for a client of the agent stream."""
        self.metrics.connections.inc()
        if self._reserve.touched:
            raise AttachRefused(SHORT)
        self.permit(init)
        session_id = self.node.own(init.session, self.sessions.get)
        self.expect(session_id)
        try:
            session = self.sessions.get(session_id) or self.start(
                session_id,
                init.command or self.config.command,
                self.sessions.options_of(init.backend_type),
                self.container(init),
                visitor=AGENT,
                peer=connection.name,
            )
            with (
                defects_counted(self.metrics),
                noted(self.reception.audit, session, connection.name, AGENT, Access.WRITE) as stay,
            ):
                stay.outcome = await session.attach(connection, connection.name, init.rows, init.cols)
            return stay.outcome
        finally:
            self.sessions.expected.discard(session_id)


async def _tell(connection: V1Socket | CoderSocket, ended: Ended) -> Outcome:
    """Tell a client that comes back for a session how that ended."""
    if ended.error is None:
        await connection.send(Exited(ended.code, ended.signal))
        return Outcome.EXITED
    if isinstance(ended.error, SessionClosed):
        await connection.send(Closing(ended.error.reason, str(ended.error)))
    raise copy(ended.error)
