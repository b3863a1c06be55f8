"""The commands of a person, by a router."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path

from reconnectingpty.client import connect

from ..server.test_mcp import agent
from ..server.test_program import run
from ..support.serving import TOKEN, Told
from .routing import cluster


async def test_list_screen_and_kill_reach_every_node_by_the_router(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, nodes), AsyncExitStack() as stack:
        environment = os.environ | {"RECONNECTINGPTY_URL": router.http, "RECONNECTINGPTY_TOKEN": TOKEN}
        for name in "abc":
            socket = await stack.enter_async_context(
                router.connect(f"reconnect={name}.work&command=echo+{name}{name};cat")
            )
            await Told(socket).until(name.encode() * 2)
        status, out, err = await run(environment, "list")
        assert (status, err) == (0, "")
        assert [line.split()[0] for line in out.splitlines()] == ["ID", "a.work", "b.work", "c.work"]
        status, out, err = await run(environment, "list", "--url", f"{router.http}/node/b")
        assert [line.split()[0] for line in out.splitlines()] == ["ID", "b.work"], err
        status, out, _ = await run(environment, "screen", "b.work")
        assert (status, out.strip()) == (0, "bb")
        assert (await run(environment, "kill", "b.work"))[0] == 0
        assert nodes["b"].server.sessions.get("b.work") is None
        status, _, err = await run(environment, "kill", "work")
        assert (status, "names no node" in err) == (1, True)
        await nodes["c"].server.close(0.0)
        await router.until(c="DOWN")
        status, out, err = await run(environment, "list", "--json")
        assert (status, '"a.work"' in out, '"c.work"' in out) == (0, True, False)
        assert err == "reconnectingpty: node c does not answer; its sessions are not listed\n"


async def test_attach_starts_a_session_where_the_router_wants_it(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, _):
        environment = os.environ | {"RECONNECTINGPTY_URL": router.http, "RECONNECTINGPTY_TOKEN": TOKEN}
        status, out, err = await run(environment, "attach", "--command", "echo hello; exit 7")
        assert (status, out) == (7, "hello\r\n"), err
        status, out, err = await run(environment, "attach", "b.work", "--command", "echo there; exit 3")
        assert (status, out) == (3, "there\r\n"), err


async def test_new_starts_a_session_on_the_node_that_its_name_says(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, nodes):
        environment = os.environ | {"RECONNECTINGPTY_URL": router.http, "RECONNECTINGPTY_TOKEN": TOKEN}
        for name in "abc":
            status, out, err = await run(environment, "new", f"{name}.made", "--command", "cat")
            assert (status, out) == (0, f"{name}.made\n"), err
            assert nodes[name].server.sessions.get(f"{name}.made") is not None
        assert (await run(environment, "new", "d.made", "--command", "cat"))[0] == 1


async def test_a_link_made_by_the_router_or_below_a_node_leads_back(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b", "c") as (router, _):
        without = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
        environment = without | {"RECONNECTINGPTY_URL": router.http, "RECONNECTINGPTY_TOKEN": TOKEN}
        await run(environment, "new", "b.work", "--command", "read x; echo heard $x; exit 4")
        for more in ((), ("--url", f"{router.http}/node/b")):
            status, out, err = await run(environment, "share", "b.work", "--write", *more)
            assert (status, out.startswith(f"{router.http}/node/b/#share=")) == (0, True), (out, err)
        status, out, err = await run(without, "attach", out.strip(), stdin=b"you\n")
        assert (status, "heard you" in out) == (4, True), (out, err)


async def test_an_agent_has_the_terminals_of_all_nodes(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, _), agent(router) as call:
        for name in "ab":
            started = await call("start_session", name=f"{name}.work", command="cat")
            assert started["session"] == f"{name}.work"
            await call("send_text", session=f"{name}.work", text=f"hello {name}", enter=True)
            await call("wait_for", session=f"{name}.work", pattern=f"hello {name}")
        assert [one["session"] for one in await call("list_sessions")] == ["a.work", "b.work"]


async def test_python_gets_a_new_session_where_the_router_wants_it(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, nodes):
        for _ in range(2):
            terminal = await connect(router.http, token=TOKEN, command="cat").open()
            assert nodes[terminal.session[0]].server.sessions.get(terminal.session) is not None
            await terminal.aclose()
        async with connect(f"{router.http}/node/b", token=TOKEN, command="cat") as terminal:
            assert terminal.session.startswith("b.")
