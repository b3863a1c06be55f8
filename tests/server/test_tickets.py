"""Tickets open one terminal and nothing else, and nobody's tickets crowd out another's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconnectingpty_server.access.shares import Share, Shares
from reconnectingpty_server.access.tickets import MAX_OF_ONE, MAX_TICKETS, SECONDS, Tickets
from reconnectingpty_server.access.visitor import Role, Visitor

from ..support.serving import TOKEN, serving
from .test_access import Person, logged_in, town


async def test_a_ticket_opens_a_terminal_and_nothing_else() -> None:
    async with serving() as s:
        admin, nobody = Person(s, TOKEN), Person(s)
        await admin.asks("POST", "/api/sessions", id="a", command="cat")
        ticket = (await admin.asks("POST", "/api/tickets"))[1]["ticket"]
        for method, path, fields in [
            ("GET", "/api/whoami", {}), ("GET", "/api/sessions", {}), ("POST", "/api/tickets", {}),
            ("GET", "/metrics", {}), ("POST", "/api/sessions", {"command": "cat"}), ("DELETE", "/api/sessions/a", {}),
            ("POST", "/api/sessions/a/links", {"access": "write", "seconds": 600}),
        ]:  # fmt: skip
            assert (await nobody.asks(method, f"{path}?ticket={ticket}", **fields))[0] == 401, path
        # A browser that was refused asks once more without an upgrade, to be told why: that opens nothing.
        assert (await nobody.asks("GET", f"/pty?reconnect=a&ticket={ticket}"))[0] == 426
        async with nobody.at(f"reconnect=a&ticket={ticket}") as told:
            await told.until_told("hello")
        assert await nobody.is_refused(f"reconnect=a&ticket={ticket}") == 401


async def test_a_ticket_ends_with_what_it_was_given_for(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    async with serving(audit_log=str(path)) as s:
        person, nobody = Person(s, cookie=await logged_in(s, TOKEN)), Person(s)
        first, second = [(await person.asks("POST", "/api/tickets"))[1]["ticket"] for _ in "ab"]
        async with nobody.at(f"reconnect=a&command=cat&ticket={first}") as told:
            await told.until_told("hello")
            assert (await person.asks("POST", "/api/logout"))[0] == 204
            assert await told.to_the_end() == (1008, "logged out")
        assert await nobody.is_refused(f"reconnect=a&ticket={second}") == 401
    events = [json.loads(line) for line in path.read_text().splitlines()]
    told_by = {event["event"]: event["via"] for event in events if "via" in event}
    assert told_by == {"start": "ticket", "attach": "ticket", "detach": "ticket", "login": "token", "logout": "cookie"}


async def test_a_link_that_is_named_counts_alone_and_no_ticket_beside_it(tmp_path: Path) -> None:
    async with town(tmp_path) as (_, people):
        ticket = (await people["alice"].asks("POST", "/api/tickets"))[1]["ticket"]
        assert await Person(people["alice"].serving).is_refused(f"reconnect=a&link=none&ticket={ticket}") == 401


def visitor(name: str) -> Visitor:
    return Visitor(name, Role.VIEWER, "token")


def test_who_asks_for_tickets_without_end_loses_their_own() -> None:
    tickets = Tickets()
    honest = tickets.give(visitor("ann"))
    others = [tickets.give(visitor("ben")) for _ in range(MAX_TICKETS + 1)]
    assert tickets.look(honest) is not None
    assert [ticket for ticket in others if tickets.look(ticket)] == others[-MAX_OF_ONE:]


def test_a_ticket_is_good_for_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    tickets = Tickets()
    ticket = tickets.give(visitor("ann"))
    now += SECONDS - 1
    assert tickets.look(ticket) is not None
    now += 2
    assert tickets.look(ticket) is None


def test_where_there_are_too_many_in_all_who_has_the_most_loses_the_oldest() -> None:
    now = 0.0
    shares: Shares[None] = Shares(10, 6, lambda: now)
    kept = [Share(key[0], key, 100.0, None) for key in ("a1", "b1", "b2", "b3", "c1", "c2")]
    assert [shares.put(share) for share in kept] == [None] * 6
    assert shares.put(Share("d", "d1", 50.0, None)) == kept[1]
    assert [share.key for share in kept if shares.get(share.key)] == ["a1", "b2", "b3", "c1", "c2"]
    # What is over makes room before anybody's that is not.
    now = 60.0
    assert shares.put(Share("a", "a2", 100.0, None)) is None
    assert (len(shares), shares.get("d1")) == (6, None)
