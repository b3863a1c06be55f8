"""The page, in a real Chromium, on a real server."""

from __future__ import annotations

import asyncio
import gzip
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from .driving import TOKEN, Person, Tab, browser, lines, program, proxy

LONG_WAIT = "reconnectingptyTest.state().until > performance.now() + 3000"

pytestmark = [
    pytest.mark.timeout(180),
    # What the browser's driver leaves to the garbage collector is its own.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

STRICT = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


async def test_what_is_typed_is_run_and_seen(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "typing")
        await tab.type("echo ready $((40 + 2)) ä€😀\n")
        await tab.until_text("ready 42 ä€😀")
        assert "Connected" in await tab.status()
        assert tab.errors == []


async def test_the_link_s_token_leaves_the_address_bar_and_is_kept_nowhere(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium)
        tab = await person.open(f"{server.origin}/#token={TOKEN}")
        await tab.until_status("Connected")
        assert re.fullmatch(rf"{server.origin}/\?session=[A-Za-z0-9]{{21,}}", tab.page.url)
        kept = await tab.ask(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.length])"
        )
        assert TOKEN not in kept
        assert TOKEN not in "".join(tab.requests)
        assert TOKEN not in await tab.ask("document.documentElement.outerHTML")
        again = await person.open(tab.page.url)  # the cookie lets this browser in
        await again.until_status("2 viewers")


async def test_a_reload_shows_the_same(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "reload")
        await tab.type(
            "seq -f 'row %g' 1 200; printf '\\e[1;31mred\\e[0m \\e[48;2;1;2;3mground\\e[0m\\n'; echo do''ne\n"
        )
        before = await tab.until_text("done")
        await tab.page.reload()
        await tab.until_state("open")
        assert await tab.until_text("done") == before
        await tab.type("echo still $((40 + 2))\n")
        await tab.until_text("still 42")


async def test_a_tab_closed_and_opened_again_shows_the_same(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium)
        tab = await person.enter(server, "reopened")
        await tab.type("name=ada; echo first li''fe\n")
        before = await tab.until_text("first life")
        url = tab.page.url
        await tab.page.close()
        tab = await person.open(url)
        await tab.until_state("open")
        assert await tab.until_text("first life") == before
        await tab.type("echo hello $name\n")
        await tab.until_text("hello ada")


async def test_two_tabs_share_one_shell(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium)
        one = await person.enter(server, "shared")
        two = await person.enter(server, "shared")
        await one.until_status("2 viewers")
        await one.type("echo from o''ne\n")
        await two.until_text("from one")
        await two.type("echo from t''wo\n")
        await one.until_text("from two")
        await two.page.close()
        await one.until("!document.querySelector('.status').innerText.includes('viewers')")


async def test_cut_connections_during_output_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    async with program(tmp_path) as server, proxy(server.port) as between, browser() as chromium:
        tab = await Person(chromium).enter(between, "cut")
        await tab.type("for i in $(seq 1 4000); do echo line $i; ((i % 40)) || sleep 0.05; done; echo fin''ished\n")
        for _ in range(8):
            await asyncio.sleep(0.4)
            between.cut()
        text = await tab.until_text("finished", 60)
        assert lines(text, "line ") == [f"line {i}" for i in range(1, 4001)]
        assert len(tab.hellos) >= 5
        assert {hello["snapshot"] for hello in tab.hellos} == {0}


async def test_a_short_cut_is_not_seen(tmp_path: Path) -> None:
    async with program(tmp_path) as server, proxy(server.port) as between, browser() as chromium:
        tab = await Person(chromium).enter(between, "unseen")
        await tab.type("echo he''re\n")
        await tab.until_text("here")
        await tab.ask(
            "(window.seen = [], new MutationObserver(() => seen.push(document.querySelector('.message').textContent))"
            ".observe(document.querySelector('.status'), {subtree: true, childList: true, attributes: true}))"
        )
        between.cut()
        await tab.until_greeted(2)
        await asyncio.sleep(0.6)
        assert set(await tab.ask("seen")) <= {"Connected"}


