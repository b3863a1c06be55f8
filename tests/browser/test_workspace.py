"""The page's sessions: listed, opened in tabs and splits, named, duplicated and ended. In a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from .driving import Person, Tab, browser, is_, program

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

TABS = "[...document.querySelectorAll('[role=tab] .label')].map((label) => label.textContent)"
CARDS = "[...document.querySelectorAll('.card .open bdi')].map((name) => name.textContent)"
PANES = "document.querySelectorAll('.pane:not([hidden])').length"


async def press(tab: Tab, label: str, within: str = "") -> None:
    """Press a button by its name."""
    await tab.page.locator(f"{within} button[aria-label={label!r}], {within} button:text-is({label!r})").first.click()


async def test_sessions_are_listed_named_duplicated_and_ended(tmp_path: Path) -> None:
    async with program(tmp_path, "--allow-command") as server, browser() as chromium:
        person = Person(chromium)
        tab = await person.enter(server, "one")
        await tab.type("cd /usr/share; printf '\\e]7;file:///usr/share\\a'; echo to be seen from out''side\n")
        await tab.until_text("outside")
        await press(tab, "Sessions")
        await is_(tab, CARDS, ["bash"])
        await tab.until("document.querySelector('.card pre').textContent.includes('to be seen from outside')")
        assert "1 viewer" in await tab.ask("document.querySelector('.card .facts').textContent")
        assert await tab.ask("document.querySelector('.card .directory').textContent") == "/usr/share"

        await press(tab, "Rename: bash")
        await tab.type("work")
        await tab.page.keyboard.press("Enter")
        await is_(tab, CARDS, ["work"])
        await press(tab, "Duplicate: work")
        await is_(tab, "reconnectingptyTest.state().kind", "open")
        await tab.until("document.querySelectorAll('[role=tab]').length === 2")
        await tab.until("document.activeElement.closest('.pane:not([hidden])') !== null")
        await tab.type("pwd\n")
        await tab.until_text("/usr/share")

        # A session with a command of its own, and one that is found by typing.
        await press(tab, "Sessions")
        await press(tab, "New session", ".sessions")
        await tab.type("third")
        await tab.page.keyboard.press("Tab")
        await tab.type("sh -c 'echo third is here; cat'")
        await tab.page.keyboard.press("Enter")
        await tab.until_text("third is here")
        await press(tab, "Sessions")
        await tab.until("document.querySelectorAll('.card').length === 3")
        await tab.type("work")
        await is_(tab, CARDS, ["work"])
        await tab.page.keyboard.press("Enter")
        await is_(tab, "reconnectingptyTest.session", "one")

        # The end is asked about, and told to all.
        await press(tab, "Sessions")
        await press(tab, "End: work")
        await press(tab, "Cancel")
        assert "work" in await tab.ask(CARDS)
        await press(tab, "End: work")
        await press(tab, "End it")
        await tab.until(f"!{CARDS}.includes('work')")
        await tab.screenshot("sessions")
        assert tab.errors == []
        assert await tab.ask("violations") == []


async def test_the_list_follows_what_others_do(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        watcher = await Person(chromium).enter(server, "watching")
        await press(watcher, "Sessions")
        await watcher.until("document.querySelectorAll('.card').length === 1")
        other = await Person(chromium).enter(server, "other")
        await other.type("printf '\\e]2;<img src=x onerror=alert(1)>\\u202e\\a'; echo a''live\n")
        await other.until_text("alive")
        await watcher.until("document.querySelectorAll('.card').length === 2")
        # What a program calls itself is text, and turns nothing around it.
        await watcher.until("document.querySelector('.cards').textContent.includes('<img src=x onerror=alert(1)>')")
        assert await watcher.ask("document.querySelector('.cards img')") is None
        assert await watcher.ask("[...document.querySelectorAll('.card .open')].every((b) => b.querySelector('bdi'))")
        await watcher.until("document.querySelector('.cards').textContent.includes('alive')")
        await other.type("exit\n")
        await other.until_state("ended")
        await watcher.until("document.querySelectorAll('.card').length === 1")


async def test_tabs_and_splits_are_there_again_after_a_reload(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "first")
        await tab.type("echo fir''st\n")
        await tab.until_text("first")
        await tab.page.keyboard.press("Control+Shift+E")
        await is_(tab, PANES, 2)
        await tab.until("reconnectingptyTest.session !== 'first' && reconnectingptyTest.state().kind === 'open'")
        await tab.type("echo sec''ond\n")
        await tab.until_text("second")
        await tab.page.keyboard.press("Control+Shift+Enter")
        await is_(tab, "document.querySelectorAll('[role=tab]').length", 2)
        await tab.until("!reconnectingptyTest.text().includes('second') && reconnectingptyTest.state().kind === 'open'")
        await tab.type("echo thi''rd\n")
        await tab.until_text("third")
        await tab.page.keyboard.press("Control+Shift+ArrowLeft")
        await tab.until_text("second")

        await tab.page.reload()
        await is_(tab, "document.querySelectorAll('[role=tab]').length", 2)
        await is_(tab, PANES, 2)
        await tab.until_text("second")
        await tab.page.keyboard.press("Control+Shift+ArrowUp")
        await tab.until("reconnectingptyTest.session === 'first'")
        await tab.until_text("first")
        sizes = await tab.ask("[...document.querySelectorAll('.pane:not([hidden])')].map((pane) => pane.clientWidth)")
        assert abs(sizes[0] - sizes[1]) < 30, sizes
        await tab.page.keyboard.press("Control+Shift+ArrowRight")
        await tab.until_text("third")
        await tab.screenshot("tabs")
        kept = await tab.ask("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert "a-token" not in kept
        assert tab.errors == []


async def test_a_tab_that_is_closed_leaves_its_session_running_and_says_so_once(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "kept")
        await tab.type("echo still he''re\n")
        await tab.until_text("still here")
        await tab.page.keyboard.press("Control+Shift+Enter")
        await tab.until("reconnectingptyTest.session !== 'kept' && reconnectingptyTest.state().kind === 'open'")
        await tab.page.keyboard.press("Control+Shift+ArrowLeft")
        await tab.until("reconnectingptyTest.session === 'kept'")
        await tab.page.keyboard.press("Control+Shift+Backspace")
        await is_(tab, "document.querySelectorAll('[role=tab]').length", 1)
        await tab.until("document.body.textContent.includes('The session goes on running')")
        await press(tab, "Open it again")
        await is_(tab, "document.querySelectorAll('[role=tab]').length", 2)
        await tab.until_text("still here")
        await tab.page.keyboard.press("Control+Shift+Backspace")
        await is_(tab, "document.querySelectorAll('[role=tab]').length", 1)
        assert not await tab.ask("document.body.textContent.includes('The session goes on running')")
        # With the last one gone, the page says what there is to do.
        await tab.page.keyboard.press("Control+Shift+Backspace")
        await tab.until("document.querySelector('.nothing:not([hidden])') !== null")
        await press(tab, "New session", ".nothing")
        await tab.until("reconnectingptyTest.state().kind === 'open'")


async def test_what_happens_in_a_tab_behind_is_marked(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "behind")
        await tab.type("read x; printf 'wake\\a'; exit 3\n")
        await tab.until_text("exit 3")
        await tab.page.keyboard.press("Control+Shift+Enter")
        await tab.until("reconnectingptyTest.session !== 'behind' && reconnectingptyTest.state().kind === 'open'")
        other = await Person(chromium).enter(server, "behind")
        await other.until_text("exit 3")
        await other.type("\n")
        await other.until_state("ended")
        await tab.until("document.querySelector('[role=tab] .mark').dataset.mark === 'bell'")
        assert "rang" in await tab.ask("document.querySelector('[role=tab]').getAttribute('aria-label')")
        await tab.page.keyboard.press("Control+Shift+ArrowLeft")
        await tab.until("document.querySelector('[role=tab] .mark').dataset.mark === 'ended'")
        await tab.until_status("3")


async def test_a_session_that_is_gone_is_not_started_by_a_reload(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "going")
        await tab.page.keyboard.press("Control+Shift+E")
        await tab.until("reconnectingptyTest.session !== 'going' && reconnectingptyTest.state().kind === 'open'")
        await tab.type("exit\n")
        await tab.until_state("ended")
        await tab.page.reload()
        await is_(tab, PANES, 2)
        await tab.until_state("ended")
        await tab.until(
            "[...document.querySelectorAll('.status')].filter((s) => s.dataset.state === 'open').length === 1"
        )


async def test_the_tunnels_state_stands_below_the_list(tmp_path: Path) -> None:
    # Nobody listens there, so ssh ends at once, again and again.
    flags = ("--tunnel", "nobody@127.0.0.1", "--tunnel-option", "Port=1", "--tunnel-option", "BatchMode=yes")
    async with program(tmp_path, *flags) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "tunnelled")
        await press(tab, "Sessions")
        await tab.until("document.querySelector('.tunnels:not([hidden])')?.textContent.includes('nobody@127.0.0.1')")
        await tab.until("!document.querySelector('.tunnels p').classList.contains('up')")
        await tab.until("document.querySelector('.tunnels').textContent.includes('restarting in')")
        await tab.screenshot("tunnels")
