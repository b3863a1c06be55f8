"""Commands in a shell: what becomes of them when not all goes well."""

from __future__ import annotations

import asyncio

import pytest

from reconnectingpty.client import Busy, NoShell, OutputLost, Settings, connect

from ..faults.chaos import chaos
from ..support.attached import PATIENCE
from ..support.serving import TOKEN, serving
from .support import QUICK, cut, terminal_of

BASH = "bash --norc"


async def test_a_command_that_takes_too_long_goes_on_and_another_has_to_wait_for_its_end() -> None:
    async with serving() as s, terminal_of(s, BASH) as terminal:
        mark = await terminal.mark()
        with pytest.raises(TimeoutError):
            await terminal.run("echo here; read line; echo read $line", timeout=0.3)
        with pytest.raises(Busy):
            await terminal.run("echo too early")
        await terminal.wait_for("^here$", since=mark)
        mark = await terminal.mark()
        await terminal.send("this\r")
        await terminal.wait_for(r"^read this$", since=mark)
        await terminal.wait_for(r"[#$] $", since=mark)
        assert (await terminal.run("echo again", timeout=PATIENCE)).output == "again"


async def test_what_is_no_shell_is_not_taken_for_one() -> None:
    async with serving() as s, terminal_of(s, "exec cat") as terminal:
        with pytest.raises(NoShell):
            await terminal.enter(timeout=0.5)


async def test_a_shell_within_a_shell_is_entered_and_left() -> None:
    async with serving() as s, terminal_of(s, BASH) as terminal:
        outer = (await terminal.run("echo $$", timeout=PATIENCE)).output
        await terminal.send("dash\r")
        assert await terminal.enter(timeout=PATIENCE) == "sh"
        inner = (await terminal.run("echo $$", timeout=PATIENCE)).output
        assert inner.isdigit()
        assert inner != outer
        mark = await terminal.mark()
        await terminal.send("exit\r")
        await terminal.wait_for(r"^bash.*[#$] $", since=mark)
        assert (await terminal.run("echo $$", timeout=PATIENCE)).output == outer


async def test_a_prompt_that_a_shell_has_inherited_tells_no_end() -> None:
    async with serving() as s, terminal_of(s, "dash") as terminal:
        await terminal.run("export PS1 __rp_a __rp_n __rp_h __rp_t", timeout=PATIENCE)
        with pytest.raises(TimeoutError):
            await terminal.run("dash", timeout=0.5)
        mark = await terminal.mark()
        await terminal.send("echo in''side\r")
        await terminal.wait_for(r"^inside\n[#$] $", since=mark)
        with pytest.raises(Busy):
            await terminal.run("echo outside")
        await terminal.send("exit 6\r")
        await terminal.wait_for(r"^[#$] exit 6\n[#$] $", since=mark)
        assert (await terminal.run("echo $?", timeout=PATIENCE)).output == "6"


async def test_two_clients_share_a_shell_that_was_made_ready_by_one() -> None:
    async with serving() as s, terminal_of(s, BASH) as one, terminal_of(s, "") as other:
        for terminal, name in ((one, "1"), (other, "2"), (one, "3"), (other, "4")):
            assert (await terminal.run(f"echo {name}", timeout=PATIENCE)).output == name


async def test_a_marks_replay_is_no_end() -> None:
    async with serving() as s, terminal_of(s, BASH) as terminal:
        reader = terminal.reader()
        await terminal.run("true", timeout=PATIENCE)
        seen = b""
        while data := reader.next_nowait():
            seen += data if isinstance(data, bytes) else b""
        reader.close()
        at = seen.index(b"\x1b]133;D")
        old = seen[at : seen.index(b"\x07", at)].decode().replace("\x1b", "\\033")
        done = await terminal.run(f"printf '{old}\\007'; sleep 0.3; (exit 5)", timeout=PATIENCE)
        assert done.status == 5
        assert done.seconds >= 0.3


async def test_a_long_output_is_kept_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconnectingpty.client.job.MOST_OUTPUT", 50_000)
    async with serving() as s, terminal_of(s, BASH) as terminal:
        done = await terminal.run("seq 100000", timeout=PATIENCE)
        assert done.truncated
        assert done.output.startswith("1\n2\n")
        assert done.output.endswith("\n99999\n100000")
        assert 100_000 <= len(done.raw) <= 200_000


async def test_a_command_runs_on_while_the_connection_breaks() -> None:
    async with serving() as s, terminal_of(s, BASH) as terminal:
        await terminal.run("true", timeout=PATIENCE)
        running = asyncio.create_task(terminal.run("sleep 0.3; echo through; (exit 4)", timeout=PATIENCE))
        for _ in range(10):
            await asyncio.sleep(0.02)
            cut(s)
        done = await running
        assert (done.status, done.output) == (4, "through")
        assert terminal.connections > 1


async def test_output_that_was_missed_is_said_to_be() -> None:
    async with serving(log_size="524288") as s, chaos(s.address.port, 0) as way:
        way.calm = True
        url = f"http://{way.address}"
        async with connect(url, session="x", token=TOKEN, command=BASH, settings=QUICK) as terminal:
            await terminal.run("true", timeout=PATIENCE)
            mark = await terminal.mark()
            running = asyncio.create_task(terminal.run("echo here; read x; seq 200000; echo through", timeout=PATIENCE))
            waiting = asyncio.create_task(terminal.wait_for("^through$", since=mark))
            await terminal.wait_for("^here$", since=mark)
            way.away = True
            way.cut_now()
            async with terminal_of(s, "") as other:
                await other.send("\r")
                await other.wait_for("^through$")
            way.away = False
            with pytest.raises(OutputLost):
                await running
            with pytest.raises(OutputLost):
                await waiting
            assert terminal.resyncs == 1
            assert (await terminal.run("echo again", timeout=PATIENCE)).output == "again"


async def test_a_terminal_that_draws_nothing_runs_commands_all_the_same() -> None:
    plain = Settings(backoff=QUICK.backoff, scrollback=None)
    async with serving() as s, terminal_of(s, BASH, settings=plain) as terminal:
        assert (await terminal.run("echo plain", timeout=PATIENCE)).output == "plain"
        with pytest.raises(RuntimeError, match="draws no screen"):
            await terminal.screen()
