"""The server as its commands see it: where it is, and its HTTP interface."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from reconnectingpty.client import Address, AddressError


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


class Remote(Address):
    """A server's address and token, and requests to it."""

    __slots__ = ()

    @classmethod
    def of(cls, url: str | None = None, token: str | None = None, token_file: str | None = None) -> Remote:
        """The server meant: by URL or printed link, by $RECONNECTINGPTY_URL, or the one that runs here."""
        if token is None and token_file:
            try:
                token = Path(token_file).read_text().strip()
            except OSError as error:
                raise RemoteError(f"--token-file: cannot read {token_file}: {error.strerror}") from None
        try:
            return super().of(url, token)
        except AddressError as error:
            raise RemoteError(f"--url: {error}") from None

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
            target = self.prefix + path + (f"?{urlencode(query)}" if query else "")
            connection.request(method, target, headers=self.headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise RemoteError(f"cannot reach a server at {self}: {error}") from None
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
