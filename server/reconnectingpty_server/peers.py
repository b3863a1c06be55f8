"""How peers are named: each by one address, however it came in. Pure; whoever reads an address first asks here."""

from __future__ import annotations

import ipaddress


def plain_address(text: str) -> str:
    """An IP address as it is written and compared everywhere here. Raises ValueError.

    A listener for both kinds of addresses sees an IPv4 client's as an IPv6 one (RFC 4291, 2.5.5.2), and so may a proxy;
    it is to be the same client, and the same proxy, wherever it came in.
    """
    address = ipaddress.ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def peer_name(peer: object) -> str:
    """Who is at the other end, of a transport's `peername`: `address:port`, or `unix`."""
    if not isinstance(peer, tuple):
        return "unix"
    address = plain_address(peer[0])
    return f"[{address}]:{peer[1]}" if ":" in address else f"{address}:{peer[1]}"
