"""The page keeps up: usable soon, answering while a flood comes in. In a real Chromium.

Its numbers are printed (`scripts/flood`, or `pytest -s`); the bounds are guards, for machines that are busy.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .driving import Person, browser, program

FLOOD = int(os.environ.get("FLOOD_BYTES", "20000000"))
"""What is written in all; `scripts/flood` writes more."""

pytestmark = [
    pytest.mark.timeout(120 + FLOOD / 500_000),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

TICK = 20
"""Milliseconds between two beats of the page's heart."""
HEART = f"""
window.late = 0;
let due = performance.now() + {TICK};
window.heart = setInterval(() => {{
  late = Math.max(late, performance.now() - due);
  due = performance.now() + {TICK};
}}, {TICK});
0
"""
"""Keeps how late, in milliseconds, a timer of the page was at worst."""


async def test_a_flood_holds_up_neither_timers_nor_an_interrupt(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "flood")
        await tab.ask(HEART)
        began = await tab.ask("performance.now()")
        await tab.type(f"yes | head -c {FLOOD}; echo; echo fin''ished\n")
        await tab.until_text("finished", 60 + FLOOD / 500_000)
        seconds = (await tab.ask("performance.now()") - began) / 1000
        late = await tab.ask("late")
        assert await tab.ask("reconnectingptyTest.offset()") >= FLOOD * 1.5  # the terminal ends lines with two bytes
        assert late < 1000

        await tab.type("clear; yes\n")
        await tab.until(f"reconnectingptyTest.offset() > {FLOOD * 1.5 + 5e6}", 60)
        await tab.ask("(late = 0, window.pressed = performance.now(), 0)")
        await tab.page.keyboard.press("Control+C")
        await tab.until("/\\^C\\n\\$$/.test(reconnectingptyTest.text().slice(-100))", 5)
        answered = await tab.ask("performance.now() - pressed")
        print(f"{FLOOD / 1e6:.0f} MB in {seconds:.1f} s, timers at most {late:.0f} ms late, ^C in {answered:.0f} ms")
        assert answered < 5000
        assert len(tab.sockets) == 1
        assert tab.errors == []


async def test_a_terminal_is_usable_soon(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium)
        await person.enter(server, "login")  # whose cookie, and page, the browser keeps
        tab = await person.open("about:blank")
        for session in ("first", "second"):
            await tab.page.goto(f"{server.origin}/?session={session}&test=1")
            await tab.until("window.reconnectingptyTest?.text().endsWith('$')")
            print(f"{session}: a prompt {await tab.ask('performance.now()'):.0f} ms after the navigation began")
            assert await tab.ask("performance.now()") < 10_000
