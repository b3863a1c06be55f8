"""`reconnectingpty mcp`, driven by the real client of that protocol, in front of a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from reconnectingpty_server import mcp
from reconnectingpty_server.remote import Remote

from ..client.support import terminal_of
from ..support.serving import TOKEN, Serving, serving

SHELL = "env PS1='$ ' bash --norc --noprofile"
LOOKING = {"list_sessions", "read_screen", "wait_for"}
DOING = {"start_session", "run_command", "send_text", "press_keys", "kill_session"}


class Agent:
    """Somebody who calls tools."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, **arguments: Any) -> Any:
        """What a tool answers that does not fail."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        assert result.structured_content is not None
        return result.structured_content.get("result", result.structured_content)

    async def fails(self, tool: str, **arguments: Any) -> str:
        """What a tool says that fails."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error
        return " ".join(getattr(part, "text", "") for part in result.content)


@asynccontextmanager
async def agent(server: Serving, *flags: str) -> AsyncIterator[Agent]:
    """One that has terminals on that server."""
    environment = {"PATH": os.environ["PATH"], "RECONNECTINGPTY_URL": server.http, "RECONNECTINGPTY_TOKEN": TOKEN}
    arguments = ["-m", "reconnectingpty_server", "mcp", *flags]
    command = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    async with Client(command, read_timeout_seconds=60) as client:
        yield Agent(client)


async def test_an_agent_works_in_a_shell_that_a_person_could_watch() -> None:
    async with serving(command=SHELL) as server, agent(server) as call:
        assert {tool.name for tool in (await call.client.list_tools()).tools} == LOOKING | DOING
        started = await call("start_session", name="work", cols=100, rows=30)
        assert (started["session"], started["cols"], started["rows"], started["viewers"]) == ("work", 100, 30, 1)
        (viewer,) = next(iter(server.server.sessions))._viewers
        assert not viewer.is_terminal  # so that what programs ask is answered by the session, and at once
        ran = await call("run_command", session="work", command="x=kept; echo $((40 + 2)); false")
        assert (ran["status"], ran["output"], ran["timed_out"]) == (1, "42", False)
        assert (await call("run_command", session="work", command="echo $x"))["output"] == "kept"
        ran = await call("run_command", session="work", command="sleep 60", timeout_seconds=0.3)
        assert (ran["status"], ran["timed_out"], "sleep 60" in ran["screen"]) == (None, True, True)
        await call("press_keys", session="work", keys=["C-c"])
        assert (await call("wait_for", session="work", pattern=r"\^C\n\$"))["what"] == "pattern"
        ran = await call("run_command", session="work", command="seq 20000")
        assert "characters left out" in ran["output"]
        assert ran["output"].endswith("\n20000")
        (session,) = await call("list_sessions")
        assert (session["session"], session["state"]) == ("work", "ready")
        (person,) = server.server.sessions
        assert "20000" in (await person.screen()).text()
        await call("kill_session", session="work")
        assert await call("list_sessions") == []
        assert "the session has ended" in await call("read_screen", session="work")
        assert "the session has ended" in await call.fails("send_text", session="work", text="x")


async def test_an_agent_uses_an_editor_and_answers_questions() -> None:
    async with serving(command=SHELL) as server, agent(server) as call:
        await call("start_session", name="work")
        await call("send_text", session="work", text="vim -u NONE -N", enter=True)
        await call("wait_for", session="work", pattern="^~")
        await call("press_keys", session="work", keys=["i"])
        await call("send_text", session="work", text="one\ntwo", paste=True)
        await call("press_keys", session="work", keys=["Up", "Home", "S", "Escape"])
        seen = await call("wait_for", session="work", pattern=r"^Sone\ntwo$")
        assert seen["match"] == "Sone\ntwo"
        assert "a full-screen program" in await call("read_screen", session="work")
        await call("send_text", session="work", text=":q!", enter=True)
        await call("wait_for", session="work", pattern=r"\$ $")
        await call("send_text", session="work", text="read -p 'really? ' x; exit $x", enter=True)
        assert (await call("wait_for", session="work", pattern=r"^really\? $"))["what"] == "pattern"
        assert (await call("wait_for", session="work", pattern="never", timeout_seconds=0.2))["what"] == "timeout"
        assert (await call("wait_for", session="work", pattern="never", quiet_seconds=0.2))["what"] == "quiet"
        await call("send_text", session="work", text="7", enter=True)
        ended = await call("wait_for", session="work", exit=True)
        assert (ended["what"], ended["exit_status"]) == ("exit", 7)


