"""A large screen is asked for: it is drawn a little at a time, in the turns of the loop that others leave."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote_plus

from reconnectingpty_server.exchange import Request, Response

from ..support.serving import Serving
from .test_access import Person, town

COLOURS = """
for row in range(200):
    print("".join(f"\\x1b[38;5;{(row + column) % 256}m{column % 10}" for column in range(500)), end="", flush=True)
print("\\x1b[Hready", end="", flush=True)
input()
"""


@asynccontextmanager
async def large(tmp_path: Path) -> AsyncIterator[tuple[Serving, dict[str, Person]]]:
    """A server with a session `a` whose screen has a hundred thousand cells, each of another colour than the next."""
    (tmp_path / "colours.py").write_text(COLOURS)
    async with town(tmp_path) as (s, people):
        size = "width=500&height=200"
        command = quote_plus(f"exec {shlex.quote(sys.executable)} {tmp_path / 'colours.py'}")
        async with people["admin"].at(f"reconnect=a&{size}&command={command}") as told:
            while b"ready" not in told.output:
                await told.next()
                end = told.messages[0]["offset"] + len(told.output)
                await told.say(type="ack", offset=end)
            yield s, people


async def screen_for(s: Serving, person: Person) -> Response:
    """The screen, asked for without a network, whose reading takes turns of its own."""
    headers = {"host": str(s.address), "authorization": f"Bearer {person.token}"}
    query = {"format": ["ansi"]}
    return await s.server.answer(Request("GET", "/api/sessions/a/screen", query, headers, b"", "127.0.0.1:1", True))


async def test_a_large_screen_is_drawn_a_little_at_a_time(tmp_path: Path) -> None:
    async with large(tmp_path) as (s, people):
        session = s.server.sessions.get("a")
        assert session is not None
        whole = (await session.screen()).ansi().encode()
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        beside = asyncio.create_task(others())
        answer = await screen_for(s, people["vera"])
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
        assert (answer.status, answer.body) == (200, whole)
        assert turns > 8


async def test_one_party_has_one_screen_drawn_at_a_time(tmp_path: Path) -> None:
    async with large(tmp_path) as (s, people):
        done: list[str] = []

        async def ask(name: str) -> None:
            assert (await screen_for(s, people[name])).status == 200
            done.append(name)

        await asyncio.gather(*(ask(name) for name in ["vera"] * 5 + ["admin"]))
        # It waits for none but the one that is drawn at the same time.
        assert done.index("admin") <= 2
        assert len(s.server.terminals.drawing) == 0
