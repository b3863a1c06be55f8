"""The program itself, killed again and again: its sessions in GNU screen go on, and whoever comes back finds them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from ..screen.homes import alive, nothing_is_left
from ..support.attached import PATIENCE

SESSIONS = 20
KILLS = 10
TOKEN = "a-token-of-tests"
# Counts the lines it gets, and goes on with a job of its own meanwhile.
SHELL = "sleep 1000 & echo shell $$ job $!; n=0; while read line; do n=$((n+1)); echo line $n; done"


class Program:
    """The server as a process of its own, started anew on the same port each time."""

    def __init__(self) -> None:
        self.port = 0
        self.process: asyncio.subprocess.Process

    async def start(self) -> None:
        """Start it; returns when it listens."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", "serve", "--allow-command", "--token", TOKEN),
            *("--listen", f"127.0.0.1:{self.port}", "--backend", "screen"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE * 2):
            link = (await self.process.stdout.readline()).decode()
        self.port = int(link.rstrip("/\n").rpartition(":")[2])

    async def stop(self, number: signal.Signals) -> None:
        """Signal it, and wait until it is gone."""
        self.process.send_signal(number)
        await self.process.wait()

    def connect(self, session: str, **query: str) -> connect:
        """A client of a session."""
        asked = urlencode({"reconnect": session, "width": 80, "height": 24, "command": SHELL} | query)
        return connect(
            f"ws://127.0.0.1:{self.port}/pty?{asked}",
            subprotocols=["reconnectingpty.v1"],  # type: ignore[list-item]
            additional_headers={"Authorization": f"Bearer {TOKEN}"},
            proxy=None,
            compression=None,
        )


@asynccontextmanager
async def program() -> AsyncIterator[Program]:
    """A server that is running, and ended after the test."""
    running = Program()
    await running.start()
    try:
        yield running
    finally:
        if running.process.returncode is None:
            await running.stop(signal.SIGTERM)


class Person:
    """Somebody at a session, who sees what it shows."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.shown = b""
        self.epoch = ""
        self.pids: list[int] = []

    async def look(self, socket: ClientConnection, text: bytes) -> None:
        """Look on until something is shown."""
        while text not in self.shown:
            async with asyncio.timeout(PATIENCE):
                frame = await socket.recv()
            if isinstance(frame, bytes):
                self.shown += frame
            else:
                message: dict[str, Any] = json.loads(frame)
                if message["type"] == "hello":
                    self.epoch = message["epoch"]
                    self.shown = b""

    async def type_line(self, program: Program, number: int) -> None:
        """Attach, type a line, and see that it was the `number`th which this shell has got."""
        async with program.connect(self.session, **({"epoch": self.epoch, "offset": "7"} if self.epoch else {})) as at:
            await self.look(at, b"shell ")
            await self.look(at, b"\r\n")
            await at.send(b"x\r")
            await self.look(at, b"line %d\r\n" % number)
            words = self.shown.partition(b"shell ")[2].partition(b"\r\n")[0].split()
            pids = [int(words[0]), int(words[2])]
            assert self.pids in ([], pids)
            self.pids = pids


@pytest.mark.timeout(300)
async def test_twenty_sessions_survive_ten_sigkills_of_the_server() -> None:
    people = [Person(f"session-{number}") for number in range(SESSIONS)]
    async with program() as server:
        for number in range(1, KILLS + 2):
            await asyncio.gather(*(person.type_line(server, number) for person in people))
            assert all(alive(pid) for person in people for pid in person.pids)
            if number <= KILLS:
                await server.stop(signal.SIGKILL)
                assert all(alive(pid) for person in people for pid in person.pids)
                await server.start()
        await server.stop(signal.SIGTERM)
    # The orderly end of the server is that of its sessions.
    assert not [pid for person in people for pid in person.pids if alive(pid)]
    await nothing_is_left()


async def test_a_client_that_is_there_when_the_server_is_killed_sees_the_same_shell_go_on() -> None:
    person = Person("watched")
    async with program() as server:
        socket = await server.connect(person.session)
        await person.look(socket, b"shell ")
        await person.look(socket, b"\r\n")
        await server.stop(signal.SIGKILL)
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
        await server.start()
        with suppress(InvalidHandshake):
            await person.type_line(server, 1)
        assert all(alive(pid) for pid in person.pids)
        assert len(person.pids) == 2


async def test_a_session_that_ended_meanwhile_is_told_as_gone_and_not_started_anew() -> None:
    person = Person("ended")
    async with program() as server:
        await person.type_line(server, 1)
        await server.stop(signal.SIGKILL)
        for pid in person.pids:
            os.kill(pid, signal.SIGKILL)
        await server.start()
        async with server.connect(person.session, epoch=person.epoch, offset="7") as socket:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4004
