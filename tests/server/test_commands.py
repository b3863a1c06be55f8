"""The commands, as scripts use them: what they print, and their exit statuses."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from reconnectingpty import questions
from reconnectingpty.asciicast import Recording
from reconnectingpty_server.cli import main

from ..support.serving import TOKEN, Serving, serving
from ..support.tmux import window

PROGRAM = [sys.executable, "-m", "reconnectingpty_server"]
SHELL = "env PS1='$ ' bash --norc --noprofile"


def reached(server: Serving) -> dict[str, str]:
    """The environment in which a command finds a server."""
    return {"RECONNECTINGPTY_URL": server.http, "RECONNECTINGPTY_TOKEN": TOKEN}


async def start(server: Serving, *arguments: str, stdout: int = -1, **environment: str) -> asyncio.subprocess.Process:
    """A command that runs."""
    return await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, env=os.environ | reached(server) | environment, stdin=-1, stdout=stdout, stderr=-1
    )


async def run(server: Serving, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """A command's exit status, output and errors."""
    process = await start(server, *arguments)
    async with asyncio.timeout(50):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def told(server: Serving, *arguments: str) -> Any:
    """What a command that succeeds prints as JSON."""
    status, out, err = await run(server, *arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


async def shows(server: Serving, session: str, text: str) -> None:
    """Wait until a session shows a text."""
    status, _, err = await run(server, "wait", session, "--for", re.escape(text), "--timeout", "30")
    assert status == 0, err


async def test_a_session_is_started_in_the_background_listed_and_ended() -> None:
    async with serving(command=SHELL) as server:
        command = "echo started; cat"
        status, out, err = await run(
            server, "new", "work", "--name", "the wörk", "--command", command, "--size", "100x30"
        )
        assert (status, out, err) == (0, "work\n", "")
        await shows(server, "work", "started")
        (listed,) = await told(server, "list")
        assert (listed["name"], listed["command"], listed["cols"], listed["rows"]) == ("the wörk", command, 100, 30)
        _, out, _ = await run(server, "list")
        assert [re.split("  +", line) for line in out.splitlines()] == [
            ["ID", "STATE", "NAME", "SIZE", "VIEWERS", "IDLE", "COMMAND"],
            ["work", "ready", "the wörk", "100x30", "0", re.split("  +", out.splitlines()[1])[5], command],
        ]
        started = await told(server, "new")
        random = started["id"]
        assert (started["state"], started["pid"] > 0) == ("ready", True)
        assert len(await told(server, "list")) == 2
        status, _, err = await run(server, "new", "work")
        assert (status, err) == (1, "reconnectingpty: there is a session 'work' already\n")
        status, _, err = await run(server, "kill", "work", "none", random)
        assert (status, err) == (1, "reconnectingpty: there is no session 'none'\n")
        await run(server, "new", "linked")
        assert await run(server, "kill", f"{server.http}/?session=linked") == (0, "", "")
        assert await told(server, "list") == []
        _, out, _ = await run(server, "list")
        assert out.split() == ["ID", "STATE", "NAME", "SIZE", "VIEWERS", "IDLE", "COMMAND", "TITLE"]


async def test_what_may_not_be_is_told_with_the_reason() -> None:
    async with serving(allow_command="false") as server:
        status, _, err = await run(server, "new", "--command", "ls")
        assert status == 1
        assert err == (
            "reconnectingpty: the session can't be started like that: "
            "command is not allowed here; the server runs with --allow-command to allow it\n"
        )
        for command in (["screen", "x"], ["send", "x", "a"], ["wait", "x", "--exit"], ["share", "x"]):
            status, out, err = await run(server, *command)
            assert (status, out, err.count("\n"), "no session" in err) == (1, "", 1, True), (command, err)
        status, _, err = await run(server, "run", "x", "ls", "--no-start")
        assert (status, "no session" in err) == (125, True)
        status, _, err = await run(server, "wait", "x")
        assert (status, err) == (1, "reconnectingpty: wait for what? --for, --quiet or --exit says\n")
        status, _, err = await run(server, "wait", "x", "--for", "(")
        assert (status, "no regular expression" in err) == (2, True)


async def test_a_command_runs_in_the_sessions_shell_and_its_status_is_passed_on() -> None:
    async with serving(command=SHELL) as server:
        assert await run(server, "run", "work", "cd /usr && x=kept && pwd; false") == (1, "/usr\n", "")
        quoted = await run(server, "run", "work", "--", "printf", "%s|", "a b", "$x", "it's", "--", "-n")
        assert quoted == (0, "a b|$x|it's|--|-n|\n", "")
        assert await run(server, "run", "work", "echo $x; exit 3 | cat") == (0, "kept\n", "")
        ran = await told(server, "run", "work", "seq 3")
        assert (ran["status"], ran["output"], ran["truncated"], ran["missing"]) == (0, "1\n2\n3", False, 0)
        assert 0 <= ran["seconds"] < 30
        status, out, err = await run(server, "run", "work", "sleep 100", "--timeout", "0.5s")
        assert (status, out, err) == (124, "", "reconnectingpty: no end of 'sleep 100' within 0.5 s\n")
        await run(server, "send", "work", "--keys", "C-c")
        await shows(server, "work", "^C")
        assert await run(server, "run", "work", "echo again") == (0, "again\n", "")


async def test_what_a_program_asks_is_answered_at_once_while_a_command_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "PATIENCE", 1000.0)  # with a terminal that would have to answer itself
    async with serving(command=SHELL) as server:
        asks = r"IFS= read -rsd c -p $'\e[c' answer; declare -p answer"
        status, out, _ = await run(server, "run", "work", asks)
        assert (status, "\\E[?" in out) == (0, True), out


