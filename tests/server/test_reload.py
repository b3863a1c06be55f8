"""SIGHUP: the settings and their files taken anew, all or none; and the end of all that rests on what is gone."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import unix_connect

from reconnectingpty_server import serve
from reconnectingpty_server.access import users
from reconnectingpty_server.config import Config, load
from reconnectingpty_server.server import Server
from reconnectingpty_server.values import ConfigError

from ..support.attached import PATIENCE
from ..support.authority import Authority
from ..support.program import program_of
from ..support.serving import TOKEN, Serving, Told, serving
from .test_access import Person, guest_by, town

OTHER = "another-token-of-tests"


async def status(person: Person) -> int:
    """What somebody is answered."""
    return (await person.asks("GET", "/api/whoami"))[0]


async def login(s: Serving, token: str | None) -> Person:
    """Somebody with a login's cookie."""
    _, headers, _ = await s.request("POST", "/api/login", json.dumps({"token": token}).encode(), token=None)
    return Person(s, cookie=headers["set-cookie"].partition(";")[0])


async def share(person: Person, session: str = "a", access: str = "write") -> Any:
    """A link that somebody makes."""
    made, link = await person.asks("POST", f"/api/sessions/{session}/links", access=access, seconds=600)
    assert made == 201
    return link


async def types(told: Told) -> None:
    """A terminal that runs `cat` is open and echoes."""
    await told.socket.send(b"still\r")
    await told.until(b"still\r\nstill")


@asynccontextmanager
async def of_file(path: Path, **settings: Any) -> AsyncIterator[Serving]:
    """A server with a file of settings."""
    server = Server(written(path, **settings))
    address = await server.listen(server.config.listen[0])
    try:
        yield Serving(server, address)
    finally:
        await server.close(2.0)


def written(path: Path, **settings: Any) -> Config:
    """The settings of a file that has these."""
    lines = {"listen": "127.0.0.1:0", "backend": "buffered", "allow-command": True} | settings
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items()))
    return load({"config": str(path)}, {})


# -- all or nothing


@pytest.mark.parametrize("broken", ["users", "keys", "certificate", "user"])
async def test_what_is_wrong_anywhere_changes_nothing(tmp_path: Path, broken: str) -> None:
    authority, token, known, keys = Authority(tmp_path), tmp_path / "token", tmp_path / "users", tmp_path / "keys"
    certificate = tmp_path / "server.pem"
    authority.issue(certificate)
    token.write_text(TOKEN)
    alice = users.add(str(known), "alice", "user")
    tls = authority.client()
    async with serving(
        token_file=str(token), users_file=str(known), key_file=str(keys), tls_cert=str(certificate)
    ) as s:
        config = s.server.config

        async def statuses() -> list[int]:
            tokens = (TOKEN, OTHER, alice, new_alice)
            return [(await s.request("GET", "/api/whoami", token=text, tls=tls))[0] for text in tokens]

        new_alice = "x"
        async with s.connect("reconnect=a&command=cat", tls=tls) as client:
            told = Told(client)
            await told.until_told("hello")
            token.write_text(OTHER)
            new_alice = users.add(str(known), "alice", "user")
            before = known.read_text()
            match broken:
                case "users":
                    known.write_text(before + "bob king -\n")
                case "keys":
                    keys.write_text("short\n")
                case "certificate":
                    certificate.write_text("torn")
                case "user":
                    config = replace(config, user="nobody-of-that-name")
            with pytest.raises(ConfigError):
                s.server.reload(config)
            await types(told)
            assert await statuses() == [200, 401, 200, 401]
            known.write_text(before)
            keys.write_text("k" * 40 + "\n")
            authority.issue(certificate)
            s.server.reload(s.server.config)
            assert await told.to_the_end() == (1008, "the token was changed; log in again")
        assert await statuses() == [401, 200, 401, 200]


async def test_files_that_are_no_text_cost_no_session(tmp_path: Path) -> None:
    token, settings = tmp_path / "token", tmp_path / "settings.toml"
    settings.write_text("")
    async with (
        program_of("--config", str(settings)) as server,
        server.connect("reconnect=a&command=cat") as client,
    ):
        told = Told(client)
        await told.until_told("hello")
        token.write_bytes(b"\xff\xfe\xfa token")
        for text in ('users-file = "a\\u0000b"', 'user = "a\\u0000b"', f'users-file = "{token}"', "timeout = 5"):
            settings.write_text(text)
            said = server.log.count("reloaded")
            server.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(PATIENCE):
                while server.log.count("reloaded") == said:
                    await types(told)
                    told.output = b""
        assert server.log.count("not reloaded") == 3
        assert "reloaded, pid" in server.log


