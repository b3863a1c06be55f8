"""What a node answers about itself and about the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..access.visitor import Visitor
from ..exchange import Request, Response
from .listing import HEADER, told

if TYPE_CHECKING:
    from ..server import Server


async def show_node(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor | None) -> Response:
    """This node's name, null where it has none, and an id for a new session on it."""
    return Response.json({"node": server.node.name or None, "session": server.node.mint()})


async def list_nodes(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """The nodes behind the router by which the request came; this one alone where it came by none."""
    nodes = told(request.headers.get(HEADER.lower(), ""))
    if not nodes and server.node.name:
        nodes = {server.node.name: True}
    return Response.json({"nodes": [{"node": name, "up": up} for name, up in sorted(nodes.items())]})
