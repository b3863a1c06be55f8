"""The end of a command is that command's own, whatever else is typed into its shell, and whatever its shell can do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest

from reconnectingpty.client import Busy, Key, Terminal, connect
from reconnectingpty.client.commands import INTERRUPT

from ..faults.chaos import chaos
from ..support.attached import PATIENCE
from ..support.serving import TOKEN, Serving, serving
from .support import QUICK, terminal_of

EDITING = {"bash": "bash --norc", "vi": "bash --norc -o vi", "zsh": "zsh -f", "fish": "fish --no-config"}
PLAIN = {"dash": "dash", "ash": "busybox ash", "noediting": "bash --norc --noediting", "nozle": "zsh -f +Z"}
SHELLS = EDITING | PLAIN
every = pytest.mark.parametrize("shell", SHELLS)


async def all_output(terminal: Terminal, command: str) -> bytes:
    """Run a command; all that came meanwhile."""
    with terminal.reader() as reader:
        while reader.next_nowait():
            pass
        await terminal.run(command, timeout=PATIENCE)
        seen = b""
        while data := reader.next_nowait():
            seen += data if isinstance(data, bytes) else b""
    return seen


def just_before_it_types(terminal: Terminal, happens: Callable[[], Awaitable[object]]) -> None:
    """Have something happen when a terminal is about to type next."""
    send = terminal.send

    async def send_too_late(*what: str | bytes | Key) -> None:
        terminal.send = send  # type: ignore[method-assign]
        await happens()
        await send(*what)

    terminal.send = send_too_late  # type: ignore[method-assign]


@every
async def test_what_was_typed_before_ends_by_itself(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        await terminal.run("true", timeout=PATIENCE)
        just_before_it_types(terminal, lambda: terminal.send("sleep 0.4; false\r"))
        done = await terminal.run("echo mine; sleep 0.3; sh -c 'exit 5'", timeout=PATIENCE)
        assert (done.status, done.output.splitlines()[-1]) == (5, "mine")
        assert done.seconds >= 0.7


@every
async def test_somebody_elses_command_ends_by_itself(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal, terminal_of(s, "") as person:
        await terminal.run("true", timeout=PATIENCE)

        async def type_first() -> None:
            await person.send("sleep 0.3; false\r")
            await person.flush()

        just_before_it_types(terminal, type_first)
        done = await terminal.run("echo mine; sh -c 'exit 5'", timeout=PATIENCE)
        assert (done.status, done.output.splitlines()[-1]) == (5, "mine")


@every
async def test_a_command_that_another_program_has_read_is_not_taken_for_one_that_ran(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal, terminal_of(s, "") as person:
        await terminal.run("true", timeout=PATIENCE)

        async def read_it() -> None:
            await person.send("sh -c 'echo rea''dy; cat > /dev/null'\r")
            await person.wait_for("ready$")

        just_before_it_types(terminal, read_it)
        running = asyncio.create_task(terminal.run("echo mine", timeout=PATIENCE))
        await terminal.wait_for(r"echo mine$")
        await terminal.flush()
        while not running.done():
            await person.send(INTERRUPT)
            await asyncio.wait((running,), timeout=2.0)
        with pytest.raises(Busy):
            await running
        assert (await terminal.run("echo again", timeout=PATIENCE)).output == "again"


@every
async def test_the_status_before_and_no_command_at_all(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        await terminal.run("sh -c 'exit 6'", timeout=PATIENCE)
        variable = "$status" if shell == "fish" else "$?"
        assert (await terminal.run(f"echo {variable}", timeout=PATIENCE)).output == "6"
        assert (await terminal.run("", timeout=PATIENCE)).output == ""


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "fish"])
async def test_a_line_that_the_shell_does_not_understand_has_a_status(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        done = await terminal.run("echo )(", timeout=PATIENCE)
        assert done.status in (1, 2)
        assert re.search("(?i)(syntax|parse) error", done.output)


@pytest.mark.parametrize("shell", ["bash", "zsh", "dash", "noediting"])
async def test_a_shell_that_ends_by_an_error_is_not_ended_by_its_marks(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        for command, status in (("set -e", 0), ("! true", 1), ("", 1), ("echo still there", 0)):
            done = await terminal.run(command, timeout=PATIENCE)
            assert (done.status, command) == (status if command or shell in EDITING else done.status, command)
        assert done.output == "still there"


@pytest.mark.parametrize("shell", EDITING)
async def test_what_a_person_left_at_the_prompt_is_not_run_wherever_the_cursor_is(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        for _ in range(2):  # the second time the shell knows how to be asked
            await terminal.send(" echo left by a person")
            await terminal.wait_for(r"a person$")
            await terminal.send(Key("Home") if shell != "vi" else "")
            assert (await terminal.run("echo mine", timeout=PATIENCE)).output == "mine"
            assert b"\x07" not in re.sub(rb"\x1b\][^\x07]*\x07", b"", await all_output(terminal, "true"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_long_command_is_run_as_a_whole_from_the_first_on(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        long = "x" * 6000
        done = await terminal.run(f"printf %s {long} | wc -c; false", timeout=PATIENCE)
        assert (done.output.strip(), done.status) == ("6000", 1)
        await terminal.send("sleep 0.3\r")
        done = await terminal.run(f"printf %s {long} | wc -c; false", timeout=PATIENCE)
        assert (done.output.strip(), done.status) == ("6000", 1)


@pytest.mark.parametrize("shell", PLAIN)
async def test_a_command_that_would_be_cut_is_refused(shell: str) -> None:
    async with serving() as s, terminal_of(s, SHELLS[shell]) as terminal:
        with pytest.raises(ValueError, match="more than 4000 bytes"):
            await terminal.run("echo " + "x" * 5000, timeout=PATIENCE)
        assert (await terminal.run("echo short", timeout=PATIENCE)).output == "short"


async def test_an_old_mark_of_an_open_quote_interrupts_nothing() -> None:
    async with serving() as s, terminal_of(s, SHELLS["bash"]) as terminal:
        seen = await all_output(terminal, "true")
        name = re.search(rb"aid=(\w+)", seen)
        assert name is not None
        done = await terminal.run(f"printf '\\033]133;P;k=s;aid={name[1].decode()}\\007'; sleep 0.2", timeout=PATIENCE)
        assert done.status == 0


async def test_a_shell_that_inherits_the_prompts_command_has_a_prompt_as_before() -> None:
    command = "env PROMPT_COMMAND='printf \"<%s>\" $?' bash --norc"
    async with serving() as s, terminal_of(s, command) as terminal:
        await terminal.run("sh -c 'exit 6'", timeout=PATIENCE)
        await terminal.wait_for(r"^<6>")
        mark = await terminal.mark()
        await terminal.send("bash --norc\r(exit 7)\r")
        found = await terminal.wait_for(r"^<7>", since=mark)
        assert "not found" not in found.screen.text()


async def keep_running(terminal: Terminal, times: int) -> None:
    for number in range(times):
        done = await terminal.run(f"sleep 0.0{number % 7}; echo out {number}; (exit {number % 50})", timeout=PATIENCE)
        assert (done.status, done.output) == (number % 50, f"out {number}")
        mark = await terminal.mark()
        await terminal.send(f"seq {number}00; echo se''en {number}\r")
        await terminal.wait_for(rf"^seen {number}\nbash.*[#$] $", since=mark, timeout=PATIENCE)


async def through_chaos(s: Serving, seed: int, times: int) -> int:
    async with chaos(s.address.port, seed) as way:
        url = f"http://{way.address}"
        way.calm = True
        async with connect(url, session="x", token=TOKEN, command=SHELLS["bash"], settings=QUICK) as terminal:
            way.calm = False
            way.cut_now()
            await keep_running(terminal, times)
            assert terminal.resyncs == 0
            way.calm = True
        return way.cuts


async def test_no_end_is_wrong_or_missed_however_often_the_connection_breaks() -> None:
    async with serving(limit_attaches="off") as s:
        assert await through_chaos(s, 20261121, 40) > 20
