"""What Coder's own tests assert of a reconnecting PTY, each under its number in the table of docs/backends.md."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
from pathlib import Path

import pytest

from ..screen.homes import alive
from ..support.attached import PATIENCE
from ..support.serving import TOKEN, Told
from .clients import PROMPT, SHELL, AgentClient, Client, init, plain
from .clients import coder as coder_of
from .conftest import Serve

SESSION = "00000000-0000-4000-8000-00000000c0de"


def is_command(line: str) -> bool:
    return "echo test" in line


def is_output(line: str) -> bool:
    return "test" in line and "echo" not in line


def is_exit_command(line: str) -> bool:
    return "exit" in line


async def typed_and_shown(*clients: Client) -> None:
    """Each client sees the command, and its output."""
    for client in clients:
        await client.line(is_command, "the command")
        await client.line(is_output, "its output")


async def test_1_a_connection_that_opens_and_closes_is_counted_and_is_no_error(serve: Serve) -> None:
    async with serve() as coder:
        client = await coder.attach()
        await client.close()
        await coder.nobody_is_attached()
        assert await coder.metric("reconnecting_pty_connections_total") == 1
        assert await coder.metric("reconnecting_pty_errors_total{") == 0
        assert await coder.metric("reconnecting_pty_viewers ") == 0


async def test_2_to_5_two_connections_then_a_third_then_exit(serve: Serve) -> None:
    async with serve() as coder:
        one, two = await asyncio.gather(coder.attach(SESSION), coder.attach(SESSION))
        await asyncio.gather(one.prompt(), two.prompt())  # 2
        await one.type("echo test\r")
        await typed_and_shown(one, two)  # 3
        await asyncio.gather(one.close(), two.close())
        await coder.nobody_is_attached()
        third = await coder.attach(SESSION)
        await typed_and_shown(third)  # 4
        shown = len(third.lines)
        await third.type("exit\r")
        await third.to_the_end()  # 5
        assert is_exit_command("".join(third.lines[shown - 1 :]))


async def test_6_a_command_that_is_no_shell_gives_its_output_and_the_end(serve: Serve) -> None:
    async with serve() as coder:
        client = await coder.attach(command="echo test")
        await client.to_the_end()
        assert any(map(is_output, client.lines))


async def test_7_utf8_goes_through_although_the_locale_is_c(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_CTYPE", raising=False)
    monkeypatch.setenv("LANG", "C")
    async with serve() as coder:
        client = await coder.attach(command="echo ❯")
        assert "❯".encode() in await client.to_the_end()


async def test_8_and_30_term_is_xterm_256color_for_every_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    async with serve() as coder:
        one, two = await coder.attach(SESSION), await coder.attach(SESSION)
        await one.prompt()
        await one.type("echo term=$TERM.\r")
        await asyncio.gather(one.shows(b"term=xterm-256color."), two.shows(b"term=xterm-256color."))


async def test_10_statistics_with_one_connection_and_some_traffic(serve: Serve) -> None:
    async with serve() as coder:
        client = await coder.attach()
        await client.prompt()
        await client.type("echo test\r")
        await typed_and_shown(client)
        assert await coder.metric("reconnecting_pty_connections_total") == 1
        assert await coder.metric('reconnecting_pty_bytes_total{direction="in"}') > 0
        assert await coder.metric('reconnecting_pty_bytes_total{direction="out"}') > 0
        assert await coder.metric("reconnecting_pty_viewers ") == 1
        assert await coder.metric("reconnecting_pty_sessions{") == 1
        assert await coder.metric(f'reconnecting_pty_sessions{{backend="{coder.backend}",state="ready"}}') == 1


async def test_11_the_counter_is_there_and_zero_when_unused(serve: Serve) -> None:
    async with serve(metrics_prefix="agent") as coder:
        text = (await coder.serving.request("GET", "/metrics"))[2].decode()
        assert "# TYPE agent_reconnecting_pty_connections_total counter" in text
        assert "agent_reconnecting_pty_connections_total 0.0" in text


async def test_12_all_of_it_through_http_with_a_session_of_the_browser(backend: str, serve: Serve) -> None:
    async with serve() as coder:
        s = coder.serving
        login = await s.request("POST", "/api/login", json.dumps({"token": TOKEN}).encode(), token=None)
        assert login[0] < 300, login
        cookie = login[1]["set-cookie"].partition(";")[0]
        query = f"reconnect={SESSION}&width=80&height=24&command={SHELL.replace(' ', '+')}&backend_type={backend}"
        async with s.connect(query, token=None, headers={"Cookie": cookie, "Origin": s.http}) as socket:
            told = Told(socket)
            while not PROMPT.search(told.output):
                await told.next()
            await socket.send(b"echo test\r")
            while not any(map(is_output, plain(told.output)[:-1])):
                await told.next()
                assert told.close is None, told.output
            await socket.send(b"exit\r")
            assert (await told.to_the_end())[0] == 1000
            assert b"exit" in told.output


async def test_15_output_comes_while_the_command_still_runs(serve: Serve, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "goes-on")
    async with serve() as coder:
        client = await coder.attach(command=f"echo 'hello world'; read line < {tmp_path}/goes-on")
        await client.shows(b"hello world\r\n")
        (tmp_path / "goes-on").write_text("\n")
        await client.to_the_end()


async def test_16_a_command_in_time_ends_by_itself_and_one_that_stays_is_ended(serve: Serve) -> None:
    async with serve(timeout="0.3") as coder:
        client = await coder.attach(command="echo in time")
        assert b"in time" in await client.to_the_end()
        client = await coder.attach(SESSION, command="echo $$; exec sleep 120")
        await client.line(str.isdigit, "its pid")
        pid = int(next(filter(str.isdigit, client.lines)))
        await client.close()
        await coder.no_session_is_left()
        assert not alive(pid)
        assert await coder.metric('reconnecting_pty_ends_total{reason="timeout"}') == 1


async def command(link: str, *arguments: str, typed: bytes = b"") -> tuple[int, bytes, bytes]:
    """What the program's own command comes to: exit status, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reconnectingpty_server", *arguments, "--url", link, stdin=-1, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(typed)
    assert process.returncode is not None
    return process.returncode, out, err


