"""Who may do what: users and their roles, links to a session, tickets; and the end of all that rests on a proof."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from reconnectingpty_server.access import users
from reconnectingpty_server.values import ConfigError

from ..support.serving import TOKEN, Serving, Told, serving


class Person:
    """Somebody with a token, or with a cookie."""

    def __init__(self, serving: Serving, token: str | None = None, cookie: str = "", query: str = "") -> None:
        self.serving = serving
        self.token = token
        self.query = query
        self.headers = {"Cookie": cookie} if cookie else {}

    async def asks(self, method: str, path: str, **fields: Any) -> tuple[int, Any]:
        """A request's status and JSON."""
        body = json.dumps(fields).encode() if fields else b""
        joint = "&" if "?" in path else "?"
        path += f"{joint}{self.query}" if self.query else ""
        status, _, content = await self.serving.request(method, path, body, self.token, **self.headers)
        return status, json.loads(content) if content.startswith(b"{") else None

    async def ids(self) -> list[str]:
        """The sessions that are listed."""
        return sorted(session["id"] for session in (await self.asks("GET", "/api/sessions"))[1]["sessions"])

    @asynccontextmanager
    async def at(self, query: str) -> AsyncIterator[Told]:
        """A terminal."""
        query += f"&{self.query}" if self.query else ""
        async with self.serving.connect(query, token=self.token, headers=self.headers) as socket:
            yield Told(socket)

    async def is_refused(self, query: str) -> int:
        """The status that a terminal is refused with."""
        with pytest.raises(InvalidStatus) as refused:
            async with self.at(query):
                pass
        return refused.value.response.status_code


@asynccontextmanager
async def town(tmp_path: Path, **flags: Any) -> AsyncIterator[tuple[Serving, dict[str, Person]]]:
    """A server with an admin, two users and a viewer."""
    path = str(tmp_path / "users")
    tokens = {name: users.add(path, name, role) for name, role in ROLES.items()}
    async with serving(users_file=path, **flags) as s:
        people = {name: Person(s, token) for name, token in tokens.items()}
        yield s, people | {"admin": Person(s, TOKEN)}


ROLES = {"alice": "user", "bob": "user", "vera": "viewer"}


async def logged_in(s: Serving, token: str) -> str:
    """The cookie of a new login, as `name=value`."""
    status, headers, _ = await s.request("POST", "/api/login", json.dumps({"token": token}).encode(), token=None)
    assert status == 204
    return headers["set-cookie"].partition(";")[0]


async def guest_by(s: Serving, path: str) -> Person:
    """Who opens a link."""
    share = path.removeprefix("/#share=")
    status, headers, content = await s.request("POST", "/api/login", json.dumps({"share": share}).encode(), token=None)
    assert status == 200, content
    cookie = headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    return Person(s, cookie=cookie.partition(";")[0], query=f"link={json.loads(content)['link']}")


async def test_each_user_has_sessions_of_their_own_and_nobody_elses(tmp_path: Path) -> None:
    async with town(tmp_path) as (_, people):
        alice, bob, vera, admin = (people[name] for name in ("alice", "bob", "vera", "admin"))
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            assert [await person.ids() for person in (alice, bob, vera, admin)] == [["a"], [], ["a"], ["a"]]
            assert await bob.is_refused("reconnect=a") == 404
            for method, path in [("GET", ""), ("DELETE", ""), ("PATCH", ""), ("GET", "/screen"), ("GET", "/links")]:
                fields = {"name": "x"} if method == "PATCH" else {}
                assert (await bob.asks(method, f"/api/sessions/a{path}", **fields))[0] == 404, (method, path)
            assert (await admin.asks("PATCH", "/api/sessions/a", name="mine"))[1]["name"] == "mine"
        assert (await alice.asks("DELETE", "/api/sessions/a"))[0] == 204


