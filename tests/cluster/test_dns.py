"""A node that is known by its host's name: it may start again under another address, as in Kubernetes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..support.attached import PATIENCE
from ..support.serving import Told, serving
from .routing import free_ports, routing

A, IN, ANSWER = 1, 1, 0x8180


class Names(asyncio.DatagramProtocol):
    """A name server that has one address for every name, which may be changed."""

    def __init__(self, address: str) -> None:
        self.address = address

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        """Answer a question (RFC 1035, 4.1)."""
        end = data.index(b"\0", 12) + 5
        question, kind = data[12:end], int.from_bytes(data[end - 4 : end - 2])
        record = b"\xc0\x0c" + b"".join(n.to_bytes(2) for n in (A, IN, 0, 1, 4)) + socket.inet_aton(self.address)
        records = [record] if kind == A else []
        counts = b"".join(n.to_bytes(2) for n in (1, len(records), 0, 0))
        self.transport.sendto(data[:2] + ANSWER.to_bytes(2) + counts + question + b"".join(records), sender)


@asynccontextmanager
async def names(address: str) -> AsyncIterator[tuple[Names, str]]:
    """A name server, and where it is."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: Names(address), ("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield server, f"{host}:{port}"
    finally:
        transport.close()


async def test_a_node_is_followed_to_another_address(tmp_path: Path) -> None:
    port = free_ports(1)[0].port
    more = {"node": "a", "trusted_proxy": ["127.0.0.1"]}
    async with (
        names("127.0.0.2") as (server, where),
        routing(tmp_path, {"a": f"a.nodes.test:{port}"}, nameservers=[where], gone_seconds=60) as router,
    ):
        for address in ("127.0.0.2", "127.0.0.3"):
            server.address = address
            async with serving(listen=[f"{address}:{port}"], **more) as node, asyncio.timeout(PATIENCE):
                while (await router.request("GET", "/pty?reconnect=a.work"))[
                    0
                ] != 426:  # it would, if it were an upgrade
                    await asyncio.sleep(0.05)
                async with router.connect("reconnect=a.work&command=cat") as terminal:
                    assert (await Told(terminal).until_told("hello"))["session"] == "a.work"
                assert len(node.server.sessions) == 1
