"""The server as its commands see it: where it is, and its HTTP interface."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from reconnectingpty.client import Address, AddressError
from reconnectingpty.client.refusal import refusal


class RemoteError(Exception):
    """The server can't be reached, or refused; the message is one line for the user."""


class _Told(dict[str, Any]):
    """A JSON answer, which has what is asked of it, or is a stranger's."""

    def __init__(self, fields: dict[str, Any], stranger: RemoteError) -> None:
        super().__init__(fields)
        self._stranger = stranger

    def __missing__(self, _: str) -> Any:
        raise self._stranger


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Remote(Address):
    """A server's address, what lets one in there, and requests to it."""

    link: str = ""
    """The link by which one comes as a guest; "" for everybody else."""
    cookie: str = field(default="", repr=False)
    """What such a guest shows."""

    @classmethod
    def of(cls, url: str | None = None, token: str | None = None, token_file: str | None = None) -> Remote:
        """The server meant: by URL or printed link, by $RECONNECTINGPTY_URL, or the one that runs here.

        A link that was shared is traded in for what lets its guests in. Raises RemoteError.
        """
        if token is None and token_file:
            try:
                token = Path(token_file).read_text().strip()
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is no text"
                raise RemoteError(f"--token-file: cannot read {token_file}: {why}") from None
        try:
            remote = super(Remote, cls).of(url, token)
        except AddressError as error:
            raise RemoteError(str(error)) from None
        url = url or os.environ.get("RECONNECTINGPTY_URL") or ""
        shared = parse_qs(url.partition("#")[2]).get("share")
        return remote._as_guest(shared[0]) if shared and not token else remote

    def _as_guest(self, shared: str) -> Remote:
        host = replace(self, token=None)
        answer, headers = host._exchange("POST", "/api/login", json.dumps({"share": shared}).encode(), {})
        told = host._told(answer)
        cookie = headers.get("set-cookie", "").partition(";")[0]
        return replace(host, link=told["link"], cookie=cookie, session=told["session"])

    @property
    def headers(self) -> dict[str, str]:
        """What lets a request in."""
        return {"Cookie": self.cookie} if self.link else super(Remote, self).headers

    def websocket(self, query: str) -> str:
        """The address of a terminal."""
        return super(Remote, self).websocket(f"{query}&{urlencode({'link': self.link})}" if self.link else query)

    def request(self, method: str, path: str, body: bytes | None = None, **query: str) -> bytes:
        """The body of a successful answer. Raises RemoteError."""
        return self._exchange(method, path, body, query | ({"link": self.link} if self.link else {}))[0]

    def _exchange(
        self, method: str, path: str, body: bytes | None, query: dict[str, str]
    ) -> tuple[bytes, http.client.HTTPMessage]:
        connection = self._connection()
        try:
            target = self.prefix + path + (f"?{urlencode(query)}" if query else "")
            kind = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, target, body, headers=self.headers | kind)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            raise RemoteError(self.unreachable(error)) from None
        finally:
            connection.close()
        if response.status >= 300:
            raise RemoteError(refusal(answer) or f"the server answered {response.status}")
        return answer, response.headers

    def _connection(self, tls: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
        if self.path:
            return _UnixConnection(self.path)
        if self.secure:
            return http.client.HTTPSConnection(self.host, self.port, timeout=30, context=tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def ask_whether_it_lives(self) -> None:
        """Ask for nothing but a sign of life: with no token, and whoever its certificate is for. Raises RemoteError."""
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        connection = self._connection(tls)
        try:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise RemoteError(self.unreachable(error)) from None
        finally:
            connection.close()
        if status != 200:
            raise RemoteError(f"the server at {self} answered {status}")

    def json(self, path: str) -> Any:
        """A JSON answer to a GET. Raises RemoteError."""
        return self._told(self.request("GET", path))

    def post(self, path: str, fields: dict[str, Any]) -> Any:
        """The JSON answer to a POST. Raises RemoteError."""
        return self._told(self.request("POST", path, json.dumps(fields).encode()))

    def _told(self, answer: bytes) -> _Told:
        stranger = RemoteError(f"what answers at {self} is something else than reconnectingpty")
        try:
            told = json.loads(answer)
        except ValueError:
            raise stranger from None
        if not isinstance(told, dict):
            raise stranger
        return _Told(told, stranger)

    def page(self, path: str) -> str:
        """A path of the server as an address for browsers."""
        if self.path:
            return path  # a Unix socket has none
        node = re.match(r"/node/[^/]+(?=/)", path)
        prefix = self.prefix.removesuffix(node[0]) if node is not None else self.prefix  # not the same node twice
        return f"{'https' if self.secure else 'http'}://{self.netloc}{prefix}{path}"
