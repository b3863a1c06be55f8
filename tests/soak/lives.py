"""What sessions go through: each coroutine is one session's life, and checks all that it sees of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed

from ..support.program import Program
from ..support.serving import Told

MARK = f"soak-{os.getpid()}"
"""What the ids of this run's sessions begin with; another run on this machine has its own."""
RAW = "stty raw -echo; printf ready; "
NUMBERS = "".join(f"{number}\n" for number in range(1, 20_001)).encode()


@dataclass
class Soak:
    """One worker's part: a server, chance, and what came of it."""

    server: Program
    chance: Random
    name: str
    lives: Counter[str] = field(default_factory=Counter)

    async def pause(self) -> None:
        """As a person does."""
        await asyncio.sleep(self.chance.uniform(0.1, 2.0))

    def data(self) -> bytes:
        """What is typed or pasted. Printable: of other bytes some, echoed, would ask the terminal for an answer."""
        return bytes(self.chance.choices(range(32, 127), k=self.chance.choice((1, 1, 1, 5, 80, 5000))))

    async def go_on(self, until: float) -> None:
        """Live one life after the other."""
        clock = asyncio.get_running_loop().time
        number = 0
        while clock() < until:
            life = self.chance.choice(LIVES)
            number += 1
            await life(self, f"{MARK}-{self.name}-{number}")
            self.lives[life.__name__] += 1


async def typed_at(soak: Soak, session: str) -> None:
    """Typed at, resized, left in good and in bad manner, come back to; ended by its client."""
    offset, epoch, sent, seen = 0, "", b"", b""
    for turn in range(soak.chance.randint(1, 4)):
        query = f"reconnect={session}&client=c&width=80&height=24"
        query += f"&epoch={epoch}&offset={offset}" if turn else f"&command={quote(RAW + 'exec cat')}"
        async with soak.server.connect(query) as socket:
            told = Told(socket)
            hello = await told.until_told("hello")
            assert (hello["offset"], hello["snapshot"]) == (offset, 0), hello
            epoch = hello["epoch"]
            if not turn:  # the terminal is raw from here on
                await told.until(b"ready")
            # What did not arrive before the connection broke is typed again, as clients do.
            await socket.send(sent[hello["input_offset"] :])
            for _ in range(soak.chance.randint(0, 3)):
                data = soak.data()
                sent += data
                await socket.send(data)
                await told.say(type="resize", rows=soak.chance.randint(2, 60), cols=soak.chance.randint(2, 200))
                if soak.chance.random() < 0.5:
                    await soak.pause()
            if soak.chance.random() < 0.5:
                while len(seen) + len(told.output) < len(b"ready" + sent):
                    await told.next()
                    assert told.close is None, told.close
            else:  # the network breaks
                socket.transport.abort()
            seen += told.output
            offset = len(seen)
            assert seen == (b"ready" + sent)[:offset], (turn, hello, seen[-200:])
        await soak.pause()
    async with soak.server.connect(f"reconnect={session}&client=other") as socket:
        told = Told(socket)
        await told.until_told("hello")
        await told.say(type="kill")
        assert (await told.to_the_end())[0] == 4001


async def flooded(soak: Soak, session: str) -> None:
    """Writes much and ends by itself; all of it arrives, and then the end with its status."""
    status = soak.chance.randint(0, 200)
    command = f"stty raw -echo; seq 20000; exit {status}"
    async with soak.server.connect(f"reconnect={session}&command={quote(command)}") as socket:
        told = Told(socket)
        assert (await told.to_the_end())[0] == 1000
        assert told.told("exit")[0]["code"] == status
        assert hashlib.md5(told.output).digest() == hashlib.md5(NUMBERS).digest(), len(told.output)


async def floods_nobody(soak: Soak, session: str) -> None:
    """Floods while nobody looks and while somebody does who takes nothing; killed by the API."""
    async with soak.server.connect(f"reconnect={session}&command={quote('printf ready; exec yes')}") as socket:
        told = Told(socket)
        await told.until(b"ready")
        if soak.chance.random() < 0.5:
            socket.transport.abort()
        await soak.pause()
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(soak.server.request("DELETE", f"/api/sessions/{session}"))
            await soak.pause()
            socket.transport.abort()
        assert ending.result()[0] == 204


async def left_alone(soak: Soak, session: str) -> None:
    """Left behind, with a child that hides in a kernel session of its own; ended by its timeout."""
    command = "setsid sleep 1000 & printf ready; exec cat"
    async with soak.server.connect(f"reconnect={session}&command={quote(command)}") as socket:
        await Told(socket).until(b"ready")
        if soak.chance.random() < 0.5:
            socket.transport.abort()
    await soak.pause()


async def dies(soak: Soak, session: str) -> None:
    """Killed from within, while several look on; all are told."""
    async with (
        soak.server.connect(f"reconnect={session}&command={quote(RAW + 'read -r -n 1; kill -9 $$')}") as first,
        soak.server.connect(f"reconnect={session}&readonly=1") as second,
        soak.server.connect(f"reconnect={session}", v1=False) as third,
    ):
        lookers = [Told(first), Told(second)]
        for told in lookers:
            await told.until_told("hello")
        await lookers[0].until(b"ready")
        await first.send(b"x")
        for told in lookers:
            assert (await told.to_the_end())[0] == 1000
            assert told.told("exit")[0]["signal"] == 9
        with suppress(ConnectionClosed):
            while True:
                await third.recv()


async def cannot_start(soak: Soak, session: str) -> None:
    """Made by the API and never attached to, ended; and one whose interpreter there is not."""
    body = b'{"id":"%b","rows":30,"cols":90}' % session.encode()
    assert (await soak.server.request("POST", "/api/sessions", body))[0] == 201
    ended = (await soak.server.request("DELETE", f"/api/sessions/{session}"))[0]
    assert ended in (204, 404)  # on a busy machine its timeout may have come first
    async with soak.server.connect(f"reconnect={session}-b&command={quote('#!/no/such/interpreter')}") as socket:
        assert (await Told(socket).to_the_end())[0] == 1011


async def pictured(soak: Soak, session: str) -> None:
    """Draws, is looked at as a picture, as text and in the list, attached to once more from nothing, ended."""
    script = "printf '\\033[2J\\033[5;5Hpicture\\033[1;31m red\\033[0m'; tput smcup; printf '\\033[Hdone'; exec cat"
    async with soak.server.connect(f"reconnect={session}&command={quote(script)}") as socket:
        await Told(socket).until(b"done")
        assert b"done" in (await soak.server.request("GET", f"/api/sessions/{session}/screen"))[2]
        async with soak.server.connect(f"reconnect={session}") as second:
            assert b"done" in await Told(second).until(b"done")
        await soak.pause()
        assert (await soak.server.request("DELETE", f"/api/sessions/{session}"))[0] == 204


LIVES: tuple[Callable[[Soak, str], Awaitable[None]], ...] = (
    typed_at, typed_at, flooded, floods_nobody, left_alone, dies, cannot_start, pictured,
)  # fmt: skip