async def test_20_and_21_the_command_line_ends_as_its_command_does(backend: str, serve: Serve) -> None:
    async with serve() as coder:
        link = f"{coder.serving.http}/#token={TOKEN}"
        status, out, err = await command(link, "attach", "--command", SHELL, typed=b"exit\n")
        assert (status, b"exit" in out) == (0, True), err
        word = secrets.token_hex(8)
        status, out, err = await command(link, "attach", "--command", f"echo {word}")
        assert (status, word.encode() in out) == (0, True), err


async def test_24_output_of_a_finished_command_is_read_to_its_end(serve: Serve) -> None:
    async with serve() as coder:
        client = await coder.attach(command="echo everything; exit 0")
        assert (await client.to_the_end()).count(b"everything\r\n") == 1


async def test_25_a_slow_reader_loses_nothing_of_a_command_that_has_ended(serve: Serve) -> None:
    count = 20_000
    async with serve() as coder:
        client = await coder.attach(command=f"seq 1 {count}; echo the end")
        await client.shows(b"1\r\n")
        # Nothing is read until the session has been given up waiting for, or has sent all that fits.
        await asyncio.sleep(0.2)
        await client.to_the_end()
        numbers = [int(line) for line in client.lines if line.isdigit()]
        assert numbers == list(range(1, count + 1))
        assert "the end" in client.lines


async def test_26_ending_a_session_kills_its_process(serve: Serve) -> None:
    async with serve() as coder:
        client = await coder.attach(SESSION, command="echo $$; exec sleep 1000")
        await client.line(str.isdigit, "its pid")
        pid = int(next(filter(str.isdigit, client.lines)))
        assert (await coder.serving.request("DELETE", f"/api/sessions/{SESSION}"))[0] < 300
        await client.to_the_end()
        await coder.no_session_is_left()
        assert not alive(pid)


@pytest.mark.parametrize(
    ("ends", "typed", "number"), [("kill -KILL $$", "", signal.SIGKILL), ("exec sleep 1000", "\x03", signal.SIGINT)]
)
async def test_27_killed_and_interrupted_are_told_from_an_ordinary_end(
    backend: str, ends: str, typed: str, number: int
) -> None:
    # Coder's streams have no word for it; ours does.
    async with coder_of("websocket", backend) as coder:
        query = f"reconnect={SESSION}&width=80&height=24&backend_type={backend}&command=echo+ready;{ends}"
        async with coder.serving.connect(query.replace(" ", "+")) as socket:
            told = Told(socket)
            await told.until(b"ready")
            await socket.send(typed.encode())
            await told.to_the_end()
            assert (told.told("exit")[0]["code"], told.told("exit")[0]["signal"]) == (None, number)


async def test_28_the_command_has_a_terminal_of_its_own_and_is_told_of_no_other(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Coder sets SSH_TTY to the session's terminal, although nobody came by SSH; what is asserted of it, `tty` tells.
    monkeypatch.setenv("SSH_TTY", "/dev/pts/elsewhere")
    async with serve() as coder:
        client = await coder.attach(command="tty; echo ssh=$SSH_TTY.; stty size", rows=31, cols=97)
        await client.to_the_end()
        assert any(line.startswith("/dev/pts/") for line in client.lines)
        assert {"ssh=.", "31 97"} <= set(client.lines)


async def test_29_an_init_may_come_byte_by_byte_and_its_size_counts(backend: str) -> None:
    async with coder_of("agent", backend) as coder:
        reader, writer = await asyncio.open_connection(coder.agent.host, coder.agent.port)
        client = AgentClient(reader, writer)
        for byte in init(SESSION, 31, 97, "stty size", backend):
            await client.write(bytes([byte]))
        assert b"31 97" in await client.to_the_end()
        await client.close()


@pytest.mark.parametrize(
    ("number", "locale", "expected"),
    [
        (31, {}, "lc=C.UTF-8 lang= all=."),
        (31, {"LANG": "C"}, "lc=C.UTF-8 lang=C all=."),
        (31, {"LC_ALL": ""}, "lc=C.UTF-8 lang= all=."),
        (32, {"LANG": "C.UTF-8"}, "lc= lang=C.UTF-8 all=."),
        (32, {"LANG": "C.UTF8"}, "lc= lang=C.UTF8 all=."),
        (33, {"LC_CTYPE": "de_DE.UTF-8"}, "lc=de_DE.UTF-8 lang= all=."),
        (34, {"LC_CTYPE": "POSIX", "LANG": "C.UTF-8"}, "lc=C.UTF-8 lang=C.UTF-8 all=."),
        (35, {"LC_ALL": "C", "LANG": "C.UTF-8"}, "lc= lang=C.UTF-8 all=C."),
        (35, {"LC_ALL": "C.UTF-8", "LC_CTYPE": "C"}, "lc=C lang= all=C.UTF-8."),
        (36, {"LC_ALL": "", "LANG": "C.UTF-8"}, "lc= lang=C.UTF-8 all=."),
    ],
)
async def test_31_to_36_the_locale_is_utf8_unless_it_was_forced(
    serve: Serve, number: int, locale: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    async with serve() as coder:
        client = await coder.attach(command="echo lc=$LC_CTYPE lang=$LANG all=$LC_ALL.")
        await client.to_the_end()
        assert expected in client.lines
