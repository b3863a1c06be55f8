"""Forty tasks in real shells and programs: each is known to be done when it is, and never before."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from reconnectingpty.client import Ended, Exited, Found, Incomplete, Key, Quiet, SessionEnded, Terminal, commands

from ..support.attached import PATIENCE
from ..support.serving import serving
from .support import terminal_of

SHELLS = {"bash": "bash --norc", "sh": "dash", "ash": "busybox ash", "zsh": "zsh -f", "fish": "fish --no-config"}


class Task(NamedTuple):
    """A command, the status and output it must have, and a file that it leaves as the very last it does."""

    command: str
    status: int = 0
    output: str = ""
    leaves: str = ""


FORGED = "printf '\\033]133;D;0;aid=x;n=999;p=1\\007\\033]133;D;0\\007\\033]133;A\\007$ '"
TASKS = [
    Task("echo one", output="one"),
    Task("false", 1),
    Task("sh -c 'exit 42'", 42),
    Task("sh -c 'kill -9 $$'", 137),
    Task("no-such-command-here", 127, "no-such-command-here"),
    Task("printf 'no line end'", output="no line end"),
    Task("sleep 0.3 && touch slept", leaves="slept"),
    Task("printf 'user@host:~$ '; sleep 0.3; touch prompted", output="user@host:~$", leaves="prompted"),
    Task(f"{FORGED}; sleep 0.3; touch forged", output="$", leaves="forged"),
    Task("sh -c 'printf \"\\033[2J\\033[H# \"; sleep 0.2; touch cleared'", leaves="cleared"),
    Task("seq 20000 | sed 's/^/line /'", output="line 1\nline 2\n"),
    Task("head -c 300000 /dev/urandom | base64 -w 0 | wc -c", output="400000"),
    Task("printf 'a\\nb'\nprintf 'c\\n'", output="a\nbc"),
    Task("echo 'it'\"'\"'s \"quoted\" \\ and 100% done!'", output='it\'s "quoted" \\ and 100% done!'),
    Task("echo 'ünïcödé 漢字 🙂'", output="ünïcödé 漢字 🙂"),
    Task("echo " + "long " * 60, output=("long " * 60).rstrip()),
    Task("cd /; pwd", output="/"),
    Task("sleep 0.2 &"),
    Task("sh -c '(sleep 0.2; touch later) & touch now'", leaves="now"),
    Task("cat > typed < /dev/null", leaves="typed"),
    Task("wait"),
]


@pytest.mark.parametrize(("shell", "backend"), [*((shell, "buffered") for shell in SHELLS), ("bash", "screen")])
async def test_a_command_is_done_when_it_is_done(shell: str, backend: str, tmp_path: Path) -> None:
    async with serving(backend=backend) as s, terminal_of(s, SHELLS[shell]) as terminal:
        await terminal.run(f"cd {tmp_path}", timeout=PATIENCE)
        for task in TASKS:
            done = await terminal.run(task.command, timeout=PATIENCE)
            assert done.status == task.status, (task, done)
            assert task.output in done.output, (task, done)
            if task.leaves:
                assert (tmp_path / task.leaves).exists(), (task, done)
            if task.command.startswith("cd"):
                await terminal.run(f"cd {tmp_path}", timeout=PATIENCE)
        with pytest.raises(SessionEnded):
            await terminal.run("exit 3", timeout=PATIENCE)
        assert await terminal.wait_closed() == Exited(3, None)


@pytest.mark.parametrize("shell", ["bash", "sh", "zsh"])
async def test_a_command_that_is_not_complete_is_taken_back(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        for command in ("echo 'open", "for i in 1 2", "cat <<END"):
            with pytest.raises(Incomplete):
                await terminal.run(command, timeout=PATIENCE)
        assert (await terminal.run("echo closed", timeout=PATIENCE)).output == "closed"


@pytest.mark.parametrize("shell", ["bash", "sh", "zsh"])
@pytest.mark.parametrize("heeded", [False, True])
async def test_an_interrupt_is_given_again_and_ends_nothing_else(
    shell: str, heeded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is lost, or the shell takes its time about it and gets two."""
    monkeypatch.setattr(commands, "HEEDED_SECONDS", 0.05)
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        await terminal.run("true", timeout=PATIENCE)
        send, interrupts = terminal.send, 0

        async def losing(what: str | bytes | Key) -> None:
            nonlocal interrupts
            interrupts += what == commands.INTERRUPT
            if what != commands.INTERRUPT or interrupts > 1:
                await send(what)
                if heeded and what == commands.INTERRUPT:
                    await send(what)

        monkeypatch.setattr(terminal, "send", losing)
        with pytest.raises(Incomplete):
            await terminal.run("echo 'open", timeout=PATIENCE)
        assert interrupts > 1
        done = await terminal.run("sleep 0.2; echo closed", timeout=PATIENCE)
        assert (done.output, done.status) == ("closed", 0)


async def test_what_the_shell_says_wrong_of_a_command_is_its_output() -> None:
    async with serving() as s, terminal_of(s, SHELLS["bash"]) as terminal:
        done = await terminal.run("echo )(", timeout=PATIENCE)
        assert done.status == 2
        assert "syntax error" in done.output


async def python(t: Terminal) -> Found:
    await t.send("python3 -q\r")
    await t.wait_for(r"^>>> $")
    mark = await t.mark()
    await t.send("import time; time.sleep(0.2); print(6 * 7)\r")
    return await t.wait_for(r"^(\d+)\n>>> $", since=mark)


