"""Nodes that take no more sessions, all of them: what they have stays within reach, and so does the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ..support.serving import TOKEN, Told
from .routing import cluster


@pytest.mark.parametrize("how", ["full", "drained"])
async def test_where_no_node_takes_more_whoever_has_a_session_reaches_it(tmp_path: Path, how: str) -> None:
    async with (
        cluster(tmp_path, "a", "b") as (router, nodes),
        router.connect("reconnect=b.work&command=cat") as socket,
    ):
        await Told(socket).until_told("hello")
        if how == "full":
            for node in nodes.values():
                node.server.sessions.limit = len(node.server.sessions)
            await router.until(a="NOLB", b="NOLB")
        else:
            for name in nodes:
                await router.say(f"set server nodes/{name} state drain")
            await router.until(a="DRAIN", b="DRAIN")
        # The way of a person who opens the page, and of a command that comes back to its session.
        status, _, page = await router.request("GET", "/?session=b.work", token=None)
        assert status == 200
        (part, *_) = re.findall(r'"/?(assets/[^"]+\.js)"', page.decode())
        assert (await router.request("GET", f"/{part}", token=None))[0] == 200
        body = json.dumps({"token": TOKEN}).encode()
        assert (await router.request("POST", "/api/login", body, token=None))[0] in (200, 204)
        assert (await router.json("/api/whoami"))["role"] == "admin"
        assert [one["up"] for one in (await router.json("/api/nodes"))["nodes"]] == [True, True]
        assert {one["id"] for one in (await router.json("/node/b/api/sessions"))["sessions"]} == {"b.work"}
        async with router.connect("reconnect=b.work") as again:
            assert (await Told(again).until_told("hello"))["session"] == "b.work"
        # New sessions are refused, and a balancer before the router need not look for another one.
        assert (await router.request("GET", "/api/node"))[0] == 503
        assert (await router.request("POST", "/api/sessions", b"{}"))[0] == 503
        assert (await router.request("GET", "/pty"))[0] == 503
        assert (await router.request("GET", "/readyz", token=None))[0] == 200


async def test_what_any_node_answers_comes_from_one_that_does(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, nodes):
        await nodes["b"].server.close(0.0)
        # Whether or not that has been noticed yet.
        assert [(await router.request("GET", "/", token=None))[0] for _ in range(8)] == [200] * 8
        assert [(await router.request("POST", "/api/logout"))[0] for _ in range(8)] == [204] * 8