def test_a_token_file_that_is_no_text_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_bytes(b"secret-\xff\xfe")
    with pytest.raises(ConfigError, match=r"token: it is no text$"):
        Server(load({"token_file": str(token)}, {}))


async def test_whatever_goes_wrong_while_reading_ends_no_server(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as s:

        def again() -> Config:
            raise RecursionError

        serve._reload(s.server, again)
        assert "not reloaded" in caplog.text
        assert await status(Person(s, TOKEN)) == 200


# -- what rests on what is gone


async def test_a_key_that_is_taken_away_ends_what_it_signed_and_nothing_else(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    async with town(tmp_path, key_file=str(keys)) as (s, people):
        alice = people["alice"]
        await alice.asks("POST", "/api/sessions", id="a", command="cat")
        old = keys.read_text()
        old_guest, old_login = await guest_by(s, (await share(alice))["path"]), await login(s, alice.token)
        keys.write_text("n" * 40 + "\n" + old)
        s.server.reload(s.server.config)
        new_guest, new_login = await guest_by(s, (await share(alice))["path"]), await login(s, alice.token)
        async with (
            old_guest.at("reconnect=a") as old_guests, old_login.at("reconnect=a") as old_logins,
            new_guest.at("reconnect=a") as new_guests, new_login.at("reconnect=a") as new_logins,
            alice.at("reconnect=a") as by_token,
        ):  # fmt: skip
            staying = (new_guests, new_logins, by_token)
            for told in (old_guests, old_logins, *staying):
                await told.until_told("hello")
            keys.write_text("n" * 40 + "\n")
            s.server.reload(s.server.config)
            for told in (old_guests, old_logins):
                assert await told.to_the_end() == (1008, "the key that signed the cookie was taken away; log in again")
            for told in staying:
                await types(told)
        assert [await status(person) for person in (old_guest, old_login)] == [401, 401]
        assert [await status(person) for person in (new_guest, new_login)] == [200, 200]


async def test_a_link_ends_with_its_key_whichever_key_its_guests_cookie_has(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    async with town(tmp_path, key_file=str(keys)) as (s, people):
        alice = people["alice"]
        await alice.asks("POST", "/api/sessions", id="a", command="cat")
        link = await share(alice)
        keys.write_text("n" * 40 + "\n" + keys.read_text())
        s.server.reload(s.server.config)
        guest = await guest_by(s, link["path"])  # the new key signs the cookie
        async with guest.at("reconnect=a") as told:
            await told.until_told("hello")
            keys.write_text("n" * 40 + "\n")
            s.server.reload(s.server.config)
            assert await told.to_the_end() == (1008, "the key that signed this link was taken away")
        assert await status(guest) == 401


@pytest.mark.parametrize(
    "taken",
    [{"user_header": "", "trusted_proxy": ()}, {"user_header": "x-other"}, {"trusted_proxy": ("10.0.0.1",)}],
)
async def test_who_came_by_a_header_goes_with_the_trust_in_it(tmp_path: Path, taken: dict[str, Any]) -> None:
    (tmp_path / "users").write_text("alice user -\n")
    flags = {"users_file": str(tmp_path / "users"), "trusted_proxy": ["127.0.0.1"], "user_header": "X-User"}
    async with serving(**flags) as s:
        alice = Person(s)
        alice.headers = {"X-User": "alice"}
        async with alice.at("reconnect=a&command=cat") as told:
            await told.until_told("hello")
            s.server.reload(s.server.config)
            await types(told)
            if "trusted_proxy" in taken:
                taken = taken | {
                    "trusted_proxy": load({"trusted_proxy": list(taken["trusted_proxy"])}, {}).trusted_proxy
                }
            s.server.reload(replace(s.server.config, **taken))
            assert await told.to_the_end() == (1008, "the word of that proxy counts no more")
        assert await status(alice) == 401


async def test_who_came_by_a_unix_socket_goes_with_the_trust_in_it(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with (
        serving(unix_users="true", listen=[f"unix:{path}"]) as s,
        unix_connect(
            path,
            "ws://localhost/pty?reconnect=a&command=cat",
            subprotocols=["reconnectingpty.v1"],  # type: ignore[list-item]
        ) as client,
    ):
        told = Told(client)
        await told.until_told("hello")
        s.server.reload(s.server.config)
        await types(told)
        s.server.reload(replace(s.server.config, unix_users=False))
        assert await told.to_the_end() == (1008, "this server asks for a token now")


@pytest.mark.parametrize("role", [None, "viewer"])
async def test_a_users_links_end_with_their_right_to_make_them(tmp_path: Path, role: str | None) -> None:
    async with town(tmp_path) as (s, people):
        alice, bob = people["alice"], people["bob"]
        for person, session in ((alice, "a"), (bob, "b")):
            await person.asks("POST", "/api/sessions", id=session, command="cat")
        link, others = await share(alice), await share(bob, "b")
        guest, others_guest = await guest_by(s, link["path"]), await guest_by(s, others["path"])
        async with guest.at("reconnect=a") as gone, others_guest.at("reconnect=b") as stays:
            await gone.until_told("hello")
            await stays.until_told("hello")
            path = tmp_path / "users"
            lines = [line for line in path.read_text().splitlines() if "alice" not in line]
            path.write_text("\n".join([*lines, f"alice {role} -"] if role else lines))
            s.server.reload(s.server.config)
            assert await gone.to_the_end() == (1008, "who made this link may not share this session any more")
            await types(stays)
        assert await status(guest) == 401
        body = json.dumps({"share": link["path"].removeprefix("/#share=")}).encode()
        assert (await s.request("POST", "/api/login", body, token=None))[0] == 401
        assert await status(others_guest) == 200


async def test_who_was_an_admin_shares_nobody_elses_session_any_more(tmp_path: Path) -> None:
    path = tmp_path / "users"
    boss_token, alice_token = users.add(str(path), "boss", "admin"), users.add(str(path), "alice", "user")
    async with serving(users_file=str(path)) as s:
        boss, alice = Person(s, boss_token), Person(s, alice_token)
        for person, session in ((alice, "a"), (boss, "own")):
            await person.asks("POST", "/api/sessions", id=session, command="cat")
        guests = [await guest_by(s, (await share(boss, session))["path"]) for session in ("a", "own")]
        assert [await status(guest) for guest in guests] == [200, 200]
        path.write_text(path.read_text().replace("boss admin", "boss user"))
        s.server.reload(s.server.config)
        assert [await status(guest) for guest in guests] == [401, 200]


# -- settings of the file


async def test_a_token_in_the_settings_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    async with of_file(path, token=TOKEN) as s, s.connect("reconnect=a&command=cat") as client:
        told = Told(client)
        await told.until_told("hello")
        s.server.reload(written(path, token=OTHER))
        assert await told.to_the_end() == (1008, "the token was changed; log in again")
        assert [await status(Person(s, token)) for token in (TOKEN, OTHER)] == [401, 200]
        # Without one there is one that nobody else has.
        s.server.reload(written(path))
        assert [await status(Person(s, token)) for token in (TOKEN, OTHER, s.server.token)] == [401, 401, 200]
        own = s.server.token
        s.server.reload(written(path))
        assert s.server.token == own


async def test_a_server_that_was_open_to_all_is_closed_and_opened(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    async with of_file(path, **{"no-auth": True}) as s, s.connect("reconnect=a&command=cat", token=None) as client:
        told = Told(client)
        await told.until_told("hello")
        s.server.reload(written(path, token=TOKEN))
        assert await told.to_the_end() == (1008, "this server asks for a token now")
        assert [await status(Person(s, token)) for token in (None, TOKEN)] == [401, 200]
        async with s.connect("reconnect=a") as by_token:
            stays = Told(by_token)
            await stays.until_told("hello")
            s.server.reload(written(path, **{"no-auth": True}))
            await types(stays)
        assert await status(Person(s)) == 200


async def test_a_server_that_others_reach_is_not_opened_to_all(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    async with of_file(path, token=TOKEN, listen="0.0.0.0:0") as s:
        # What the file says of listeners now is not where it listens.
        with pytest.raises(ConfigError, match=r"--no-auth: 0\.0\.0\.0"):
            s.server.reload(written(path, **{"no-auth": True}))
        assert [await status(Person(s, token)) for token in (None, TOKEN)] == [401, 200]
    async with of_file(path, token=TOKEN) as s:
        await s.server.serve(socket.create_server(("0.0.0.0", 0)))
        with pytest.raises(ConfigError, match=r"--no-auth: 0\.0\.0\.0"):
            s.server.reload(written(path, **{"no-auth": True}))


async def test_what_takes_a_restart_is_told_each_time_and_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.toml"
    other: dict[str, Any] = {
        "listen": "127.0.0.1:1", "audit-log": str(tmp_path / "audit"), "key-file": str(tmp_path / "keys"),
        "tls-cert": str(tmp_path / "missing.pem"), "timeout": 7,
    }  # fmt: skip
    async with of_file(path, token=TOKEN) as s:
        for _ in "ab":
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                s.server.reload(written(path, token=OTHER, **other))
            told = [record.getMessage().partition(" ")[0] for record in caplog.records]
            assert sorted(told) == ["--audit-log", "--key-file", "--listen", "--tls-cert"]
            assert (s.server.config.timeout, s.server.config.audit_log, s.server.config.tls_cert) == (7.0, "", "")
        assert await status(Person(s, OTHER)) == 200
        caplog.clear()
        s.server.reload(written(path, token=OTHER))
        assert not caplog.records
