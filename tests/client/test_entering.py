"""A shell is asked to tell of its commands: answers in pieces, late, or never."""

from __future__ import annotations

import asyncio
import re

import pytest

from reconnectingpty.client import Closed, Key, NoShell, SessionEnded, Settings
from reconnectingpty.client.commands import Commands
from reconnectingpty.client.view import View
from reconnectingpty.size import Size

from ..support.attached import PATIENCE
from ..support.serving import serving
from .support import QUICK, Unhurried, cut, terminal_of

BASH = "bash --norc"


class Typist:
    """A terminal that draws nothing, and what was typed into it."""

    def __init__(self) -> None:
        self.typed = b""
        self.size = Size(24, 80)
        self.connected = True
        self._more = asyncio.Event()

    async def send(self, data: str | bytes) -> None:
        self.send_nowait(data.encode() if isinstance(data, str) else data)

    def send_nowait(self, data: bytes) -> None:
        self.typed += data
        self._more.set()

    async def flush(self) -> None:
        pass

    async def view(self) -> View | None:
        return None

    async def until(self, pattern: bytes) -> re.Match[bytes]:
        """Wait for something to be typed; it is forgotten then."""
        async with asyncio.timeout(PATIENCE):
            while (match := re.search(pattern, self.typed)) is None:
                self._more.clear()
                await self._more.wait()
        self.typed = b""
        return match


async def asked(typist: Typist, commands: Commands) -> tuple[bytes, asyncio.Task[object]]:
    """Begin to enter a shell that shows a prompt; the nonce of the question."""
    entering: asyncio.Task[object] = asyncio.create_task(commands.enter(PATIENCE))
    commands.came(b"$ ")
    found = await typist.until(rb" ([0-9a-f]{8}) ([0-9a-f]{8}) .*\r")
    return found[1] + found[2], entering


async def test_the_answers_copy_may_come_later_than_the_answer() -> None:
    typist = Typist()
    commands = Commands(typist)
    nonce, entering = await asked(typist, commands)
    commands.came(b"\x1b]133;H;" + nonce + b";fish=\x07")
    found = await typist.until(rb"__rp_a=([0-9a-f]+);.*\n")
    commands.came(b"\x1bP\x1b]133;H;" + nonce + b";fish=;wrapped=1\x07\x1b\\")
    await asyncio.sleep(0)
    commands.came(b"\x1b]133;R;" + nonce + b";kind=sh;aid=" + found[1] + b";p=7;edits=\x07")
    commands.came(b"\x1b]133;D;0;aid=" + found[1] + b";n=1;i=;p=7\x07$ ")
    await entering
    assert commands.shell is not None
    assert commands.shell.kind == "sh"


async def test_a_session_that_ends_before_the_first_prompt_is_no_shell_that_waits() -> None:
    typist = Typist()
    commands = Commands(typist)
    nonce, entering = await asked(typist, commands)
    commands.came(b"\x1b]133;H;" + nonce + b";fish=\x07")
    found = await typist.until(rb"__rp_a=([0-9a-f]+);.*\n")
    commands.came(b"\x1b]133;R;" + nonce + b";kind=sh;aid=" + found[1] + b";p=7;edits=\x07")
    await asyncio.sleep(0)
    commands.over(SessionEnded(Closed("killed", "")))
    with pytest.raises(SessionEnded):
        await entering


async def test_a_question_that_is_given_up_leaves_nothing_that_reads() -> None:
    typist = Typist()
    commands = Commands(typist)
    nonce, entering = await asked(typist, commands)
    commands.came(b"\x1b]133;H;" + nonce + b";fish=\x07")
    await typist.until(rb"__rp_a=([0-9a-f]+);.*\n")
    entering.cancel()
    await asyncio.wait((entering,))
    assert typist.typed == b"\r"


@pytest.mark.parametrize("shell", ["bash --norc", "dash", "busybox ash", "zsh -f"])
async def test_what_a_terminal_answers_late_does_no_harm(shell: str) -> None:
    async with serving() as s, terminal_of(s, shell) as terminal:
        send = terminal.send

        async def answer_late(*what: str | bytes | Key) -> None:
            if isinstance(what[0], str) and what[0].endswith("\n"):
                await send("\x1b[9;5R")
            await send(*what)

        terminal.send = answer_late  # type: ignore[method-assign]
        assert (await terminal.run("echo here", timeout=PATIENCE)).output == "here"


async def test_a_person_finds_the_prompt_again_after_a_question_that_nobody_answered() -> None:
    async with serving() as s, terminal_of(s, BASH) as person:
        await person.send("sleep 1\r")
        await person.wait_for(r"sleep 1\n?$")
        async with terminal_of(s, "") as terminal:
            with pytest.raises(NoShell):
                await terminal.enter(timeout=0.3)
        mark = await person.mark()
        await person.wait_for(r"__rp[^$]*\$ $|__rp[^#]*# $", since=mark)
        await person.send("echo ty''ped\r")
        await person.wait_for(r"echo ty''ped\ntyped$", since=mark)


async def test_the_time_for_a_command_counts_from_the_beginning() -> None:
    async with serving() as s, terminal_of(s, "exec cat") as terminal:
        with pytest.raises(TimeoutError, match=r"no end of 'true' within 0\.2 s$"):
            await terminal.run("true", timeout=0.2)


async def test_where_there_is_no_connection_that_is_said() -> None:
    async with serving() as s, terminal_of(s, BASH, settings=Settings(backoff=Unhurried(longest=60.0))) as terminal:
        await terminal.wait_for(r"[#$] $")
        cut(s)
        while terminal.connected:
            await terminal.changed()
        with pytest.raises(NoShell, match="no connection"):
            await terminal.enter(timeout=0.1)
        with pytest.raises(TimeoutError, match="no connection"):
            await terminal.run("true", timeout=0.1)


async def test_a_shell_that_shows_its_prompt_already_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconnectingpty.client.commands.SETTLING_SECONDS", 3600.0)
    async with serving() as s, terminal_of(s, BASH) as first:
        await first.wait_for(r"[#$] $")
        async with terminal_of(s, "") as terminal:
            assert (await terminal.run("echo soon", timeout=PATIENCE)).output == "soon"


async def test_a_command_that_was_never_typed_leaves_the_shell_free() -> None:
    async with serving() as s, terminal_of(s, BASH, settings=Settings(backoff=QUICK.backoff, input_limit=10)) as t:
        await t.enter(timeout=PATIENCE)
        t.send_nowait(b"#" * 10)
        running = asyncio.create_task(t.run("echo never"))
        while t._commands._job is None:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait((running,))
        assert (await t.run("echo typed", timeout=PATIENCE)).output == "typed"
