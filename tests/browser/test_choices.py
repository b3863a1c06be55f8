"""What a person sets, and what a program's text offers: letters, colours, links, the bell. In a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page

from .driving import Person, browser, cell, is_, program

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SETTINGS = "reconnectingpty.settings"
COLS = "reconnectingptyTest.size().cols"
COLOURS = "[getComputedStyle(document.body).backgroundColor, reconnectingptyTest.xterm.options.theme.background]"
CARD = "(document.querySelector('.link-card:not([hidden]) bdi')?.textContent ?? '')"
HINT = "(document.querySelector('.link-card:not([hidden]) .hint')?.textContent ?? '')"


async def test_letters_and_colours_are_chosen_and_last(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium, color_scheme="dark")
        tab = await person.enter(server, "chosen")
        usual = await tab.ask(COLS)
        await tab.page.keyboard.press("Control++")
        await tab.page.keyboard.press("Control++")
        await tab.until(f"{COLS} < {usual}")
        large = await tab.ask(COLS)
        await tab.type("stty size\n")
        await tab.until_text(f" {large}\n")
        await tab.page.reload()
        await tab.until_state("open")
        await is_(tab, COLS, large)
        await tab.page.keyboard.press("Control+0")
        await is_(tab, COLS, usual)
        await tab.page.keyboard.press("Control+-")
        await tab.until(f"{COLS} > {usual}")

        other = await person.enter(server, "other")
        for seen in (tab, other):
            await is_(seen, COLOURS, ["rgb(20, 23, 28)", "#14171c"])
        await tab.page.keyboard.press("Control+Shift+Comma")
        await tab.page.locator("dialog[open] .swatch", has_text="Ember").click()
        for seen in (tab, other):
            await is_(seen, COLOURS, ["rgb(29, 24, 21)", "#1d1815"])
        await tab.page.get_by_label("Light or dark").select_option("light")
        await tab.screenshot("settings")
        for seen in (tab, other):
            await is_(seen, COLOURS, ["rgb(252, 252, 251)", "#fcfcfb"])
        await tab.page.keyboard.press("Escape")
        await tab.type("echo ba''ck\n")  # the keyboard is the terminal's again
        await tab.until_text("back")
        await tab.page.reload()
        await tab.until_state("open")
        await is_(tab, COLOURS, ["rgb(252, 252, 251)", "#fcfcfb"])

        wrong = {"fontSize": 1e9, "dark": "__proto__", "appearance": None, "font": 7, "light": "</style>", "bell": []}
        for kept in ('{"fontSize": ', "7", "null", json.dumps(wrong)):
            await tab.ask(f"localStorage.setItem('{SETTINGS}', {json.dumps(kept)})")
            await tab.page.reload()
            await tab.until_state("open")
            await is_(tab, COLOURS, ["rgb(20, 23, 28)", "#14171c"])
            assert await tab.ask(COLS) == usual
        assert tab.errors == other.errors == []
        assert await tab.ask("violations") == []


async def test_links_say_where_they_lead_and_only_the_web_s_are_opened(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "links")
        opened: list[Page] = []
        tab.page.context.on("page", lambda page: opened.append(page))
        script = "'javascript:opener.alert(1)'"
        web = f"{server.origin}/healthz?"
        named = "printf '\\e]8;;%s\\e\\\\%s\\e]8;;\\e\\\\\\n' {} {}; "
        await tab.type(
            f"clear; echo {web}plain; {named.format(web + 'named', 'label')}"
            f"{named.format(script, 'script')}{named.format('file:///etc/passwd', 'passwd')}"
            f"{named.format('data:text/html,hello', 'inline')}echo do''ne\n"
        )
        await tab.until_text("done")
        for text, address in (
            ("script", "javascript:opener.alert(1)"),
            ("passwd", "file:///etc/passwd"),
            ("inline", "data:text/html,hello"),
        ):
            x, y = await cell(tab, text)
            await tab.page.mouse.move(x, y)
            await is_(tab, CARD, address)
            assert "not opened" in await tab.ask(HINT)
            await tab.page.mouse.click(x, y)
            await tab.page.keyboard.down("Control")
            await tab.page.mouse.click(x, y)
            await tab.page.keyboard.up("Control")
        for text, address in ((web, web + "plain"), ("label", web + "named")):
            x, y = await cell(tab, text)
            await tab.page.mouse.move(x, y)
            await is_(tab, CARD, address)
            assert await tab.ask(HINT) == "Ctrl+click opens"
            await tab.page.mouse.click(x, y)  # alone it only puts the cursor there
            await tab.page.keyboard.down("Control")
            async with tab.page.context.expect_page() as coming:
                await tab.page.mouse.click(x, y)
            await tab.page.keyboard.up("Control")
            page = await coming.value
            await page.wait_for_load_state()
            assert page.url == address
            assert await page.evaluate("[window.opener, document.referrer]") == [None, ""]
            await tab.page.bring_to_front()
        await tab.page.mouse.move(500, 500)
        await is_(tab, CARD, "")
        assert len(opened) == 2
        assert tab.errors == []
        assert await tab.ask("violations") == []


async def test_a_bell_out_of_sight_is_marked_in_the_title(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "bell")
        await tab.type("printf '\\e]2;at work\\a'; printf '\\a'; echo ru''ng\n")
        await tab.until_text("rung")
        await is_(tab, "document.title", "at work")  # who looks on has seen it
        await tab.ask("(window.away = true, Object.defineProperty(document, 'hidden', {get: () => away}), 0)")
        await tab.type("printf '\\a'\n")
        await tab.until("document.title !== 'at work' && document.title.includes('at work')")
        await tab.ask("(away = false, document.dispatchEvent(new Event('visibilitychange')))")
        await is_(tab, "document.title", "at work")
