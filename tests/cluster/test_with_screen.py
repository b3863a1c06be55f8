"""A node that is killed where GNU screen keeps the sessions: its people find them again, by the same ids."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from websockets.exceptions import InvalidStatus

from ..screen.homes import _own_home
from ..support.attached import PATIENCE
from ..support.serving import Remote, Told
from .nodes import node
from .routing import routing

__all__ = ["_own_home"]


async def test_the_sessions_of_a_killed_node_are_found_again_by_the_router(tmp_path: Path) -> None:
    home = Path(os.environ["XDG_RUNTIME_DIR"])
    async with (
        node("a", tmp_path) as a,
        node("b", tmp_path, "--backend", "screen", home=home) as b,
        routing(tmp_path, {"a": str(a.address), "b": str(b.address)}, gone_seconds=60) as router,
    ):
        await router.until_seen("a", "b")
        async with router.connect("reconnect=b.work") as socket:
            told = Told(socket)
            epoch = (await told.until_told("hello"))["epoch"]
            await socket.send(b"typed before\n")
            await told.until(b"typed before\r\ntyped before")
            await b.end(signal.SIGKILL)
            assert (await told.to_the_end())[0] == 1006
        coming_back = asyncio.create_task(shown_again(router, f"reconnect=b.work&epoch={epoch}"))
        await router.until(b="DOWN")
        await b.start()
        assert b"typed before" in await coming_back
        assert (await a.ids(), await b.ids()) == (set(), {"b.work"})


async def shown_again(router: Remote, query: str) -> bytes:
    """Come back as clients do: again and again while it is only for the moment that nobody answers."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with router.connect(query) as socket:
                    return await Told(socket).until(b"typed before")
            except InvalidStatus as error:
                if error.response.status_code not in (502, 503):
                    raise
                await asyncio.sleep(0.1)
