"""A cluster under load, as its operator treats it: grown, drained, reloaded, and struck by the death of a node.

RECONNECTINGPTY_CLUSTER_SESSIONS sets how many sessions there are; scripts/cluster runs it with 400.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from .machines import Network, network
from .nodes import NodeProcess, node
from .routing import routing
from .typists import typing

SESSIONS = int(os.environ.get("RECONNECTINGPTY_CLUSTER_SESSIONS", "100"))
RELOADS = 3

pytestmark = pytest.mark.timeout(600)


async def test_nobody_is_misrouted_and_nobody_gets_a_new_shell(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        wired = await stack.enter_async_context(network("router", *"abcd"))
        router_at = wired.machines["router"]
        nodes = {
            name: await stack.enter_async_context(node(name, tmp_path, machine=wired.machines[name], proxy=router_at))
            for name in "abcd"
        }
        addresses = {name: str(one.address) for name, one in nodes.items()}
        first = {name: addresses[name] for name in "abc"}
        router = await stack.enter_async_context(routing(tmp_path, first, machine=router_at))
        await router.until_seen("a", "b", "c")
        typists = await stack.enter_async_context(typing())

        async def everybody_is_in_place() -> None:
            """Each node has just the sessions whose ids name it, and nobody was ever shown another shell."""
            for name, one in nodes.items():
                assert await one.ids() == {typist.session for typist in typists.at(name)}, name
            assert all(len(typist.epochs) == 1 for typist in typists.all)

        # New sessions go where there are fewest; a router that was reloaded counts anew, with the added node.
        await typists.start(router, SESSIONS * 3 // 5)
        counts = Counter(typist.session[0] for typist in typists.all)
        assert max(counts.values()) - min(counts.values()) <= 1, counts
        router.write(addresses)
        await router.reload()
        await router.until(d="UP")
        assert {typist.session[0] for typist in await typists.start(router, SESSIONS // 5)} == set("abcd")
        await everybody_is_in_place()

        # A node that drains gets nothing new, keeps what it has, and nobody notices any of the reloads.
        router.write(addresses, ["b"])
        for _ in range(RELOADS):
            await router.reload()
            await typists.go_on("a", "b", "c", "d")
        late = await typists.start(router, SESSIONS // 5)
        assert not [typist for typist in late if typist.session.startswith("b.")]
        assert {typist.connections for typist in typists.all} == {1}
        assert sum((typist.answers for typist in typists.all), Counter()) == Counter()
        await everybody_is_in_place()

        # A node is cut off, without a word to anybody: its people wait, and then find everything as it was.
        await _cut_off(wired, nodes["a"])
        await router.until(a="DOWN")
        await router.until_gone("a")
        (waiting, *_) = typists.at("a")
        status, _, said = await router.request("GET", f"/api/sessions/{waiting.session}")
        assert (status, b"gone" in said) == (410, True), said
        await typists.go_on("b", "c", "d")
        await _let_back(wired, nodes["a"])
        await router.until(a="UP")
        await typists.go_on("a", "b", "c", "d")
        assert {typist.connections for typist in typists.all} == {1}
        await everybody_is_in_place()

        # A node dies: its people are told so, and the others notice nothing.
        await nodes["c"].end(signal.SIGKILL)
        for typist in typists.at("c"):
            await typist.until_over()
        assert {code for typist in typists.at("c") for code in typist.answers} <= {1006, 502, 503, 410}
        await typists.go_on("a", "b", "d")
        assert {typist.connections for typist in typists.at("a", "b", "d")} == {1}

        # It comes back without its sessions: whoever had one is told, and gets no new shell in its place.
        await nodes["c"].start()
        await router.until(c="UP")
        gone, typists.all = typists.at("c"), typists.at("a", "b", "d")
        for typist in gone:
            typist.answers.clear()
            await typist.work()
            assert typist.answers == {4004: 1}
            assert len(typist.epochs) == 1
        await everybody_is_in_place()


async def _cut_off(wired: Network, one: NodeProcess) -> None:
    """Nothing comes from it any more, nor gets there."""
    if wired.real:
        await wired.pull(one.name)
    else:
        one.signal(signal.SIGSTOP)


async def _let_back(wired: Network, one: NodeProcess) -> None:
    if wired.real:
        await wired.plug(one.name)
    else:
        one.signal(signal.SIGCONT)
