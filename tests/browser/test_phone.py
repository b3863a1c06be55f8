"""The page on a phone: the key bar, fingers, nothing wider than the window. In a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .driving import Person, Tab, browser, cell, is_, program

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
NARROW = "document.documentElement.scrollWidth <= innerWidth && visualViewport.scale === 1 && innerWidth === 390"
VIEWPORT = "reconnectingptyTest.xterm.buffer.active.viewportY"


async def tap(tab: Tab, key: str) -> None:
    """Tap a key of the key bar, by its text or its name."""
    await tab.page.locator(f".keybar button:text-is({key!r}), .keybar button[aria-label={key!r}]").tap()


async def drag(tab: Tab, by: float, steps: int = 10) -> None:
    """A finger put on the middle of the terminal, moved down by so many pixels, held, and lifted."""
    fingers = await tab.page.context.new_cdp_session(tab.page)
    box = await tab.page.locator(".xterm-screen").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - by / 2

    async def send(kind: str, *points: dict[str, float]) -> None:
        await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    await send("touchStart", {"x": x, "y": y})
    for step in range(1, steps + 1):
        await send("touchMove", {"x": x, "y": y + by * step / steps})
    await send("touchEnd")
    await fingers.detach()


async def test_a_phone_has_the_keys_it_lacks_and_scrolls_by_finger(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("one\ntwo\nthree\n")
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium, **PHONE).enter(server, "phone")
        await is_(tab, NARROW, True)

        # Ctrl holds for one key.
        await tab.type("cat\n")
        await tab.until("!reconnectingptyTest.xterm.modes.bracketedPasteMode")
        await tap(tab, "Ctrl")
        await is_(tab, "document.querySelector('.keybar [aria-pressed=true]').textContent", "Ctrl")
        await tab.type("c")
        await tab.until_text("^C\n$")
        await is_(tab, "document.querySelector('.keybar [aria-pressed=true]')", None)
        await tab.type("echo c is c ag''ain\n")
        await tab.until_text("c is c again")
        await tap(tab, "Up")  # the shell's history
        await tab.until("reconnectingptyTest.text().trimEnd().endsWith(\"ag''ain\")")
        await tab.type(" twice\n")
        await tab.until_text("c is c again twice")

        # vim asks for other arrows, and is left by Esc.
        await tab.type(f"vim -u NONE -N {text}\n")
        await tab.until("reconnectingptyTest.xterm.modes.applicationCursorKeysMode")
        await tab.until_text("three")
        await tap(tab, "Down")
        await tap(tab, "Down")
        await tap(tab, "Right")
        await is_(
            tab,
            "[reconnectingptyTest.xterm.buffer.active.cursorY, reconnectingptyTest.xterm.buffer.active.cursorX]",
            [2, 1],
        )
        await tab.type("iX")
        await tab.until_text("tXhree")
        await tap(tab, "Esc")
        await tab.type(":wq\n")
        await tab.until("reconnectingptyTest.xterm.buffer.active.type === 'normal'")
        assert text.read_text() == "one\ntwo\ntXhree\n"
        await tab.screenshot("phone-keys")

        # The scrollback follows the finger; what is typed is seen again.
        await tab.type("clear; seq 300; echo do''ne\n")
        await tab.until_text("done")
        bottom = await tab.ask(VIEWPORT)
        await drag(tab, 200)
        await tab.until(f"{VIEWPORT} < {bottom} - 5")
        await drag(tab, -300)
        await is_(tab, VIEWPORT, bottom)
        await drag(tab, 200)
        await tab.until(f"{VIEWPORT} < {bottom}")
        await tab.type("echo be''low\n")
        await tab.until_text("below")
        await tab.until("reconnectingptyTest.xterm.buffer.active.baseY === " + VIEWPORT)

        # In a program of the whole screen a finger is its wheel.
        await tab.type("seq 300 | less\n")
        await tab.until("reconnectingptyTest.xterm.buffer.active.type === 'alternate'")
        await tab.until("/^1$/m.test(reconnectingptyTest.text())")
        await drag(tab, -200)
        await tab.until("!/^1$/m.test(reconnectingptyTest.text())")
        await tab.type("q")

        # A tapped link is offered.
        await tab.type(f"clear; echo {server.origin}/healthz\n")
        x, y = await cell(tab, server.origin)
        await tab.page.touchscreen.tap(x, y)
        await tab.until("document.querySelector('.notice:not([hidden])')?.textContent.includes('/healthz')")
        async with tab.page.context.expect_page() as coming:
            await tab.page.locator(".notice button:text-is('Open')").tap()
        page = await coming.value
        await page.wait_for_load_state()
        assert page.url == f"{server.origin}/healthz"
        await tab.page.bring_to_front()
        await is_(tab, NARROW, True)
        assert tab.errors == []
        assert await tab.ask("violations") == []
