"""The server: listeners in front, sessions behind, and the one place where a request is let in or refused."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import socket
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import partial

from reconnectingpty import Metrics, OptionError, Outcome, SessionClosed, Shutdown, backends
from reconnectingpty.container import Container
from reconnectingpty.tunnel.publish import Tunnel, TunnelMetrics, local_end
from reconnectingpty.wire.address import AttachRequest, FieldError, InvalidQuery, parse_query
from reconnectingpty.wire.coder import Init
from reconnectingpty.wire.messages import Closing, Exited

from . import api
from .agent import AgentConnection, AgentStreams
from .auth import Auth
from .config import Address, Config, ConfigError, read_token
from .descriptors import Descriptors
from .exchange import Request, Response
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
class Listening:
    """A listener that is open; `address` has the real port."""

    address: Address
    server: asyncio.Server


class Server:
    """Serves sessions on any number of listeners, in the running event loop."""

    def __init__(self, config: Config) -> None:
        self.config = config
        token = None if config.no_auth else config.token or (config.token_file and read_token(config.token_file))
        self.token = None if config.no_auth else token or secrets.token_urlsafe(24)
        self.auth = Auth(self.token, config.origin)
        self.metrics = Metrics(prefix=config.metrics_prefix)
        self.sessions = Sessions(config.options(), self.metrics, config.max_sessions)
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
            lambda: loop.create_server(factory, address.host, address.port, backlog=1024),
        )

    async def serve(self, listener: socket.socket) -> None:
        """Serve HTTP and WebSocket on a socket that is bound already; returns when it is open."""
        local = listener.family == socket.AF_UNIX or Address(*listener.getsockname()[:2]).local
        factory = partial(HttpConnection, self, local=local)
        server = await asyncio.get_running_loop().create_server(factory, sock=listener, backlog=1024)
        self._add(Address("", 0), server)

    async def listen_agent(self, address: Address) -> Address:
        """Serve Coder's agent stream there. Raises ConfigError."""
        return await self._open(
            address,
            lambda: asyncio.start_unix_server(self._agents.serve, address.path),
            lambda: asyncio.start_server(self._agents.serve, address.host, address.port, backlog=1024),
        )

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
        response = await self._answer(request)
        self._refusals.see(request, response.status)
        return response

    async def _answer(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        method = "GET" if request.method == "HEAD" else request.method
        found = api.find(request.path)
        if found is None:
            return self._page(request, method)
        route, rest = found
        handler = route.methods.get(method)
        if handler is None:
            return Response.error(405, f"{request.method} is not for {request.path}", Allow=api.allowed(route))
        if method != "GET" and not self.auth.same_origin(request.headers):
            return Response.error(403, "requests from other sites are refused")
        if not route.open and not self._admits(request):
            return Response.error(401, "log in with this server's token", WWW_Authenticate="Bearer")
        return await handler(self, request, rest)

    def _refusal(self, request: Request) -> Response | None:
        if "host" in request.headers and not self.auth.known_host(request.headers, local=request.local):
            return Response.error(403, "this server does not go by that host name; --origin allows it")
        return None

    def _page(self, request: Request, method: str) -> Response:
        if TERMINAL_PATHS.fullmatch(request.path):
            # A browser is not told why an upgrade was refused; asking again without one tells.
            asked = self._asked(request)
            if isinstance(asked, Response):
                return asked
            return Response.error(426, "this is a WebSocket", Upgrade="websocket")
        response = self._pages.answer(request)
        if response is None:
            return Response.error(404, "there is nothing here")
        if method != "GET":
            return Response.error(405, f"{request.method} is not for {request.path}", Allow="GET, HEAD")
        return response

    def _admits(self, request: Request) -> bool:
        return self.auth.admits(request.headers, request.first("token"))

    # -- terminals

    async def upgrade(self, request: Request, connection: HttpConnection) -> Response | None:
        """Let a WebSocket in, or refuse it with an answer."""
        asked = self._refusal(request) or self._asked(request)
        if isinstance(asked, Response):
            self._refusals.see(request, asked.status)
            return asked
        if request.method != "GET":
            return Response.error(405, "a WebSocket begins with GET", Allow="GET")
        return self._sockets.take(connection, partial(self._attach, asked))

    def _asked(self, request: Request) -> AttachRequest | Response:
        """What a request for a terminal asks for, or why it can't have it."""
        if not TERMINAL_PATHS.fullmatch(request.path):
            return Response.error(404, "there is no terminal here")
        if not self.auth.same_origin(request.headers):
            return Response.error(403, "pages of other sites are refused; --origin allows one")
        if not self._admits(request):
            return Response.error(401, "log in with this server's token", WWW_Authenticate="Bearer")
        if self._stopping:
            return Response.error(503, "the server is shutting down", Retry_After="5")
        try:
            asked = parse_query(request.query)
            self._permit(asked)
        except InvalidQuery as error:
            validations = [{"field": field, "detail": detail} for field, detail in error.validations]
            return Response.error(400, "Invalid query parameters.", validations)
        if _may_start(asked) and self.sessions.get(asked.session) is None and self.sessions.full:
            return Response.error(503, f"this server has {self.sessions.limit} sessions already", Retry_After="30")
        return asked

    def _permit(self, asked: AttachRequest | Init) -> None:
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
                self._container(asked)
            except OptionError as error:
                errors.append(FieldError("container", str(error)))
        if asked.backend_type not in ("", "auto", *backends()):
            errors.append(FieldError("backend_type", f"must be one of {', '.join(('auto', *backends()))}"))
        if errors:
            raise InvalidQuery(errors)

    def _container(self, asked: AttachRequest | Init) -> Container | None:
        """Where the command shall run. Raises OptionError for what can't be."""
        if not asked.container:
            if asked.container_user:
                raise OptionError("a user in a container needs a container")
            return None
        return Container(asked.container, asked.container_user, self.config.container_program)

    async def _attach(self, asked: AttachRequest, connection: V1Socket | CoderSocket, *, v1: bool) -> Outcome:
        self.metrics.connections.inc()
        ended = await self.sessions.end_of(asked.session, asked.epoch) if asked.epoch is not None else None
        if ended is not None:
            return await _tell(connection, ended)
        session = self.sessions.get(asked.session)
        if session is None:
            if not _may_start(asked):
                raise NoSuchSession(f"there is no session {asked.session}")
            session = self.sessions.get_or_start(
                asked.session, asked.command or self.config.command, asked.backend_type, self._container(asked)
            )
        return await session.attach(
            connection,
            connection.name,
            asked.rows,
            asked.cols,
            client=asked.client,
            epoch=asked.epoch,
            offset=asked.offset,
            readonly=asked.readonly,
            window=session.options.window if v1 else None,
        )

    async def _attach_agent(self, init: Init, connection: AgentConnection) -> Outcome:
        self.metrics.connections.inc()
        self._permit(init)
        session = self.sessions.get_or_start(
            init.session, init.command or self.config.command, init.backend_type, self._container(init)
        )
        return await session.attach(connection, connection.name, init.rows, init.cols)

    # -- reload and end

    def reload(self, config: Config) -> None:
        """Take what can change while running: token file, origins, new sessions' options. Raises ConfigError."""
        if config.token_file and not config.no_auth:
            self.token = read_token(config.token_file)
            self.auth.change_token(self.token)
        self.auth.origins = frozenset(config.origin)
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

    async def abort(self) -> None:
        """Hard: everything ends now."""
        self._stopping = True
        await self.sessions.abort()
        await self.close(0.0)


def _may_start(asked: AttachRequest) -> bool:
    """Whether a session is started for it where there is none; a client that comes back would rather be told."""
    return asked.epoch is None and not asked.attach_only


async def _tell(connection: V1Socket | CoderSocket, ended: Ended) -> Outcome:
    """Tell a client that comes back for a session how that ended."""
    if ended.error is None:
        await connection.send(Exited(ended.code, ended.signal))
        return Outcome.EXITED
    if isinstance(ended.error, SessionClosed):
        await connection.send(Closing(ended.error.reason, str(ended.error)))
    raise copy(ended.error)
