"""What a person does with a terminal beside typing: finding, copying, pasting. In a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .driving import Person, Tab, browser, cell, is_, program

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

CLIPBOARD = ["clipboard-read", "clipboard-write"]
SETTINGS = "reconnectingpty.settings"
SELECTED = "reconnectingptyTest.xterm.getSelection()"
FOUND = """(() => {
  const { xterm } = reconnectingptyTest;
  const { active } = xterm.buffer;
  const row = xterm.getSelectionPosition()?.start.y;
  if (row === undefined) return 'nothing';
  const shown = row >= active.viewportY && row < active.viewportY + xterm.rows;
  return shown ? active.getLine(row).translateToString(true) : `out of sight: ${row}`;
})()"""
"""The line of the selection, which a person must see."""
COUNT = "document.querySelector('.search .count').textContent"
NOTICE = "(document.querySelector('.notice:not([hidden])')?.textContent ?? '')"
ASKED = "(document.querySelector('dialog[open] h1')?.textContent ?? '')"


async def clipboard(tab: Tab) -> str:
    """What is in the clipboard."""
    return str(await tab.ask("navigator.clipboard.readText()"))


async def paste(tab: Tab, text: str) -> None:
    """Paste by the keys."""
    await tab.ask(f"navigator.clipboard.writeText({json.dumps(text)})")
    await tab.page.keyboard.press("Control+Shift+V")


async def choose(tab: Tab, text: str, within: str) -> None:
    """Press a button by its text."""
    await tab.page.locator(f"{within} button:text-is({text!r})").click()


async def test_the_scrollback_is_searched(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "find")
        await tab.type(
            'seq 3000 | sed "s/^10$/Nee""dle ten/; s/^20$/nee""dle twenty/; s/^2990$/nee""dle last/"; echo do""ne\n'
        )
        await tab.until_text("done")
        await tab.page.keyboard.press("Control+Shift+F")
        await tab.until("document.activeElement.type === 'search'")
        await tab.type("needle")
        await is_(tab, COUNT, "3 of 3")  # the newest first
        await is_(tab, FOUND, "needle last")
        await tab.page.keyboard.press("Enter")
        await is_(tab, COUNT, "2 of 3")
        await is_(tab, FOUND, "needle twenty")
        await tab.page.click("button[aria-label='Older match']")
        await is_(tab, FOUND, "Needle ten")
        await tab.page.click("button[aria-label='Newer match']")
        await is_(tab, FOUND, "needle twenty")
        await tab.page.focus("input[type=search]")
        await tab.page.keyboard.press("Shift+Enter")
        await is_(tab, FOUND, "needle last")
        await tab.screenshot("find")

        await tab.page.click("button[aria-label='Match case']")
        await is_(tab, COUNT, "2 of 2")
        await tab.page.fill("input[type=search]", "nee.le t")
        await is_(tab, COUNT, "None")
        await tab.page.click("button[aria-label='Regular expression']")
        await is_(tab, COUNT, "1 of 1")
        await is_(tab, FOUND, "needle twenty")
        await tab.page.fill("input[type=search]", "nee(")
        await is_(tab, COUNT, "No such pattern")
        await is_(tab, "document.querySelector('.search input').getAttribute('aria-invalid')", "true")
        await tab.page.fill("input[type=search]", "")
        await is_(tab, COUNT, "")
        await tab.page.keyboard.press("Escape")
        await is_(tab, "document.querySelector('.search').hidden", True)
        await tab.type("echo ba''ck\n")
        await tab.until_text("back")
        assert tab.errors == []
        assert await tab.ask("violations") == []


async def test_text_is_copied_and_pasted_with_care(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium, permissions=CLIPBOARD).enter(server, "paste")
        await tab.type("clear; echo wo''rd to copy\n")
        await tab.until_text("word to copy")
        x, y = await cell(tab, "word")
        await tab.page.mouse.dblclick(x, y)
        await is_(tab, SELECTED, "word")
        await tab.page.keyboard.press("Control+Shift+C")
        await tab.until("navigator.clipboard.readText().then((text) => text === 'word')")

        # A shell that tells pasted text from typed text gets it at once, and nothing in it acts by itself.
        mark = tmp_path / "mark"
        await paste(tab, f"echo one\x1b[201~\ntouch {mark}\n\x03\x04")
        await tab.until_text(f"touch {mark}")
        assert await tab.ask(ASKED) == ""
        await tab.page.keyboard.press("Control+C")
        await tab.until("/\\^C\\n\\$$/.test(reconnectingptyTest.text())")
        await tab.type("echo still he''re\n")
        text = await tab.until_text("still here")
        assert "echo one[201~" in text
        assert not mark.exists()

        # To a program that does not, several lines are shown first.
        await tab.type("clear; cat\n")
        await tab.until("!reconnectingptyTest.xterm.modes.bracketedPasteMode")
        await paste(tab, "single")
        await tab.until_text("single")
        await tab.page.keyboard.press("Enter")
        await paste(tab, "first\nsecond\n")
        await is_(tab, ASKED, "Paste 2 lines?")
        assert await tab.ask("document.querySelector('dialog[open] pre').textContent") == "first\nsecond\n"
        await tab.screenshot("paste")
        await tab.page.keyboard.press("Enter")  # the keyboard is on what changes nothing
        await is_(tab, ASKED, "")
        await paste(tab, "third\nfourth\n")
        await is_(tab, ASKED, "Paste 2 lines?")
        await choose(tab, "Paste", "dialog[open]")
        text = await tab.until_text("third\nfourth\nthird\nfourth")
        assert "first" not in text
        await paste(tab, "fifth\nsixth\n")
        await is_(tab, ASKED, "Paste 2 lines?")
        await tab.page.check("dialog[open] input[type=checkbox]")
        await choose(tab, "Paste", "dialog[open]")
        await tab.until_text("fifth\nsixth\nfifth\nsixth")
        await tab.page.reload()
        await tab.until_state("open")
        await paste(tab, "seventh\neighth\n")
        await tab.until_text("seventh\neighth\nseventh\neighth")
        assert await tab.ask(ASKED) == ""
        assert tab.errors == []


async def test_a_program_copies_when_it_may(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium, permissions=CLIPBOARD).enter(server, "osc52")
        await tab.ask("navigator.clipboard.writeText('mine')")
        copy = "printf '\\e]52;%s;%s\\a' {target} $(printf {text} | base64)\n"
        for target, text in (("c", "asked"), ("''", "tmux")):
            await tab.type(copy.format(target=target, text=text))
            await tab.until(f"{NOTICE}.includes('The program wants to copy “{text}”')")
            assert await clipboard(tab) != text
            await choose(tab, "Copy", ".notice")
            await tab.until(f"navigator.clipboard.readText().then((found) => found === '{text}')")
            assert await tab.ask(NOTICE) == ""
        await tab.screenshot("copied")
        await tab.type("x" + "\x7f")  # the keyboard is still the terminal's

        # Allowed, it is copied at once, but never from a picture of what was written earlier.
        await tab.type(copy.format(target="c", text="always"))
        await tab.until(f"{NOTICE} !== ''")
        await choose(tab, "Always", ".notice")
        await tab.until("navigator.clipboard.readText().then((found) => found === 'always')")
        await tab.type(copy.format(target="c", text="again"))
        await tab.until("navigator.clipboard.readText().then((found) => found === 'again')")
        await tab.ask("navigator.clipboard.writeText('mine')")
        await tab.page.reload()
        await tab.until_state("open")
        await tab.type("echo reloa''ded\n")
        await tab.until_text("reloaded")
        assert await clipboard(tab) == "mine"

        await tab.ask(f"localStorage.removeItem('{SETTINGS}')")
        await tab.page.reload()
        await tab.until_state("open")
        await tab.type(copy.format(target="c", text="never"))
        await tab.until(f"{NOTICE} !== ''")
        await choose(tab, "Never", ".notice")
        for reloaded in (False, True):
            if reloaded:
                await tab.page.reload()
                await tab.until_state("open")
            await tab.type(copy.format(target="c", text="refused"))
            await tab.type(f"echo reloaded {reloaded} {'do'}''ne\n")
            await tab.until_text(f"reloaded {reloaded} done")
            assert await tab.ask(NOTICE) == ""
        assert await clipboard(tab) == "mine"
