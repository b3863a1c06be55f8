"""A new session's id: the server's to give, since where there are several it says which of them has the session."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
from contextlib import suppress

from .address import Address

MOST = 16 << 10
"""Bytes of an answer that are read."""


async def new_session(address: Address, *, tls: ssl.SSLContext | None, timeout: float) -> str:
    """An id that no session has yet. Where the server gives none, connecting will tell what is wrong."""
    with suppress(OSError, EOFError, asyncio.LimitOverrunError, ValueError, LookupError, TypeError):
        async with asyncio.timeout(timeout):
            return str(json.loads(await _answer(address, "/api/node", tls))["session"])
    return secrets.token_urlsafe(18).lstrip("-_")


async def _answer(address: Address, path: str, tls: ssl.SSLContext | None) -> bytes:
    """The body of what is answered to a GET. Raises OSError, EOFError, LimitOverrunError, ValueError, LookupError."""
    if address.path:
        reader, writer = await asyncio.open_unix_connection(address.path)
    else:
        secure = (tls or True) if address.secure else None
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=secure)
    try:
        headers = {"Host": address.netloc, "Connection": "close"} | address.headers
        lines = [f"GET {address.prefix}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        first, *told = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = dict(line.lower().split(": ", 1) for line in told if line)["content-length"]
        if first.split()[1] != "200" or int(length) > MOST:
            raise ValueError(first)
        return await reader.readexactly(int(length))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
