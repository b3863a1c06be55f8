"""The HTTP interface: a table of paths, what each does, and who may."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from reconnectingpty import Killed, ReconnectingPTY

from . import debug
from .auth import COOKIE, LOGIN_SECONDS
from .exchange import Request, Response

if TYPE_CHECKING:
    from .server import Server

Handler = Callable[["Server", Request, str], Awaitable[Response]]


class Route(NamedTuple):
    """What a path does for each method. `open`: also for those who have not logged in."""

    methods: dict[str, Handler]
    open: bool = False


async def healthy(server: Server, request: Request, rest: str) -> Response:
    """The process answers."""
    return Response.json({"status": "ok"})


async def ready(server: Server, request: Request, rest: str) -> Response:
    """It takes sessions; 503, and why, where it does not. How its tunnels do is told, but not where they go."""
    failing = server.readiness.failing()
    tunnels = [str(tunnel.status().state) for tunnel in server.tunnels]
    body = {"status": "not ready" if failing else "ready", "reasons": list(failing.values())}
    return Response.json(body | {"failing": list(failing), "tunnels": tunnels}, 503 if failing else 200)


async def metrics(server: Server, request: Request, rest: str) -> Response:
    """Prometheus's text format."""
    return Response(200, server.metrics.render(), server.metrics.content_type)


async def log_in(server: Server, request: Request, rest: str) -> Response:
    """The token for a cookie."""
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    token = body.get("token") if isinstance(body, dict) else None
    if not isinstance(token, str):
        return Response.error(400, "the body must be JSON", [{"field": "token", "detail": "must be a string"}])
    if not server.auth.open and not server.auth.is_token(token):
        return Response.error(401, "that is not this server's token")
    cookie = f"{COOKIE}={server.auth.log_in()}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LOGIN_SECONDS}"
    return Response(204, headers={"set-cookie": cookie})


async def log_out(server: Server, request: Request, rest: str) -> Response:
    """The cookie is worth nothing any more."""
    server.auth.log_out(request.headers)
    return Response(204, headers={"set-cookie": f"{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"})


async def who_am_i(server: Server, request: Request, rest: str) -> Response:
    """Whether this client is logged in."""
    return Response(204)


async def list_sessions(server: Server, request: Request, rest: str) -> Response:
    """All sessions."""
    return Response.json({"sessions": [asdict(session.info()) for session in server.sessions]})


async def list_tunnels(server: Server, request: Request, rest: str) -> Response:
    """The tunnels, and how each does."""
    return Response.json({"tunnels": [tunnel.state() for tunnel in server.tunnels]})


async def show_session(server: Server, request: Request, rest: str) -> Response:
    """One session."""
    session = server.sessions.get(rest)
    return _missing(rest) if session is None else Response.json(asdict(session.info()))


async def end_session(server: Server, request: Request, rest: str) -> Response:
    """End a session; 204 once it is done."""
    session = server.sessions.get(rest)
    if session is None:
        return _missing(rest)
    session.close(Killed())
    await session.wait()
    return Response(204)


async def show_screen(server: Server, request: Request, rest: str) -> Response:
    """What a session shows, as text, ansi or json."""
    session = server.sessions.get(rest)
    if session is None:
        return _missing(rest)
    form = request.first("format") or "text"
    if form not in _FORMS:
        detail = f"must be one of {', '.join(_FORMS)}"
        return Response.error(400, "Invalid query parameters.", [{"field": "format", "detail": detail}])
    return await _FORMS[form](session)


async def _text(session: ReconnectingPTY) -> Response:
    return Response(200, (await session.screen()).text().encode("utf-8", "replace"))


async def _ansi(session: ReconnectingPTY) -> Response:
    return Response(200, (await session.screen()).ansi().encode("utf-8", "replace"))


async def _json(session: ReconnectingPTY) -> Response:
    return Response.json((await session.screen()).json())


_FORMS: dict[str, Callable[[ReconnectingPTY], Awaitable[Response]]] = {"text": _text, "ansi": _ansi, "json": _json}


def _missing(session_id: str) -> Response:
    return Response.error(404, f"there is no session {session_id[:64]!r}")


ROUTES: dict[str, Route] = {
    "/healthz": Route({"GET": healthy}, open=True),
    "/readyz": Route({"GET": ready}, open=True),
    "/metrics": Route({"GET": metrics}),
    "/debug/sessions": Route({"GET": debug.sessions}),
    "/api/login": Route({"POST": log_in}, open=True),
    "/api/logout": Route({"POST": log_out}),
    "/api/whoami": Route({"GET": who_am_i}),
    "/api/sessions": Route({"GET": list_sessions}),
    "/api/tunnels": Route({"GET": list_tunnels}),
    "/api/sessions/*": Route({"GET": show_session, "DELETE": end_session}),
    "/api/sessions/*/screen": Route({"GET": show_screen}),
}
"""`*` stands for one part of a path."""


def find(path: str) -> tuple[Route, str] | None:
    """The route of a path, and what stands for its `*`."""
    route = ROUTES.get(path)
    if route is not None:
        return route, ""
    parts = path.split("/")
    if len(parts) in (4, 5) and parts[3]:
        route = ROUTES.get("/".join((*parts[:3], "*", *parts[4:])))
        if route is not None:
            return route, parts[3]
    return None


def allowed(route: Route) -> str:
    """The methods of a route, as the header Allow has them."""
    methods = set(route.methods) | ({"HEAD"} if "GET" in route.methods else set())
    return ", ".join(sorted(methods))
