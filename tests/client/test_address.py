"""Which server is meant, and by what one gets in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconnectingpty.client import Address, AddressError


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RECONNECTINGPTY_URL", raising=False)
    monkeypatch.delenv("RECONNECTINGPTY_TOKEN", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("url", "websocket", "token", "session"),
    [
        ("http://h:1", "ws://h:1/pty?q", None, None),
        ("https://h/", "wss://h:443/pty?q", None, None),
        ("ws://h", "ws://h:80/pty?q", None, None),
        ("wss://[::1]:5/", "wss://[::1]:5/pty?q", None, None),
        ("http://h:1/#token=abc", "ws://h:1/pty?q", "abc", None),
        ("http://h:1/?session=work#token=a%2Bb", "ws://h:1/pty?q", "a+b", "work"),
        ("https://h/under/prefix/", "wss://h:443/under/prefix/pty?q", None, None),
        ("https://h/prefix/pty?reconnect=work", "wss://h:443/prefix/pty?q", None, "work"),
        ("unix:/run/x.sock#token=abc", "ws://localhost/pty?q", "abc", None),
    ],
)
def test_urls_and_links_are_understood(url: str, websocket: str, token: str | None, session: str | None) -> None:
    address = Address.of(url)
    assert (address.websocket("q"), address.token, address.session) == (websocket, token, session)
    assert "abc" not in repr(address)


@pytest.mark.parametrize(
    "url", ["h:1", "ftp://h", "http://", "http://h:99999", "http://h:x/", "//h", "http://[::1", "unix:"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(AddressError, match="is no server's address"):
        Address.of(url)


@pytest.mark.parametrize("token", ["a€", "ä", "a\nb", "a\0"])
def test_a_token_that_no_header_can_hold_is_told(token: str) -> None:
    with pytest.raises(AddressError, match="the token is none"):
        Address.of("http://h", token)


def test_a_server_that_ends_meanwhile_hides_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "reconnectingpty"
    folder.mkdir()
    (folder / "1.link").symlink_to(tmp_path / "gone")  # listed, and not there any more
    (folder / f"{os.getpid()}.link").write_text("http://here:2/")
    assert str(Address.of()) == "here:2"


def test_what_is_said_counts_before_the_environment_and_that_before_the_servers_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert str(Address.of()) == "127.0.0.1:7681"
    folder = tmp_path / "reconnectingpty"
    folder.mkdir()
    (folder / f"{os.getpid()}.link").write_text("http://here:2/#token=here")
    (folder / "99999999.link").write_text("http://gone:3/")
    assert (str(Address.of()), Address.of().token) == ("here:2", "here")
    monkeypatch.setenv("RECONNECTINGPTY_URL", "http://set:4/#token=link")
    assert (str(Address.of()), Address.of().token) == ("set:4", "link")
    monkeypatch.setenv("RECONNECTINGPTY_TOKEN", "variable")
    assert Address.of().token == "variable"
    assert (str(Address.of("http://said:5", "said")), Address.of("http://said:5", "said").token) == ("said:5", "said")
