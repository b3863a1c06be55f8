"""The page, in a real Chromium, through a real router: one login for all nodes, sessions whose ids name theirs."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ..browser.driving import TOKEN, Person, browser, program
from .routing import routing

pytestmark = [
    pytest.mark.timeout(180),
    # What the browser's driver leaves to the garbage collector is its own.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


async def test_the_page_finds_its_way_by_the_router(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        keys = str(tmp_path / "keys")
        nodes = {}
        for name in "abc":
            home = tmp_path / name
            home.mkdir()
            flags = ("--node", name, "--key-file", keys, "--trusted-proxy", "127.0.0.1")
            nodes[name] = await stack.enter_async_context(program(home, *flags))
        addresses = {name: f"127.0.0.1:{node.port}" for name, node in nodes.items()}
        router = await stack.enter_async_context(routing(tmp_path, addresses))
        await router.until_seen("a", "b", "c")
        person = Person(await stack.enter_async_context(browser()))

        new = await person.open(f"{router.http}/?test=1#token={TOKEN}")
        await new.until_state("open")
        found = re.fullmatch(rf"{router.http}/\?test=1&session=([abc])\.[A-Za-z0-9]{{24}}", new.page.url)
        assert found is not None, new.page.url
        await new.type("echo here $((40 + 2))\n")
        await new.until_text("here 42")

        # The cookie of that node's login is good at every other.
        for name in "abc":
            tab = await person.open(f"{router.http}/?session={name}.work&test=1")
            await tab.until_state("open")
            assert tab.hellos[-1]["session"] == f"{name}.work"
            below = await person.open(f"{router.http}/node/{name}/?session=work&test=1")
            await below.until_status("2 viewers")
            assert below.hellos[-1]["session"] == f"{name}.work"
            assert below.errors == []

        nowhere = await person.open(f"{router.http}/?session=work&test=1")
        await nowhere.until_status("names no node")

        # The list is that of all nodes, and says which of them does not answer.
        await new.page.keyboard.press("Control+Shift+L")
        listed = (
            "[...document.querySelectorAll('.card')].map((card) => card.dataset.session.split('.')[0]).sort().join('')"
        )
        await new.until(f"{listed} === '{''.join(sorted('abc' + found[1]))}'")
        other = next(name for name in "abc" if name != found[1])
        await nodes[other].kill()
        await new.until(f"document.querySelector('.problem')?.textContent === 'The node {other} does not answer.'")
        await new.until(f"{listed} === '{''.join(sorted('abc'.replace(other, '') + found[1]))}'")
        await new.screenshot("nodes")
