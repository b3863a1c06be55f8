"""When a node counts as gone: as soon where it says nothing at all as where its connections are refused."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from .nodes import node
from .routing import routing

GONE_SECONDS = 6
CHECK_SECONDS = 1
UNANSWERED = 5.0
"""What five checks take that nobody answers, a second each."""
BUSY = 5.0
"""For a machine that does other things, too."""


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
async def test_a_session_is_said_to_be_gone_when_the_setting_says(tmp_path: Path, how: signal.Signals) -> None:
    async with node("a", tmp_path) as a, node("b", tmp_path) as b:
        addresses = {"a": str(a.address), "b": str(b.address)}
        async with routing(tmp_path, addresses, check_seconds=CHECK_SECONDS, gone_seconds=GONE_SECONDS) as router:
            await router.until_seen("a", "b")
            loop = asyncio.get_running_loop()
            began = loop.time()
            b.signal(how)
            try:
                await router.until_gone("b")
                lasted = loop.time() - began
                assert (await router.request("GET", "/api/sessions/b.work"))[0] == 410
            finally:
                if how is signal.SIGSTOP:
                    b.signal(signal.SIGCONT)
        silent = UNANSWERED if how is signal.SIGSTOP else 0.0
        assert GONE_SECONDS - 0.1 <= lasted <= GONE_SECONDS + CHECK_SECONDS + silent + BUSY
