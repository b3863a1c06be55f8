"""The audit log tells who ended a session, and what came by the agent stream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconnectingpty.wire.coder import Init, encode_init
from reconnectingpty_server.values import Address

from ..support.serving import TOKEN, serving
from .test_access import Person, guest_by, town
from .test_agent import answered


def events(path: Path) -> list[dict[str, Any]]:
    """What the log says."""
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_kill_by_the_terminal_is_told_with_who_did_it(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    async with town(tmp_path, audit_log=str(path)) as (s, people):
        alice = people["alice"]
        await alice.asks("POST", "/api/sessions", id="a", command="cat")
        link = (await alice.asks("POST", "/api/sessions/a/links", access="write", seconds=600))[1]
        guest = await guest_by(s, link["path"])
        # Who may only look is refused, and has killed nothing.
        async with people["vera"].at("reconnect=a") as looking, alice.at("reconnect=a&readonly=1") as reading:
            for told in (looking, reading):
                await told.until_told("hello")
                await told.say(type="kill")
                assert (await told.to_the_end())[0] == 1008
        async with guest.at("reconnect=a") as told:
            await told.until_told("hello")
            await told.say(type="kill")
            assert (await told.to_the_end())[0] == 4001
    kills = [event for event in events(path) if event["event"] == "kill"]
    assert [(kill["user"], kill["link"], kill["session"]) for kill in kills] == [("guest of alice", link["id"], "a")]


async def test_the_agent_stream_is_told_of_like_any_other_client(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    async with serving(audit_log=str(path)) as s:
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        asked = encode_init(Init("00000000-0000-4000-8000-000000000001", 24, 80, "echo hello; exit", "", "", ""))
        await answered(address, [asked], b"")
        await Person(s, TOKEN).asks("GET", "/api/whoami")
    told = {event["event"]: event for event in events(path)}
    assert sorted(told) == ["attach", "detach", "end", "start"]
    assert {told[name]["via"] for name in ("start", "attach", "detach")} == {"agent stream"}
    assert (told["start"]["user"], told["start"]["command"]) == ("admin", "echo hello; exit")
    assert (told["detach"]["reason"], told["detach"]["seconds"] >= 0) == ("exited", True)
