"""The page for everybody: axe-core finds nothing, in light and dark, wide and on a phone, with each dialog open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .axe import found_wrong
from .driving import Person, browser, program

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

OPENED = "document.querySelector('dialog[open], [role=menu]') !== null"


@pytest.mark.parametrize(
    ("scheme", "shape", "width", "height"), [("dark", "wide", 1200, 720), ("light", "phone", 390, 760)]
)
async def test_axe_finds_nothing(tmp_path: Path, scheme: str, shape: str, width: int, height: int) -> None:
    how: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    wrong: dict[str, list[str]] = {}
    async with program(tmp_path, "--allow-command") as server, browser() as chromium:
        person = Person(chromium, **how, has_touch=shape == "phone", is_mobile=shape == "phone")
        tab = await person.enter(server, "axe")
        await tab.type("ls --color /; echo he''re\n")
        await tab.until_text("here")
        wrong["page"] = await found_wrong(tab)

        async def look(name: str, keys: str) -> None:
            await tab.page.keyboard.press(keys)
            await tab.until(OPENED)
            wrong[name] = await found_wrong(tab)
            await tab.screenshot(f"{name}-{shape}-{scheme}")

        for name, keys in [
            ("menu", "Control+Shift+M"),
            ("sessions", "Control+Shift+L"),
            ("settings", "Control+Shift+Comma"),
            ("text", "Control+Shift+X"),
        ]:
            await look(name, keys)
            if name == "sessions":
                await tab.until("document.querySelectorAll('.card').length === 1")
                wrong["cards"] = await found_wrong(tab)
            await tab.page.keyboard.press("Escape")
            await tab.until(f"!({OPENED})")
        await tab.page.keyboard.press("Control+Shift+F")
        await tab.until("document.querySelector('.search:not([hidden])') !== null")
        await tab.type("here")
        wrong["find"] = await found_wrong(tab)
        await tab.page.keyboard.press("Escape")
        await tab.page.locator("header button[aria-label=Share]").click()
        await tab.page.locator("button:text-is('Make a link')").click()
        await tab.until("document.querySelector('.share .copying input')?.value")
        wrong["share"] = await found_wrong(tab)
        await tab.screenshot(f"share-{shape}-{scheme}")
        address = await tab.ask("document.querySelector('.share .copying input').value")
        await tab.page.keyboard.press("Escape")
        await tab.page.keyboard.press("Control+Shift+O")
        await tab.until("reconnectingptyTest.session !== 'axe' && reconnectingptyTest.state().kind === 'open'")
        wrong["split"] = await found_wrong(tab)
        await tab.screenshot(f"split-{shape}-{scheme}")
        await tab.type("exit 3\n")
        await tab.until_state("ended")
        wrong["ended"] = await found_wrong(tab)
        guest = await Person(chromium, **how).open(address.replace("/#", "/?test=1#"))
        await guest.until_state("open")
        wrong["guest"] = await found_wrong(guest)
        stranger = await Person(chromium, **how).open(f"{server.origin}/?session=axe&test=1")
        await stranger.until("document.querySelector('dialog[open]') !== null")
        wrong["login"] = await found_wrong(stranger)
    assert not any(wrong.values()), "\n".join(f"{name}: {one}" for name, found in wrong.items() for one in found)


async def test_the_keyboard_alone_gets_everywhere(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "keys")
        focus = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        # Out of the terminal, to what is below it and above it, and back.
        await tab.page.keyboard.press("Control+Shift+M")
        await tab.until("document.activeElement.getAttribute('role') === 'menuitem'")
        await tab.page.keyboard.press("ArrowUp")
        assert "Settings" in await tab.ask(focus)
        await tab.page.keyboard.press("Enter")
        await tab.until("document.querySelector('dialog[open]') !== null")
        await tab.page.keyboard.press("Escape")
        await tab.until("document.activeElement.classList.contains('xterm-helper-textarea')")
        # The list of sessions: found by typing, walked by arrows, left by Escape.
        await tab.page.keyboard.press("Control+Shift+L")
        await tab.until("document.querySelectorAll('.card').length === 1")
        await tab.page.keyboard.press("ArrowDown")
        assert await tab.ask("document.activeElement.classList.contains('open')")
        await tab.page.keyboard.press("Tab")
        assert "Rename" in await tab.ask(focus)
        await tab.page.keyboard.press("Escape")
        await tab.until("document.activeElement.classList.contains('xterm-helper-textarea')")
        # A terminal that has ended gives the keyboard to what is offered.
        await tab.type("exit\n")
        await tab.until_state("ended")
        await tab.page.keyboard.press("Tab")
        assert await tab.ask(focus) == "New session"
        await tab.page.keyboard.press("Enter")
        await tab.until("reconnectingptyTest.session !== 'keys' && reconnectingptyTest.state().kind === 'open'")


async def test_a_screen_reader_gets_the_terminal_s_lines(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "read")
        await tab.page.keyboard.press("Control+Shift+Comma")
        await tab.page.locator("label:has-text('reader') input").check()
        await tab.page.keyboard.press("Escape")
        await tab.until("document.activeElement.classList.contains('xterm-helper-textarea')")
        await tab.type("echo read to m''e\n")
        await tab.until("document.querySelector('.xterm-accessibility')?.textContent.includes('read to me')")
        assert await found_wrong(tab) == []
