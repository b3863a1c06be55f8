"""Those who may only look try everything that those can do who may write."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed

from reconnectingpty_server import api

from ..support.program import Program
from ..support.serving import Told
from .beside import under_attack

BODIES: dict[str, dict[str, object]] = {
    "/api/login": {"token": "wrong-token"},
    "/api/sessions": {"id": "made", "command": "touch made"},
    "/api/sessions/*": {"name": "renamed"},
    "/api/sessions/*/links": {"access": "write", "seconds": 600},
}
"""What makes sense there, so that it is the right that is missing and nothing else."""
FOR_ALL = {("POST", "/api/logout"), ("POST", "/api/tickets")}
"""What changes nothing but for who asks: an end of the own login, and a ticket that is worth what its owner is."""
SECRET = f"reconnect=secret&command={quote('echo ready; exec cat')}&width=70&height=20"
WHO = ("a viewer", "a guest by a link to look", "another user", "nobody")


async def _share(server: Program, access: str) -> tuple[str, str]:
    """A guest's cookie, and the link's id."""
    body = json.dumps({"access": access, "seconds": 600}).encode()
    link = json.loads((await server.request("POST", "/api/sessions/secret/links", body))[2])
    share = json.dumps({"share": link["path"].removeprefix("/#share=")}).encode()
    answered = (await server.request("POST", "/api/login", share, token=None))[1]
    return answered["set-cookie"].partition(";")[0], link["id"]


async def _as(server: Program, name: str) -> tuple[str | None, str, dict[str, str]]:
    """How somebody comes: with what token, query and headers."""
    if name == "a guest by a link to look":
        cookie, link = await _share(server, "read")
        return None, f"link={link}", {"Cookie": cookie, "Origin": f"http://{server.address}"}
    return {"a viewer": server.tokens["vera"], "another user": server.tokens["bob"], "nobody": None}[name], "", {}


async def _state(server: Program) -> tuple[dict[str, object], int, set[str]]:
    """What must not change: a session's description, its links, the other sessions."""
    told = await server.json("/api/sessions/secret")
    links = (await server.json("/api/sessions/secret/links"))["links"]
    steady = {key: told[key] for key in ("name", "owner", "rows", "cols", "bytes_in", "pid", "state", "title")}
    return steady, len(links), {one["id"] for one in (await server.json("/api/sessions"))["sessions"]}


@pytest.mark.parametrize("name", WHO)
async def test_they_change_nothing_by_any_route_there_is(tmp_path: Path, name: str) -> None:
    """All routes by all methods, so that a new one is tried as well."""
    async with under_attack(tmp_path=tmp_path) as server, server.connect(SECRET) as socket:
        await Told(socket).until(b"ready")
        token, query, headers = await _as(server, name)
        before = await _state(server)
        for path in api.ROUTES:
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "COPY"):
                if (method, path) in FOR_ALL or (name == WHO[2] and (method, path) == ("POST", "/api/sessions")):
                    continue
                body = json.dumps(BODIES.get(path, {})).encode()
                target = path.replace("*", "secret", 1).replace("*", "x") + (f"?{query}" if query else "")
                status = (await server.request(method, target, body, token, **headers))[0]
                assert status in (401, 403, 404, 405, 409, 429), (method, path, status)
        assert await _state(server) == before


@pytest.mark.parametrize("name", WHO[:2])
async def test_they_cannot_type_size_or_end_a_terminal_that_they_look_at(tmp_path: Path, name: str) -> None:
    async with under_attack(tmp_path=tmp_path) as server, server.connect(SECRET) as socket:
        owner = Told(socket)
        await owner.until(b"ready")
        token, query, headers = await _as(server, name)
        before = await _state(server)
        more = f"&{query}" if query else ""
        for v1 in (True, False):
            for said in _SAID[v1]:
                asked = f"reconnect=secret&readonly=0&width=200&height=200&client=x{more}"
                async with server.connect(asked, token=token, headers=headers, v1=v1) as looking:
                    told = Told(looking)
                    if v1:
                        assert (await told.until_told("hello"))["readonly"] is True
                    await looking.send(said)
                    if v1 and "resize" in str(said):
                        await told.say(type="ping", id=1)
                        await told.until_told("pong")
                        continue
                    if v1 or b"data" in said:
                        with pytest.raises(ConnectionClosed) as closed:
                            while True:
                                await looking.recv()
                        assert closed.value.rcvd is not None
                        assert closed.value.rcvd.code == 1008
        assert await _state(server) == before
        await socket.send(b"still mine\n")
        await owner.until(b"still mine\r\nstill mine")


_SAID: dict[bool, list[bytes | str]] = {
    True: [b"rm -rf /\n", b"\x03", b"\x1b[1;1R", '{"type":"kill"}', '{"type":"resize","rows":5,"cols":5}'],
    False: [b'{"data":"rm -rf /\\n"}', b'{"height":5,"width":5}', b'{"data":"x","height":5,"width":5}'],
}


async def test_a_ticket_is_worth_no_more_than_who_asked_for_it(tmp_path: Path) -> None:
    async with under_attack(tmp_path=tmp_path) as server:
        answered = (await server.request("POST", "/api/tickets", token=server.tokens["vera"]))[2]
        query = f"reconnect=honest&ticket={json.loads(answered)['ticket']}"
        async with server.connect(query, token=None) as socket:
            told = Told(socket)
            assert (await told.until_told("hello"))["readonly"] is True
            await socket.send(b"x")
            assert (await told.to_the_end())[0] == 1008