async def test_what_is_sent_is_typed_and_keys_are_pressed_as_the_program_wants_them() -> None:
    async with serving() as server:
        await run(
            server, "new", "work", "--command", "stty -echo raw; printf '\\033[?1h\\033[?2004hready'; exec cat -v"
        )
        await shows(server, "work", "ready")
        assert await run(server, "send", "work", "two  words", "more", "--enter") == (0, "", "")
        await shows(server, "work", "ready")
        assert await run(server, "send", "work", "--keys", "Up", "C-c", "M-x", "F5", "Enter") == (0, "", "")
        await run(server, "send", "work", "--paste", "pasted")
        await run(server, "send", "work", stdin=b"\xc3\xa4 piped")
        await run(server, "send", "work", "--", "-last")
        await shows(server, "work", "-last")
        _, out, _ = await run(server, "screen", "work")
        assert out == "readytwo  words more^M^[OA^C^[x^[[15~^M^[[200~pasted^[[201~M-CM-$ piped-last\n"
        status, _, err = await run(server, "send", "work", "--keys", "Hyper")
        assert (status, "is no key" in err) == (1, True)


async def test_what_is_piped_in_is_sent_whatever_the_flags() -> None:
    async with serving() as server:
        await run(server, "new", "work", "--command", "stty -echo raw; printf '\\033[?2004hready'; exec cat -v")
        await shows(server, "work", "ready")
        assert await run(server, "send", "work", "--paste", "--enter", stdin=b"pasted") == (0, "", "")
        assert await run(server, "send", "work", "--enter", stdin=b"typed") == (0, "", "")
        assert await run(server, "send", "work", "--keys", stdin=b"C-a\n  C-b Enter\n") == (0, "", "")
        assert await run(server, "send", "work", os.fsdecode(b"\xff."), "last") == (0, "", "")
        await shows(server, "work", "last")
        _, out, _ = await run(server, "screen", "work")
        assert out == "ready^[[200~pasted^[[201~^Mtyped^M^A^B^MM-^?. last\n"
        status, _, err = await run(server, "send", "work", "--keys")
        assert (status, err) == (1, "reconnectingpty: which keys? Their names are what is given, or piped in\n")


async def test_an_interrupt_ends_it_while_it_waits_for_what_to_send() -> None:
    async with serving() as server:
        sending = await start(server, "send", "work")
        assert sending.stdin is not None
        async with asyncio.timeout(50):
            sending.stdin.write(b"x" * (1 << 20))
            await sending.stdin.drain()  # most of it has been read
            sending.send_signal(signal.SIGINT)
            assert await sending.wait() == 130
            await sending.communicate()


