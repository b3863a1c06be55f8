"""Who is let in where: nodes that share token and keys take each other's logins, and a link leads to its node."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from reconnectingpty_server.access import users

from ..support.serving import TOKEN, Told
from .routing import cluster


async def test_a_login_at_one_node_counts_at_all(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, _):
        body = json.dumps({"token": TOKEN}).encode()
        _, headers, _ = await router.request("POST", "/node/a/api/login", body, token=None)
        cookie = headers["set-cookie"].partition(";")[0]
        for name in "abc":
            status, _, _ = await router.request("GET", f"/node/{name}/api/whoami", token=None, Cookie=cookie)
            assert status == 200
            async with router.connect(f"reconnect={name}.work", token=None, headers={"Cookie": cookie}) as socket:
                await Told(socket).until_told("hello")
        forged = cookie[:-2] + ("AA" if not cookie.endswith("AA") else "BB")
        assert (await router.request("GET", "/node/b/api/whoami", token=None, Cookie=forged))[0] == 401


async def test_a_user_has_their_sessions_and_no_others_at_every_node(tmp_path: Path) -> None:
    file = tmp_path / "users"
    ann, ben = (users.add(str(file), name, "user") for name in ("ann", "ben"))
    async with cluster(tmp_path, "a", "b", users_file=str(file)) as (router, _):
        for name in "ab":
            async with router.connect(f"reconnect={name}.work", token=ann) as socket:
                await Told(socket).until_told("hello")
                # An id gives nobody a right.
                with pytest.raises(InvalidStatus) as refused:
                    async with router.connect(f"reconnect={name}.work", token=ben):
                        pass
                assert refused.value.response.status_code == 404
                assert (await router.request("GET", f"/api/sessions/{name}.work", token=ben))[0] == 404


async def test_a_link_leads_to_the_node_of_its_session(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, _), AsyncExitStack() as stack:
        socket = await stack.enter_async_context(router.connect("reconnect=b.work&command=cat"))
        await Told(socket).until_told("hello")
        asked = json.dumps({"access": "write", "seconds": 600}).encode()
        status, _, body = await router.request("POST", "/api/sessions/b.work/links", asked)
        assert status == 201
        prefix, _, text = json.loads(body)["path"].partition("/#share=")
        assert prefix == "/node/b"
        share = json.dumps({"share": text}).encode()
        # The page is below that prefix, and so are its requests.
        status, headers, body = await router.request("POST", f"{prefix}/api/login", share, token=None)
        told, cookie = json.loads(body), headers["set-cookie"].partition(";")[0]
        assert (status, told["session"]) == (200, "b.work")
        query = f"reconnect=b.work&link={told['link']}"
        for path in ("/pty", f"{prefix}/pty"):
            async with router.connect(query, token=None, path=path, headers={"Cookie": cookie}) as guest:
                assert (await Told(guest).until_told("hello"))["session"] == "b.work"
        for other in ("a.work", "b.other"):
            with pytest.raises(InvalidStatus) as refused:
                async with router.connect(
                    f"reconnect={other}&link={told['link']}", token=None, headers={"Cookie": cookie}
                ):
                    pass
            assert refused.value.response.status_code in (401, 404)


async def test_a_ticket_is_good_at_the_node_that_gave_it(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, _):
        _, _, body = await router.request("POST", "/node/b/api/tickets")
        ticket = json.loads(body)["ticket"]
        async with router.connect(f"reconnect=b.work&ticket={ticket}", token=None) as socket:
            await Told(socket).until_told("hello")
