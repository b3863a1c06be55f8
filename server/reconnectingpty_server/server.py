"""The server: listeners in front, sessions behind, and the one place where a request is let in or refused."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconnectingpty import (
    Metrics,
    OptionError,
    Shutdown,
)
from reconnectingpty.tunnel.publish import Tunnel, TunnelMetrics, local_end

from . import api
from .access.reception import Reception
from .agent import AgentStreams
from .changes import while_running
from .cluster.arrival import arrived
from .cluster.names import Node
from .config import Config
from .descriptors import Descriptors
from .exchange import Refused, Request, Response
from .handshakes import Handshakes
from .http import HttpConnection
from .lag import LoopLag
from .measures import Refusals, Surroundings, defects_counted, register_process
from .pages import Pages
from .readiness import Readiness
from .reserve import Reserve
from .sessions import Sessions
from .sockets import AT_ONCE, address_of, clear_stale, deepen, keep_alive
from .terminals import PATHS, Terminals
from .values import Address, ConfigError
from .websocket import WebSockets

MAX_CONNECTIONS = 4096
"""HTTP connections that are not WebSockets; those are bounded by sessions and viewers."""
SOFT_SECONDS = 10.0

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
        self.reception = Reception(config)
        self.metrics = Metrics(prefix=config.metrics_prefix)
        self.sessions = Sessions(config.options(), self.metrics, config.max_sessions, config.max_user_sessions)
        self.node = Node(config.node)
        self.reserve = Reserve(lambda: len(self.sessions.expected))
        self.terminals = Terminals(
            config, self.reception, self.sessions, self.node, self.metrics, self.reserve, lambda: self._stopping
        )
        self.connections: set[HttpConnection] = set()
        self.lingering: set[HttpConnection] = set()
        self.idle: dict[HttpConnection, None] = {}
        self.handshakes = Handshakes()
        self.max_connections = MAX_CONNECTIONS
        self._pages = Pages()
        self._sockets = WebSockets()
        self._agents = AgentStreams(self.terminals.attach_agent, MAX_CONNECTIONS)
        self._listening: list[Listening] = []
        self.tunnels: list[Tunnel] = []
        self._stopping = False
        registry, prefix = self.metrics.registry, self.metrics.prefix
        self.lag = LoopLag(registry, prefix)
        self.descriptors = Descriptors()
        self.readiness = Readiness(
            self.sessions, self.metrics, self.lag, self.descriptors, self.reserve, lambda: self._stopping
        )
        self._refusals = Refusals(registry, prefix)
        registry.register(Surroundings(prefix, self.sessions, self.readiness, self.descriptors))
        register_process(registry)

    # -- listeners

    async def listen(self, address: Address) -> Address:
        """Serve HTTP and WebSocket there; the address with its real port. Raises ConfigError."""
        make = partial(HttpConnection, self, local=address.local)
        loop = asyncio.get_running_loop()
        return await self._open(
            address,
            lambda: loop.create_unix_server(make, address.path),
            lambda: self._on_network(make, host=address.host, port=address.port),
        )

    async def serve(self, listener: socket.socket) -> Address:
        """Serve HTTP and WebSocket on a socket that listens already, and is not ours to remove. Raises ConfigError."""
        address = address_of(listener)
        _check_reach(self.config, address)
        make = partial(HttpConnection, self, local=address.local)
        if address.path:
            server = await asyncio.get_running_loop().create_server(make, sock=listener, backlog=AT_ONCE)
        else:
            server = await self._on_network(make, sock=listener)
        self._add(Address("", 0), server)
        return address

    async def _on_network(self, make: Callable[[], HttpConnection], **where: Any) -> asyncio.Server:
        """A listener of that place, over TLS where there is a certificate."""
        tls = bool(self.config.tls_cert)
        server = await asyncio.get_running_loop().create_server(make, backlog=AT_ONCE, start_serving=not tls, **where)
        if tls:
            self.handshakes.accept(server, self.reception.tls, make)
        return server

    async def listen_agent(self, address: Address) -> Address:
        """Serve Coder's agent stream there. Raises ConfigError."""
        return await self._open(
            address,
            lambda: asyncio.start_unix_server(self._agents.serve, address.path),
            lambda: asyncio.start_server(self._agents.serve, address.host, address.port, backlog=AT_ONCE),
        )

    @property
    def token(self) -> str | None:
        """The admin token; None where everybody may come in."""
        return self.reception.token

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
        if len({tunnel.name for tunnel in tunnels}) < len(tunnels):
            raise ConfigError("--tunnel: two have one host and far end; give each its own --tunnel-remote")
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
        except UnicodeError:  # of a name whose parts are empty or too long (IDNA)
            raise ConfigError(f"cannot listen on {address}: no host can have that name") from None
        except OSError as error:
            number = error.errno or 0
            # The system's words for its own numbers, without those that the loop puts before them.
            why = os.strerror(number) if number > 0 else error.strerror or error
            raise ConfigError(f"cannot listen on {address}: {why}") from None
        if not address.path:
            address = address._replace(port=server.sockets[0].getsockname()[1])
        self._add(address, server)
        return address

    def _add(self, address: Address, server: asyncio.Server) -> None:
        deepen(server)
        keep_alive(server)
        self.lag.start()
        self._listening.append(Listening(address, server))

    def conn_count(self) -> int:
        """Clients connected to sessions, or on their way to one."""
        return len(self._sockets) + len(self._agents)

    # -- HTTP

    async def answer(self, request: Request) -> Response:
        """The answer to a request that is no upgrade."""
        with defects_counted(self.metrics):
            try:
                response = await self._answer(request)
            except Refused as refused:
                response = refused.response
        self._refusals.see(request, response)
        return response

    async def _answer(self, request: Request) -> Response:
        request = self._seen(request)
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

    def _seen(self, request: Request) -> Request:
        """The request as its client made it and as this node has it. Raises Refused."""
        return arrived(self.reception.seen(request), self.node, self.sessions.get)

    def _page(self, request: Request, method: str) -> Response:
        if PATHS.fullmatch(request.path):
            # A browser is not told why an upgrade was refused; asking again without one tells.
            self.terminals.entry(request)
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
            request = self._seen(request)
            entry = self.terminals.entry(request)
            if request.method != "GET":
                return Response.error(405, "a WebSocket begins with GET", Allow="GET")
            self.reception.count_attach(request)
            if self.terminals.starts(entry):
                self.reception.count_creation(request, entry.visitor)
        except Refused as refused:
            self._refusals.see(request, refused.response)
            return refused.response
        self.reception.tickets.use(request.first("ticket") or "")
        connection.peer = request.peer
        self.terminals.expect(entry.asked.session)
        refusal = self._sockets.take(connection, partial(self.terminals.attach, entry))
        if refusal is not None:
            self.sessions.expected.discard(entry.asked.session)
        return refusal

    # -- reload and end

    def reload(self, config: Config) -> None:
        """Take what can change while running, all of it or, where that raises ConfigError, nothing."""
        config, waiting = while_running(self.config, config)
        for listening in self._listening:
            for listener in listening.server.sockets:
                _check_reach(config, address_of(listener))
        proofs = self.reception.read(config)
        self.sessions.configure(config.options(), config.max_sessions, config.max_user_sessions)
        self.reception.take(config, proofs)
        self.config = self.terminals.config = config
        for flag in waiting:
            log.warning("%s has changed, which counts only when the server is started again", flag)

    async def close(self, seconds: float = SOFT_SECONDS) -> None:
        """Soft: no new connections, clients are told, sessions end with their grace, all within about `seconds`."""
        self._stopping = True
        self.handshakes.stop()
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


def _check_reach(config: Config, address: Address) -> None:
    """Whether those settings may count at a listener that is open. Raises ConfigError."""
    if config.no_auth and not address.local:
        raise ConfigError(f"--no-auth: {address}, which is open, can be reached from other machines")
