"""Who may come in: the token, the cookie that a browser gets for it, and where a request comes from.

Nothing here keeps the token in a form that a log line or an answer could hold, and every compare takes the same time
whatever it compares.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urlsplit

COOKIE = "reconnectingpty"
MAX_LOGINS = 1000
LOGIN_SECONDS = 12 * 3600


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


class Auth:
    """The door. `token` None: everybody may come in (then only from this machine, see `config`)."""

    def __init__(self, token: str | None, origins: tuple[str, ...] = ()) -> None:
        self.origins = frozenset(origins)
        self._logins: OrderedDict[bytes, float] = OrderedDict()
        self._token: bytes | None = None
        self.change_token(token)

    def change_token(self, token: str | None) -> None:
        """Let in by another token from now on; logins by the old one end."""
        digest = None if token is None else _digest(token)
        if digest != self._token:
            self._token = digest
            self._logins.clear()

    @property
    def open(self) -> bool:
        """Whether everybody may come in."""
        return self._token is None

    def is_token(self, text: str) -> bool:
        """Whether this is the token."""
        return self._token is not None and hmac.compare_digest(_digest(text), self._token)

    def log_in(self) -> str:
        """A new cookie's value: a secret of its own, so that the token is in no browser's store."""
        value = secrets.token_urlsafe(32)
        self._logins[_digest(value)] = time.monotonic() + LOGIN_SECONDS
        while len(self._logins) > MAX_LOGINS:
            self._logins.popitem(last=False)
        return value

    def log_out(self, headers: Mapping[str, str]) -> None:
        """Forget the cookie of a request."""
        for value in _cookies(headers):
            self._logins.pop(_digest(value), None)

    def admits(self, headers: Mapping[str, str], token: str | None = None) -> bool:
        """Whether a request carries the token (by `Authorization: Bearer` or as `token`) or a cookie for it."""
        if self.open:
            return True
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(value.strip()):
            return True
        if token is not None and self.is_token(token):
            return True
        now = time.monotonic()
        return any(self._logins.get(_digest(value), 0.0) > now for value in _cookies(headers))

    def same_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from no page, from a page of this server, or from one of an allowed host."""
        if headers.get("sec-fetch-site") == "cross-site" and not self.origins:
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        host = urlsplit(origin).netloc.lower()
        return bool(host) and (host == headers.get("host", "").lower() or host in self.origins)

    def known_host(self, headers: Mapping[str, str], *, local: bool) -> bool:
        """Whether the Host header can be meant for this server.

        A foreign page can point a name of its own at loopback (DNS rebinding); its Host betrays it. Beyond loopback
        any name may be ours, and the token protects.
        """
        if not local:
            return True
        host = headers.get("host", "").lower()
        name = urlsplit(f"//{host}").hostname or ""
        if host in self.origins or name in self.origins or name in ("localhost", ""):
            return True
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            return name.endswith(".localhost")


def _cookies(headers: Mapping[str, str]) -> list[str]:
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    return [value for name, _, value in pairs if name == COOKIE][:8]
