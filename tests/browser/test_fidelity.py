"""What the page's terminal shows is what programs wrote, after a reload, a cut, a while offline. In a real Chromium."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from .driving import PATIENCE, Person, Tab, browser, lines, program, proxy

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SCREEN = """(() => {
  const { buffer, rows } = reconnectingptyTest.xterm;
  const { active } = buffer;
  const lines = [];
  for (let row = 0; row < rows; row += 1) {
    lines.push(active.getLine(active.baseY + row).translateToString(true).trimEnd());
  }
  return { kind: active.type, lines, cursor: [active.cursorY, active.cursorX] };
})()"""
"""The rows of the screen, wherever the scrollback is scrolled to."""

RESETS = """
window.resets = 0;
const { xterm } = reconnectingptyTest, write = xterm.write.bind(xterm);
xterm.write = (data, done) => {
  const text = typeof data === 'string' ? data : new TextDecoder('latin1').decode(data);
  if (text.includes('\\x1bc')) resets += 1;
  write(data, done);
};
0
"""
"""Counts what resets the terminal."""

TEXTS = (
    "plain",
    "漢字かな한글",
    "ｆｕｌｌｗｉｄｔｈ",
    "🙂🚀✅⌚",
    "e\u0301a\u0308o\u0302\u0323",
    "שלום",
    "กำลัง",
    "👩\u200d💻",
    "🇩🇪",
    "❤\ufe0f",
    "┌─┐│█",
    "\u200bzero",
)


async def test_characters_stand_where_the_server_s_terminal_has_them(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "widths")
        # What is put into column 40 stands behind as many blanks as the text before it has left.
        page = tmp_path / "texts"
        page.write_text("\x1b[H\x1b[2J" + "".join(f"{text}\x1b[40G|\n" for text in (*TEXTS, "漢" * 100)), "utf-8")
        await tab.type(f"cat {page}; echo do''ne\n")
        await tab.until_text("done")
        model = await tab.ask("fetch('/api/sessions/widths/screen?format=json').then((answer) => answer.json())")
        shown = await tab.ask(SCREEN)
        assert shown["lines"] == model["lines"]
        assert shown["cursor"] == [model["cursor"]["row"], model["cursor"]["col"]]
        await tab.page.reload()  # a picture from the server's terminal
        await tab.until_state("open")
        await tab.until_text("done")
        assert await tab.ask(SCREEN) == shown
        await tab.screenshot("widths")


FULL_SCREEN = (
    ("vim", "vim -u NONE -N -c 'set number hlsearch' -c '/3' {text}", "1234"),
    ("less", "less +100 {text}", "line 110"),
    # Ten seconds pass between two of its pictures; the first second's numbers are all that is ever seen here.
    ("htop", "htop -d 100 --no-mouse", "F10"),
)


async def test_programs_of_the_whole_screen_look_the_same_after_a_reload_and_a_cut(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("".join(f"line {i} \twith 漢字 in it\n" for i in range(1234)), "utf-8")
    async with program(tmp_path) as server, proxy(server.port) as between, browser() as chromium:
        person = Person(chromium)
        for name, command, sign in FULL_SCREEN:
            tab = await person.enter(between, name)
            await tab.type("echo above the pro''gram\n")
            await tab.until_text("above the program")
            await tab.type(command.format(text=text) + "\n")
            await tab.until("reconnectingptyTest.xterm.buffer.active.type === 'alternate'")
            await tab.until_text(sign)
            before = await settled(tab)
            await tab.screenshot(f"{name}-before")
            between.cut()
            await tab.until_greeted(2)
            await tab.until_state("open")
            await same(tab, before, name)
            await tab.page.reload()
            await tab.until_greeted(3)
            await tab.until_state("open")
            await same(tab, before, name)
            await tab.screenshot(f"{name}-after")
            # Nobody's size has wandered, either: the program was never told to draw itself anew.
            assert len({(hello["rows"], hello["cols"]) for hello in tab.hellos}) == 1
            await tab.type({"vim": ":q!\n", "less": "q", "htop": "q"}[name])
            await tab.until("reconnectingptyTest.xterm.buffer.active.type === 'normal'")
            await tab.until_text("above the program")
            assert tab.errors == []
            await tab.page.close()


async def settled(tab: Tab) -> dict[str, Any]:
    """The screen, once it has stayed the same for a while."""
    seen: dict[str, Any] = {}
    while seen != (seen := await tab.ask(SCREEN)):
        await asyncio.sleep(0.5)
    return seen


async def same(tab: Tab, before: dict[str, Any], name: str) -> None:
    """Wait until the screen is as it was; htop's but for its numbers."""
    wanted = plain(before, name)
    end = asyncio.get_running_loop().time() + PATIENCE
    while (shown := plain(await tab.ask(SCREEN), name)) != wanted and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.1)
    assert shown == wanted


