"""Clients that know Coder's two streams and nothing of ours, so that what passes here passes for Coder's own."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from reconnectingpty_server.values import Address

from ..support.attached import PATIENCE
from ..support.serving import Serving, serving

SHELL = "bash --norc --noprofile"
PROMPT = re.compile(rb"[#$] ")
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78c])")


def plain(output: bytes) -> list[str]:
    """Output by lines, without escape sequences."""
    return _ESCAPES.sub(b"", output).decode(errors="replace").replace("\r", "").split("\n")


class Client(ABC):
    """A connection to a session; `output` is all it was sent, as it came."""

    def __init__(self) -> None:
        self.output = b""
        self.ended = False

    @abstractmethod
    async def say(self, **request: Any) -> None:
        """One request: `data`, `height` and `width`."""

    @abstractmethod
    async def receive(self) -> bytes:
        """The next output; nothing at the end."""

    @abstractmethod
    async def close(self) -> None:
        """Leave."""

    async def type(self, text: str) -> None:
        await self.say(data=text)

    async def _more(self) -> None:
        async with asyncio.timeout(PATIENCE):
            data = await self.receive()
        self.ended = not data
        self.output += data

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Take output until the condition holds."""
        while not condition():
            assert not self.ended, (what, self.output[-1000:])
            try:
                await self._more()
            except TimeoutError:
                raise AssertionError((what, self.output[-1000:])) from None

    async def shows(self, text: bytes) -> bytes:
        """Take output until it holds this."""
        await self.until(lambda: text in self.output, repr(text))
        return self.output

    async def prompt(self) -> None:
        """Take output until there is a prompt."""
        await self.until(lambda: PROMPT.search(self.output), "a prompt")

    async def line(self, matches: Callable[[str], bool], what: str) -> None:
        """Take output until one of its whole lines does."""
        await self.until(lambda: any(map(matches, self.lines[:-1])), what)

    @property
    def lines(self) -> list[str]:
        """What was shown, by lines, without escape sequences."""
        return plain(self.output)

    async def to_the_end(self) -> bytes:
        """All output, when the other side has closed the connection."""
        while not self.ended:
            await self._more()
        return self.output


class AgentClient(Client):
    """The agent stream: an init with its length before it, JSON requests up, bytes down."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self.reader = reader
        self.writer = writer

    async def say(self, **request: Any) -> None:
        await self.write(json.dumps(request).encode())

    async def write(self, data: bytes) -> None:
        """Bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self) -> bytes:
        return await self.reader.read(1 << 16)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


class SocketClient(Client):
    """The WebSocket that coderd's clients use: no subprotocol, JSON requests in binary messages."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__()
        self.socket = socket

    async def say(self, **request: Any) -> None:
        await self.socket.send(json.dumps(request).encode())

    async def receive(self) -> bytes:
        try:
            message = await self.socket.recv()
        except ConnectionClosed:
            return b""
        assert isinstance(message, bytes)
        return message

    async def close(self) -> None:
        await self.socket.close()


def init(session: str, rows: int, cols: int, command: str, backend: str, container: str = "") -> bytes:
    """An init, as Coder's client writes it."""
    body = json.dumps(
        {
            "ID": session,
            "Height": rows,
            "Width": cols,
            "Command": command,
            "Container": container,
            "ContainerUser": "",
            "BackendType": backend,
        }
    ).encode()
    return len(body).to_bytes(2, "little") + body


@dataclass
class Coder:
    """A running server, and how to get to it: by which transport, for which backend."""

    serving: Serving
    agent: Address
    transport: str
    backend: str
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def attach(
        self, session: str | None = None, command: str = SHELL, rows: int = 24, cols: int = 80, container: str = ""
    ) -> Client:
        """A client of a session, by default of a new one."""
        session = session or str(uuid.uuid4())
        client: Client
        if self.transport == "agent":
            reader, writer = await asyncio.open_connection(self.agent.host, self.agent.port)
            client = AgentClient(reader, writer)
            await client.write(init(session, rows, cols, command, self.backend, container))
        else:
            asked = {"reconnect": session, "height": rows, "width": cols, "command": command}
            asked |= {"backend_type": self.backend, "container": container}
            path = f"/api/v2/workspaceagents/{uuid.uuid4()}/pty"
            client = SocketClient(await self.serving.connect(urlencode(asked), v1=False, path=path, close_timeout=1))
        self._open.push_async_callback(client.close)
        return client

    async def sessions(self) -> list[dict[str, Any]]:
        """What the server tells of its sessions."""
        return list((await self.serving.json("/api/sessions"))["sessions"])

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples with this beginning."""
        text = (await self.serving.request("GET", "/metrics"))[2].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    async def nobody_is_attached(self) -> None:
        """Wait until every connection is gone from the server's accounts."""
        async with asyncio.timeout(PATIENCE):
            while self.serving.server.conn_count():
                await asyncio.sleep(0.01)

    async def no_session_is_left(self) -> None:
        """Wait until every session is."""
        async with asyncio.timeout(PATIENCE):
            while self.serving.server.sessions or self.serving.server.sessions._all:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def coder(transport: str, backend: str, **flags: Any) -> AsyncIterator[Coder]:
    """A server for one test, with this transport and backend."""
    async with serving(backend=backend, **flags) as served:
        agent = await served.server.listen_agent(Address("127.0.0.1", 0))
        made = Coder(served, agent, transport, backend)
        async with made._open:
            yield made
