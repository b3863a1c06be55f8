"""The server: listeners in front, sessions behind, and the one place where a request is let in or refused."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import partial

from reconnectingpty import (
    Metrics,
    NotAllowed,
    OptionError,
    Options,
    Outcome,
    ReconnectingPTY,
    ReconnectingPTYError,
    SessionClosed,
    Shutdown,
    backends,
)
from reconnectingpty.container import Container
from reconnectingpty.tunnel.publish import Tunnel, TunnelMetrics, local_end
from reconnectingpty.wire.address import AttachRequest, FieldError, InvalidQuery, parse_query
from reconnectingpty.wire.coder import Init
from reconnectingpty.wire.messages import Closing, Exited

from . import api
from .access.door import ADMIN
from .access.reception import Reception
from .access.visitor import Access, Role, Visitor
from .agent import AgentConnection, AgentStreams
from .config import Address, Config, ConfigError
from .descriptors import Descriptors
from .exchange import Refused, Request, Response
from .http import HttpConnection
from .lag import LoopLag
from .measures import Refusals, Surroundings, register_process
from .pages import Pages
from .readiness import Readiness
from .sessions import Ended, NoSuchSession, Sessions
from .sockets import clear_stale, keep_alive
from .websocket import CoderSocket, V1Socket, WebSockets

MAX_CONNECTIONS = 4096
"""HTTP connections that are not WebSockets; those are bounded by sessions and viewers."""
SOFT_SECONDS = 10.0
TERMINAL_PATHS = re.compile(r"/pty|/api/v2/workspaceagents/[0-9a-fA-F-]{36}/pty")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A request for a terminal that was let in: what it asks for, who asks, and from where."""

    asked: AttachRequest
    visitor: Visitor
    request: Request


@dataclass(frozen=True, slots=True)
class Listening:
    """A listener that is open; `address` has the real port."""

    address: Address
    server: asyncio.Server


