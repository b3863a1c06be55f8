"""The server as its commands see it: where it is, and its HTTP interface."""

from __future__ import annotations

import http.client
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from . import runtime


class RemoteError(Exception):
    """The server can't be reached, or refused; the message is one line for the user."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Remote:
    """A server's address and token."""

    host: str
    port: int
    path: str
    secure: bool
    token: str | None

    @classmethod
    def of(cls, url: str | None, token: str | None, token_file: str | None) -> Remote:
        """The server meant: by URL or printed link, by $RECONNECTINGPTY_URL, or the one that runs here."""
        url = url or os.environ.get("RECONNECTINGPTY_URL")
        if url is None:
            url = next(iter(runtime.links()), "http://127.0.0.1:7681/")
        url, _, fragment = url.partition("#")
        if token is None and token_file:
            try:
                token = Path(token_file).read_text().strip()
            except OSError as error:
                raise RemoteError(f"--token-file: cannot read {token_file}: {error.strerror}") from None
        token = token or os.environ.get("RECONNECTINGPTY_TOKEN") or fragment.removeprefix("token=") or None
        if url.startswith("unix:"):
            return cls("localhost", 0, url.removeprefix("unix:"), False, token)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
            raise RemoteError(f"--url: {url!r} must be http://host:port, https://host:port or unix:/path")
        secure = parts.scheme in ("https", "wss")
        return cls(parts.hostname, parts.port or (443 if secure else 80), "", secure, token)

    @property
    def headers(self) -> dict[str, str]:
        """What lets a request in."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def websocket(self, query: str) -> str:
        """The address of a terminal."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.path else f":{self.port}"
        return f"{'wss' if self.secure else 'ws'}://{host}{port}/pty?{query}"

    def request(self, method: str, path: str, **query: str) -> bytes:
        """The body of a successful answer. Raises RemoteError."""
        connection: http.client.HTTPConnection
        if self.path:
            connection = _UnixConnection(self.path)
        elif self.secure:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=30)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(method, path + (f"?{urlencode(query)}" if query else ""), headers=self.headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise RemoteError(f"cannot reach a server at {self.path or f'{self.host}:{self.port}'}: {error}") from None
        finally:
            connection.close()
        if response.status >= 300:
            raise RemoteError(_message(body) or f"the server answered {response.status}")
        return body

    def json(self, path: str) -> Any:
        """A JSON answer to a GET."""
        return json.loads(self.request("GET", path))


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
