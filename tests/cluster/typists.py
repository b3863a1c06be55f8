"""People at terminals behind a router: each types all the time, notes what breaks, and comes back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.exceptions import ConnectionClosed, InvalidStatus

from ..support.attached import PATIENCE
from ..support.serving import Remote, Told

PAUSE = 0.3
"""Seconds between two lines of one typist, about."""
GONE = 410
CUT = 1006


class Typist:
    """One client of one session that echoes: it starts the session once, and would notice if anything did so again."""

    def __init__(self, router: Remote, session: str) -> None:
        self.session = session
        self.epochs: set[str] = set()
        self.connections = 0
        self.lines = 0
        self.answers: Counter[int] = Counter()
        """What it was told when it came back and was not let in: statuses of HTTP, or codes of closing."""
        self._router = router
        self._random = random.Random(session)
        self._changed = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether it was told that there is no way to its session."""
        return any(code == GONE or code >= 4000 for code in self.answers)

    async def until(self, connections: int = 1, lines: int = 0) -> None:
        """Wait until it has been let in so often, and has typed so many lines that were echoed."""
        async with asyncio.timeout(PATIENCE):
            while self.connections < connections or self.lines < lines:
                self._changed.clear()
                await self._changed.wait()

    async def until_over(self) -> None:
        """Wait until it was told that there is no way to its session."""
        async with asyncio.timeout(PATIENCE):
            while not self.over:
                self._changed.clear()
                await self._changed.wait()

    async def work(self) -> None:
        """Type until there is no way to the session any more."""
        while not self.over:
            query = f"reconnect={self.session}" + "".join(f"&epoch={epoch}" for epoch in self.epochs)
            try:
                async with self._router.connect(query, open_timeout=PATIENCE) as socket:
                    await self._type(Told(socket))
            except InvalidStatus as error:
                self.answers[error.response.status_code] += 1
            except ConnectionClosed as error:
                self.answers[error.rcvd.code if error.rcvd is not None else CUT] += 1
            except OSError:
                self.answers[CUT] += 1
            self._changed.set()
            if not self.over:
                await asyncio.sleep(self._random.uniform(0.05, 0.2))

    async def _type(self, told: Told) -> None:
        while not told.told("hello"):
            await told.next()
            if told.close is not None:
                self.answers[told.close[0]] += 1
                return
        (hello,) = told.told("hello")
        assert hello["session"] == self.session
        self.epochs.add(hello["epoch"])
        self.connections += 1
        self._changed.set()
        while True:
            word = b"<%d>" % self.lines
            told.output = b""
            await told.socket.send(word + b"\n")
            while told.output.count(word) < 2 and told.close is None:  # the terminal's echo, and the program's
                await told.next()
            if told.close is not None:
                self.answers[told.close[0]] += 1
                return
            self.lines += 1
            self._changed.set()
            await asyncio.sleep(self._random.uniform(0, 2 * PAUSE))


@asynccontextmanager
async def typing() -> AsyncIterator[Typists]:
    """Typists who go home in the end; their sessions go on."""
    typists = Typists()
    try:
        yield typists
    finally:
        await typists.leave()


class Typists:
    """All of them, by where their sessions are."""

    def __init__(self) -> None:
        self.all: list[Typist] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, router: Remote, count: int) -> list[Typist]:
        """So many more, each with a new session where the router wants it."""
        new = []
        for _ in range(count):
            typist = Typist(router, (await router.json("/api/node"))["session"])
            self._tasks.append(asyncio.create_task(typist.work()))
            await typist.until()  # one after the other, so that the router counts each before the next
            new.append(typist)
        self.all += new
        return new

    def at(self, *nodes: str) -> list[Typist]:
        """Those with sessions on these nodes."""
        return [typist for typist in self.all if typist.session.partition(".")[0] in nodes]

    async def go_on(self, *nodes: str) -> None:
        """Wait until each of these nodes has echoed another line to every one of its typists."""
        await asyncio.gather(*(typist.until(lines=typist.lines + 2) for typist in self.at(*nodes)))

    async def leave(self) -> None:
        """They go home. Raises what went wrong with any of them."""
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in ends:
            if end is not None and not isinstance(end, asyncio.CancelledError):
                raise end
