"""Whose a terminal's client is: its id stands in addresses, where others may have seen it."""

from __future__ import annotations

from pathlib import Path

from .test_access import Person, guest_by, logged_in, town

MOST = 2**63 - 1


async def test_nobody_supersedes_another_visitor_s_client(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice = people["alice"]
        await alice.asks("POST", "/api/sessions", id="a", command="stty raw -echo; exec cat")
        link = (await alice.asks("POST", "/api/sessions/a/links", access="write", seconds=600))[1]
        guest = await guest_by(s, link["path"])
        async with alice.at("reconnect=a&client=hers&attempt=1") as hers:
            await hers.until_told("hello")
            await hers.socket.send(b"typed")
            await hers.until(b"typed")
            for other in (people["vera"], guest, people["admin"]):
                async with other.at(f"reconnect=a&client=hers&attempt={MOST}") as told:
                    assert (await told.until_told("hello"))["input_offset"] == 0
                    hers.output = b""
                    await hers.socket.send(b"<mine>")
                    await hers.until(b"<mine>")
            clients = (await people["admin"].asks("GET", "/debug/sessions"))[1]["sessions"][0]["viewers"]
            assert "alice/hers" in [viewer["client"] for viewer in clients]
        async with alice.at("reconnect=a&client=hers&attempt=2") as again:
            assert (await again.until_told("hello"))["input_offset"] == len("typed" + 3 * "<mine>")


async def test_one_person_by_token_by_cookie_and_by_ticket_is_the_same_client(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice = people["alice"]
        assert alice.token is not None
        ticket = (await alice.asks("POST", "/api/tickets"))[1]["ticket"]
        by_cookie = Person(s, cookie=await logged_in(s, alice.token))
        async with alice.at("reconnect=a&command=cat&client=c&attempt=1") as first:
            await first.until_told("hello")
            await first.socket.send(b"x\r")
            await first.until(b"x\r\nx")
            async with by_cookie.at("reconnect=a&client=c&attempt=2") as second:
                assert (await second.until_told("hello"))["input_offset"] == 2
                assert (await first.to_the_end())[0] == 1008
                async with Person(s).at(f"reconnect=a&client=c&attempt=3&ticket={ticket}") as third:
                    assert (await third.until_told("hello"))["input_offset"] == 2
                    assert (await second.to_the_end())[0] == 1008


async def test_a_session_that_is_somebody_elses_is_like_one_that_is_not_there(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice, bob = people["alice"], people["bob"]
        for name in ("mine", "secret"):
            await alice.asks("POST", "/api/sessions", id=name, command="cat")
        link = (await alice.asks("POST", "/api/sessions/mine/links", access="write", seconds=600))[1]
        guest = await guest_by(s, link["path"])

        async def told(person: Person, name: str, more: str) -> object:
            """How a terminal of that session is refused."""
            path = f"/pty?reconnect={name}{more}"
            status, answer = await person.asks("GET", path)
            if status == 426:  # it would be opened
                async with person.at(path.partition("?")[2]) as terminal:
                    return str(await terminal.to_the_end()).replace(name, "it"), terminal.messages
            return status, str(answer).replace(name, "it")

        for person in (guest, bob):
            for more in ("", "&attach_only=1", "&epoch=abcdef&offset=0"):
                if (person, more) != (bob, ""):  # he may start one, but not under an id that is taken
                    assert await told(person, "secret", more) == await told(person, "nothing", more), more
        assert await bob.is_refused("reconnect=secret") == 404


async def test_one_session_too_many_says_when_to_try_again(tmp_path: Path) -> None:
    async with town(tmp_path, max_user_sessions="1") as (s, people):
        alice = people["alice"]
        assert (await alice.asks("POST", "/api/sessions", command="cat"))[0] == 201
        status, headers, _ = await s.request("POST", "/api/sessions", b"{}", alice.token)
        assert (status, int(headers["retry-after"]) > 0) == (429, True)
