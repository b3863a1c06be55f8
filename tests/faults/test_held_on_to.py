"""What has ended is held by nobody: else its log and its screen stay in memory until somebody looks for cycles."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from ..screen.homes import _own_home
from ..support.attached import PATIENCE, Attached, session_of

__all__ = ["_own_home"]


@pytest.mark.parametrize("backend", ["buffered", "screen"])
@pytest.mark.parametrize("ended_by", ["itself", "us"])
async def test_a_session_that_has_ended_is_gone_without_the_garbage_collector(backend: str, ended_by: str) -> None:
    gc.collect()
    gc.disable()
    try:
        async with session_of("echo ready; read x", max_life=1e3, max_idle=1e3, backend_type=backend) as session:
            client = Attached.to(session)
            await client.until(b"ready")
            gone = weakref.ref(session)
            if ended_by == "itself":
                client.feed(b"\n")
            else:
                session.close()
            await asyncio.wait((client.outcome,))
            client.outcome.exception()
            del client.outcome  # its error knows where it was raised, and there the client is known
        del client, session
        async with asyncio.timeout(PATIENCE):
            while gone() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
