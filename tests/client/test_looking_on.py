"""A client that types nothing, of somebody who may: a recorder, say."""

from __future__ import annotations

import asyncio

from reconnectingpty.client import Settings

from ..support.attached import PATIENCE
from ..support.serving import serving
from .support import QUICK, terminal_of


async def test_it_misses_nothing_however_long_it_takes() -> None:
    plain = Settings(backoff=QUICK.backoff, scrollback=None, hold=256 << 10)
    command = "seq 1 500000; echo end; exec cat"
    async with serving(log_size="524288") as s, terminal_of(s, command, readonly=True, settings=plain) as terminal:
        (session,) = s.server.sessions
        async with asyncio.timeout(PATIENCE):
            seen = await terminal.read()
            while session.held_by != "viewer":
                await asyncio.sleep(0.01)
            while b"end\r\n" not in seen[-100:]:
                seen += await terminal.read()
        assert seen.split() == [b"%d" % number for number in range(1, 500_001)] + [b"end"]
        assert terminal.resyncs == 0