async def test_keys_typed_while_offline_are_sent_once(tmp_path: Path) -> None:
    async with program(tmp_path) as server, proxy(server.port) as between, browser() as chromium:
        tab = await Person(chromium).enter(between, "offline")
        between.down = True
        between.cut()
        await tab.until_status("Connection lost")
        await tab.type("echo typed off''line $((1 + 1))\n")
        await tab.until(LONG_WAIT, 60)
        await tab.screenshot("offline")
        between.down = False
        await tab.page.click(".action")
        await tab.until_text("typed offline 2", 2)
        await tab.type("echo en''d\n")
        text = await tab.until_text("end")
        assert text.count("typed offline 2") == 1


async def test_it_comes_back_at_once_when_the_network_does(tmp_path: Path) -> None:
    async with program(tmp_path) as server, proxy(server.port) as between, browser() as chromium:
        tab = await Person(chromium).enter(between, "online")
        between.down = True
        between.cut()
        await tab.until(LONG_WAIT, 60)
        between.down = False
        await tab.ask("dispatchEvent(new Event('online'))")
        await tab.until("reconnectingptyTest.state().kind === 'open'", 2)


async def test_an_exit_is_shown_with_its_status_and_nothing_reconnects(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "exit")
        await tab.type("echo last wo''rds; exit 3\n")
        state = await tab.until_state("ended")
        assert state["end"] == {"cause": "exit", "code": 3, "signal": None}
        await tab.until_status("Program ended with exit status 3")
        assert "last words" in await tab.text()
        await tab.screenshot("exit")
        await tab.ask("dispatchEvent(new Event('online'))")
        await asyncio.sleep(1.5)
        assert len(tab.sockets) == 1
        # The keyboard alone gets on from here.
        await tab.page.keyboard.press("Tab")
        async with tab.page.expect_navigation():
            await tab.page.keyboard.press("Enter")
        assert "session=exit" not in tab.page.url
        await tab.until_state("open")
        assert "last words" not in await tab.text()


async def test_a_killed_session_is_told_as_that(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "killed")
        await tab.ask("fetch('/api/sessions/killed', {method: 'DELETE'}).then((answer) => answer.status)")
        await tab.until_status("Session ended: killed")
        assert len(tab.sockets) == 1


async def test_a_server_that_comes_back_without_the_session_is_told_honestly(tmp_path: Path) -> None:
    async with browser() as chromium:
        person = Person(chromium)
        async with program(tmp_path) as server:
            tab = await person.enter(server, "restart")
            await tab.type("echo be''fore\n")
            await tab.until_text("before")
            port = server.port
            await server.kill()
        await tab.until_status("Connection lost")
        async with program(tmp_path, port=port):
            await tab.until_state("locked")  # the new server does not know the old one's cookies
            await tab.page.fill("#token", TOKEN)
            await tab.page.keyboard.press("Enter")
            await tab.until_status("Session ended")
            assert "before" in await tab.text()


async def test_a_server_that_takes_no_more_sessions_says_so(tmp_path: Path) -> None:
    async with program(tmp_path, "--max-sessions", "1") as server, browser() as chromium:
        person = Person(chromium)
        await person.enter(server, "first")
        tab = await person.open(f"{server.origin}/?session=second&test=1#token={TOKEN}")
        await tab.until_status("The server refuses this session: this server has 1 sessions already")


async def test_a_terminal_answers_what_is_asked_of_it_and_nothing_that_is_replayed(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium)
        tab, other = await person.enter(server, "asked"), await person.enter(server, "asked")
        await tab.type("clear; read -rsd c -p $'\\e[c' answer; printf '%q\\n' \"$answer\"\n")
        for seen in (tab, other):
            await seen.until_text(r"$'\E[?1;2'")
        await tab.page.reload()
        await tab.until_state("open")
        await tab.type("echo al''one\n")
        await other.until_text("alone")
        lines = (await other.text()).split()
        assert lines.count(r"$'\E[?1;2'") == 1
        assert not any("1;2c" in line for line in lines)


async def test_without_a_token_a_form_asks_for_it(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).open(f"{server.origin}/?session=form&test=1")
        await tab.until("document.querySelector('#login').open")
        await tab.type("not-the-token\n")
        await tab.until("document.querySelector('#login-error').textContent.includes('not this server')")
        await tab.screenshot("login")
        await tab.type(f"{TOKEN}\n")
        await tab.until_state("open")
        await tab.type("echo logged i''n\n")
        await tab.until_text("logged in")


