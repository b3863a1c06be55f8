"""Proxies that may say who is behind them: addresses that were listed, and no others."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

from ..exchange import Request
from ..peers import plain_address

MAX_HOPS = 16
UNIX = "unix"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse(text: str) -> Network | None:
    """An address or network; None for `unix`, which is whoever may connect to a Unix socket. Raises ValueError."""
    if text == UNIX:
        return None
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped  # what `plain_address` makes of the addresses in it
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


class Proxies:
    """The trusted ones."""

    def __init__(self, trusted: Iterable[Network | None] = ()) -> None:
        self._trusted = tuple(trusted)

    def seen(self, request: Request) -> Request:
        """The request as its client made it: who that was, and how it came, where a trusted proxy tells.

        Of X-Forwarded-For the last address that is no trusted proxy counts: what stands before it anybody can write.
        """
        if not self._trusted or not self.trust(request.address):
            return request
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")][-MAX_HOPS:]
        peer = request.peer
        for hop in reversed(hops):
            address = _bare(hop)
            if address is None:
                break
            peer = address
            if not self.trust(address):
                break
        secure = request.headers.get("x-forwarded-proto", "").lower() in ("https", "wss")
        return replace(request, peer=peer, secure=secure, local=False, proxy=request.address)

    def trust(self, address: str) -> bool:
        """Whether that is one of them."""
        if address == UNIX:
            return None in self._trusted
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(network is not None and parsed in network for network in self._trusted)


def _bare(hop: str) -> str | None:
    """An address as a proxy writes it, without port and brackets; None for what is none."""
    text = hop.strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return plain_address(text)
    except ValueError:
        return None
