"""The HTTP interface to sessions: listed, started, named, looked at, ended. Each visitor sees what is theirs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from reconnectingpty import Killed, OptionError, ReconnectingPTY, SessionClosed
from reconnectingpty.container import Container
from reconnectingpty.terminal.screen import Screen
from reconnectingpty.turns import turn
from reconnectingpty.wire.address import AttachRequest, InvalidQuery, parse_query

from .access.visitor import Access, Visitor
from .cluster.arrival import own
from .exchange import Refused, Request, Response, invalid

if TYPE_CHECKING:
    from .server import Server

MAX_PREVIEW = 20
MAX_PREVIEWS = 100
"""Sessions of a list that are shown with a preview; those that were active last."""
MAX_NAME = 80
DRAWING_SECONDS = 0.003
"""For how long a screen that is drawn may hold the event loop at a time."""
REST_SECONDS = 2.0
"""For how long who ends a session waits for its viewers to take the rest, once its program has ended."""


def session_for(server: Server, session_id: str, visitor: Visitor, access: Access) -> ReconnectingPTY:
    """The session of that id, if the visitor may do this with it. Raises Refused.

    Of a session that is somebody else's nobody learns that it is there.
    """
    session = server.sessions.get(session_id)
    has = visitor.access(session) if session is not None else None
    if session is None or has is None:
        raise Refused(Response.error(404, f"there is no session {session_id[:64]!r}"))
    if access is Access.WRITE and has is not Access.WRITE:
        raise Refused(Response.error(403, "you may look at this session, and no more"))
    return session


def _told(session: ReconnectingPTY, visitor: Visitor) -> dict[str, Any]:
    return asdict(session.info()) | {"access": visitor.access(session)}


async def list_sessions(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """The visitor's sessions, with the last lines of each where asked for."""
    lines = _preview_lines(request)
    mine = [session for session in server.sessions if visitor.access(session) is not None]
    told = [_told(session, visitor) for session in mine]
    if lines:
        newest = sorted(zip(told, mine, strict=True), key=lambda pair: pair[0]["idle"])[:MAX_PREVIEWS]
        for entry, session in newest:
            entry["preview"] = await _preview(session, lines)
    # What only passes is no news: how long a session has been idle the client can go on counting by itself.
    steady = json.dumps([{**entry, "idle": 0} for entry in told])
    tag = f'"{hashlib.sha256(steady.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(304, headers={"etag": tag})
    return Response.json({"sessions": told}, headers={"etag": tag, "cache-control": "no-cache"})


def _preview_lines(request: Request) -> int:
    text = request.first("preview") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) <= MAX_PREVIEW):
        raise invalid("preview", f"must be a number of lines from 0 to {MAX_PREVIEW}")
    return int(text)


async def _preview(session: ReconnectingPTY, lines: int) -> list[str]:
    await turn()
    try:
        text = (await session.screen()).text()
    except SessionClosed:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


