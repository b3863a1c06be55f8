"""A page of somebody else's, in the browser of somebody who is logged in: a real Chromium, with the real cookies.

The page lies on another port of the same host, to which browsers send even cookies that are SameSite=Strict, and on
another host, under a name that is made to mean this machine.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ..browser.driving import SHELL, Person, browser
from ..support.attached import PATIENCE
from ..support.serving import TOKEN, serving
from .beside import under_attack

pytestmark = [
    pytest.mark.timeout(180),
    # What the browser's driver leaves to the garbage collector is its own.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

ELSEWHERE = "evil.example"
REBOUND = f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"
TRIES = """async ([target, mark]) => {
  const body = JSON.stringify({ id: 'made', command: `touch ${mark}` });
  const asked = (path, how) => fetch(target + path, { credentials: 'include', ...how })
    .then(async (answer) => answer.type + ' ' + await answer.text()).catch(() => 'refused');
  const loaded = (kind, attributes) => new Promise((done) => {
    const element = Object.assign(document.createElement(kind), attributes);
    element.onload = () => done('loaded');
    element.onerror = () => done('refused');
    document.body.append(element);
  });
  const socket = (path, protocols) => new Promise((done) => {
    const one = new WebSocket(target.replace('http', 'ws') + path, protocols);
    one.onopen = () => done('open');
    one.onerror = () => done('refused');
  });
  const opened = window.open(`${target}/?session=victim`);
  await new Promise((done) => setTimeout(done, 500));
  return {
    socket: await socket(`/pty?reconnect=made&command=touch+${mark}`, ['reconnectingpty.v1']),
    coder: await socket('/pty?reconnect=victim', []),
    list: await asked('/api/sessions'),
    screen: await asked('/api/sessions/victim/screen'),
    start: await asked('/api/sessions', { method: 'POST', body, mode: 'no-cors' }),
    end: await asked('/api/sessions/victim', { method: 'DELETE' }),
    logout: await asked('/api/logout', { method: 'POST', mode: 'no-cors' }),
    ticket: await asked('/api/tickets', { method: 'POST', mode: 'no-cors' }),
    script: await loaded('script', { src: `${target}/api/sessions` }),
    image: await loaded('img', { src: `${target}/api/sessions/victim/screen` }),
    frame: await loaded('iframe', { src: `${target}/?session=victim` }),
    window: opened === null || opened.closed || opened.length === 0 ? 'out of reach' : 'held',
  };
}"""


@asynccontextmanager
async def hostile_page() -> AsyncIterator[int]:
    """The port of a server that has a page with nothing on it, and takes note of nothing."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><title>Win a prize</title><body></body>"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("host", ["127.0.0.1", ELSEWHERE])
async def test_it_reaches_nothing_of_a_server_whose_user_it_has_before_it(tmp_path: Path, host: str) -> None:
    mark = tmp_path / "mark"
    shell = ("--command", SHELL)
    async with under_attack(*shell) as server, hostile_page() as port, browser(REBOUND) as chromium:
        person = Person(chromium)
        own = await person.open(f"{server.http}/?session=victim&test=1#token={TOKEN}")
        await own.until_text("$")
        foreign = await person.open(f"http://{host}:{port}/")
        async with asyncio.timeout(PATIENCE):
            found: dict[str, Any] = await foreign.page.evaluate(TRIES, [server.http, str(mark)])
        reached = {what: how for what, how in found.items() if how not in _NOTHING}
        assert reached == {}
        # A frame that may not be shown is an error page of the browser's own, or nothing.
        assert [frame.url for frame in foreign.page.frames[1:]] in (["chrome-error://chromewebdata/"], [""])
        assert {one["id"] for one in (await server.json("/api/sessions"))["sessions"]} == {"honest", "victim"}
        assert not mark.exists()
        await own.type("echo still he''re\n")
        await own.until_text("still here")
        await own.page.reload()
        await own.until_state("open")


_NOTHING = ("refused", "out of reach", "opaque ", "loaded")
"""`opaque` is an answer that the page can't read, and `loaded` a frame, of which it can't tell what it shows."""


async def test_a_link_with_a_command_that_a_foreign_page_leads_to_only_asks(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with under_attack() as server, hostile_page() as port, browser() as chromium:
        person = Person(chromium)
        own = await person.open(f"{server.http}/?session=victim&test=1#token={TOKEN}")
        await own.until_state("open")
        foreign = await person.open(f"http://127.0.0.1:{port}/")
        link = json.dumps(f"{server.http}/?session=made&test=1&command=touch {mark}")
        async with foreign.page.expect_navigation():
            await foreign.ask(f"void setTimeout(() => location.assign({link}))")
        await foreign.until("document.querySelector('#confirm')?.open === true")
        assert foreign.sockets == []
        assert {one["id"] for one in (await server.json("/api/sessions"))["sessions"]} == {"honest", "victim"}
        assert not mark.exists()


async def test_a_name_that_was_made_to_mean_this_machine_opens_nothing() -> None:
    """DNS rebinding: to the browser the page and the server are one origin; the Host header betrays it."""
    async with serving(no_auth="true") as server, browser(REBOUND) as chromium:
        person = Person(chromium)
        foreign = await person.open(f"http://{ELSEWHERE}:{server.address.port}/healthz")
        assert "does not go by that host name" in await foreign.ask("document.body.innerText")
        asked = "fetch('/api/sessions').then((answer) => answer.status)"
        assert await foreign.ask(asked) == 403
