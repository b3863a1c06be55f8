"""Links to one session: what a guest gets to see, and how it ends. In a real Chromium."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from ..support.serving import TOKEN, Serving, serving
from .driving import SHELL, Person, Tab, browser, program

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

TERMS = "(document.querySelector('.guest .terms')?.textContent ?? '')"


async def made_link(tab: Tab, access: str) -> str:
    """Make a link as a person does; its address."""
    await tab.page.locator("header button[aria-label=Share]").click()
    await tab.page.locator(f".share input[value={access}]").check()
    await tab.page.locator("button:text-is('Make a link')").click()
    address = str(await tab.until("document.querySelector('.share .copying input')?.value"))
    await tab.page.keyboard.press("Escape")
    return address


async def test_a_guest_sees_one_session_as_its_owner_does_and_touches_nothing(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        owner = await Person(chromium).enter(server, "shown")
        await Person(chromium).enter(server, "hidden")
        await owner.type("echo for my gue''st\n")
        await owner.until_text("guest")
        address = await made_link(owner, "read")
        assert TOKEN not in address

        guest = await Person(chromium, viewport={"width": 500, "height": 400}).open(address.replace("/#", "/?test=1#"))
        await guest.until_state("open")
        await guest.until_text("for my guest")
        assert "share" not in guest.page.url
        await guest.until(f"{TERMS}.startsWith('Read-only, until')")
        assert await guest.ask("document.querySelectorAll('[role=tab], header button').length") == 0
        size = await owner.ask("reconnectingptyTest.size()")
        assert await guest.ask("reconnectingptyTest.size()") == size
        await guest.type("echo no''pe\n")
        await owner.type("echo ye''s\n")
        await guest.until_text("yes")
        assert "nope" not in await owner.text()
        assert await owner.ask("reconnectingptyTest.size()") == size
        await guest.screenshot("guest")

        # The link's cookie opens nothing else of the server.
        link = await guest.ask("new URLSearchParams(location.search).get('link')")
        for path in ("/api/sessions", f"/api/sessions?link={link}", f"/api/sessions/hidden?link={link}"):
            answer = await guest.ask(f"fetch({path!r}).then(async (answer) => [answer.status, await answer.text()])")
            assert "hidden" not in json.dumps(answer[1]) or answer[0] == 404, answer
        assert await guest.ask("fetch('/api/sessions').then((answer) => answer.status)") == 401

        # After a reload the guest is the guest still; and once the link is revoked, nobody.
        await guest.page.reload()
        await guest.until_state("open")
        await guest.until_text("yes")
        await owner.page.locator("header button[aria-label=Share]").click()
        await owner.page.locator("button:text-is('Revoke')").click()
        await guest.until(f"{TERMS}.includes('revoked')")
        assert (await guest.ask("reconnectingptyTest.state().kind")) == "ended"
        assert "yes" in await guest.text()
        await guest.page.reload()
        await guest.until("document.body.textContent.includes('This link leads nowhere any more')")
        await guest.screenshot("link-revoked")
        assert [error for error in guest.errors if not re.search("40[14]", error)] == []
        assert await guest.ask("violations") == []


async def test_a_guest_who_may_write_writes(tmp_path: Path) -> None:
    async with program(tmp_path) as server, browser() as chromium:
        owner = await Person(chromium).enter(server, "ours")
        address = await made_link(owner, "write")
        guest = await Person(chromium).open(address.replace("/#", "/?test=1#"))
        await guest.until_state("open")
        await guest.until(f"{TERMS}.startsWith('You can type')")
        await guest.type("echo from the gue''st\n")
        await owner.until_text("from the guest")
        await owner.type("exit 4\n")
        await guest.until_state("ended")
        await guest.until_status("4")
        # A guest can't start what has ended.
        assert await guest.ask(
            "[...document.querySelectorAll('.status button')].every((b) => b.hidden || b.textContent !== 'New session')"
        )


async def test_a_link_that_expires_while_it_is_open_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconnectingpty_server.access_api.LEAST_SECONDS", 0)
    async with serving(command=SHELL) as s, browser() as chromium:
        assert (await s.request("POST", "/api/sessions", b'{"id": "brief"}'))[0] == 201
        path = await brief_link(s, 6)
        guest = await Person(chromium).open(f"{s.http}/?test=1{path.removeprefix('/')}")
        await guest.until_state("open")
        await guest.until(f"{TERMS}.includes('link has expired')")
        assert (await guest.ask("reconnectingptyTest.state().kind")) == "ended"
        assert len(guest.sockets) == 1
        # Who opens it now is told that it is over.
        late = await Person(chromium).open(f"{s.http}/?test=1{path.removeprefix('/')}")
        await late.until("document.body.textContent.includes('This link leads nowhere any more')")


async def brief_link(s: Serving, seconds: float) -> str:
    """A link that is good for so long."""
    body = json.dumps({"access": "read", "seconds": seconds}).encode()
    status, _, content = await asyncio.wait_for(s.request("POST", "/api/sessions/brief/links", body), 20)
    assert status == 201, content
    return str(json.loads(content)["path"])
