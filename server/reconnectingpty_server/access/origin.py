"""Where a request comes from: which page, and under which name of this server."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit


class Origins:
    """Which pages may speak to this server, besides its own."""

    def __init__(self, hosts: tuple[str, ...] = ()) -> None:
        self.hosts = frozenset(hosts)

    def same(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from no page, from a page of this server, or from one of an allowed host."""
        if headers.get("sec-fetch-site") == "cross-site" and not self.hosts:
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        try:
            host = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return bool(host) and (host == headers.get("host", "").lower() or host in self.hosts)

    def known(self, headers: Mapping[str, str], *, local: bool) -> bool:
        """Whether the Host header can be meant for this server.

        A foreign page can point a name of its own at loopback (DNS rebinding); its Host betrays it. Beyond loopback
        any name may be ours, and the token protects.
        """
        if not local or "host" not in headers:
            return True
        host = headers["host"].lower()
        return _is_loopback_name(host) or host in self.hosts or _name(host) in self.hosts


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return "?"


@lru_cache(maxsize=256)
def _is_loopback_name(host: str) -> bool:
    name = _name(host)
    try:
        return name in ("localhost", "") or bool(ipaddress.ip_address(name))
    except ValueError:
        return name.endswith(".localhost")
