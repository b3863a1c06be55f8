"""The HTTP interface: a table of paths, what each does, and who may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from . import access_api, debug, session_api
from .access.visitor import Role, Visitor
from .cluster.api import list_nodes, show_node
from .exchange import Request, Response

if TYPE_CHECKING:
    from .server import Server

Handler = Callable[["Server", Request, tuple[str, ...], Any], Awaitable[Response]]
"""Given the server, the request, what stands for each `*` of the path, and the visitor (None on an open path)."""

EVERYBODY = frozenset(Role)
ADMINS = frozenset({Role.ADMIN})
OPERATORS = frozenset({Role.ADMIN, Role.VIEWER})
USERS = frozenset({Role.ADMIN, Role.USER})


class Route(NamedTuple):
    """What a path does for each method, and for whom. `roles` None: also for those who have not logged in."""

    methods: Mapping[str, Handler]
    roles: frozenset[Role] | None = EVERYBODY


async def healthy(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor | None) -> Response:
    """The process answers."""
    return Response.json({"status": "ok"})


async def ready(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor | None) -> Response:
    """It takes sessions; 503, and why, where it does not. How its tunnels do is told, but not where they go."""
    failing = server.readiness.failing()
    tunnels = [str(tunnel.status().state) for tunnel in server.tunnels]
    body = {"status": "not ready" if failing else "ready", "reasons": list(failing.values())}
    return Response.json(body | {"failing": list(failing), "tunnels": tunnels}, 503 if failing else 200)


async def metrics(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """Prometheus's text format."""
    return Response(200, server.metrics.render(), server.metrics.content_type)


async def list_tunnels(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """The tunnels, and how each does."""
    return Response.json({"tunnels": [tunnel.state() for tunnel in server.tunnels]})


_SESSION = {
    "GET": session_api.show_session,
    "PATCH": session_api.rename_session,
    "DELETE": session_api.end_session,
}
_LINKS = {"GET": access_api.list_links, "POST": access_api.make_link}

ROUTES: dict[str, Route] = {
    "/healthz": Route({"GET": healthy}, None),
    "/readyz": Route({"GET": ready}, None),
    "/metrics": Route({"GET": metrics}, OPERATORS),
    "/debug/sessions": Route({"GET": debug.sessions}, ADMINS),
    "/api/login": Route({"POST": access_api.log_in}, None),
    "/api/logout": Route({"POST": access_api.log_out}),
    "/api/whoami": Route({"GET": access_api.who_am_i}),
    "/api/node": Route({"GET": show_node}, None),
    "/api/nodes": Route({"GET": list_nodes}),
    "/api/tickets": Route({"POST": access_api.make_ticket}),
    "/api/tunnels": Route({"GET": list_tunnels}, ADMINS),
    "/api/sessions": Route({"GET": session_api.list_sessions, "POST": session_api.start_session}),
    "/api/sessions/*": Route(_SESSION),
    "/api/sessions/*/screen": Route({"GET": session_api.show_screen}),
    "/api/sessions/*/links": Route(_LINKS, USERS),
    "/api/sessions/*/links/*": Route({"DELETE": access_api.revoke_link}, USERS),
}
"""`*` stands for one part of a path."""

_WITH_STARS = [(path.split("/"), route) for path, route in ROUTES.items() if "*" in path]


def find(path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a path, and what stands for each `*` of it."""
    route = ROUTES.get(path)
    if route is not None and "*" not in path:
        return route, ()
    parts = path.split("/")
    for wanted, found in _WITH_STARS:
        if len(wanted) == len(parts) and all(
            part if want == "*" else part == want for want, part in zip(wanted, parts, strict=True)
        ):
            return found, tuple(part for want, part in zip(wanted, parts, strict=True) if want == "*")
    return None


def allowed(route: Route) -> str:
    """The methods of a route, as the header Allow has them."""
    methods = set(route.methods) | ({"HEAD"} if "GET" in route.methods else set())
    return ", ".join(sorted(methods))
