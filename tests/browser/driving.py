"""A real browser on the page of a real server, and a proxy between the two that can be cut."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocket, async_playwright

TOKEN = "a-token-of-the-browser-tests"
SHELL = "env PS1='$ ' bash --norc --noprofile"
ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "browser"
CHROMIUM = "chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 20.0
"""Seconds that anything may take on a busy machine."""

WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  const { violatedDirective, blockedURI, sample, sourceFile, lineNumber, columnNumber } = event;
  violations.push([violatedDirective, blockedURI, sample, sourceFile, lineNumber, columnNumber].join(' '));
});
"""

CENTRE = """(text) => {
  const { xterm } = reconnectingptyTest;
  const { left, top, width, height } = document.querySelector('.xterm-screen').getBoundingClientRect();
  const { active } = xterm.buffer;
  for (let row = 0; row < xterm.rows; row += 1) {
    if (!active.getLine(active.viewportY + row).translateToString().startsWith(text)) continue;
    return [left + (1.5 * width) / xterm.cols, top + ((row + 0.5) * height) / xterm.rows];
  }
}"""
"""Where a text stands that is on the screen once, at a line's beginning: the middle of its second letter."""


@dataclass
class Program:
    """A server in a process of its own."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def kill(self) -> None:
        """It dies without a word to anybody."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def program(tmp_path: Path, *flags: str, port: int = 0, command: str = SHELL) -> AsyncIterator[Program]:
    """A server on a free port, or on `port`."""
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "RECONNECTINGPTY_BACKEND": "buffered"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconnectingpty_server", "serve", "--listen", f"127.0.0.1:{port}"),
        *("--token", TOKEN, "--command", command, "--log-level", "warning"),
        *flags,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            link = (await process.stdout.readline()).decode().strip()
        yield Program(process, int(link.rstrip("/").rpartition(":")[2]))
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.communicate()


@dataclass
class Proxy:
    """TCP to a server and back. `cut()` breaks every connection; while `down` there are none.

    `policy` takes the place of the Content-Security-Policy in the server's answers.
    """

    to: int
    policy: str | None = None
    port: int = 0
    down: bool = False
    _open: set[asyncio.Transport] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset all connections, with whatever is under way on them."""
        for transport in tuple(self._open):
            transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.down:
                writer.transport.abort()
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
            ends = {writer.transport, far_writer.transport}
            self._open |= ends
            await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer, self._answer))
            self._open -= ends
        except OSError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    def _answer(self, data: bytes) -> bytes:
        if self.policy is None or not data.startswith(b"HTTP/1.1 "):
            return data
        return re.sub(rb"(?i)(content-security-policy: )[^\r]*", rb"\1" + self.policy.encode(), data, count=1)

    async def finish(self) -> None:
        self.down = True
        self.cut()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes] = lambda data: data
) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(change(data))
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def proxy(to: int, policy: str | None = None) -> AsyncIterator[Proxy]:
    """A proxy to a port of this machine."""
    between = Proxy(to, policy)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await between.finish()
        await server.wait_closed()


class Tab:
    """A page in a browser. Its state is read through the page's own hook for tests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sockets: list[WebSocket] = []
        self.hellos: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("websocket", self._socket)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    def _socket(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framereceived", self._frame)

    def _frame(self, frame: str | bytes) -> None:
        if isinstance(frame, str) and '"hello"' in frame:
            self.hellos.append(json.loads(frame))

    async def ask(self, expression: str) -> Any:
        """The value of JavaScript in the page."""
        return await self.page.evaluate(expression)

    async def until(self, expression: str, seconds: float = PATIENCE) -> Any:
        """Wait until JavaScript is true; its value. (Playwright's own waiting needs eval, which the policy forbids.)"""
        end = time.monotonic() + seconds
        while not (value := await self.ask(expression)):
            assert time.monotonic() < end, f"not in {seconds} s: {expression}\n{await self.describe()}"
            await asyncio.sleep(0.02)
        return value

    async def describe(self) -> str:
        """What a person would see."""
        hook = await self.ask("window.reconnectingptyTest ? reconnectingptyTest.text().slice(-1500) : 'no page'")
        violations = await self.ask("window.violations")
        return f"{self.page.url}\n{await self.status()}\n{hook}\n{self.errors}\n{violations}"

    async def until_state(self, kind: str) -> dict[str, Any]:
        """Wait for a state of the connection."""
        await self.until(f"window.reconnectingptyTest?.state().kind === '{kind}'")
        state: dict[str, Any] = await self.ask("reconnectingptyTest.state()")
        return state

    async def until_greeted(self, times: int) -> None:
        """Wait until so many connections have been made."""
        async with asyncio.timeout(PATIENCE):
            while len(self.hellos) < times:
                await asyncio.sleep(0.02)

    async def until_text(self, text: str, seconds: float = PATIENCE) -> str:
        """Wait for text in the terminal; all of its lines."""
        await self.until(f"reconnectingptyTest.text().includes({text!r})", seconds)
        return await self.text()

    async def until_status(self, text: str) -> None:
        """Wait for text in the status line."""
        await self.until(f"document.querySelector('.status')?.innerText.includes({text!r})")

    async def text(self) -> str:
        """All lines of the terminal."""
        return str(await self.ask("reconnectingptyTest.text()"))

    async def status(self) -> str:
        """The status line."""
        return str(await self.ask("document.querySelector('.status')?.innerText ?? ''"))

    async def type(self, text: str) -> None:
        """Press the keys of a text."""
        await self.page.keyboard.type(text)

    async def screenshot(self, name: str) -> None:
        """Keep a picture for people to look at."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"{name}.png")


class Person:
    """Somebody with a browser of their own: tabs share the cookies."""

    def __init__(self, browser: Browser, **how: Any) -> None:
        self._browser = browser
        self._how: dict[str, Any] = {"viewport": {"width": 1000, "height": 640}} | how
        self._context: Any = None

    async def open(self, url: str) -> Tab:
        """A new tab, whatever becomes of it."""
        if self._context is None:
            self._context = await self._browser.new_context(**self._how)
            await self._context.add_init_script(WATCH)
        tab = Tab(await self._context.new_page())
        await tab.page.goto(url)
        return tab

    async def enter(self, server: Program | Proxy, session: str, more: str = "") -> Tab:
        """A new tab with a terminal, by the server's link."""
        tab = await self.open(f"{server.origin}/?session={session}&test=1{more}#token={TOKEN}")
        await tab.until_state("open")
        return tab


@asynccontextmanager
async def browser(*flags: str) -> AsyncIterator[Browser]:
    """Chromium, headless."""
    path = shutil.which(CHROMIUM)
    if path is None:
        pytest.fail("these tests need Chromium: apt-get install -y chromium")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield chromium
        finally:
            await chromium.close()


def lines(text: str, prefix: str) -> Sequence[str]:
    """The lines of a terminal's text that begin so."""
    return [line.rstrip() for line in text.split("\n") if line.startswith(prefix)]


async def is_(tab: Tab, expression: str, value: object) -> None:
    """Wait until something is so."""
    try:
        await tab.until(f"JSON.stringify({expression}) === JSON.stringify({json.dumps(value)})")
    except AssertionError as error:
        error.add_note(f"it is {await tab.ask(expression)!r}")
        raise


async def cell(tab: Tab, text: str) -> tuple[float, float]:
    """Where on the page the second letter of a text stands, which is on the screen once, at a line's beginning."""
    x, y = await tab.until(f"({CENTRE})({json.dumps(text)})")
    return x, y
