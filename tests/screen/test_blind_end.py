"""The end of a session in GNU screen where nothing can be looked up: it comes all the same."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from reconnectingpty import Killed, leftovers

from ..support.attached import PATIENCE, Attached, session_of
from .homes import nothing_is_left


@pytest.mark.parametrize("error", [OSError(24, os.strerror(24)), RuntimeError("no thread")])
@pytest.mark.parametrize("script", ["cat", "trap '' HUP TERM; sleep 1000 & while :; do read -t 1000 <> <(:); done"])
async def test_a_session_ends_though_its_processes_cannot_be_found(
    monkeypatch: pytest.MonkeyPatch, script: str, error: Exception
) -> None:
    def scan(marks: object) -> None:
        raise error

    async with session_of(f"echo ready; {script}", backend_type="screen", kill_grace=0.2) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        with monkeypatch.context() as blind:
            blind.setattr(leftovers, "scan", scan)
            session.close()
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(Killed):
                    await client.outcome
                await session.wait()
    await nothing_is_left()
    # What could not be found is found now.
    mark = leftovers.Mark(-1, session.epoch)
    leftovers.send(leftovers.scan([mark])[mark], signal.SIGKILL)
