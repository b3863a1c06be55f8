"""The units on a machine that a real systemd has started: a kernel in a process, with nothing but these units."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..limits.uml import inside
from .booted import INIT

LONG = os.environ.get("BOOT_LONG", "0")
"""1: with the drop-in for limits, too. `scripts/boot` does that."""


@pytest.mark.timeout(300)
async def test_systemd_starts_watches_restarts_and_stops_the_server_and_a_session_lives_on(tmp_path: Path) -> None:
    found = await inside(tmp_path, INIT.replace("@LONG@", LONG), 240.0)
    assert "error" not in found, found
    # By its socket alone, and whoever came first was answered.
    assert (found["before"], found["first answer"]) == ("inactive", 200)
    assert found["started"] == {
        "ActiveState": "active",
        "Type": "notify",
        "NotifyAccess": "main",
        "StatusText": "sessions: 0, clients: 0",
    }
    # In the sandbox: its own state can be written, nothing else; no privileges; nothing of systemd's to be seen.
    said = found["inside"].partition("\r\n")[2]
    assert "state-written" in said
    assert "all-written" not in said
    assert "\r\n0\r\n" in said
    assert "NoNewPrivs" in said
    assert found["reloaded"] == {"ActiveState": "active", "NRestarts": "0"}
    # The event loop stood still; systemd has ended that process, and the next one has found the session with its file.
    assert found["restarted"] == {"Result": "success", "StatusText": "sessions: 1, clients: 0", "other": True}
    assert "it is secret, and a file" in found["kept"]
    assert found["stopped"] == {"ActiveState": "inactive", "Result": "success", "soon": True}
    assert found["left"] == []
    if LONG == "1":
        for when in ("limited", "limited again"):
            assert "/system.slice/reconnectingpty.service/reconnectingpty-session-" in found[when]
