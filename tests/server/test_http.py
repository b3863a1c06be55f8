"""HTTP on the same port: the interface, the door, and what is refused."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import unix_connect
from websockets.exceptions import InvalidStatus

from reconnectingpty_server.logs import Human, Json
from reconnectingpty_server.values import Address, ConfigError

from ..support.serving import TOKEN, Told, serving


async def test_the_open_paths_need_no_token_and_the_others_do() -> None:
    async with serving() as s:
        for path, status in [
            ("/", 200),
            ("/healthz", 200),
            ("/readyz", 200),
            ("/metrics", 401),
            ("/api/sessions", 401),
        ]:
            assert (await s.request("GET", path, token=None))[0] == status, path
            assert (await s.request("GET", path, token="wrong-token-x"))[0] == status, path
        for path in ("/metrics", "/api/sessions", "/api/whoami"):
            assert (await s.request("GET", path))[0] in (200, 204), path


async def test_the_token_becomes_a_cookie_that_is_not_the_token() -> None:
    async with serving() as s:
        status, headers, _ = await s.request("POST", "/api/login", b'{"token": "wrong"}', token=None)
        assert status == 401
        body = json.dumps({"token": TOKEN}).encode()
        status, headers, _ = await s.request("POST", "/api/login", body, token=None)
        cookie = headers["set-cookie"]
        assert status == 204
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        value = cookie.partition(";")[0]
        assert (await s.request("GET", "/api/whoami", token=None, Cookie=value))[0] == 200
        async with s.connect("reconnect=a&command=cat", token=None, headers={"Cookie": value}) as socket:
            await Told(socket).until_told("hello")
        assert (await s.request("POST", "/api/logout", token=None, Cookie=value))[0] == 204
        assert (await s.request("GET", "/api/whoami", token=None, Cookie=value))[0] == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"token": 5}', b'{"token": null}'])
async def test_a_login_that_makes_no_sense_is_a_400(body: bytes) -> None:
    async with serving() as s:
        status, _, content = await s.request("POST", "/api/login", body, token=None)
        assert (status, "message" in json.loads(content)) == (400, True)


async def test_sessions_are_listed_shown_and_ended() -> None:
    async with serving() as s, s.connect("reconnect=a&width=50&height=10&command=echo+hello%3Bcat") as socket:
        await Told(socket).until(b"hello")
        listed = (await s.json("/api/sessions"))["sessions"]
        assert [(one["id"], one["rows"], one["cols"], one["viewers"]) for one in listed] == [("a", 10, 50, 1)]
        assert (await s.json("/api/sessions/a"))["command"] == "echo hello;cat"
        assert (await s.request("GET", "/api/sessions/a/screen"))[2] == b"hello\n"
        assert (await s.request("GET", "/api/sessions/a/screen?format=ansi"))[2] == b"hello\n"
        assert (await s.json("/api/sessions/a/screen?format=json"))["lines"][0] == "hello"
        assert (await s.request("GET", "/api/sessions/a/screen?format=png"))[0] == 400
        assert (await s.request("DELETE", "/api/sessions/a"))[0] == 204
        for path in ("/api/sessions/a", "/api/sessions/a/screen", "/api/sessions/..%2f"):
            assert (await s.request("GET", path))[0] == 404


async def test_unknown_paths_methods_and_hosts() -> None:
    async with serving() as s:
        for path in ("/nothing", "/api", "/api/sessions/a/b/c", "/../etc/passwd", "/%2e%2e/x"):
            status, _, content = await s.request("GET", path)
            assert (status, "message" in json.loads(content)) == (404, True), path
        status, headers, _ = await s.request("PUT", "/api/sessions")
        assert (status, headers["allow"]) == (405, "GET, HEAD, POST")
        assert (await s.request("POST", "/"))[0] == 405
        assert (await s.request("HEAD", "/healthz"))[2] == b""
        assert (await s.request("GET", "/pty?reconnect=a"))[0] == 426
        assert (await s.request("GET", "/healthz", Host="evil.example"))[0] == 403


async def test_pages_of_other_sites_are_refused() -> None:
    async with serving(origin="friend.example") as s:
        for origin, allowed in [
            ("http://evil.example", False),
            ("null", False),
            ("http://[", False),
            (f"http://{s.address}.evil.example", False),
            (f"http://{s.address}", True),
            ("https://friend.example", True),
        ]:
            if allowed:
                async with s.connect("reconnect=a&command=cat", headers={"Origin": origin}) as socket:
                    await Told(socket).until_told("hello")
            else:
                with pytest.raises(InvalidStatus) as caught:
                    await s.connect("reconnect=a&command=cat", headers={"Origin": origin})
                assert caught.value.response.status_code == 403
        assert (await s.request("DELETE", "/api/sessions/a", Origin="http://evil.example"))[0] == 403


@pytest.mark.parametrize("query", ["", "&token=wrong-token"])
async def test_without_the_token_no_terminal(query: str) -> None:
    async with serving() as s:
        with pytest.raises(InvalidStatus) as caught:
            await s.connect("reconnect=a" + query, token=None)
        assert caught.value.response.status_code == 401
        async with s.connect(f"reconnect=a&command=cat&token={TOKEN}", token=None) as socket:
            await Told(socket).until_told("hello")


async def test_a_command_in_the_address_is_refused_unless_allowed() -> None:
    async with serving(allow_command="false") as s:
        with pytest.raises(InvalidStatus) as caught:
            await s.connect("reconnect=a&command=id")
        assert caught.value.response.status_code == 400
        assert b"--allow-command" in caught.value.response.body


async def test_the_cap_on_sessions_is_a_clear_refusal_and_hurts_nobody() -> None:
    async with serving(max_sessions="1") as s, s.connect("reconnect=a&command=cat") as socket:
        await Told(socket).until_told("hello")
        with pytest.raises(InvalidStatus) as caught:
            await s.connect("reconnect=b&command=cat")
        assert caught.value.response.status_code == 503
        assert (await s.request("GET", "/readyz", token=None))[0] == 503
        async with s.connect("reconnect=a") as again:
            await Told(again).until_told("hello")


async def test_ten_thousand_connections_over_the_cap_are_refused_and_everyone_else_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from reconnectingpty_server import http

    monkeypatch.setattr(http, "HEAD_SECONDS", 1000.0)  # those that say nothing stay, however long it takes
    async with serving() as s, s.connect("reconnect=a&command=cat") as socket:
        s.server.max_connections = 5
        told = Told(socket)
        await told.until_told("hello")
        held = [await asyncio.open_connection(s.address.host, s.address.port) for _ in range(5)]
        async with asyncio.timeout(20):
            while len(s.server.connections) < 5:
                await asyncio.sleep(0.001)

        async def refused() -> bool:
            try:
                return (await s.raw(b"")).startswith(b"HTTP/1.1 503")
            except ConnectionError:
                return True

        for _ in range(200):
            assert all(await asyncio.gather(*(refused() for _ in range(50))))
        await socket.send(b"still served\r")
        await told.until(b"still served\r\nstill served")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()


async def test_a_head_that_does_not_come_or_is_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from reconnectingpty_server import http

    monkeypatch.setattr(http, "HEAD_SECONDS", 0.2)
    async with serving() as s:
        with suppress(ConnectionError):
            assert await s.raw(b"GET / HT") == b""
        assert (await s.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 40000)).startswith(b"HTTP/1.1 4")
        assert (await s.raw(b"\x16\x03\x01 nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")
        big = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 200000
        with suppress(ConnectionError):
            assert (await s.raw(big)).startswith(b"HTTP/1.1 413")


async def test_a_connection_is_kept_for_further_requests() -> None:
    async with serving() as s:
        one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        assert (await s.raw(one + one + last)).count(b'{"status": "ok"}') == 3


async def test_a_port_in_other_digits_is_none() -> None:
    async with serving() as s:
        asked = f"POST /api/logout HTTP/1.1\r\nHost: 127.0.0.1:\xb2\r\nAuthorization: Bearer {TOKEN}\r\n"
        answer = await s.raw(f"{asked}Connection: close\r\n\r\n".encode("latin-1"))
        assert answer.startswith(b"HTTP/1.1 204 ")
        assert b"set-cookie: reconnectingpty=;" in answer


async def test_prometheus_can_read_the_metrics_under_coders_names() -> None:
    async with serving(metrics_prefix="agent") as s:
        async with s.connect("reconnect=a&command=echo+hi") as socket:
            await Told(socket).to_the_end()
        text = (await s.request("GET", "/metrics"))[2].decode()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        assert families["agent_reconnecting_pty_connections"].samples[0].value == 1
        errors = {
            sample.labels["error_type"]: sample.value for sample in families["agent_reconnecting_pty_errors"].samples
        }
        assert {"create_command", "input_writer", "screen_wait", "spawn"} <= set(errors)
        assert set(errors.values()) == {0.0}


async def test_the_page_may_load_nothing_from_elsewhere_and_be_in_no_frame() -> None:
    async with serving() as s:
        _, headers, _ = await s.request("GET", "/", token=None)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


async def test_the_page_is_packed_for_who_takes_that_and_cached_by_its_hash() -> None:
    async with serving() as s:
        _, _, html = await s.request("GET", "/", token=None)
        script = re.search(rb"/assets/main-\w+\.js", html)
        assert script is not None
        _, plain_headers, plain = await s.request("GET", script[0].decode(), token=None)
        _, headers, packed = await s.request("GET", script[0].decode(), token=None, Accept_Encoding="gzip")
        assert (headers["content-encoding"], gzip.decompress(packed)) == ("gzip", plain)
        assert len(packed) < 350_000
        assert "immutable" in headers["cache-control"]
        status, _, body = await s.request("GET", script[0].decode(), token=None, If_None_Match=plain_headers["etag"])
        assert (status, body) == (304, b"")


async def test_a_unix_socket_serves_its_user_alone_and_replaces_a_stale_one(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    async with serving(listen=[f"unix:{path}"], no_auth="true") as s:
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(ConfigError, match="another server does"):
            await s.server.listen(Address("", 0, str(path)))
        async with unix_connect(
            str(path),
            uri="ws://localhost/pty?reconnect=a&command=echo+hi",
            subprotocols=["reconnectingpty.v1"],
            proxy=None,
        ) as client:
            told = Told(client)
            assert (await told.to_the_end())[0] == 1000
            assert told.output == b"hi\r\n"
    assert not path.exists()


async def test_without_auth_a_foreign_page_still_gets_nothing() -> None:
    async with serving(no_auth="true") as s:
        assert (await s.request("GET", "/api/sessions", token=None))[0] == 200
        assert (await s.request("GET", "/api/sessions", token=None, Host="rebound.example:80"))[0] == 403
        with pytest.raises(InvalidStatus):
            await s.connect("reconnect=a", token=None, headers={"Origin": "http://evil.example"})


def test_a_log_line_cannot_be_forged_or_drive_a_terminal() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "from %s", ("evil\r\n12:00:00 info fine \x1b[2J\u202e",), None)
    assert "\n" not in Human().format(record)
    assert "\x1b" not in Human().format(record)
    assert "\u202e" not in Human().format(record)
    assert json.loads(Json().format(record))["level"] == "info"
    assert "\n" not in Json().format(record)


async def test_it_serves_on_a_socket_that_somebody_else_has_bound() -> None:
    async with serving() as s:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            await s.server.serve(listener.dup())
            s.address = Address(*listener.getsockname())
        assert (await s.request("GET", "/healthz", token=None))[0] == 200
