"""TLS: what is offered, what a browser is told of it, certificates that change, and clients' certificates."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import subprocess
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from reconnectingpty_server import handshakes
from reconnectingpty_server.access import users
from reconnectingpty_server.config import load
from reconnectingpty_server.server import Server
from reconnectingpty_server.values import ConfigError

from ..support.attached import PATIENCE
from ..support.authority import Authority
from ..support.program import program_of
from ..support.serving import TOKEN, Remote, Serving, Told, serving


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def whoami(s: Serving, context: ssl.SSLContext) -> tuple[int, dict[str, str]]:
    """Who that client is, without a token."""
    status, _, body = await s.request("GET", "/api/whoami", token=None, tls=context)
    return status, json.loads(body)


async def test_a_terminal_over_tls(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path / "server.pem")
    async with serving(tls_cert=str(tmp_path / "server.pem")) as s:
        status, headers, _ = await s.request("GET", "/", tls=authority.client())
        assert status == 200
        assert headers["strict-transport-security"].startswith("max-age=")
        body = json.dumps({"token": TOKEN}).encode()
        _, headers, _ = await s.request("POST", "/api/login", body, token=None, tls=authority.client())
        name, _, attributes = headers["set-cookie"].partition("=")
        assert name.startswith("__Host-reconnectingpty")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes.split("; "))
        cookie = headers["set-cookie"].partition(";")[0]
        async with connect(
            f"wss://{s.address}/pty?reconnect=a&command=cat",
            ssl=authority.client(),
            subprotocols=["reconnectingpty.v1"],  # type: ignore[list-item]
            additional_headers={"Cookie": cookie},
            origin=f"https://{s.address}",  # type: ignore[arg-type]
            proxy=None,
        ) as client:
            told = Told(client)
            await told.until_told("hello")
            await client.send(b"over tls\r")
            await told.until(b"over tls\r\nover tls")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_is_spoken_in_its_two_good_versions(
    tmp_path: Path, authority: Authority, version: ssl.TLSVersion
) -> None:
    authority.issue(tmp_path / "server.pem")
    context = authority.client()
    context.minimum_version = context.maximum_version = version
    async with serving(tls_cert=str(tmp_path / "server.pem")) as s:
        assert (await s.request("GET", "/healthz", tls=context))[0] == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_old_tls_and_plain_http_are_refused(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    authority.issue(tmp_path / "server.pem")
    old = authority.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    async with serving(tls_cert=str(tmp_path / "server.pem")) as s:
        with caplog.at_level(logging.INFO):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await s.request("GET", "/healthz", tls=old)
            assert b"200" not in await s.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        # Whoever knocks wrongly fills no log.
        assert not [record for record in caplog.records if record.levelno > logging.INFO]
        assert (await s.request("GET", "/healthz", tls=authority.client()))[0] == 200


async def test_a_new_certificate_is_taken_on_reload_and_what_is_open_stays(
    tmp_path: Path, authority: Authority
) -> None:
    path = tmp_path / "server.pem"
    authority.issue(path)
    new = Authority(tmp_path, "new")
    async with (
        serving(tls_cert=str(path)) as s,
        connect(
            f"wss://{s.address}/pty?reconnect=a&command=cat",
            ssl=authority.client(),
            subprotocols=["reconnectingpty.v1"],  # type: ignore[list-item]
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
            proxy=None,
        ) as client,
    ):
        told = Told(client)
        await told.until_told("hello")
        new.issue(path)
        s.server.reload(s.server.config)
        await client.send(b"still here\r")
        await told.until(b"still here")
        assert (await s.request("GET", "/healthz", tls=new.client()))[0] == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            await s.request("GET", "/healthz", tls=authority.client())
        # What can't be read changes nothing.
        path.write_text("torn")
        with pytest.raises(ConfigError, match="tls-cert"):
            s.server.reload(s.server.config)
        assert (await s.request("GET", "/healthz", tls=new.client()))[0] == 200


async def test_a_certificate_lets_in_the_user_that_it_names_and_no_other(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path / "server.pem")
    stranger = Authority(tmp_path, "stranger")
    path = str(tmp_path / "users")
    users.add(path, "alice", "user")
    async with serving(tls_cert=str(tmp_path / "server.pem"), tls_client_ca=authority.pem, users_file=path) as s:
        status, who = await whoami(s, authority.client("alice"))
        assert (status, who["name"], who["role"]) == (200, "alice", "user")
        assert (await whoami(s, authority.client("mallory")))[0] == 401
        assert (await whoami(s, authority.client("admin")))[0] == 401
        assert (await whoami(s, authority.client()))[0] == 401
        with suppress(ssl.SSLError, ConnectionError):  # TLS 1.3 refuses a client only when that believes to be in
            assert not await s.raw(b"GET /healthz HTTP/1.1\r\n\r\n", tls=authority.client("alice", by=stranger))
        # A token does without a certificate.
        assert (await s.request("GET", "/api/whoami", tls=authority.client()))[0] == 200


async def test_a_certificate_of_a_user_who_is_gone_opens_nothing_and_ends_what_is_open(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue(tmp_path / "server.pem")
    path = tmp_path / "users"
    users.add(str(path), "alice", "user")
    async with (
        serving(tls_cert=str(tmp_path / "server.pem"), tls_client_ca=authority.pem, users_file=str(path)) as s,
        connect(
            f"wss://{s.address}/pty?reconnect=a&command=cat",
            ssl=authority.client("alice"),
            subprotocols=["reconnectingpty.v1"],  # type: ignore[list-item]
            proxy=None,
        ) as client,
    ):
        told = Told(client)
        await told.until_told("hello")
        path.write_text("")
        s.server.reload(s.server.config)
        assert await told.to_the_end() == (1008, "there is no such user any more")
        assert (await whoami(s, authority.client("alice")))[0] == 401


def visit(
    s: Serving, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[str, ssl.SSLSession | None, bool]:
    """Who a client is, the TLS session that it may resume, and whether it has resumed one."""
    with (
        socket.create_connection((s.address.host, s.address.port)) as plain,
        context.wrap_socket(plain, server_hostname=s.address.host, session=session) as secure,
    ):
        secure.sendall(f"GET /api/whoami HTTP/1.1\r\nHost: {s.address}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: secure.recv(65536), b""))
        return json.loads(answer.partition(b"\r\n\r\n")[2]).get("name", ""), secure.session, bool(secure.session_reused)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_no_resumed_session_brings_back_an_authority_that_is_gone(
    tmp_path: Path, authority: Authority, version: ssl.TLSVersion
) -> None:
    authority.issue(tmp_path / "server.pem")
    users.add(str(tmp_path / "users"), "alice", "user")
    context = authority.client("alice")
    context.minimum_version = context.maximum_version = version
    flags = {"tls_cert": str(tmp_path / "server.pem"), "users_file": str(tmp_path / "users")}
    async with serving(tls_client_ca=authority.pem, **flags) as s:
        name, session, _ = await asyncio.to_thread(visit, s, context, None)
        assert (name, session is not None) == ("alice", True)
        assert (await asyncio.to_thread(visit, s, context, session))[::2] == ("alice", True)
        s.server.reload(replace(s.server.config, tls_client_ca=""))
        assert (await asyncio.to_thread(visit, s, context, session))[::2] == ("", False)


async def test_an_authority_that_is_gone_opens_nothing_and_ends_what_it_opened(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue(tmp_path / "server.pem")
    other, known = Authority(tmp_path, "other"), tmp_path / "clients.pem"
    both = Path(authority.pem).read_text() + Path(other.pem).read_text()
    known.write_text(Path(authority.pem).read_text())
    for name in ("alice", "bob"):
        users.add(str(tmp_path / "users"), name, "user")
    flags = {"tls_client_ca": str(known), "users_file": str(tmp_path / "users")}
    async with (
        serving(tls_cert=str(tmp_path / "server.pem"), **flags) as s,
        s.connect("reconnect=a&command=cat", token=None, tls=authority.client("alice")) as first,
    ):
        gone = Told(first)
        await gone.until_told("hello")
        reader, writer = await asyncio.open_connection(s.address.host, s.address.port, ssl=authority.client("alice"))
        kept = f"GET /api/whoami HTTP/1.1\r\nHost: {s.address}\r\n\r\n".encode()
        writer.write(kept)
        assert b" 200 " in await reader.readline()
        known.write_text(both)
        s.server.reload(s.server.config)
        async with s.connect("reconnect=b&command=cat", token=None, tls=authority.client("bob", by=other)) as second:
            stays = Told(second)
            await stays.until_told("hello")
            await gone.socket.send(b"still\r")
            await gone.until(b"still\r\nstill")
            known.write_text(Path(other.pem).read_text())
            s.server.reload(s.server.config)
            assert await gone.to_the_end() == (1008, "no certificate of that authority counts any more")
            await stays.socket.send(b"still\r")
            await stays.until(b"still\r\nstill")
        await reader.readuntil(b"}\n")
        writer.write(kept)
        assert b" 401 " in await reader.readline()
        writer.close()
        assert (await whoami(s, authority.client("bob", by=other)))[1]["name"] == "bob"
        with suppress(ssl.SSLError, ConnectionError):
            assert not await s.raw(kept, tls=authority.client("alice"))


async def test_a_certificate_that_vouches_for_itself_may_be_listed(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path / "server.pem")
    users.add(str(tmp_path / "users"), "alice", "user")
    own = tmp_path / "own.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", own, "-out", tmp_path / "listed.pem", "-subj", "/CN=alice", "-days", "2",
         "-addext", "basicConstraints=critical,CA:FALSE"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    own.write_text(own.read_text() + (tmp_path / "listed.pem").read_text())
    context = authority.client()
    context.load_cert_chain(own)
    flags = {"tls_client_ca": str(tmp_path / "listed.pem"), "users_file": str(tmp_path / "users")}
    async with serving(tls_cert=str(tmp_path / "server.pem"), **flags) as s:
        assert (await whoami(s, context))[1]["name"] == "alice"


async def say_nothing(stack: AsyncExitStack, server: Remote, count: int) -> list[asyncio.StreamReader]:
    """Connections on which no handshake begins."""
    readers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        stack.callback(writer.close)
        readers.append(reader)
    return readers


async def test_handshakes_that_nobody_ends_keep_nobody_out(tmp_path: Path, authority: Authority) -> None:
    authority.issue(tmp_path / "server.pem")
    tls = authority.client()
    async with (
        program_of("--tls-cert", str(tmp_path / "server.pem"), descriptors=200) as server,
        server.connect("reconnect=a&command=cat", tls=tls) as client,
        AsyncExitStack() as stack,
    ):
        told = Told(client)
        await told.until_told("hello")
        silent = await say_nothing(stack, server, 60)
        # The first ones had to go, the last are waited for.
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                assert await silent[0].read() == b""
        status, _, body = await server.request("GET", "/debug/sessions", tls=tls)
        assert status == 200
        assert json.loads(body)["connections"]["handshakes"] < 200 // handshakes.SHARE
        assert not silent[-1].at_eof()
        await client.send(b"still here\n")
        await told.until(b"still here\r\nstill here")
        async with server.connect("reconnect=b&command=cat", tls=tls) as another:
            await Told(another).until_told("hello")


async def test_there_are_so_many_handshakes_at_a_time(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshakes, "MAX_HANDSHAKES", 5)
    monkeypatch.setattr(handshakes, "HONEST_SECONDS", 0.05)
    authority.issue(tmp_path / "server.pem")
    async with serving(tls_cert=str(tmp_path / "server.pem")) as s, AsyncExitStack() as stack:
        readers = await say_nothing(stack, s, 8)
        async with asyncio.timeout(PATIENCE):
            for reader in readers[:3]:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
        assert (await s.request("GET", "/healthz", tls=authority.client()))[0] == 200
        assert len(s.server.handshakes) == 4  # the fifth made room for the request's


def test_files_that_are_no_certificates_are_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    for flags in ({"tls_cert": str(wrong)}, {"tls_cert": str(tmp_path / "missing.pem")}):
        config = load({"listen": ["127.0.0.1:0"], "token": TOKEN} | flags, {})
        with pytest.raises(ConfigError, match="--tls-cert"):
            Server(config)
    with pytest.raises(ConfigError, match="tls-cert"):
        load({"listen": ["127.0.0.1:0"], "token": TOKEN, "tls_client_ca": str(wrong)}, {})
