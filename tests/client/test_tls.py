"""A terminal over TLS: whom the client trusts, and the certificate that it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconnectingpty.client import ConnectFailed, Settings, connect
from reconnectingpty_server.access import users

from ..support.authority import Authority
from ..support.serving import TOKEN, serving
from .support import ECHO, QUICK, cut, until


async def test_a_terminal_over_tls_comes_back_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue(tmp_path / "server.pem")
    settings = Settings(tls=authority.client(), backoff=QUICK.backoff)
    # Without an id the server is asked for one, which goes over TLS as well.
    async with (
        serving(tls_cert=str(tmp_path / "server.pem")) as s,
        connect(f"https://{s.address}", token=TOKEN, command=ECHO, settings=settings) as terminal,
    ):
        await until(terminal, b"ready")
        cut(s)
        await terminal.send("over tls")
        await until(terminal, b"over tls")
        assert terminal.connections > 1
        assert [session.id for session in s.server.sessions] == [terminal.session]


async def test_a_server_that_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    authority.issue(tmp_path / "server.pem")
    async with serving(tls_cert=str(tmp_path / "server.pem")) as s:
        for settings in (Settings(tls=stranger.client(), backoff=QUICK.backoff), QUICK):
            with pytest.raises(ConnectFailed, match=r"cannot trust the server .* SSL_CERT_FILE"):
                await connect(f"https://{s.address}", token=TOKEN, session="x", settings=settings).open()


async def test_a_clients_certificate_says_who_it_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue(tmp_path / "server.pem")
    path = str(tmp_path / "users")
    users.add(path, "alice", "user")
    settings = Settings(tls=authority.client("alice"), backoff=QUICK.backoff)
    async with (
        serving(tls_cert=str(tmp_path / "server.pem"), tls_client_ca=authority.pem, users_file=path) as s,
        connect(f"https://{s.address}", session="x", command=ECHO, settings=settings) as terminal,
    ):
        await until(terminal, b"ready")
        session = s.server.sessions.get("x")
        assert session is not None
        assert session.owner == "alice"
