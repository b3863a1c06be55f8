"""One connection to a server, a WebSocket that speaks `reconnectingpty.v1`. Nobody else here knows `websockets`."""

from __future__ import annotations

import ssl
from typing import Any

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Response
from websockets.typing import Subprotocol

from ..wire import v1
from ..wire.close import CloseCode
from .address import Address
from .refusal import refusal

MAX_FRAME = 4 << 20
"""Bytes of one message; a server's longest have a quarter of a MiB."""
TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504))
"""What HTTP answers where another attempt may succeed."""
CLOSE_SECONDS = 2.0


class Refused(Exception):
    """No connection: `status` is what HTTP answered, None where nobody did; `transient` where that may change."""

    def __init__(self, message: str, *, status: int | None = None, transient: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient


class Broken(Exception):
    """The connection has ended, with `code` and `reason`; or there was none, and HTTP answered `status`."""

    def __init__(self, code: int, reason: str, status: int | None = None) -> None:
        super().__init__(reason or f"closed with {code}")
        self.code = code
        self.reason = reason
        self.status = status


class Socket:
    """An open connection."""

    __slots__ = ("_socket",)

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def open(
        cls, address: Address, query: str, *, tls: ssl.SSLContext | None, timeout: float, heartbeat: float | None
    ) -> Socket:
        """Connect within `timeout` seconds. A ping every `heartbeat` seconds finds out whether anybody is there.

        Raises Refused.
        """
        settings: dict[str, Any] = {
            "subprotocols": [Subprotocol(v1.SUBPROTOCOL)],
            "additional_headers": address.headers,
            "compression": None,
            "max_size": MAX_FRAME,
            "open_timeout": timeout,
            "ping_interval": heartbeat,
            "ping_timeout": heartbeat,
            "close_timeout": CLOSE_SECONDS,
            "user_agent_header": None,
            "proxy": None,
        }
        if tls is not None:
            settings["ssl"] = tls
        url = address.websocket(query)
        try:
            socket = await (unix_connect(address.path, url, **settings) if address.path else connect(url, **settings))
        except InvalidStatus as error:
            status = error.response.status_code
            raise Refused(_told(error.response), status=status, transient=status in TRANSIENT) from None
        except (InvalidURI, UnicodeError) as error:
            raise Refused(address.unreachable(error), transient=False) from None
        except (OSError, EOFError, InvalidHandshake, TimeoutError) as error:
            raise Refused(address.unreachable(error)) from None
        if socket.subprotocol != v1.SUBPROTOCOL:
            socket.transport.abort()
            await socket.wait_closed()
            raise Refused(f"the server at {address} does not speak {v1.SUBPROTOCOL}", transient=False)
        return cls(socket)

    async def send(self, frame: str | bytes) -> None:
        """Hand a frame to the transport. Raises Broken."""
        try:
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise _broken(error) from None

    async def receive(self) -> str | bytes:
        """The next frame. Raises Broken."""
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise _broken(error) from None

    async def leave(self, code: int = CloseCode.ENDED) -> None:
        """Close it as one should, if the peer does its part soon."""
        await self._socket.close(code)

    async def cut(self) -> None:
        """Close it at once."""
        self._socket.transport.abort()
        await self._socket.wait_closed()


def _broken(error: ConnectionClosed) -> Broken:
    if error.rcvd is not None:
        return Broken(error.rcvd.code, error.rcvd.reason)
    # What this side closed because the other was silent, or sent what can't be, is a connection that just broke.
    reason = error.sent.reason if error.sent is not None else "connection lost"
    return Broken(CloseCode.ABNORMAL, reason)


def _told(response: Response) -> str:
    """What a server says of its refusal."""
    said = refusal(bytes(response.body or b""))
    return said or f"the server answered {response.status_code} {response.reason_phrase}".rstrip()