async def start_session(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """A new session; its command starts when somebody attaches."""
    if not visitor.creates:
        raise Refused(Response.error(403, "you may not start sessions here"))
    fields = request.fields(
        "id", "name", "command", "backend_type", "container", "container_user", "rows", "cols", "like"
    )
    name = _name(fields.pop("name", ""))
    like = fields.pop("like", None)
    asked = _asked(server, fields)
    if server.sessions.get(asked.session) is not None:
        raise Refused(Response.error(409, f"there is a session {asked.session!r} already"))
    try:
        if like is None:
            server.terminals.permit(asked)
            command: Any = asked.command or server.config.command
            container, cwd = server.terminals.container(asked), None
        else:
            command, container, cwd = _like(server, like, visitor)
        server.terminals.may_start(visitor)
        server.reception.count_creation(request, visitor)
        # Nobody may be there yet to attach to it: it waits for that as long as a session waits that is left alone.
        options = replace(
            server.sessions.options,
            backend_type=asked.backend_type or server.sessions.options.backend_type,
            attach_timeout=server.sessions.options.timeout,
            size=(asked.size if "rows" in fields and "cols" in fields else None) or server.sessions.options.size,
            cwd=cwd,
        )
        session = server.terminals.start(asked.session, command, options, container, visitor=visitor, peer=request.peer)
    except InvalidQuery as error:
        raise _invalid(error) from None
    except OptionError as error:
        raise Refused(Response.error(400, str(error))) from None
    session.describe(name=name)
    return Response.json(_told(session, visitor), 201)


def _asked(server: Server, fields: dict[str, Any]) -> AttachRequest:
    """The fields as a terminal's address has them, so that both are read by the same rules."""
    query = {"reconnect": [server.node.mint()]}
    for field, value in fields.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise invalid(field, "must be a string or a number")
        query[_AS_IN_ADDRESS.get(field, field)] = [str(value)]
    query["reconnect"] = [own(query["reconnect"][0], server.node, server.sessions.get)]
    try:
        return parse_query(query)
    except InvalidQuery as error:
        raise _invalid(error) from None


_AS_IN_ADDRESS = {"id": "reconnect", "rows": "height", "cols": "width"}
_AS_IN_BODY = {there: here for here, there in _AS_IN_ADDRESS.items()}


def _invalid(error: InvalidQuery) -> Refused:
    validations = [{"field": _AS_IN_BODY.get(field, field), "detail": detail} for field, detail in error.validations]
    return Refused(Response.error(400, "the session can't be started like that", validations))


def _like(server: Server, like: Any, visitor: Visitor) -> tuple[Any, Container | None, str | None]:
    """What another session runs, and where it is now: nothing but what might be started here today as well.

    The settings may be others than when it was started, and who started it may have been asked for no leave.
    """
    if not isinstance(like, str):
        raise invalid("like", "must be a session's id")
    model = session_for(server, own(like, server.node, server.sessions.get), visitor, Access.WRITE)
    command, container = model.command_asked, model.container
    asked = AttachRequest(
        session=model.id,
        command="" if command == server.config.command else str(command),
        container=container.name if container is not None else "",
        container_user=container.user if container is not None else "",
    )
    server.terminals.permit(asked)
    return command, container, model.info().cwd


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise invalid("name", f"must be a string of at most {MAX_NAME} characters")
    name = value.strip()
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise invalid("name", "must not hold control characters")
    return name


async def show_session(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """One session."""
    return Response.json(_told(session_for(server, rest[0], visitor, Access.READ), visitor))


async def rename_session(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """Another name."""
    session = session_for(server, rest[0], visitor, Access.WRITE)
    session.describe(name=_name(request.fields("name").get("name")))
    server.reception.audit.note("rename", request.peer, visitor, session=session.id, name=session.name)
    return Response.json(_told(session, visitor))


async def end_session(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """End a session; 204 once it is done, or its program has ended and a viewer does not take the rest."""
    session = session_for(server, rest[0], visitor, Access.WRITE)
    server.reception.audit.note("kill", request.peer, visitor, session=session.id)
    session.close(Killed())
    await session.wait_exit()
    with suppress(TimeoutError):
        async with asyncio.timeout(REST_SECONDS):
            await session.wait()
    return Response(204)


async def show_screen(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """What a session shows, as text, ansi or json."""
    session = session_for(server, rest[0], visitor, Access.READ)
    form = request.first("format") or "text"
    if form not in _FORMS:
        raise invalid("format", f"must be one of {', '.join(_FORMS)}")
    async with server.terminals.drawing.of(visitor.who):
        await turn()
        return await _FORMS[form](await session.screen())


async def _text(screen: Screen) -> Response:
    return Response(200, screen.text().encode("utf-8", "replace"))


async def _ansi(screen: Screen) -> Response:
    clock, rows = asyncio.get_running_loop().time, list[bytes]()
    until = clock() + DRAWING_SECONDS
    for row in screen.drawn():
        rows.append(row.encode("utf-8", "replace"))
        if clock() >= until:
            await turn()
            until = clock() + DRAWING_SECONDS
    return Response(200, b"\n".join(rows).rstrip(b"\n") + b"\n")


async def _json(screen: Screen) -> Response:
    return Response.json(screen.json())


_FORMS: dict[str, Callable[[Screen], Awaitable[Response]]] = {"text": _text, "ansi": _ansi, "json": _json}
