"""Proofs that are stolen, replayed, planted, bent, or used for what they are none of."""

from __future__ import annotations

import asyncio
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from ..support.program import Program
from ..support.serving import TOKEN, serving
from .beside import under_attack


async def logged_in(server: Program, token: str, **headers: str) -> str:
    """The cookie of a new login, as `name=value`."""
    body = json.dumps({"token": token}).encode()
    status, answered, _ = await server.request("POST", "/api/login", body, token=None, **headers)
    assert status == 204
    return answered["set-cookie"].partition(";")[0]


async def who(server: Program, query: str = "", token: str | None = None, **headers: str) -> str | None:
    """Whom the server takes somebody for; None: nobody."""
    status, _, body = await server.request("GET", f"/api/whoami{query}", token=token, **headers)
    assert status in (200, 401), status
    return json.loads(body)["name"] if status == 200 else None


async def attached(server: Program, query: str) -> int:
    """101, or the status that refused a terminal."""
    try:
        async with server.connect(query, token=None):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_ticket_opens_one_of_fifty_connections_that_come_at_once_with_it_and_none_later() -> None:
    async with under_attack() as server:
        ticket = json.loads((await server.request("POST", "/api/tickets"))[2])["ticket"]
        query = f"reconnect=t&command={quote('exec cat')}&ticket={ticket}"
        found = await asyncio.gather(*(attached(server, query) for _ in range(50)))
        assert sorted(found) == [101, *[401] * 49]
        assert await attached(server, query) == 401


async def test_a_login_takes_nothing_over_that_was_there_before_it(tmp_path: Path) -> None:
    """Fixation: whoever planted a cookie before the login knows nothing of the one after it."""
    async with under_attack(tmp_path=tmp_path) as server:
        planted = await logged_in(server, server.tokens["bob"])
        own = await logged_in(server, server.tokens["alice"], Cookie=planted)
        assert own.partition("=")[2] != planted.partition("=")[2]
        assert (await who(server, Cookie=own), await who(server, Cookie=planted)) == ("alice", "bob")
        again = await logged_in(server, server.tokens["alice"], Cookie=own)
        assert again != own


async def test_a_tossed_cookie_makes_nobody_somebody_else(tmp_path: Path) -> None:
    """Another host of the domain can add a cookie of the same name; which of the two is older nobody can tell."""
    async with under_attack(tmp_path=tmp_path) as server:
        own, tossed = [await logged_in(server, server.tokens[name]) for name in ("alice", "bob")]
        for both in (f"{own}; {tossed}", f"{tossed}; {own}"):
            assert await who(server, Cookie=both) is None
        assert await who(server, Cookie=f"{own}; {own.partition('=')[0]}=nonsense") == "alice"
        flood = "; ".join(f"{own.partition('=')[0]}={number}" for number in range(500))
        assert await who(server, Cookie=f"{flood}; {own}") in (None, "alice")
        assert await who(server, Cookie=own) == "alice"


async def test_bent_cookies_and_links_are_worth_nothing(tmp_path: Path) -> None:
    async with under_attack(tmp_path=tmp_path) as server:
        name, _, value = (await logged_in(server, server.tokens["alice"])).partition("=")
        payload, _, signature = value.rpartition(".")
        bent = [value[:-1], value + "A", f"{payload}.{signature[::-1]}", f".{signature}", f"{payload}.", "." * 1000,
                value.swapcase(), f"{payload}x.{signature}", "", "null", "x" * 5000]  # fmt: skip
        for other in bent:
            assert await who(server, Cookie=f"{name}={other}") is None, other
        assert await who(server, Cookie=f"{name}={value}") == "alice"


async def test_no_proof_serves_as_another_kind(tmp_path: Path) -> None:
    async with under_attack(tmp_path=tmp_path) as server:
        link = json.loads((await server.request(
            "POST", "/api/sessions/honest/links", json.dumps({"access": "read", "seconds": 600}).encode()
        ))[2])  # fmt: skip
        share = link["path"].removeprefix("/#share=")
        cookie = await logged_in(server, TOKEN)
        name, _, value = cookie.partition("=")
        ticket = json.loads((await server.request("POST", "/api/tickets"))[2])["ticket"]
        for wrong in (share, value, ticket, link["id"], ""):
            assert await who(server, token=wrong or "x") is None
            assert await who(server, f"?token={quote(wrong)}") is None
        for wrong in (share, ticket, TOKEN, link["id"]):
            assert await who(server, Cookie=f"{name}={wrong}") is None
        for wrong in (share, value, TOKEN):
            assert await who(server, f"?ticket={quote(wrong)}") is None
        # A link's guest is a guest even with an admin's login beside it.
        body = json.dumps({"share": share}).encode()
        guest = (await server.request("POST", "/api/login", body, token=None))[1]["set-cookie"].partition(";")[0]
        seen = await who(server, f"?link={link['id']}", Cookie=f"{cookie}; {guest}")
        assert seen == "guest of admin"
        assert await who(server, f"?link={link['id']}", Cookie=cookie) is None


async def test_what_was_logged_out_or_revoked_is_not_replayed(tmp_path: Path) -> None:
    async with under_attack(tmp_path=tmp_path) as server:
        cookie = await logged_in(server, server.tokens["alice"])
        origin = {"Cookie": cookie, "Origin": f"http://{server.address}"}
        assert (await server.request("POST", "/api/logout", token=None, **origin))[0] == 204
        assert await who(server, Cookie=cookie) is None
        link = json.loads((await server.request(
            "POST", "/api/sessions/honest/links", json.dumps({"access": "write", "seconds": 600}).encode()
        ))[2])  # fmt: skip
        share = json.dumps({"share": link["path"].removeprefix("/#share=")}).encode()
        guest = (await server.request("POST", "/api/login", share, token=None))[1]["set-cookie"].partition(";")[0]
        assert await who(server, f"?link={link['id']}", Cookie=guest) == "guest of admin"
        assert (await server.request("DELETE", f"/api/sessions/honest/links/{link['id']}"))[0] == 204
        assert await who(server, f"?link={link['id']}", Cookie=guest) is None
        assert (await server.request("POST", "/api/login", share, token=None))[0] == 401


async def test_tokens_are_compared_by_their_digests_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What time a comparison takes can't be tested without chance; what is compared, and by what, can."""
    compared: list[tuple[Any, Any]] = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or compare(a, b))
    async with serving() as s:
        for token in (TOKEN, TOKEN[:-1] + "x", "x"):
            compared.clear()
            status, _, _ = await s.request("GET", "/api/whoami", token=token)
            assert status == (200 if token == TOKEN else 401)
            assert compared
            assert all(len(one) == 64 and TOKEN not in one for pair in compared for one in pair)
