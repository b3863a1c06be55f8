"""What the router does with each request: whose it is, and whose it is not."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from reconnectingpty_server.api import ROUTES
from reconnectingpty_server.cluster.haproxy import ANYBODYS
from reconnectingpty_server.cluster.router import MAX_NODES
from reconnectingpty_server.pages import Pages

from ..support.serving import Told, serving
from .nodes import node
from .routing import HAProxy, cluster, routing


async def message(router: HAProxy, status: int, path: str, method: str = "GET") -> str:
    """The reason of a refusal."""
    found, headers, body = await router.request(method, path)
    assert found == status, (path, found, body)
    assert headers["content-type"] == "application/json"
    return str(json.loads(body)["message"])


async def test_a_session_is_where_its_id_says(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, nodes):
        uuid = "550e8400-e29b-41d4-a716-446655440000"
        for name, node in nodes.items():
            for path, session in (("/pty", "work"), (f"/api/v2/workspaceagents/{uuid}/pty", uuid)):
                async with router.connect(f"command=cat&reconnect={name}.{session}&width=90", path=path) as socket:
                    assert (await Told(socket).until_told("hello"))["session"] == f"{name}.{session}"
                    assert node.server.sessions.get(f"{name}.{session}") is not None
            assert (await router.json(f"/api/sessions/{name}.work"))["cols"] == 90
            assert (await router.json(f"/api/sessions/{name}%2Ework"))["cols"] == 90
            assert {one["id"] for one in (await router.json(f"/node/{name}/api/sessions"))["sessions"]} == {
                f"{name}.work", f"{name}.{uuid}"
            }  # fmt: skip
            assert (await router.request("GET", f"/api/sessions/{name}.work/screen"))[0] == 200
            assert (await router.request("DELETE", f"/api/sessions/{name}.work"))[0] == 204


async def test_what_no_node_has_is_refused_with_a_reason_and_starts_nothing(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, nodes):
        unknown = "there is no node of that name"
        for path in ("/pty?reconnect=x.work", "/api/sessions/x.work", "/node/x/", "/node/A/", "/node//a/", "/node/"):
            assert await message(router, 404, path) == unknown
        for path in ("/pty?reconnect=work", "/api/sessions/work", "/pty?reconnect=w%6Frk", "/api/sessions/work/screen"):
            assert "names no node" in await message(router, 404, path)
        with pytest.raises(InvalidStatus) as refused:
            async with router.connect("reconnect=work"):
                pass
        assert refused.value.response.status_code == 404
        # What the router does not see in it, the node does.
        status = await router.request("GET", "/node/a/pty?reconnect=b.work")
        assert status[0] == 421
        assert [len(node.server.sessions) for node in nodes.values()] == [0, 0]


async def test_each_part_of_the_interface_is_anybodys_or_names_its_node(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, _):
        for path, route in ROUTES.items():
            for method in route.methods:
                if "*" in path or path in ("/healthz", "/readyz"):
                    continue
                status, _, body = await router.request(method, path, b"{}")
                started = (path, method) == ("/api/sessions", "POST")
                if path in ANYBODYS or started:
                    assert status in (200, 201, 204, 400), (path, status)
                else:
                    assert status == 404, (path, status)
                    assert "/node/<node>/..." in json.loads(body)["message"]
                    assert (await router.request(method, f"/node/b{path}", b"{}"))[0] != 404
        assert (await router.request("GET", "/api/nothing"))[0] == 404
        assert (await router.json("/node/a/api/node"))["node"] == "a"
        assert await router.json("/readyz") == {"status": "ready"}
        assert await router.json("/healthz") == {"status": "ok"}
        status, headers, _ = await router.request("GET", "/", token=None)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_a_router_may_have_as_many_nodes_as_it_is_said_to(tmp_path: Path) -> None:
    # All but the last are somebody else's ports, which is to say down; each name is as long as may be.
    others = {f"node-{number:03d}-".ljust(23, "x") + "y": f"127.0.0.2:{number + 1}" for number in range(MAX_NODES - 1)}
    async with (
        serving(node="last") as last,
        routing(tmp_path, others | {"last": str(last.address)}, check_seconds=2) as router,
    ):
        async with router.connect("reconnect=last.work&command=cat") as socket:
            assert (await Told(socket).until_told("hello"))["session"] == "last.work"
        await router.until(last="UP", **dict.fromkeys(others, "DOWN"))
        nodes = (await router.json("/api/nodes"))["nodes"]
        assert nodes == [{"node": name, "up": name == "last"} for name in sorted([*others, "last"])]
        # Beside what a client may send; more than that is too much for the node, which says so.
        for length, expected in ((7000, 200), (12000, 431)):
            assert (await router.request("GET", "/api/nodes", Cookie="x" * length))[0] == expected
            assert (await router.request("GET", "/api/whoami", Cookie="x" * length))[0] == 200


async def test_new_sessions_go_where_there_are_fewest(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c", "d") as (router, nodes), AsyncExitStack() as stack:
        for _ in range(12):
            session = (await router.json("/api/node"))["session"]
            socket = await stack.enter_async_context(router.connect(f"reconnect={session}&command=cat"))
            await Told(socket).until_told("hello")
        assert [len(node.server.sessions) for node in nodes.values()] == [3, 3, 3, 3]


async def test_a_page_gets_its_parts_while_nodes_have_different_versions(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, nodes):
        _, _, page = await router.request("GET", "/")
        part = re.search(r'"(/?assets/[^"]+\.js)"', page.decode())
        assert part is not None
        path = f"/{part[1].lstrip('/')}"
        (tmp_path / "another").mkdir()
        for name in "bc":
            nodes[name].server._pages = Pages(tmp_path / "another")
            assert (await nodes[name].request("GET", path))[0] == 404
        assert {(await router.request("GET", path))[0] for _ in range(9)} == {200}
        assert (await router.request("GET", "/assets/nothing.js"))[0] == 404


async def test_a_dead_nodes_sessions_are_gone_and_no_other_node_starts_them(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, nodes):
        assert {"node": "b", "up": True} in (await router.json("/api/nodes"))["nodes"]
        await nodes["b"].server.close(0.0)
        await router.until(b="DOWN", a="UP")
        told = json.loads((await router.request("GET", "/pty?reconnect=b.work"))[2])["message"]
        assert told.startswith("node b does not answer")
        await router.until_gone("b")
        for path in ("/pty?reconnect=b.work", "/api/sessions/b.work", "/node/b/"):
            told = await message(router, 410, path)
            assert told == "node b does not answer any more, and its sessions are gone with it"
        with pytest.raises(InvalidStatus) as refused:
            async with router.connect("reconnect=b.work"):
                pass
        assert refused.value.response.status_code == 410
        assert len(nodes["a"].server.sessions) == 0
        assert (await router.json("/api/nodes"))["nodes"] == [{"node": "a", "up": True}, {"node": "b", "up": False}]
        assert await router.json("/readyz") == {"status": "ready"}
        await nodes["a"].server.close(0.0)
        await router.until(a="DOWN")
        assert "no node takes that now" in await message(router, 503, "/readyz")
        status, headers, _ = await router.request("GET", "/api/node")
        assert (status, headers["retry-after"]) == (503, "2")


async def test_a_node_that_starts_again_is_waited_for(tmp_path: Path) -> None:
    async with node("a", tmp_path) as a, node("b", tmp_path) as b:
        addresses = {"a": str(a.address), "b": str(b.address)}
        async with routing(tmp_path, addresses, gone_seconds=60) as router:
            await router.until_seen("a", "b")
            await b.end()
            await router.until(b="DOWN")
            status, headers, body = await router.request("GET", "/pty?reconnect=b.work")
            assert (status, headers["retry-after"]) == (503, "2")
            assert json.loads(body)["message"] == "node b does not answer now; try again in a moment"
            assert await a.ids() == set()
            await b.start()
            await router.until(b="UP")
            assert (await router.request("GET", "/api/sessions/b.work"))[0] == 404


@pytest.mark.parametrize("how", ["full", "drained"])
async def test_a_node_that_takes_no_more_keeps_what_it_has(tmp_path: Path, how: str) -> None:
    async with (
        cluster(tmp_path, "a", "b") as (router, nodes),
        router.connect("reconnect=b.work&command=cat") as socket,
    ):
        await Told(socket).until_told("hello")
        addresses = {name: str(node.address) for name, node in nodes.items()}
        if how == "full":
            nodes["b"].server.sessions.limit = 1
            await router.until(b="NOLB")
        else:
            router.write(addresses, ["b"])
            await router.reload()
            await router.until(b="DRAIN", a="UP")
        assert {(await router.json("/api/node"))["node"] for _ in range(6)} == {"a"}
        assert (await router.json("/api/sessions/b.work"))["viewers"] == 1
        async with router.connect("reconnect=b.work") as again:
            assert (await Told(again).until_told("hello"))["session"] == "b.work"
        await socket.send(b"still here\n")
        await Told(socket).until(b"still here")
        nodes["b"].server.sessions.limit = 1000
        router.write(addresses)
        await router.reload()
        await router.until(b="UP")
        async with asyncio.timeout(30):
            while (await router.json("/api/node"))["node"] != "b":
                pass


async def test_a_node_is_told_who_the_client_is_and_cannot_be_told_otherwise(tmp_path: Path) -> None:
    settings = {"remove_headers": ["X-User"]}
    async with cluster(tmp_path, "a", settings=settings) as (router, nodes):
        seen = []
        node = nodes["a"].server
        answer = node.answer

        async def spying(request):  # type: ignore[no-untyped-def]
            seen.append(request)
            return await answer(request)

        node.answer = spying  # type: ignore[method-assign]
        lies = {
            "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Proto": "https",
            "Forwarded": "for=192.0.2.1",
            "X-Reconnectingpty-Nodes": "evil=up",
            "X-Real-IP": "192.0.2.1",
            "X-User": "root",
        }
        for path in ("/api/whoami", "/api/nodes"):
            _, _, body = await router.request("GET", path, **lies)
        assert json.loads(body)["nodes"] == [{"node": "a", "up": True}]
        asked = next(request for request in seen if request.path == "/api/whoami")
        assert asked.headers["x-forwarded-for"] == "127.0.0.1"
        assert asked.headers["x-forwarded-proto"] == "http"
        assert not {"forwarded", "x-real-ip", "x-user", "x-reconnectingpty-nodes"} & set(asked.headers)