async def test_enter_alone_waits_for_nothing_from_a_terminal() -> None:
    async with serving() as server, window(environment=reached(server)) as terminal:
        await run(server, "new", "work", "--command", "stty -echo raw; printf ready; exec cat -v")
        await shows(server, "work", "ready")
        await terminal.line(f"{shlex.join(PROGRAM)} send work --enter; echo status=$?")
        await terminal.until("status=0")
        await shows(server, "work", "ready^M")


async def test_output_that_is_left_out_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reconnectingpty.client.job.MOST_OUTPUT", 1000)
    async with serving(command=SHELL) as server:
        for name, value in reached(server).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main, ["run", "work", "seq 10000 19999; exit 3 | cat"])
    out, err = capsys.readouterr()
    # Each line has 7 bytes, a carriage return among them; the last line's end counts, but is not shown.
    assert (ended.value.code, out[:6], out[-6:]) == (0, "10000\n", "19999\n")
    assert err == "reconnectingpty: 68000 bytes in the middle of the output are left out\n"


async def test_output_that_can_not_be_written_is_told_and_what_the_encoding_lacks_is_replaced() -> None:
    async with serving(command=SHELL) as server:
        latin = await start(server, "run", "work", "echo 'ä €'; false", PYTHONIOENCODING="latin-1")
        assert await latin.communicate() == (b"\xe4 ?\n", b"")
        assert latin.returncode == 1
        for command, status in (("list",), 1), (("screen", "work"), 1), (("run", "work", "echo x"), 125):
            with open("/dev/full", "wb") as full:
                process = await start(server, *command, stdout=full.fileno())
                assert await process.communicate() == (None, b"reconnectingpty: No space left on device\n")
            assert process.returncode == status


async def test_it_waits_for_text_for_quiet_and_for_the_end() -> None:
    async with serving() as server:
        await run(server, "new", "work", "--command", "read x; seq 3000; echo result: OK; read y; exit 6")
        waiting = await start(
            server, "wait", "work", "--for", r"^never$", "--for", r"^result: (\w+)", "--timeout", "40"
        )
        await run(server, "send", "work", "--enter")
        async with asyncio.timeout(50):
            out, _ = await waiting.communicate()
        assert (waiting.returncode, out) == (0, b"result: OK\n")
        seen = await told(server, "wait", "work", "--for", r"^result: (\w+)")
        assert (seen["seen"], seen["match"], seen["groups"]) == ("pattern", "result: OK", ["OK"])
        assert seen["screen"]["rows"] == 24
        assert (await told(server, "wait", "work", "--for", "nothing", "--quiet", "0.2"))["seen"] == "quiet"
        status, out, err = await run(server, "wait", "work", "--for", "nothing", "--timeout", "0.2")
        assert (status, out, err.count("\n")) == (124, "", 1)
        status, _, err = await run(server, "wait", "work", "--quiet", "60", "--exit", "--timeout", "0.2")
        assert (status, "not seen within 0.2 s: 60 s of quiet, the end;" in err) == (124, True), err
        waiting = await start(server, "wait", "work", "--exit")
        session = next(iter(server.server.sessions))
        async with asyncio.timeout(50):
            while not session.info().viewers:
                await asyncio.sleep(0.02)
            assert await run(server, "send", "work", "--enter") == (0, "", "")
            out, _ = await waiting.communicate()
        assert (waiting.returncode, out) == (6, b"exit status 6\n")
        await run(server, "new", "other", "--command", "cat")
        waiting = await start(server, "wait", "other", "--exit", "--json")
        session = next(iter(server.server.sessions))
        async with asyncio.timeout(50):
            while not session.info().viewers:
                await asyncio.sleep(0.02)
            assert await run(server, "kill", "other") == (0, "", "")
            out, _ = await waiting.communicate()
        seen = json.loads(out)
        assert (waiting.returncode, seen["seen"], seen["status"], seen["reason"]) == (1, "exit", None, "killed")