async def test_a_viewer_looks_at_everything_and_touches_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as (_, people):
        vera, alice = people["vera"], people["alice"]
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            async with vera.at("reconnect=a") as watching:
                assert (await watching.until_told("hello"))["readonly"] is True
                await told.socket.send(b"seen\r")
                await watching.until(b"seen")
                await watching.socket.send(b"x")
                assert (await watching.to_the_end())[0] == 1008
            async with vera.at("reconnect=b&command=cat") as nothing:
                assert (await nothing.to_the_end())[0] == 4004
            for method, path, fields, status in [
                ("POST", "/api/sessions", {"command": "cat"}, 403),
                ("DELETE", "/api/sessions/a", {}, 403),
                ("PATCH", "/api/sessions/a", {"name": "x"}, 403),
                ("POST", "/api/sessions/a/links", {"access": "read", "seconds": 60}, 403),
                ("GET", "/api/sessions/a/screen", {}, 200),
            ]:
                assert (await vera.asks(method, path, **fields))[0] == status, (method, path)


async def test_a_link_to_look_shows_one_session_and_no_more(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice = people["alice"]
        assert (await alice.asks("POST", "/api/sessions", id="other", command="cat"))[0] == 201
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            status, link = await alice.asks("POST", "/api/sessions/a/links", access="read", seconds=60)
            assert (status, alice.token not in json.dumps(link), TOKEN not in json.dumps(link)) == (201, True, True)
            guest = await guest_by(s, link["path"])
            me = (await guest.asks("GET", "/api/whoami"))[1]
            assert (me["role"], me["session"], me["access"], me["may"]["create"]) == ("guest", "a", "read", False)
            assert await guest.ids() == ["a"]
            async with guest.at("reconnect=a") as watching:
                assert (await watching.until_told("hello"))["readonly"] is True
                await told.socket.send(b"shown\r")
                await watching.until(b"shown")
            assert await guest.is_refused("reconnect=other") == 404
            assert await guest.is_refused("reconnect=new") == 404
            for method, path in [
                ("POST", "/api/sessions"), ("DELETE", "/api/sessions/a"), ("GET", "/api/sessions/other"),
                ("GET", "/api/sessions/a/links"), ("GET", "/metrics"), ("GET", "/api/tunnels"),
            ]:  # fmt: skip
                assert (await guest.asks(method, path))[0] in (403, 404), path
            # Without the link's name its cookie is worth nothing, and another link's neither.
            bare = Person(s, cookie=guest.headers["Cookie"])
            assert (await bare.asks("GET", "/api/whoami"))[0] == 401


async def test_a_link_to_write_writes_and_ends_with_its_session(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice = people["alice"]
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            link = (await alice.asks("POST", "/api/sessions/a/links", access="write", seconds=60))[1]
            guest = await guest_by(s, link["path"])
            async with guest.at("reconnect=a") as writing:
                await writing.until_told("hello")
                await writing.socket.send(b"from the guest\r")
                await told.until(b"from the guest\r\nfrom the guest")
        await alice.asks("DELETE", "/api/sessions/a")
        async with alice.at("reconnect=a&command=cat") as later:
            await later.until_told("hello")
            # The same id, but not the session that the link was for.
            assert (await guest.asks("GET", "/api/whoami"))[0] == 401
            assert await guest.is_refused("reconnect=a") == 401


async def test_a_revoked_link_ends_what_is_open(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice = people["alice"]
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            links = [(await alice.asks("POST", "/api/sessions/a/links", access="read", seconds=60))[1] for _ in "ab"]
            guest, other = [await guest_by(s, link["path"]) for link in links]
            listed = (await alice.asks("GET", "/api/sessions/a/links"))[1]["links"]
            assert [link["id"] for link in listed] == [link["id"] for link in links]
            assert "path" not in listed[0]
            async with guest.at("reconnect=a") as watching, other.at("reconnect=a") as staying:
                await watching.until_told("hello")
                await staying.until_told("hello")
                assert (await alice.asks("DELETE", f"/api/sessions/a/links/{links[0]['id']}"))[0] == 204
                assert await watching.to_the_end() == (1008, "this link was revoked")
                await told.socket.send(b"still\r")
                await staying.until(b"still")
            assert await guest.is_refused("reconnect=a") == 401
            share = links[0]["path"].removeprefix("/#share=")
            body = json.dumps({"share": share}).encode()
            assert (await s.request("POST", "/api/login", body, token=None))[0] == 401


async def test_a_link_that_expires_ends_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconnectingpty_server.access_api.LEAST_SECONDS", 0)
    async with town(tmp_path) as (s, people):
        alice = people["alice"]
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            link = (await alice.asks("POST", "/api/sessions/a/links", access="read", seconds=1.5))[1]
            guest = await guest_by(s, link["path"])
            async with guest.at("reconnect=a") as watching:
                await watching.until_told("hello")
                assert await watching.to_the_end() == (1008, "this link has expired")
            assert await guest.is_refused("reconnect=a") == 401


@pytest.mark.parametrize(
    "fields",
    [{}, {"access": "read"}, {"access": "all", "seconds": 60}, {"access": "read", "seconds": 59},
     {"access": "read", "seconds": 2592001}, {"access": "read", "seconds": True}, {"access": "read", "seconds": "60"}],
)  # fmt: skip
async def test_a_link_that_makes_no_sense_is_a_400(tmp_path: Path, fields: dict[str, Any]) -> None:
    async with serving() as s:
        admin = Person(s, TOKEN)
        await admin.asks("POST", "/api/sessions", id="a", command="cat")
        status, answer = await admin.asks("POST", "/api/sessions/a/links", **fields)
        assert (status, answer["validations"][0]["field"] in ("access", "seconds")) == (400, True)


async def test_a_link_cannot_be_made_up(tmp_path: Path) -> None:
    async with serving() as s:
        admin = Person(s, TOKEN)
        await admin.asks("POST", "/api/sessions", id="a", command="cat")
        link = (await admin.asks("POST", "/api/sessions/a/links", access="read", seconds=60))[1]
        text = link["path"].removeprefix("/#share=")
        head, _, signature = text.rpartition(".")
        for forged in (head, f"{head}.", f"{head}.{signature[::-1]}", text + "x", "", "x" * 5000, "null"):
            body = json.dumps({"share": forged}).encode()
            assert (await s.request("POST", "/api/login", body, token=None))[0] == 401, forged
        # A link's text is no login, and the other way round.
        for cookie in (
            f"reconnectingpty-{s.address.port}={text}",
            f"reconnectingpty-{s.address.port}_{link['id']}={text}",
        ):
            for query in ("", f"?link={link['id']}"):
                status, _, _ = await s.request("GET", f"/api/whoami{query}", token=None, Cookie=cookie)
                assert status == 401


async def test_links_and_logins_outlive_the_server_with_a_key_file(tmp_path: Path) -> None:
    key_file = str(tmp_path / "keys")
    async with serving(key_file=key_file) as s:
        assert os.stat(key_file).st_mode & 0o777 == 0o600
        body = json.dumps({"token": TOKEN}).encode()
        _, headers, _ = await s.request("POST", "/api/login", body, token=None, Host="localhost:80")
        cookie = headers["set-cookie"].partition(";")[0]
    async with serving(key_file=key_file) as s:
        status, _, _ = await s.request("GET", "/api/whoami", token=None, Cookie=cookie, Host="localhost:80")
        assert status == 200
        # Another key on top signs; the old one still counts until it is gone.
        old = Path(key_file).read_text()
        for keys, expected in [("n" * 40 + "\n" + old, 200), ("n" * 40 + "\n", 401)]:
            Path(key_file).write_text(keys)
            s.server.reload(s.server.config)
            status, _, _ = await s.request("GET", "/api/whoami", token=None, Cookie=cookie, Host="localhost:80")
            assert status == expected
    async with serving() as s:
        status, _, _ = await s.request("GET", "/api/whoami", token=None, Cookie=cookie, Host="localhost:80")
        assert status == 401


async def test_a_user_who_is_taken_off_the_file_is_out_at_once(tmp_path: Path) -> None:
    async with town(tmp_path) as (s, people):
        alice, bob = people["alice"], people["bob"]
        async with alice.at("reconnect=a&command=cat") as gone, bob.at("reconnect=b&command=cat") as stays:
            await gone.until_told("hello")
            await stays.until_told("hello")
            path = tmp_path / "users"
            path.write_text("\n".join(line for line in path.read_text().splitlines() if "alice" not in line))
            s.server.reload(s.server.config)
            assert await gone.to_the_end() == (1008, "the token was changed; log in again")
            await stays.socket.send(b"here\r")
            await stays.until(b"here")
        assert (await alice.asks("GET", "/api/whoami"))[0] == 401
        assert (await bob.asks("GET", "/api/whoami"))[1]["name"] == "bob"


async def test_a_logout_ends_what_the_login_opened(tmp_path: Path) -> None:
    async with serving() as s:
        cookies = [await logged_in(s, TOKEN) for _ in "ab"]
        one, other = [Person(s, cookie=cookie) for cookie in cookies]
        async with one.at("reconnect=a&command=cat") as gone, other.at("reconnect=a") as stays:
            await gone.until_told("hello")
            await stays.until_told("hello")
            assert (await one.asks("POST", "/api/logout"))[0] == 204
            assert await gone.to_the_end() == (1008, "logged out")
            await stays.socket.send(b"here\r")
            await stays.until(b"here")
        # A cookie that was kept all the same is worth nothing; and two that differ are one too many.
        assert (await one.asks("GET", "/api/whoami"))[0] == 401
        both = f"{cookies[1]}; {await logged_in(s, TOKEN)}"
        assert (await Person(s, cookie=both).asks("GET", "/api/whoami"))[0] == 401


async def test_a_ticket_lets_in_once() -> None:
    async with serving() as s:
        ticket = (await Person(s, TOKEN).asks("POST", "/api/tickets"))[1]["ticket"]
        nobody = Person(s)
        async with nobody.at(f"reconnect=a&command=cat&ticket={ticket}") as told:
            await told.until_told("hello")
        assert await nobody.is_refused(f"reconnect=a&ticket={ticket}") == 401


async def test_wrong_tokens_are_slowed_and_honest_clients_are_not(tmp_path: Path) -> None:
    async with serving(limit_logins="5/600") as s:
        admin, nobody = Person(s, TOKEN), Person(s, "wrong-token-x")
        assert (await admin.asks("GET", "/api/whoami"))[0] == 200
        seen = [(await nobody.asks("GET", "/api/whoami"))[0] for _ in range(8)]
        assert seen == [401] * 5 + [429] * 3
        assert [(await admin.asks("GET", "/api/whoami"))[0] for _ in range(20)] == [200] * 20
        status, headers, _ = await s.request("GET", "/api/whoami", token="another-wrong-one")
        assert (status, int(headers["retry-after"]) > 0) == (429, True)


async def test_sessions_that_are_opened_too_fast_are_refused(tmp_path: Path) -> None:
    async with serving(limit_creations="3/600", limit_attaches="10/600") as s:
        admin = Person(s, TOKEN)
        made = [(await admin.asks("POST", "/api/sessions", command="cat"))[0] for _ in range(5)]
        assert made == [201] * 3 + [429] * 2
        assert await admin.is_refused("reconnect=new&command=cat") == 429
        await admin.asks("POST", "/api/sessions", id="a")


async def test_a_session_is_started_named_and_started_once_more(tmp_path: Path) -> None:
    async with serving() as s:
        admin = Person(s, TOKEN)
        status, made = await admin.asks(
            "POST", "/api/sessions", id="a", name=" work ", command=f"cd {tmp_path}; exec cat", rows=30, cols=100
        )
        assert (status, made["name"], made["state"], made["owner"]) == (201, "work", "starting", "admin")
        assert (await admin.asks("POST", "/api/sessions", id="a"))[0] == 409
        async with admin.at("reconnect=a") as told:
            await told.until_told("hello")
            await told.socket.send(b"here\r")
            await told.until(b"here\r\nhere")
            status, twin = await admin.asks("POST", "/api/sessions", like="a")
            assert (status, twin["command"]) == (201, made["command"])
            async with admin.at(f"reconnect={twin['id']}") as second:
                await second.until_told("hello")
                listed = (await admin.asks("GET", "/api/sessions?preview=3"))[1]["sessions"]
                found = {session["id"]: session for session in listed}
                assert found["a"]["preview"] == ["here", "here"]
                assert found[twin["id"]]["cwd"] == str(tmp_path)
        for fields, field in [
            ({"id": ".hidden"}, "id"), ({"name": "a\nb"}, "name"), ({"name": "x" * 81}, "name"),
            ({"rows": True}, "rows"), ({"nonsense": 1}, "nonsense"), ({"like": 5}, "like"),
        ]:  # fmt: skip
            status, answer = await admin.asks("POST", "/api/sessions", **fields)
            assert (status, answer["validations"][0]["field"]) == (400, field)
        assert (await admin.asks("POST", "/api/sessions", like="none"))[0] == 404


async def test_a_duplicate_needs_no_leave_to_choose_commands() -> None:
    async with serving(allow_command="false", command="cat") as s:
        admin = Person(s, TOKEN)
        assert (await admin.asks("POST", "/api/sessions", command="sh"))[0] == 400
        await admin.asks("POST", "/api/sessions", id="a")
        assert (await admin.asks("POST", "/api/sessions", like="a"))[1]["command"] == "cat"


async def test_a_duplicate_is_allowed_what_is_allowed_now() -> None:
    async with serving(allow_command="true", command="cat") as s:
        admin = Person(s, TOKEN)
        for name, command in [("own", "cat"), ("chosen", "exec sh")]:
            assert (await admin.asks("POST", "/api/sessions", id=name, command=command))[0] == 201
        s.server.reload(replace(s.server.config, allow_command=False))
        assert (await admin.asks("POST", "/api/sessions", like="own"))[0] == 201
        status, answer = await admin.asks("POST", "/api/sessions", like="chosen")
        assert (status, answer["validations"][0]["field"]) == (400, "command")


async def test_a_list_that_is_as_it_was_is_not_sent_again() -> None:
    async with serving() as s:
        await Person(s, TOKEN).asks("POST", "/api/sessions", id="a", command="cat")
        _, headers, _ = await s.request("GET", "/api/sessions")
        assert (await s.request("GET", "/api/sessions", If_None_Match=headers["etag"]))[0] == 304
        await Person(s, TOKEN).asks("PATCH", "/api/sessions/a", name="new")
        assert (await s.request("GET", "/api/sessions", If_None_Match=headers["etag"]))[0] == 200


async def test_the_audit_log_says_who_did_what_and_nothing_of_any_terminal(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    async with town(tmp_path, audit_log=str(path)) as (s, people):
        alice = people["alice"]
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            await told.socket.send(b"secret-of-a-terminal\r")
            await told.until(b"secret-of-a-terminal\r\nsecret")
            os.rename(path, tmp_path / "audit.1")
            await Person(s, "wrong-token-x").asks("GET", "/api/whoami")
            link = (await alice.asks("POST", "/api/sessions/a/links", access="read", seconds=60))[1]
        await alice.asks("DELETE", "/api/sessions/a")
    text = (tmp_path / "audit.1").read_text() + path.read_text()
    assert not any(
        secret in text for secret in ("secret-of-a-terminal", alice.token, TOKEN, "wrong-token-x", link["path"])
    )
    events = [json.loads(line) for line in text.splitlines()]
    mine = [(event["event"], event.get("user"), event.get("session")) for event in events]
    assert mine[:2] == [("start", "alice", "a"), ("attach", "alice", "a")]
    assert ("wrong token", None, None) in mine
    assert ("link made", "alice", "a") in mine
    assert ("kill", "alice", "a") in mine
    assert [(event["session"], event["reason"]) for event in events if event["event"] == "end"] == [("a", "killed")]
    detached = next(event for event in events if event["event"] == "detach")
    assert (detached["reason"], detached["peer"].startswith("127.0.0.1:"), detached["seconds"] >= 0) == (
        "left",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alice user", "must be a name, a role and a proof"),
        ("alice king -", "the role must be one of admin, user, viewer"),
        ("alice guest -", "the role must be one of"),
        ("a/b user -", "a name must be"),
        ("alice user plain-token", "the proof must be"),
        ("alice user -\nalice user -", "alice is there twice"),
        ("admin user -", "admin is whoever has the server's own token"),
        ("admin admin -", "admin is whoever has the server's own token"),
    ],
)
def test_a_wrong_users_file_is_told_by_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "users"
    path.write_text(f"# users\n{line}\n")
    with pytest.raises(ConfigError, match=rf"users, line \d: {message}"):
        users.read(str(path))


def test_a_users_file_keeps_its_owner_its_mode_and_its_place(tmp_path: Path) -> None:
    path, link = tmp_path / "users", tmp_path / "link"
    users.add(str(path), "alice", "user")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    before = path.stat()
    link.symlink_to(path)
    token = users.add(str(link), "bob", "viewer")
    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert link.is_symlink()
    assert users.read(str(path)).named("alice") is not None
    assert users.read(str(path)).of_token(token) == users.read(str(link)).named("bob")
    with pytest.raises(ConfigError, match="needs another name"):
        users.add(str(path), "admin", "user")