def plain(screen: dict[str, Any], name: str) -> list[str]:
    """What is compared."""
    lines = [line.rstrip() for line in screen["lines"]]
    if name == "htop":
        lines = [line for line in lines if "PID" in line or "F10" in line] + [line[:3] for line in lines[:4]]
    return [screen["kind"], str(screen["cursor"]), *lines]


QUESTIONS = {
    "\x1b[c": r"\x1b\[\?1;2c",
    "\x1b[>c": r"\x1b\[>0;276;0c",
    "\x1b[=c": r"\x1bP!\|0{8}\x1b\\",
    "\x1b[>q": r"\x1bP>\|reconnectingpty\x1b\\",
    "\x1b[?u": r"\x1b\[\?0u",
    "\x1b[?2026$p": r"\x1b\[\?2026;2\$y",
    "\x1bP$qm\x1b\\": r"\x1bP1\$r0m\x1b\\",
    "\x1bP+q436f;6b75\x1b\\": r"\x1bP1\+r436f=323536\x1b\\\x1bP0\+r6b75\x1b\\",
    "\x1b[14t": r"\x1b\[4;\d+;\d+t",
    "\x1b[16t": r"\x1b\[6;\d+;\d+t",
    "\x1b[18t": r"\x1b\[8;\d+;\d+t",
    "\x1b]11;?\x07": r"\x1b\]11;rgb:fcfc/fcfc/fbfb\x1b\\",
}
"""What programs ask when they start, and what the page itself answers."""


async def test_the_page_leaves_no_question_of_a_starting_program_to_the_server(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "asked")
        await tab.until_text("$")
        await tab.ask("(window.said = '', reconnectingptyTest.xterm.onData((data) => { said += data; }), 0)")
        for question, answer in QUESTIONS.items():
            await tab.ask(f"new Promise((done) => reconnectingptyTest.xterm.write({json.dumps(question)}, done))")
            said = await tab.ask("said")
            assert re.fullmatch(answer, said), (question, said)
            await tab.ask("said = ''")


async def test_five_seconds_offline_lose_nothing_and_are_not_seen_afterwards(tmp_path: Path) -> None:
    async with program(tmp_path) as server, proxy(server.port) as between, browser() as chromium:
        tab = await Person(chromium).enter(between, "offline")
        await tab.type("for i in $(seq 1 4000); do echo line $i; ((i % 40)) || sleep 0.07; done; echo fin''ished\n")
        await tab.until_text("line 300")
        await tab.ask(RESETS)
        await tab.ask("reconnectingptyTest.xterm.selectLines(10, 11)")
        selected = await tab.ask("reconnectingptyTest.xterm.getSelection()")
        assert selected.startswith("line ")
        between.down = True
        between.cut()
        await tab.until_status("Connection lost")
        await tab.ask("reconnectingptyTest.xterm.scrollToLine(20)")
        await asyncio.sleep(5)
        between.down = False
        text = await tab.until_text("finished", 60)
        assert lines(text, "line ") == [f"line {i}" for i in range(1, 4001)]
        assert await tab.ask("reconnectingptyTest.xterm.getSelection()") == selected
        assert await tab.ask("reconnectingptyTest.xterm.buffer.active.viewportY") == 20
        assert await tab.ask("resets") == 0
        assert len(tab.hellos) == 2
        assert tab.hellos[1]["snapshot"] == 0
        # What counts the resets does see one.
        await tab.type("printf '\\ec'; echo cle''ared\n")
        await tab.until("reconnectingptyTest.text().startsWith('cleared') && resets === 1")
