"""The HTTP interface to who one is: logins, links, tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .access.links import LEAST_SECONDS, MOST_SECONDS, TooManyLinks
from .access.tickets import SECONDS
from .access.visitor import Access, Grant, Visitor
from .exchange import Refused, Request, Response, invalid
from .session_api import session_for

if TYPE_CHECKING:
    from .server import Server


async def log_in(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor | None) -> Response:
    """A token, or a link, for a cookie."""
    fields = request.fields("token", "share")
    if "share" in fields:
        return _log_in_guest(server, request, fields["share"])
    token = fields.get("token")
    if not isinstance(token, str):
        raise invalid("token", "must be a string")
    reception = server.reception
    if reception.door.open:
        return Response(204)
    with reception.slowed():
        visitor = reception.door.of_token(token, request)
    if visitor is None:
        raise Refused(Response.error(401, "that is not this server's token"))
    reception.audit.note("login", request.peer, visitor)
    return Response(204, headers={"set-cookie": reception.door.login_cookie(request, visitor)})


def _log_in_guest(server: Server, request: Request, text: Any) -> Response:
    if not isinstance(text, str):
        raise invalid("share", "must be a string")
    reception = server.reception
    guest = reception.door.guest(text)
    if guest is None or guest.grant is None:
        raise Refused(Response.error(401, "this link has expired or was revoked"))
    reception.audit.note("login", request.peer, guest, session=guest.grant.session)
    grant = guest.grant
    told = {"link": grant.id, "session": grant.session, "access": grant.access, "expires": grant.expires}
    return Response.json(told, headers={"set-cookie": reception.door.guest_cookie(request, grant)})


async def log_out(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """The cookie is worth nothing any more, and what was opened with it ends."""
    cookie = server.reception.door.log_out(request, visitor)
    server.reception.audit.note("logout", request.peer, visitor)
    server.reception.review()
    return Response(204, headers={"set-cookie": cookie})


async def who_am_i(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """Who this client is here, and what it may do."""
    config, grant = server.config, visitor.grant
    return Response.json(
        {
            "name": visitor.name,
            "role": visitor.role,
            "session": grant.session if grant is not None else None,
            "access": Access.WRITE if visitor.writes else Access.READ,
            "expires": visitor.expires,
            "may": {
                "create": visitor.creates,
                "command": visitor.creates and config.allow_command,
                "containers": visitor.creates and config.allow_containers,
                "share": visitor.creates,
                "kill": visitor.writes,
            },
        }
    )


async def make_ticket(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """A ticket for one terminal."""
    return Response.json({"ticket": server.reception.tickets.give(visitor), "seconds": SECONDS}, 201)


async def list_links(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """The links to a session."""
    session = session_for(server, rest[0], visitor, Access.WRITE)
    return Response.json({"links": [_told(grant) for grant in server.reception.links.of(session)]})


async def make_link(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """A link to a session."""
    session = session_for(server, rest[0], visitor, Access.WRITE)
    fields = request.fields("access", "seconds")
    access, seconds = fields.get("access"), fields.get("seconds")
    if access not in tuple(Access):
        raise invalid("access", f"must be one of {', '.join(Access)}")
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not LEAST_SECONDS <= seconds <= MOST_SECONDS
    ):
        raise invalid("seconds", f"must be a number from {LEAST_SECONDS} to {MOST_SECONDS}")
    try:
        grant, text = server.reception.links.make(session, Access(access), seconds, visitor.name)
    except TooManyLinks as error:
        raise Refused(Response.error(409, str(error))) from None
    server.reception.audit.note("link made", request.peer, visitor, session=session.id, made=grant.id, access=access)
    return Response.json(_told(grant) | {"path": f"{server.node.prefix}/#share={text}"}, 201)


async def revoke_link(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """A link counts no more, and what was opened by it ends."""
    session = session_for(server, rest[0], visitor, Access.WRITE)
    reception = server.reception
    if rest[1] not in [grant.id for grant in reception.links.of(session)]:
        raise Refused(Response.error(404, "there is no such link to this session"))
    reception.links.revoke(rest[1])
    reception.audit.note("link revoked", request.peer, visitor, session=session.id, revoked=rest[1])
    reception.review()
    return Response(204)


def _told(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "session": grant.session,
        "access": grant.access,
        "created": grant.created,
        "expires": grant.expires,
        "by": grant.by,
    }