async def test_what_fails_is_told_in_words_that_help() -> None:
    async with serving(allow_command="false") as server, agent(server) as call:
        assert "there is no session" in await call.fails("read_screen", session="none")
        assert "--allow-command" in await call.fails("start_session", command="ls")
        await call("start_session", name="work")
        assert "is no key" in await call.fails("press_keys", session="work", keys=["Hyper"])
        assert "wait for what" in await call.fails("wait_for", session="work")
        assert "'(' is no regular expression: missing )" in await call.fails("wait_for", session="work", pattern="(")
        assert "timeout must be above 0" in await call.fails(
            "run_command", session="work", command="ls", timeout_seconds=0
        )


async def test_one_that_only_looks_has_no_other_tools() -> None:
    async with serving() as server:
        async with agent(server) as call:
            await call("start_session", name="work", command="echo shown; cat")
        async with agent(server, "--readonly") as call:
            assert {tool.name for tool in (await call.client.list_tools()).tools} == LOOKING
            await call("wait_for", session="work", pattern="shown")
            (session,) = server.server.sessions
            (viewer,) = session._viewers
            assert viewer.readonly


async def test_a_session_in_use_is_not_let_go_of_however_many_others_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mcp, "MAX_OPEN", 1)
    async with serving(command=SHELL) as server:
        for name in "abc":
            async with terminal_of(server, "", session=name):
                pass
        sessions = mcp.Open(Remote.of(server.http, TOKEN), readonly=False)
        async with sessions.terminal("a") as used:
            running = asyncio.create_task(used.run("read x; echo got $x"))
            await used.wait_for("read x; echo")
            for name in "bc":
                async with sessions.terminal(name) as other:
                    await other.run("true")
                assert other.end is not None or not other.connected
            async with sessions.terminal("a") as same:
                assert same is used
                await same.send("it\r")
            assert (await running).output.endswith("got it")
        async with sessions.terminal("b"):
            assert used.connected
        assert not used.connected
        await sessions.aclose()


async def test_a_session_that_is_slow_to_be_reached_keeps_nobody_from_another() -> None:
    connected, never = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await never.wait()
        writer.close()

    async with serving(command=SHELL) as server, await asyncio.start_server(silent, "127.0.0.1", 0) as mute:
        async with terminal_of(server, "", session="a"):
            pass
        sessions = mcp.Open(Remote.of(server.http, TOKEN), readonly=False)
        async with sessions.terminal("a") as first:
            pass
        sessions._remote = Remote.of(f"http://127.0.0.1:{mute.sockets[0].getsockname()[1]}", TOKEN)
        slow = asyncio.create_task(sessions.terminal("b").__aenter__())
        await connected.wait()
        async with sessions.terminal("a") as again:
            assert again is first
        assert not slow.done()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        never.set()
        await sessions.aclose()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_whatever_it_waits_for(number: signal.Signals) -> None:
    async with serving(command=SHELL) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", "mcp"), stdin=-1, stdout=-1, stderr=-1,
            env=os.environ | {"RECONNECTINGPTY_URL": server.http, "RECONNECTINGPTY_TOKEN": TOKEN},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None

        def say(**message: Any) -> None:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")

        about = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        async with asyncio.timeout(50):
            say(id=1, method="initialize", params=about)
            await process.stdout.readline()
            say(method="notifications/initialized")
            say(id=2, method="tools/call", params={"name": "start_session", "arguments": {"name": "work"}})
            await process.stdout.readline()
            waiting = {"session": "work", "pattern": "never", "timeout_seconds": 600}
            say(id=3, method="tools/call", params={"name": "wait_for", "arguments": waiting})
            process.send_signal(number)
            assert await process.wait() == 128 + number  # with standard input open
            _, err = await process.communicate()
        assert err == b""
        (session,) = server.server.sessions
        assert session.info().state == "ready"


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ModuleNotFoundError(\"No module named 'mcp'\", name='mcp')\n")
    done = subprocess.run(
        [sys.executable, "-m", "reconnectingpty_server", "mcp"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    expected = "reconnectingpty: this needs the package mcp: pip install 'reconnectingpty[mcp]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