async def test_a_link_with_a_wrong_token_says_so(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).open(f"{server.origin}/?session=wrong&test=1#token=not-the-token")
        await tab.until("document.querySelector('#login-error').textContent.includes('not this server')")
        assert "token" not in tab.page.url


async def test_a_command_in_a_link_is_run_when_confirmed_and_once(tmp_path: Path) -> None:
    async with program(tmp_path, "--allow-command") as server, browser() as chromium:
        person = Person(chromium)
        mark = tmp_path / "mark"
        link = f"{server.origin}/?session=%s&test=1&command=echo+x>>{mark};cat#token={TOKEN}"
        refused = await person.open(link % "refused")
        await refused.until("document.querySelector('#confirm').open")
        assert await refused.ask("document.querySelector('#command').textContent") == f"echo x>>{mark};cat"
        await refused.screenshot("confirm")
        await refused.page.keyboard.press("Escape")
        await refused.until_status("The command was not run")
        assert refused.sockets == []
        allowed = await person.open(link % "allowed")
        await allowed.page.click("button[value=yes]")
        await allowed.until_state("open")
        assert "command" not in allowed.page.url
        await allowed.page.reload()
        await allowed.until_state("open")
        assert mark.read_text() == "x\n"


async def test_a_read_only_link_shows_and_does_not_type(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        person = Person(chromium)
        writer = await person.enter(server, "watched")
        reader = await person.enter(server, "watched", "&readonly=1")
        await reader.until_status("Connected, read-only")
        await reader.type("echo no''pe\n")
        await writer.type("echo ye''s\n")
        await reader.until_text("yes")
        assert "nope" not in await writer.text()
        assert len(reader.sockets) == 1


async def test_a_window_of_another_size_frames_the_terminal(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        wide = await Person(chromium).enter(server, "sizes")
        narrow = await Person(chromium, viewport={"width": 420, "height": 700}).enter(server, "sizes")
        fitting = "JSON.stringify(reconnectingptyTest.fitting()) === JSON.stringify(reconnectingptyTest.size())"
        await narrow.until(fitting)
        size = await narrow.ask("reconnectingptyTest.size()")
        await wide.until(f"reconnectingptyTest.size().cols === {size['cols']}")
        assert await wide.ask("document.querySelector('.stage').className") == "stage framed"
        await wide.screenshot("framed-small")
        await wide.type("stty size\n")  # who types leads
        own = await wide.ask("reconnectingptyTest.fitting()")
        await wide.until_text(f"{own['rows']} {own['cols']}")
        assert own["cols"] > size["cols"]
        await wide.until(fitting)
        await narrow.until(f"reconnectingptyTest.size().cols === {own['cols']}")
        await narrow.screenshot("framed-big")
        assert await narrow.ask("reconnectingptyTest.fitting()") == size
        # Nobody's size wanders while nobody does anything.
        await asyncio.sleep(1)
        assert await wide.ask("reconnectingptyTest.size()") == await narrow.ask("reconnectingptyTest.size()") == own


async def test_the_first_size_is_the_window_s(tmp_path: Path) -> None:
    async with program(tmp_path, command="stty size; cat") as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "first")
        size = await tab.ask("reconnectingptyTest.fitting()")
        assert (await tab.until_text(f"{size['rows']} {size['cols']}")).count("\n") == 0


async def test_the_terminal_follows_the_window(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium, viewport={"width": 390, "height": 700}).enter(server, "resized")
        before = await tab.ask("reconnectingptyTest.size()")
        assert 35 <= before["cols"] <= 60
        await tab.page.set_viewport_size({"width": 1200, "height": 800})
        await tab.until(f"reconnectingptyTest.size().cols > {before['cols'] * 2}")
        await tab.type("stty size\n")
        size = await tab.ask("reconnectingptyTest.size()")
        await tab.until_text(f"{size['rows']} {size['cols']}")


async def test_mouse_reports_beyond_column_95_arrive_as_they_are(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium, viewport={"width": 1280, "height": 640}).enter(server, "mouse")
        report = "dd bs=1 count=6 2>/dev/null | od -An -tx1"
        await tab.type(f"stty raw -echo; printf '\\e[?1000hgo\\r\\n'; {report}; printf '\\e[?1000l'; stty sane\n")
        await tab.until("/^go$/m.test(reconnectingptyTest.text())")
        await tab.page.mouse.click(1200, 300)
        found = await tab.until("/1b 5b 4d 20 ([0-9a-f]{2}) [0-9a-f]{2}/.exec(reconnectingptyTest.text())?.[1]")
        assert int(found, 16) >= 128


async def test_a_flood_leaves_the_page_usable_and_an_interrupt_works_at_once(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "flood")
        await tab.type("yes flood\n")
        await tab.until("reconnectingptyTest.offset() > 2e6", 60)
        began = await tab.ask("performance.now()")
        assert await tab.ask("performance.now()") - began < 1000
        await tab.page.keyboard.press("Control+C")
        await tab.until("/\\^C\\n\\$/.test(reconnectingptyTest.text().slice(-100))", 5)
        assert len(tab.sockets) == 1


@pytest.mark.parametrize("flags", [(), ("--disable-3d-apis",)], ids=["webgl", "elements"])
async def test_the_strictest_policy_is_not_violated(tmp_path: Path, flags: tuple[str, ...]) -> None:
    async with (
        program(tmp_path, "--allow-command") as server,
        proxy(server.port, STRICT) as between,
        browser(*flags) as chromium,
    ):
        tab = await Person(chromium).open(f"{between.origin}/?session=policy&test=1&command=cat#token={TOKEN}")
        await tab.page.click("button[value=yes]")
        await tab.until_state("open")
        await tab.type("\x1b[1;3;4mstyles\x1b[38;2;10;200;30;48;2;1;2;3mcolours\x1b[0m\n")
        await tab.until_text("colours")
        await tab.page.emulate_media(color_scheme="dark")
        await tab.page.set_viewport_size({"width": 700, "height": 500})
        await tab.type("echo en''d\n")
        await tab.until_text("echo en''d")
        await tab.screenshot(f"policy-{'elements' if flags else 'webgl'}")
        assert await tab.ask("!!document.querySelector('.xterm-rows')") == bool(flags)
        assert await tab.ask("violations") == []
        assert tab.errors == []
        assert all(url.startswith((between.origin, "data:")) for url in tab.requests), tab.requests


async def test_the_server_s_own_policy_is_not_violated(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "own-policy")
        await tab.type("echo he''re\n")
        await tab.until_text("here")
        assert await tab.ask("violations") == []


async def test_titles_are_text(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium).enter(server, "title")
        await tab.type("printf '\\e]2;<b>work</b>\\a'\n")
        await tab.until("document.title === '<b>work</b>'")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize(("shape", "width", "height"), [("wide", 1280, 760), ("phone", 390, 760)])
async def test_it_fits_its_window(tmp_path: Path, scheme: str, shape: str, width: int, height: int) -> None:
    how: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    async with program(tmp_path) as server, browser() as chromium:
        tab = await Person(chromium, **how, has_touch=shape == "phone").enter(server, "look")
        await tab.type("ls --color -l /; printf '\\e[32mgreen \\e[1;34mblue\\e[0m\\n'\n")
        await tab.until_text("green blue")
        await tab.screenshot(f"{shape}-{scheme}")
        assert await tab.ask("document.documentElement.scrollWidth <= innerWidth")
        assert await tab.ask("document.querySelector('.xterm-screen').getBoundingClientRect().right <= innerWidth")
        assert await tab.ask("document.querySelector('.status').getBoundingClientRect().bottom <= innerHeight")
        light = await tab.ask("getComputedStyle(document.body).backgroundColor") == "rgb(252, 252, 251)"
        assert light == (scheme == "light")


async def test_the_page_says_what_it_is(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        tab: Tab = await Person(chromium).enter(server, "accessible")
        assert await tab.ask("document.documentElement.lang") == "en"
        assert await tab.ask("document.title")
        assert await tab.ask("document.querySelector('.status [role=status]').getAttribute('aria-live')") == "polite"
        assert await tab.ask("!!document.activeElement.getAttribute('aria-label')")


def test_the_first_load_is_small() -> None:
    page = files("reconnectingpty_server").joinpath("page")
    assets = [asset.read_bytes() for asset in page.joinpath("assets").iterdir()]
    assert (
        sum(len(gzip.compress(content)) for content in [*assets, page.joinpath("index.html").read_bytes()]) < 350 << 10
    )
