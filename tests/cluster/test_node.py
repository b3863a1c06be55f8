"""A server with a name: which ids it takes, which it refuses, and that it never starts what is another's."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from ..support.serving import Told, serving


async def test_a_session_is_told_its_whole_id_and_answers_to_both() -> None:
    async with serving(node="a") as a, a.connect("reconnect=work&command=cat") as socket:
        told = Told(socket)
        assert (await told.until_told("hello"))["session"] == "a.work"
        epoch = told.told("hello")[0]["epoch"]
        async with a.connect("reconnect=a.work") as again:
            other = Told(again)
            assert (await other.until_told("hello"))["epoch"] == epoch
        assert [one["id"] for one in (await a.json("/api/sessions"))["sessions"]] == ["a.work"]
        for path in ("/api/sessions/work", "/api/sessions/a.work", "/node/a/api/sessions/work"):
            assert (await a.json(path))["epoch"] == epoch
        assert (await a.request("GET", "/node/a/api/sessions/work/screen"))[0] == 200
        assert (await a.request("DELETE", "/api/sessions/work"))[0] == 204


@pytest.mark.parametrize("path", ["/pty", "/api/v2/workspaceagents/550e8400-e29b-41d4-a716-446655440000/pty"])
async def test_another_nodes_session_is_refused_with_what_to_do_and_never_started(path: str) -> None:
    async with serving(node="a") as a:
        with pytest.raises(InvalidStatus) as refused:
            async with a.connect("reconnect=b.work", path=path):
                pass
        assert refused.value.response.status_code == 421
        message = json.loads(refused.value.response.body)["message"]
        assert message == "that session is on node 'b', and this is node 'a': ask that node, or the router before them"
        status, _, body = await a.request("GET", f"{path}?reconnect=b.work")
        assert (status, json.loads(body)["message"]) == (421, message)
        for method, other in (
            ("GET", "/api/sessions/b.work"),
            ("DELETE", "/api/sessions/b.work"),
            ("GET", "/api/sessions/b.work/screen"),
            ("GET", "/node/b/api/sessions"),
        ):
            assert (await a.request(method, other))[0] == 421
        for body in ({"id": "b.work"}, {"like": "b.work"}):
            assert (await a.request("POST", "/api/sessions", json.dumps(body).encode()))[0] == 421
        assert (await a.json("/api/sessions"))["sessions"] == []


async def test_a_session_that_is_started_by_the_interface_gets_an_id_of_its_node() -> None:
    async with serving(node="a") as a:

        async def start(**fields: str) -> str:
            status, _, body = await a.request("POST", "/api/sessions", json.dumps(fields).encode())
            assert status == 201, body
            return str(json.loads(body)["id"])

        assert (await start()).startswith("a.")
        assert await start(id="work") == "a.work"
        assert (await start(like="work")).startswith("a.")
        assert (await a.request("POST", "/api/sessions", b'{"id": "a.work"}'))[0] == 409


async def test_an_id_too_long_for_this_node_is_refused() -> None:
    async with serving(node="a-long-name") as node:
        status, _, body = await node.request("GET", f"/pty?reconnect={'x' * 60}")
        assert (status, json.loads(body)["validations"][0]["field"]) == (400, "reconnect")


async def test_a_node_gives_ids_and_tells_who_it_is() -> None:
    async with serving(node="a") as a:
        node = await a.json("/api/node")
        assert node["node"] == "a"
        assert node["session"].startswith("a.")
        assert (await a.request("GET", "/api/node", token=None))[0] == 200
        assert await a.json("/api/nodes") == {"nodes": [{"node": "a", "up": True}]}
        told = {"X_Reconnectingpty_Nodes": "a=up b=down  c=up =up d= e=maybe B=up"}
        nodes = json.loads((await a.request("GET", "/api/nodes", **told))[2])["nodes"]
        assert nodes == [{"node": "a", "up": True}, {"node": "b", "up": False}, {"node": "c", "up": True}]
        assert (await a.request("GET", "/api/nodes", token=None))[0] == 401
    async with serving() as alone:
        assert (await alone.json("/api/node"))["node"] is None
        assert "." not in (await alone.json("/api/node"))["session"]
        assert await alone.json("/api/nodes") == {"nodes": []}


async def test_the_agent_stream_takes_a_plain_id_and_no_other_nodes(tmp_path: object) -> None:
    async with serving(node="a") as a:
        address = await a.server.listen_agent(a.address._replace(port=0))
        for session, wanted in (
            ("b.x", []),
            ("550e8400-e29b-41d4-a716-446655440000", ["a.550e8400-e29b-41d4-a716-446655440000"]),
        ):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            init = json.dumps({"ID": session, "Height": 24, "Width": 80, "Command": "printf here; cat"}).encode()
            writer.write(len(init).to_bytes(2, "little") + init)
            async with asyncio.timeout(30):
                assert await (reader.readuntil(b"here") if wanted else reader.read()) == (b"here" if wanted else b"")
            assert [one["id"] for one in (await a.json("/api/sessions"))["sessions"]] == wanted
            writer.close()
            await writer.wait_closed()
