"""Time that tests turn forward, so that a timeout of hours is tested in no time, and exactly."""

from __future__ import annotations

import asyncio


async def pass_time(seconds: float) -> None:
    """Make the running loop's clock jump; return when everything that is due by then has run.

    A loop belongs to one test, so nothing has to be turned back. It moves every timer of the loop: none of a test's
    own may lie around the call.
    """
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]
    for _ in range(3):
        await asyncio.sleep(0)
