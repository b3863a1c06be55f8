"""Where a server is, and what lets one in: a URL or the link that a server printed, as values.

Knows no socket. Used by the client and by the commands.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from .errors import AddressError

DEFAULT = "http://127.0.0.1:7681/"
"""Where a server listens that was told nothing."""
_SECURE = {"http": False, "ws": False, "https": True, "wss": True}
_FORMS = "http://host:port, https://host:port or unix:/path"


def links_folder() -> Path:
    """Where this user's servers leave their links, as files `<pid>.link` that nobody else can read."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "reconnectingpty" if base else Path.home() / ".local" / "state" / "reconnectingpty"


def links() -> list[str]:
    """The links of this user's servers that run on this machine, the newest first."""
    found: list[tuple[float, str]] = []
    for path in links_folder().glob("*.link"):
        with suppress(OSError):  # one that is ending takes its file along
            if path.stem.isdigit() and Path(f"/proc/{path.stem}").exists():
                found.append((path.stat().st_mtime, path.read_text()))
    return [link for _, link in sorted(found, reverse=True)]


@dataclass(frozen=True, slots=True)
class Address:
    """A server. `path` is its Unix socket's, "" for TCP; `prefix` what stands before the server's own paths."""

    host: str
    port: int
    secure: bool = False
    path: str = ""
    prefix: str = ""
    token: str | None = field(default=None, repr=False)
    session: str | None = None
    """The session that the link names."""

    @classmethod
    def of(cls, url: str | None = None, token: str | None = None) -> Self:
        """The server meant: by a URL or printed link, else by $RECONNECTINGPTY_URL, else the one that runs here.

        A token that is given counts before $RECONNECTINGPTY_TOKEN, and that before the link's. Raises AddressError.
        """
        url = url or os.environ.get("RECONNECTINGPTY_URL") or next(iter(links()), DEFAULT)
        url, _, fragment = url.partition("#")
        url, _, query = url.partition("?")
        said = parse_qs(query) | parse_qs(fragment)
        token = token or os.environ.get("RECONNECTINGPTY_TOKEN") or said.get("token", [None])[0]
        if token and not (token.isascii() and token.isprintable()):
            raise AddressError("the token is none: it has characters that no header can hold")
        session = said.get("session", said.get("reconnect", [None]))[0]
        wrong = AddressError(f"{url!r} is no server's address, which is {_FORMS}")
        if url.startswith("unix:"):
            if url == "unix:":
                raise wrong
            return cls("localhost", 0, path=url.removeprefix("unix:"), token=token, session=session)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise wrong from None
        if parts.scheme not in _SECURE or not parts.hostname:
            raise wrong
        secure = _SECURE[parts.scheme]
        prefix = parts.path.rstrip("/").removesuffix("/pty")
        return cls(parts.hostname, port or (443 if secure else 80), secure, prefix=prefix, token=token, session=session)

    @property
    def headers(self) -> dict[str, str]:
        """What lets a request in."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def websocket(self, query: str) -> str:
        """The address of a terminal."""
        return f"{'wss' if self.secure else 'ws'}://{self.netloc}{self.prefix}/pty?{query}"

    @property
    def netloc(self) -> str:
        """Host and port, as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.path else f"{host}:{self.port}"

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"

    def unreachable(self, error: Exception) -> str:
        """Why there is no connection, and what to do about it."""
        if isinstance(error, ssl.SSLCertVerificationError):
            why = error.verify_message.rstrip(".")
            return f"cannot trust the server at {self}: {why}; SSL_CERT_FILE=PATH has authorities to trust"
        if isinstance(error, ConnectionRefusedError | FileNotFoundError):
            return f"cannot reach a server at {self}: nobody listens there; `reconnectingpty serve` starts one"
        return f"cannot reach a server at {self}: {error or type(error).__name__}"