async def test_a_session_is_recorded_from_outside_until_it_ends_or_one_has_enough(tmp_path: Path) -> None:
    async with serving() as server:
        await run(server, "new", "work", "--command", "echo before; read x; echo after; read y; exit 6")
        await shows(server, "work", "before")
        path = tmp_path / "work.cast"
        recording = await start(server, "record", "work", str(path))
        async with asyncio.timeout(50):
            while b"before" not in (path.read_bytes() if path.exists() else b""):
                await asyncio.sleep(0.02)
            piped = await start(server, "record", "work", "-")
            assert piped.stdout is not None
            await piped.stdout.readuntil(b"before")
            await run(server, "send", "work", "--enter")
            await piped.stdout.readuntil(b"after")
            piped.send_signal(signal.SIGINT)
            _, err = await piped.communicate()
            assert (piped.returncode, err) == (0, b"")
            await run(server, "send", "work", "--enter")
            _, err = await recording.communicate()
            assert (recording.returncode, err) == (0, b"")
        lines = path.read_text().splitlines()
        cast = Recording(lines)
        events = list(cast)
        assert (cast.size.rows, cast.size.cols, cast.title) == (24, 80, "session work")
        shown = "".join(event.text for event in events if event.code == "o")
        assert re.fullmatch(r"before.*\r\nafter\r\n\r\n", shown, re.DOTALL)
        assert (events[-1].code, events[-1].text) == ("x", "6")
        await run(server, "new", "other", "--command", "echo shown; cat")
        assert await run(server, "record", "other", str(tmp_path / "other.cast"), "--for", "0.5s") == (0, "", "")
        assert "shown" in (tmp_path / "other.cast").read_text()
        status, _, err = await run(server, "record", "other", str(path))
        assert (status, err) == (1, f"reconnectingpty: cannot record into {path}: File exists\n")
        assert (await run(server, "record", "none", str(tmp_path / "none.cast")))[0] == 1
        assert not (tmp_path / "none.cast").exists()


async def test_a_link_to_one_session_is_made_used_listed_and_revoked() -> None:
    async with serving() as server:
        await run(server, "new", "work", "--command", "echo shown; cat")
        await shows(server, "work", "shown")
        made = await told(server, "share", "work", "--for", "10m")
        assert made["url"].startswith(f"{server.http}/#share=")
        assert 500 < made["expires"] - made["created"] <= 600
        assert await run(server, "screen", made["url"]) == (0, "shown\n", "")
        attached = await start(server, "attach", made["url"])
        assert attached.stdout is not None
        async with asyncio.timeout(50):
            await attached.stdout.readuntil(b"shown")
            attached.terminate()
            await attached.communicate()
        status, _, err = await run(server, "send", made["url"], "typed")
        assert (status, err) == (1, "reconnectingpty: you may look at this session, and no more\n")
        _, url, _ = await run(server, "share", "work", "--write")
        assert (await run(server, "send", url.strip(), "typed by a guest", "--enter"))[0] == 0
        await shows(server, "work", "typed by a guest")
        assert sorted(link["access"] for link in await told(server, "share", "work", "--list")) == ["read", "write"]
        _, out, _ = await run(server, "share", "work", "--list")
        assert out.splitlines()[0].split() == ["ID", "ACCESS", "EXPIRES", "BY"]
        assert (await run(server, "share", "work", "--revoke", made["id"]))[0] == 0
        status, _, err = await run(server, "screen", made["url"])
        assert (status, err) == (1, "reconnectingpty: this link has expired or was revoked\n")


def test_every_command_teaches_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    def taught(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0, words
        return capsys.readouterr().out

    names = {*re.findall(r"^    ([a-z-]+)\s", taught(), re.MULTILINE)}
    assert {
        "serve", "attach", "list", "new", "kill", "send", "screen", "wait", "run", "record", "play", "share"
    } <= names  # fmt: skip
    for name in names - {"serve", "tunnel", "user", "haproxy-config"}:
        assert len(taught(name).partition("\n\n")[2].partition("\n\n")[0]) > 60, name
