"""A thousand cut connections during continuous output and input: nothing missing, nothing twice, the same shell."""

from __future__ import annotations

import asyncio
import json
import random
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed

from reconnectingpty import State

from ..support.serving import Serving, serving

CUTS = 1000
PROGRAM = "stty raw -echo; echo -n 'ready;'; exec cat"


class Client:
    """A client of v1 that is cut off again and again. What it types comes back as output."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.typed = bytearray()
        self.acknowledged = 0
        self.sent = 0
        self.output = bytearray()
        self.offset = 0
        self.epoch: str | None = None
        self.query = ""
        self.finishing = False
        self.greeted = asyncio.Event()

    async def once(self, s: Serving, seconds: float | None = None) -> None:
        """One connection, cut at a random moment, in whatever it is doing."""
        where = f"&epoch={self.epoch}&offset={self.offset}" if self.epoch else self.query
        self.greeted.clear()
        socket = await s.connect(f"reconnect=x&client=me{where}")
        try:
            async with asyncio.timeout(self.rng.uniform(0.0, 0.02) if seconds is None else seconds):
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._hear(socket))
                    both.create_task(self._type(socket))
        except* (TimeoutError, ConnectionClosed):
            pass
        finally:
            socket.transport.abort()
            await socket.wait_closed()

    async def _hear(self, socket) -> None:  # type: ignore[no-untyped-def]
        while True:
            frame = await socket.recv()
            if isinstance(frame, bytes):
                self.output += frame
                self.offset += len(frame)
                await socket.send(json.dumps({"type": "ack", "offset": self.offset}))
            else:
                self._told(json.loads(frame))

    def _told(self, message: dict) -> None:
        if message["type"] == "hello":
            assert self.epoch in (None, message["epoch"])
            assert (message["snapshot"], message["offset"]) == (0, self.offset)
            self.epoch = message["epoch"]
            self.greeted.set()
            self.acknowledged = self.sent = message["input_offset"]
            assert self.acknowledged <= len(self.typed)
        elif message["type"] == "ack":
            self.acknowledged = max(self.acknowledged, message["input_offset"])
        assert message["type"] != "resync"

    async def _type(self, socket) -> None:  # type: ignore[no-untyped-def]
        # Only the hello says from where on to type; and the program has to be ready for it.
        await self.greeted.wait()
        while not self.output:
            await asyncio.sleep(0.001)
        while True:
            if self.sent == len(self.typed) and not self.finishing:
                self.typed += b"%d," % self.rng.getrandbits(60)
            part = bytes(self.typed[self.sent : self.sent + self.rng.randint(1, 500)])
            if part:
                await socket.send(part)
                self.sent += len(part)
            await asyncio.sleep(0)


async def test_nothing_is_lost_or_repeated_over_a_thousand_cuts() -> None:
    client = Client(random.Random(20261120))
    async with serving() as s:
        client.query = f"&command={quote(PROGRAM)}"
        # Who was cut before the hello knows no epoch, and would be given a picture.
        while not client.output:
            await client.once(s, 2.0)
        session = s.server.sessions.get("x")
        assert session is not None
        await session.wait(State.READY)
        pid = session.info().pid
        for _ in range(CUTS):
            await client.once(s)
        client.finishing = True
        async with asyncio.timeout(60):
            while len(client.output) - client.output.find(b";") - 1 < len(client.typed):
                await client.once(s)
        ready, _, echoed = bytes(client.output).partition(b";")
        assert ready.startswith(b"ready")
        assert echoed == bytes(client.typed)
        assert len(client.typed) > 100_000
        assert session.info().pid == pid
