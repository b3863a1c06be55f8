"""Hundreds of cut connections during continuous output and input: nothing missing, nothing twice, the same shell."""

from __future__ import annotations

import asyncio
import random

from reconnectingpty.client import Backoff, Settings, Terminal

from ..client.support import ECHO, cut, terminal_of, until
from ..support.serving import Serving, serving

CUTS = 500
QUICK = Settings(backoff=Backoff(0.0005, 0.005), scrollback=None)


async def cut_again_and_again(s: Serving, terminal: Terminal, rng: random.Random) -> None:
    """Cut each connection a little after it stands, in whatever it is doing."""
    for number in range(1, CUTS + 1):
        while terminal.connections < number:
            await asyncio.sleep(0.001)
        await asyncio.sleep(rng.uniform(0, 0.005))
        cut(s)


async def test_nothing_is_lost_or_repeated_over_hundreds_of_cuts() -> None:
    rng, typed, echoed = random.Random(20261120), b"", b""
    async with serving() as s, terminal_of(s, ECHO, settings=QUICK) as terminal:
        await until(terminal, b"ready")
        session = s.server.sessions.get("x")
        assert session is not None
        pid = session.info().pid
        cutting = asyncio.create_task(cut_again_and_again(s, terminal, rng))
        async with asyncio.timeout(50):
            while not cutting.done():
                part = rng.randbytes(rng.randint(1, 1000)).hex().encode()
                typed += part
                await terminal.send(part)
                echoed += await terminal.read()
            await cutting
            while len(echoed) < len(typed):
                echoed += await terminal.read()
            while terminal.connections <= CUTS:
                await terminal.changed()
        assert echoed == typed
        assert len(typed) > 100_000
        assert (terminal.resyncs, terminal.connections) == (0, CUTS + 1)
        assert session.info().pid == pid
