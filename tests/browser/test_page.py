"""The page in a real Chromium: what a person would do with it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from ..support.serving import TOKEN, Serving, serving

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.timeout(120),
    # What the browser's driver leaves to the garbage collector is its own.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    assert program is not None, "these tests drive Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened(s: Serving, browser: Browser, query: str = "", **more: Any) -> AsyncIterator[Page]:
    """The printed link, opened, with a shell whose prompt is known."""
    context = await browser.new_context(**more)
    page = await context.new_page()
    page.problems = []  # type: ignore[attr-defined]
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.problems.append(str(error)))  # type: ignore[attr-defined]
    await page.goto(f"{s.http}/?test=1{query}#token={TOKEN}")
    await connected(page)
    try:
        yield page
    finally:
        await context.close()


async def connected(page: Page) -> None:
    await until(page, "window.reconnectingptyTest?.state().kind === 'open'")


async def until(page: Page, condition: str) -> None:
    """Wait until an expression is true. (Playwright's own wait needs eval in the page, which its policy refuses.)"""
    async with asyncio.timeout(20):
        while not await page.evaluate(condition):
            await page.wait_for_timeout(20)


async def text(page: Page) -> str:
    return str(await page.evaluate("window.reconnectingptyTest.text()"))


async def shows(page: Page, wanted: str) -> str:
    """Wait until the terminal's text has what matches."""
    pattern = re.compile(wanted)
    async with asyncio.timeout(20):
        while not pattern.search(found := await text(page)):
            await page.wait_for_timeout(20)
    return found


async def type_line(page: Page, line: str) -> None:
    await page.keyboard.type(line)
    await page.keyboard.press("Enter")


def shell(**more: Any) -> Any:
    return serving(command="PS1='$ ' exec bash --norc --noprofile", **more)


async def test_a_shell_survives_reload_and_closed_tab_and_the_token_is_nowhere() -> None:
    async with shell() as s, chromium() as browser:
        async with opened(s, browser) as page:
            assert TOKEN not in page.url
            await type_line(page, "echo sur''vived; printf '\\e[31mred\\e[m\\n'; seq 200")
            before = await shows(page, r"survived\nred\n1\n(.|\n)*\n200\n\$")
            await page.reload()
            await connected(page)
            assert (await shows(page, r"200\n\$")) == before
            assert TOKEN not in await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
            url = page.url
            other = await page.context.new_page()
            await page.close()
            await other.goto(url)
            await connected(other)
            assert (await shows(other, r"200\n\$")) == before
            assert page.problems == []  # type: ignore[attr-defined]


async def test_two_tabs_share_one_shell() -> None:
    async with shell() as s, chromium() as browser, opened(s, browser, "&session=shared") as one:
        async with opened(s, browser, "&session=shared") as two:
            await type_line(one, "echo from''one")
            await shows(two, "fromone")
            await type_line(two, "echo from''two")
            await shows(one, "fromtwo")
            assert len(s.server.sessions) == 1


async def test_a_cut_connection_is_invisible_and_loses_nothing() -> None:
    async with shell() as s, chromium() as browser, opened(s, browser, "&session=cut") as page:
        await type_line(page, "for i in $(seq 2000); do echo line$i; sleep 0.001; done; echo al''ldone")
        for _ in range(5):
            await page.wait_for_timeout(150)
            for socket in [task.get_coro().cr_frame.f_locals.get("socket") for task in s.server._sockets.handler_tasks]:
                if socket is not None:
                    socket.transport.abort()
        found = await shows(page, "alldone")
        assert re.findall(r"line\d+", found.partition("done; echo")[2]) == [f"line{number}" for number in range(1, 2001)]


async def test_an_exit_is_told_with_its_status_and_nothing_reconnects() -> None:
    async with shell() as s, chromium() as browser, opened(s, browser) as page:
        await type_line(page, "exit 7")
        await until(page, "window.reconnectingptyTest.state().kind === 'ended'")
        assert "7" in await page.locator("#message").inner_text()
        await page.wait_for_timeout(600)
        assert len(s.server.sessions) == 0
        await page.get_by_role("button").first.click()
        await connected(page)


async def test_without_the_token_it_asks_and_then_opens() -> None:
    async with shell() as s, chromium() as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(f"{s.http}/?test=1")
        await page.locator("#token").fill("a-wrong-token")
        await page.keyboard.press("Enter")
        await page.get_by_text("not this server").wait_for()
        await page.locator("#token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await connected(page)


async def test_a_command_in_a_link_runs_only_if_wanted() -> None:
    async with shell() as s, chromium() as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(f"{s.http}/?test=1&command=echo+pwned#token={TOKEN}")
        await page.locator("#command").get_by_text("echo pwned").wait_for()
        assert len(s.server.sessions) == 0
        await page.keyboard.press("Escape")
        await page.wait_for_timeout(300)
        assert len(s.server.sessions) == 0


async def test_the_terminal_fits_the_window_from_the_first_byte_on() -> None:
    async with shell() as s, chromium() as browser:
        async with opened(s, browser, viewport={"width": 390, "height": 700}) as page:
            size = await page.evaluate("window.reconnectingptyTest.size()")
            assert 35 <= size["cols"] <= 60
            await page.set_viewport_size({"width": 1200, "height": 800})
            await until(page, f"window.reconnectingptyTest.size().cols > {size['cols'] * 2}")
            await type_line(page, "stty size")
            size = await page.evaluate("window.reconnectingptyTest.size()")
            await shows(page, f"{size['rows']} {size['cols']}")