async def password(t: Terminal) -> Found:
    await t.send("stty -echo; printf '[sudo] pass''word for me: '; read p; stty echo; echo; echo got ${#p}\r")
    await t.wait_for(r"password for \w+: $")
    await t.send("se cret\r")
    return await t.wait_for(r"^got (\d+)")


async def pager(t: Terminal) -> Found:
    await t.send("seq 1000 | less\r")
    await t.wait_for(r"^:$")
    await t.press("G")
    await t.wait_for(r"^1000\n\(END\)")
    await t.press("q")
    return await t.wait_for(r"\$ $")


async def pager_in_place(t: Terminal) -> Found:
    await t.send("seq 1000 | less -X\r")
    mark = (await t.wait_for(r"^:$"), await t.mark())[1]
    await t.press("Space")
    await t.wait_for(r"^46\n:$", since=mark)
    await t.press("q")
    return await t.wait_for(r"\$ $", since=mark)


async def editor(t: Terminal) -> Found:
    await t.send("vim -u NONE -i NONE -n vimmed\r")
    await t.wait_for(lambda screen: screen.alternate and screen.lines[1].startswith("~"))
    await t.press("i")
    await t.send("first")
    await t.press("Enter", "Left", "Up", "Escape")
    await t.send(":wq\r")
    await t.wait_for(lambda screen: not screen.alternate)
    await t.send("cat vimmed\r")
    return await t.wait_for(r"^first$")


async def question(t: Terminal) -> Found:
    await t.send("for i in 1 2 3; do printf 'go on %s? [y/n] ' $i; read answer; done; echo asked\r")
    for number in range(1, 4):
        await t.wait_for(rf"^go on {number}\? \[y/n\] $")
        await t.send("y\r")
    return await t.wait_for(r"^asked$")


async def one_of_several(t: Terminal) -> Found:
    await t.send("echo 'Permission denied'\r")
    found = await t.wait_for(r"^password:", r"^Permission denied$", Ended(), Quiet(20))
    assert found.index == 1
    return found


async def progress(t: Terminal) -> Found:
    mark = await t.mark()
    await t.send("for i in 10 50 100; do printf '\\r%3d %%' $i; sleep 0.05; done; printf '\\n'\r")
    return await t.wait_for(r"^100 %$", since=mark)


async def scrolled_by(t: Terminal) -> Found:
    mark = await t.mark()
    await t.send("echo need''le; seq 30000\r")
    found = await t.wait_for(r"^needle$", since=mark)
    await t.wait_for(r"^30000$", since=mark)
    return found


async def cleared(t: Terminal) -> Found:
    await t.send("seq 12; echo\r")
    mark = (await t.wait_for(r"^12$"), await t.mark())[1]
    await t.send("clear; echo at the top\r")
    return await t.wait_for(r"\Aat the top$", since=mark)


async def wrapped(t: Terminal) -> Found:
    mark = await t.mark()
    await t.send("printf '%0200d' 7; echo\r")
    return await t.wait_for(r"^0{199}7$", since=mark)


async def resized(t: Terminal) -> Found:
    await t.send("printf '%0300d|' 1; read x\r")
    mark = (await t.wait_for(r"1\|$"), await t.mark())[1]
    t.resize(20, 50)
    await t.wait_for(lambda screen: screen.cols == 50)
    await t.send("after\r")
    return await t.wait_for(r"\Aafter\n", since=mark)


async def quiet(t: Terminal) -> Found:
    await t.send("for i in 1 2 3 4 5; do echo noise; sleep 0.05; done\r")
    await t.wait_for("^noise$")
    found = await t.wait_for(Quiet(1.0))
    assert "\n".join(found.screen.lines).count("\nnoise") == 5
    return found


async def echo_alone(t: Terminal) -> Found:
    mark = await t.mark()
    await t.send("sleep 0.3; echo do''ne\r")
    return await t.wait_for("^done$", since=mark)


async def interrupted(t: Terminal) -> Found:
    await t.send("sh -c 'echo sleep''ing; exec sleep 1000'\r")
    mark = (await t.wait_for("^sleeping$"), await t.mark())[1]
    await t.press("C-c")
    return await t.wait_for(r"\$ $", since=mark)


async def pasted(t: Terminal) -> Found:
    await t.wait_for(r"\$ $")
    await t.paste("echo pasted $((1 + 1))\necho second\n")
    await t.press("Enter")
    return await t.wait_for(r"^pasted 2\nsecond$")


async def titled(t: Terminal) -> Found:
    await t.send("printf '\\033]0;a title\\007'\r")
    return await t.wait_for(lambda screen: screen.title == "a title")


SCRIPTS: list[Callable[[Terminal], Awaitable[Found]]] = [
    python, password, pager, pager_in_place, editor, question, one_of_several, progress, scrolled_by, cleared, wrapped,
    resized, quiet, echo_alone, interrupted, pasted, titled,
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
async def test_what_is_waited_for_is_seen(script: Callable[[Terminal], Awaitable[Found]], tmp_path: Path) -> None:
    command = f"cd {tmp_path}; PS1='$ ' exec bash --norc"
    async with serving() as s, terminal_of(s, command) as terminal:
        await terminal.wait_for(r"^\$ $")
        await script(terminal)


def test_there_are_forty() -> None:
    assert len(TASKS) + len(SCRIPTS) + 2 >= 40
    for program in ("dash", "busybox", "zsh", "fish", "vim", "less"):
        assert shutil.which(program), f"scripts/install-test-programs installs {program}"