class Server:
    """Serves sessions on any number of listeners, in the running event loop."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.reception = Reception(config)
        self.metrics = Metrics(prefix=config.metrics_prefix)
        self.sessions = Sessions(config.options(), self.metrics, config.max_sessions, self._session_ends)
        self.connections: set[HttpConnection] = set()
        self.lingering: set[HttpConnection] = set()
        self.max_connections = MAX_CONNECTIONS
        self._pages = Pages()
        self._sockets = WebSockets()
        self._agents = AgentStreams(self._attach_agent, MAX_CONNECTIONS)
        self._listening: list[Listening] = []
        self.tunnels: list[Tunnel] = []
        self._stopping = False
        registry, prefix = self.metrics.registry, self.metrics.prefix
        self.lag = LoopLag(registry, prefix)
        self.descriptors = Descriptors()
        self.readiness = Readiness(self.sessions, self.metrics, self.lag, self.descriptors, lambda: self._stopping)
        self._refusals = Refusals(registry, prefix)
        registry.register(Surroundings(prefix, self.sessions, self.readiness, self.descriptors))
        register_process(registry)

    # -- listeners

    async def listen(self, address: Address) -> Address:
        """Serve HTTP and WebSocket there; the address with its real port. Raises ConfigError."""
        factory = partial(HttpConnection, self, local=address.local)
        loop = asyncio.get_running_loop()
        return await self._open(
            address,
            lambda: loop.create_unix_server(factory, address.path),
            lambda: loop.create_server(factory, address.host, address.port, backlog=1024, ssl=self._tls),
        )

    async def serve(self, listener: socket.socket) -> None:
        """Serve HTTP and WebSocket on a socket that is bound already; returns when it is open."""
        local = listener.family == socket.AF_UNIX or Address(*listener.getsockname()[:2]).local
        factory = partial(HttpConnection, self, local=local)
        server = await asyncio.get_running_loop().create_server(
            factory, sock=listener, backlog=1024, ssl=None if listener.family == socket.AF_UNIX else self._tls
        )
        self._add(Address("", 0), server)

    async def listen_agent(self, address: Address) -> Address:
        """Serve Coder's agent stream there. Raises ConfigError."""
        return await self._open(
            address,
            lambda: asyncio.start_unix_server(self._agents.serve, address.path),
            lambda: asyncio.start_server(self._agents.serve, address.host, address.port, backlog=1024),
        )

    @property
    def token(self) -> str | None:
        """The admin token; None where everybody may come in."""
        return self.reception.token

    @property
    def _tls(self) -> ssl.SSLContext | None:
        return self.reception.tls.context if self.reception.tls is not None else None

    async def adopt(self) -> int:
        """Take over the sessions that a killed server left in GNU screen: how many. Call it before :meth:`listen`."""
        return await self.sessions.adopt()

    async def publish(self, address: Address) -> None:
        """Hold the configured tunnels open to this listener, until the server is closed. Raises ConfigError."""
        ends: list[str | None] = [*self.config.tunnel_remote]
        ends += [None] * (len(self.config.tunnel) - len(ends))
        options = [word for option in self.config.tunnel_option for word in ("-o", option)]
        local = local_end(address.host, address.port, address.path)
        try:
            tunnels = [
                Tunnel(to, local, remote=end, options=options) for to, end in zip(self.config.tunnel, ends, strict=True)
            ]
        except OptionError as error:
            raise ConfigError(f"--tunnel: {error}") from None
        if tunnels:
            self.metrics.registry.register(TunnelMetrics(tunnels, self.config.metrics_prefix))
        for tunnel in tunnels:
            self.tunnels.append(await tunnel.__aenter__())

    async def _open(self, address: Address, unix, tcp) -> Address:  # type: ignore[no-untyped-def]
        try:
            if address.path:
                await clear_stale(address.path)
                before = os.umask(0o177)
                try:
                    server = await unix()
                finally:
                    os.umask(before)
            else:
                server = await tcp()
        except OSError as error:
            raise ConfigError(f"cannot listen on {address}: {os.strerror(error.errno or 0)}") from None
        if not address.path:
            address = address._replace(port=server.sockets[0].getsockname()[1])
        self._add(address, server)
        return address

    def _add(self, address: Address, server: asyncio.Server) -> None:
        keep_alive(server)
        self.lag.start()
        self._listening.append(Listening(address, server))

    def conn_count(self) -> int:
        """Clients connected to sessions, or on their way to one."""
        return len(self._sockets) + len(self._agents)

    # -- HTTP

    async def answer(self, request: Request) -> Response:
        """The answer to a request that is no upgrade."""
        try:
            response = await self._answer(request)
        except Refused as refused:
            response = refused.response
        self._refusals.see(request, response.status)
        return response

    async def _answer(self, request: Request) -> Response:
        request = self.reception.seen(request)
        method = "GET" if request.method == "HEAD" else request.method
        found = api.find(request.path)
        if found is None:
            return self._page(request, method)
        route, rest = found
        handler = route.methods.get(method)
        if handler is None:
            return Response.error(405, f"{request.method} is not for {request.path}", Allow=api.allowed(route))
        if method != "GET" and not self.reception.from_here(request):
            return Response.error(403, "requests from other sites are refused")
        visitor = None
        if route.roles is not None:
            visitor = self.reception.visitor(request)
            if visitor.role not in route.roles:
                return Response.error(403, f"this is not for a {visitor.role}")
        return await handler(self, request, rest, visitor)

    def _page(self, request: Request, method: str) -> Response:
        if TERMINAL_PATHS.fullmatch(request.path):
            # A browser is not told why an upgrade was refused; asking again without one tells.
            self._entry(request)
            return Response.error(426, "this is a WebSocket", Upgrade="websocket")
        response = self._pages.answer(request)
        if response is None:
            return Response.error(404, "there is nothing here")
        if method != "GET":
            return Response.error(405, f"{request.method} is not for {request.path}", Allow="GET, HEAD")
        return response

    # -- terminals

    async def upgrade(self, request: Request, connection: HttpConnection) -> Response | None:
        """Let a WebSocket in, or refuse it with an answer."""
        try:
            request = self.reception.seen(request)
            entry = self._entry(request)
            if request.method != "GET":
                return Response.error(405, "a WebSocket begins with GET", Allow="GET")
            self.reception.count_attach(request)
            if self._starts(entry):
                self.reception.count_creation(request, entry.visitor)
        except Refused as refused:
            self._refusals.see(request, refused.response.status)
            return refused.response
        self.reception.tickets.use(request.first("ticket") or "")
        connection.peer = request.peer
        return self._sockets.take(connection, partial(self._attach, entry))

    def _entry(self, request: Request) -> Entry:
        """A request for a terminal that can be had. Raises Refused."""
        if not TERMINAL_PATHS.fullmatch(request.path):
            raise Refused(Response.error(404, "there is no terminal here"))
        if not self.reception.from_here(request):
            raise Refused(Response.error(403, "pages of other sites are refused; --origin allows one"))
        visitor = self.reception.visitor(request)
        if self._stopping:
            raise Refused(Response.error(503, "the server is shutting down", Retry_After="5"))
        try:
            asked = parse_query(request.query)
            self.permit(asked)
        except InvalidQuery as error:
            validations = [{"field": field, "detail": detail} for field, detail in error.validations]
            raise Refused(Response.error(400, "Invalid query parameters.", validations)) from None
        entry = Entry(asked, visitor, request)
        session = self.sessions.get(asked.session)
        if session is not None and visitor.access(session) is None:
            raise Refused(Response.error(403, "that session is somebody else's"))
        if session is None and visitor.role is Role.GUEST and asked.epoch is None:
            raise Refused(Response.error(404, "the session of this link has ended"))
        if self._starts(entry) and self.sessions.full:
            message = f"this server has {self.sessions.limit} sessions already"
            raise Refused(Response.error(503, message, Retry_After="30"))
        return entry

    def _starts(self, entry: Entry) -> bool:
        """Whether a session would be started; a client that comes back would rather be told that it ended."""
        asked = entry.asked
        if asked.epoch is not None or asked.attach_only or not entry.visitor.creates:
            return False
        return self.sessions.get(asked.session) is None

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

    def _session_ends(self, session: ReconnectingPTY) -> None:
        self.reception.links.forget(session)
        reason = getattr(session.error, "reason", "exit")
        self.reception.audit.note("end", "", None, session=session.id, owner=session.owner, reason=reason)

    async def _attach(self, entry: Entry, connection: V1Socket | CoderSocket, *, v1: bool) -> Outcome:
        self.metrics.connections.inc()
        asked, visitor = entry.asked, entry.visitor
        ended = await self.sessions.end_of(asked.session, asked.epoch) if asked.epoch is not None else None
        if ended is not None:
            return await _tell(connection, ended)
        session = self.sessions.get(asked.session)
        if session is None:
            if not self._starts(entry):
                raise NoSuchSession(f"there is no session {asked.session}")
            session = self.start(
                asked.session,
                asked.command or self.config.command,
                self.sessions.options_of(asked.backend_type),
                self.container(asked),
                visitor=visitor,
                peer=connection.name,
            )
        access = visitor.access(session)
        if access is None:  # it was started by somebody else since the upgrade
            raise NotAllowed("that session is somebody else's")
        audit, began = self.reception.audit, asyncio.get_running_loop().time()
        audit.note("attach", connection.name, visitor, session=session.id, access=access)
        outcome = "error"
        try:
            with self.reception.admissions.hold(visitor):
                reached = await session.attach(
                    connection,
                    connection.name,
                    asked.rows,
                    asked.cols,
                    client=asked.client,
                    epoch=asked.epoch,
                    offset=asked.offset,
                    readonly=asked.readonly or access is Access.READ,
                    window=session.options.window if v1 else None,
                )
            outcome = reached.name.lower()
            return reached
        except ReconnectingPTYError as error:
            outcome = str(error)
            raise
        finally:
            seconds = round(asyncio.get_running_loop().time() - began, 3)
            audit.note("detach", connection.name, visitor, session=session.id, reason=outcome, seconds=seconds)

    async def _attach_agent(self, init: Init, connection: AgentConnection) -> Outcome:
        self.metrics.connections.inc()
        self.permit(init)
        session = self.sessions.get_or_start(
            init.session,
            init.command or self.config.command,
            self.sessions.options_of(init.backend_type),
            self.container(init),
            owner=ADMIN,
        )
        self.reception.audit.note("attach", connection.name, None, session=session.id, via="agent stream")
        return await session.attach(connection, connection.name, init.rows, init.cols)

    # -- reload and end

    def reload(self, config: Config) -> None:
        """Take what can change while running: token file, origins, new sessions' options. Raises ConfigError."""
        self.reception.reload(config)
        self.config = config
        self.sessions.configure(config.options(), config.max_sessions)

    async def close(self, seconds: float = SOFT_SECONDS) -> None:
        """Soft: no new connections, clients are told, sessions end with their grace, all within about `seconds`."""
        self._stopping = True
        self.lag.close()
        for listening in self._listening:
            listening.server.close()
            if listening.address.path:
                with suppress(OSError):
                    os.unlink(listening.address.path)
        await self.sessions.close(Shutdown(), seconds)
        await asyncio.gather(self._sockets.finish(1.0), self._agents.finish(1.0))
        while self.tunnels:
            await self.tunnels.pop().__aexit__(None, None, None)
        for connection in (*self.connections, *self.lingering):
            connection.transport.close()
        self.reception.close()

    async def abort(self) -> None:
        """Hard: everything ends now."""
        self._stopping = True
        await self.sessions.abort()
        await self.close(0.0)


async def _tell(connection: V1Socket | CoderSocket, ended: Ended) -> Outcome:
    """Tell a client that comes back for a session how that ended."""
    if ended.error is None:
        await connection.send(Exited(ended.code, ended.signal))
        return Outcome.EXITED
    if isinstance(ended.error, SessionClosed):
        await connection.send(Closing(ended.error.reason, str(ended.error)))
    raise copy(ended.error)
