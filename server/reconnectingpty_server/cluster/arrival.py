"""A request as the node that it was meant for takes it: the node's part of its path gone, the session's id whole.

Whatever names a session in a request is looked at here, so that no handler has to know that there are other nodes,
and none of them can start another node's session: that is refused before anybody else sees the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconnectingpty.wire.address import InvalidQuery

from ..exchange import Refused, Request, Response
from .names import PREFIX, Elsewhere, Node

SESSIONS = "/api/sessions/"
QUERY = "reconnect"


def arrived(request: Request, node: Node, lives: Callable[[str], object]) -> Request:
    """The request as this node has it; `lives` tells whether a session of that id does. Raises Refused."""
    path = _without_node(request.path, node)
    if path.startswith(SESSIONS):
        session, slash, rest = path.removeprefix(SESSIONS).partition("/")
        path = f"{SESSIONS}{own(session, node, lives) if session else ''}{slash}{rest}"
    query = request.query
    if any(query.get(QUERY, ())):
        query = {**query, QUERY: [own(session, node, lives) for session in query[QUERY]]}
    if path == request.path and query is request.query:
        return request
    return replace(request, path=path, query=query)


def own(session: str, node: Node, lives: Callable[[str], object]) -> str:
    """The whole id of a session of this node. Raises Refused: 421 for another node's, 400 for what can't be one."""
    try:
        return node.own(session, lives)
    except Elsewhere as error:
        raise Refused(Response.error(421, str(error))) from None
    except InvalidQuery as error:
        validations = [{"field": field, "detail": detail} for field, detail in error.validations]
        raise Refused(Response.error(400, "Invalid query parameters.", validations)) from None


def _without_node(path: str, node: Node) -> str:
    # More than once: who was given an address below a node's path may put the node's path before its own.
    while path.startswith(PREFIX):
        name, _, rest = path.removeprefix(PREFIX).partition("/")
        if name != node.name:
            raise Refused(Response.error(421, str(Elsewhere("that path", name, node.name))))
        path = f"/{rest}"
    return path
