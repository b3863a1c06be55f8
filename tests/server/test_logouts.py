"""A login that was ended stays ended, for everybody who came by it, whoever else logs in and out."""

from __future__ import annotations

import asyncio
import json
import socket
import time

import pytest

from reconnectingpty_server.access.logouts import MAX_OF_ONE, Logouts
from reconnectingpty_server.access.visitor import Role, Visitor

from ..support.serving import TOKEN, serving
from .test_access import Person, guest_by, logged_in

HOURS = 3600.0


def login(name: str, number: int, began: float) -> Visitor:
    return Visitor(name, Role.VIEWER, "cookie", login=f"{name} {number}", began=began, expires=began + 12 * HOURS)


def end(logouts: Logouts, visitor: Visitor) -> None:
    assert visitor.expires is not None
    logouts.end(visitor, visitor.expires)


def test_no_login_comes_back_however_many_are_ended() -> None:
    logouts, now = Logouts(), time.time()
    boss, other = login("boss", 1, now - 2), login("boss", 2, now - 3)
    end(logouts, boss)
    many = [login("vera", number, now + number / 1000) for number in range(5 * MAX_OF_ONE)]
    older, newer = login("vera", -1, now - 1), login("vera", -2, now + 100)
    for visitor in many:
        end(logouts, visitor)
    assert logouts.ended(boss)
    assert all(logouts.ended(visitor) for visitor in many)
    # What is forgotten is told by its age; that costs the same user's older logins, and nobody else's.
    assert [logouts.ended(visitor) for visitor in (older, newer, other)] == [True, False, False]


def test_where_there_are_too_many_in_all_it_is_the_one_with_the_most_who_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconnectingpty_server.access.logouts.MAX_OUT", 100)
    logouts, now = Logouts(), time.time()
    few = [login("ann", number, now + number) for number in range(3)]
    many = [login("vera", number, now + number) for number in range(200)]
    for visitor in (*few, *many):
        end(logouts, visitor)
    assert all(logouts.ended(visitor) for visitor in (*few, *many))
    assert not logouts.ended(login("ann", -1, now - 1))
    assert logouts.ended(login("vera", -1, now - 1))


async def test_a_guest_who_logs_out_is_out_and_other_guests_are_not() -> None:
    async with serving() as s:
        admin = Person(s, TOKEN)
        await admin.asks("POST", "/api/sessions", id="a", command="cat")
        link = (await admin.asks("POST", "/api/sessions/a/links", access="write", seconds=600))[1]
        gone, stays = [await guest_by(s, link["path"]) for _ in "ab"]
        async with gone.at("reconnect=a") as ended, stays.at("reconnect=a") as open_still:
            await ended.until_told("hello")
            await open_still.until_told("hello")
            assert (await gone.asks("POST", "/api/logout"))[0] == 204
            assert await ended.to_the_end() == (1008, "logged out")
            assert (await gone.asks("GET", "/api/whoami"))[0] == 401
            await open_still.socket.send(b"here\r")
            await open_still.until(b"here")
        again = await guest_by(s, link["path"])
        assert (await again.asks("GET", "/api/whoami"))[0] == 200


async def test_a_terminal_that_is_just_being_opened_ends_with_its_login() -> None:
    async with serving() as s:
        await Person(s, TOKEN).asks("POST", "/api/sessions", id="a", command="cat")
        cookie = await logged_in(s, TOKEN)
        where = (s.address.host, s.address.port)
        head = f"HTTP/1.1\r\nHost: {s.address}\r\nCookie: {cookie}\r\n"
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        with socket.create_connection(where) as terminal, socket.create_connection(where) as logout:
            assert (await s.request("GET", "/healthz"))[0] == 200  # both have been accepted by now
            # Both are there before the loop looks at either.
            terminal.sendall(f"GET /pty?reconnect=a {head}{upgrade}{key}".encode())
            logout.sendall(f"POST /api/logout {head}Content-Length: 0\r\n\r\n".encode())
            terminal.setblocking(False)
            answered = b""
            async with asyncio.timeout(20):
                while b"logged out" not in answered:
                    data = await asyncio.get_running_loop().sock_recv(terminal, 1 << 16)
                    assert data, answered
                    answered += data
            assert answered.startswith(b"HTTP/1.1 101")
        assert json.loads((await s.request("GET", "/api/sessions/a"))[2])["state"] == "starting"
