"""`reconnectingpty attach` in a real terminal: it shows what the session shows, and leaves all as it was."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ..browser.driving import Proxy, proxy
from ..support.serving import TOKEN, Serving, serving
from ..support.tmux import MODES, PROMPT, Window, window

ATTACH = f"{shlex.quote(sys.executable)} -m reconnectingpty_server attach"
SHELL = "env PS1='inner$ ' bash --norc --noprofile"


SWITCHED_ON = r"printf '\e]2;theirs\a\e[?1049h\e[?1000h\e[?1006h\e[?25l\e=\e[?1h\e[4h\e[2;10rgone'; cat"
"""Has a terminal be as no shell wants it, and stays so."""


@asynccontextmanager
async def person(**flags: object) -> AsyncIterator[tuple[Window, Serving, Proxy]]:
    """A terminal, a server, and what is between them."""
    async with serving(**({"command": SHELL} | flags)) as server, proxy(server.address.port) as between:
        environment = {"RECONNECTINGPTY_URL": between.origin, "RECONNECTINGPTY_TOKEN": TOKEN}
        async with window(environment=environment) as terminal:
            yield terminal, server, between


async def state(terminal: Window) -> tuple[str, list[str]]:
    """What `stty` and tmux say of a terminal's modes, at its shell's prompt."""
    await terminal.line("clear; stty -g | md5sum")
    shown = await terminal.when(lambda rows: rows[0].endswith(" -") and rows[1] == PROMPT.strip(), "stty")
    return shown[0], await terminal.tell(f"pane_title {MODES}")


async def program_in(terminal: Window) -> int:
    """The process that is in the foreground on a terminal (proc_pid_stat(5): tpgid)."""
    (first, *_) = await terminal.tell("pane_pid")
    return int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[5])


async def scribble(terminal: Window, text: str) -> None:
    """Have somebody else write on the terminal."""
    (device, *_) = await terminal.tell("pane_tty")
    Path(device).write_text(text)
    await terminal.until(text)


async def test_a_shell_is_shown_and_its_exit_status_passed_on() -> None:
    async with person() as (terminal, _, _):
        before = await state(terminal)
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line("echo $((40 + 2)); stty size; exit 7")
        shown = [
            "inner$ echo $((40 + 2)); stty size; exit 7", "42", "24 80", "exit", "status=7", PROMPT.strip()
        ]  # fmt: skip
        await terminal.when(lambda rows: [row for row in rows if row] == shown, str(shown))
        assert before[0] in await terminal.history()  # what was there before can be scrolled to
        assert await state(terminal) == before


async def test_vim_is_left_and_found_again_and_the_terminal_is_a_shells_meanwhile() -> None:
    async with person() as (terminal, _, _):
        before = await state(terminal)
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line("vim -u NONE -N --cmd 'set mouse=a' /dev/null")
        await terminal.until("~")
        await terminal.type("i", "hello from vim", "Escape")
        shown = await terminal.until("hello from vim")
        assert (await terminal.tell("alternate_on mouse_any_flag"))[0] == "1"
        await terminal.type("i", "Enter", "~.")
        left = await terminal.until("status=0")
        assert not any("hello" in row for row in left)
        assert any("[reconnectingpty: left; the session goes on]" in row for row in left)
        assert await state(terminal) == before
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.when(lambda rows: "hello from vim" in "".join(rows[:3]) and rows[3:-1] == shown[3:-1], "vim")
        await terminal.type("Escape", ":q!", "Enter")
        await terminal.until("inner$ vim")
        await terminal.line("exit 3")
        await terminal.until("status=3")
        assert await state(terminal) == before


async def test_a_change_of_size_reaches_a_full_screen_program() -> None:
    async with person() as (terminal, _, _):
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line("htop")
        await terminal.until("F10")
        await terminal.resize(30, 100)
        shown = await terminal.when(lambda rows: len(rows) == 30 and "F10Quit" in rows[29], "htop's last row")
        assert "Load average" in "".join(shown)
        await terminal.type("q")
        await terminal.until("inner$")
        await terminal.line("stty size; exit")
        await terminal.until("30 100")
        await terminal.until("status=0")


async def test_a_lost_connection_is_told_of_and_nothing_of_the_screen_is_lost() -> None:
    async with person() as (terminal, _, between):
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line(r"printf '\e[H\e[2J\e[32mgreen\e[m %s\n' one two; printf '\e[5;30H\e[7mpen '")
        await terminal.until("pen inner$")
        before = await terminal.coloured()
        between.down = True
        between.cut()
        shown = await terminal.until("no connection for 2 s; ")
        assert "no connection" in shown[0]
        assert "~. leaves" in shown[0]
        await terminal.type("echo $((6*7))")
        between.down = False
        await terminal.until("echo $((6*7))")
        after = await terminal.coloured()
        assert after.replace("echo $((6*7))", "").split("\n")[:4] == before.split("\n")[:4]
        await terminal.type("Enter")
        await terminal.until("42")
        assert not any("no connection" in row for row in await terminal.screen())
        await terminal.line("exit")
        await terminal.until("status=0")


async def test_a_person_leaves_while_there_is_no_server_any_more() -> None:
    async with person() as (terminal, _, between):
        before = await state(terminal)
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line(SWITCHED_ON)
        await terminal.until("gone")
        between.down = True
        between.cut()
        await terminal.until("no connection")
        await terminal.type("Enter", "~.")
        await terminal.until("status=0")
        assert await state(terminal) == before


async def test_who_is_woken_without_having_stopped_leaves_the_terminal_as_it_was() -> None:
    async with person() as (terminal, _, _):
        before = await state(terminal)
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line(SWITCHED_ON)
        await terminal.until("gone")
        await scribble(terminal, "scribbled")
        os.kill(await program_in(terminal), signal.SIGCONT)
        await terminal.when(lambda rows: rows[0] == "gone", "the session alone")
        await terminal.type("Enter", "~.")
        await terminal.until("status=0")
        assert await state(terminal) == before


async def test_who_was_stopped_from_outside_goes_on_and_leaves_the_terminal_as_it_was() -> None:
    async with person() as (terminal, _, _):
        before = await state(terminal)
        await terminal.line(f"{ATTACH} work")
        await terminal.until("inner$")
        os.kill(await program_in(terminal), signal.SIGSTOP)
        await terminal.until("Stopped")
        await terminal.line("fg; echo status=$?")
        await terminal.when(lambda rows: [row for row in rows if row] == ["inner$"], "the session alone")
        await terminal.type("Enter", "~.")
        await terminal.until("status=0")
        assert await state(terminal) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_who_is_ended_and_woken_as_systemd_does_leaves_the_terminal_as_it_was(number: signal.Signals) -> None:
    async with person() as (terminal, _, _):
        before = await state(terminal)
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        program = await program_in(terminal)
        os.kill(program, number)
        os.kill(program, signal.SIGCONT)
        await terminal.until(f"status={128 + number}")
        assert await state(terminal) == before


async def test_a_terminal_that_only_shows_is_left_as_it_was_where_input_is_piped() -> None:
    async with person() as (terminal, _, _):
        before = await state(terminal)
        await terminal.line(f"(echo {shlex.quote(SWITCHED_ON)}; exec sleep 1000) | {ATTACH} work")
        await terminal.when(lambda rows: rows[0] == "gone", "the session")
        assert await terminal.tell("pane_title alternate_on mouse_any_flag") == ["theirs", " 1", " 1", "\n"]
        await terminal.type("C-z")
        await terminal.until("Stopped")
        assert await terminal.tell("alternate_on mouse_any_flag") == ["0", " 0", "\n"]
        await terminal.line("fg")
        await terminal.when(lambda rows: rows[0] == "gone", "the session")
        await terminal.type("C-c")
        await terminal.until(PROMPT.strip())
        assert await state(terminal) == before


async def test_it_stops_goes_on_and_helps() -> None:
    async with person() as (terminal, _, _):
        await terminal.line(f"{ATTACH} work; echo status=$?")
        await terminal.until("inner$")
        await terminal.line("echo here")
        await terminal.when(lambda rows: rows[1:3] == ["here", "inner$"], "the output")
        before = await terminal.screen()
        await terminal.type("~", "?")
        helped = await terminal.until("draw the screen anew")
        assert "Session work: connected, 1 attached" in "".join(helped)
        await terminal.type("x")
        assert await terminal.when(lambda rows: rows == before, "the screen as before")
        await terminal.type("Enter", "~", "C-z")
        await terminal.until("Stopped")
        await terminal.line("echo outer $((1+1))")
        await terminal.until("outer 2")
        await terminal.line("fg; echo status=$?")
        again = ["inner$ echo here", "here", "inner$", "inner$"]
        await terminal.when(lambda rows: [row for row in rows if row] == again, "the session alone")
        await terminal.line("echo cooked; cat")
        await terminal.when(lambda rows: "cooked" in rows, "a terminal that is not the shell's own")
        for typed, meant in (("~~tilde", "~tilde"), ("~xyz", "~xyz")):
            await terminal.line(typed)
            await terminal.when(lambda rows, meant=meant: rows.count(meant) == 2, typed)
        await terminal.type("C-d")
        await terminal.line("exit 5")
        await terminal.until("status=5")


async def test_the_key_that_takes_the_help_off_is_not_typed_whatever_it_is() -> None:
    async with person() as (terminal, _, _):
        await terminal.line(f"{ATTACH} work --command 'stty -echo; printf ready; cat -v'")
        await terminal.when(lambda rows: rows[0] == "ready", "the session")
        for row, key in enumerate(("é", "€", "Up", "x")):
            await terminal.type("~", "?")
            await terminal.until("draw the screen anew")
            await terminal.type(key)
            await terminal.when(lambda rows: rows[0].startswith("ready"), "the session alone")
            await terminal.line("typed")
            await terminal.when(lambda rows, row=row: rows[row].endswith("typed"), "what is typed")
        assert (await terminal.screen())[:4] == ["readytyped", "typed", "typed", "typed"]


async def test_who_only_looks_on_types_nothing_and_leaves_with_an_interrupt() -> None:
    async with person() as (terminal, server, _):
        await terminal.line(f"{ATTACH} work --command 'echo ready; cat'")
        await terminal.when(lambda rows: rows[0] == "ready", "the session")
        await terminal.type("Enter", "~.")
        await terminal.until("the session goes on")
        await terminal.line(f"clear; {ATTACH} work --readonly --escape ^B; echo status=$?")
        await terminal.when(lambda rows: "".join(rows) == "ready", "the session alone")
        await terminal.line("typed")
        await terminal.type("C-b", "?")
        await terminal.until("^B.   leave")
        await terminal.type("C-c", "C-c")
        await terminal.until("status=0")
        (session,) = server.server.sessions
        assert "typed" not in (await session.screen()).text()


async def test_a_session_that_outlived_its_server_is_shown_by_the_next(tmp_path: Path) -> None:
    """As GNU screen's do: its offsets begin anew, and what was attached goes on all the same."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    home = tempfile.mkdtemp(prefix="attach-")  # short: screen's sockets are below it
    environment = os.environ | {"XDG_RUNTIME_DIR": home}

    async def serve(port: int) -> tuple[asyncio.subprocess.Process, int]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", "serve", "--listen", f"127.0.0.1:{port}"),
            *("--backend", "screen", "--token-file", str(token), "--command", SHELL),
            env=environment, stdout=-1, stderr=-3,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(30):
            link = (await process.stdout.readline()).decode()
        return process, int(link.rpartition(":")[2].partition("/")[0])

    server, port = await serve(0)
    try:
        where = {"RECONNECTINGPTY_URL": f"http://127.0.0.1:{port}", "RECONNECTINGPTY_TOKEN": TOKEN}
        async with window(environment=where) as terminal:
            before = await state(terminal)
            await terminal.line(f"{ATTACH} work; echo status=$?")
            await terminal.until("inner$")
            await terminal.line("kept=42; echo ready")
            await terminal.when(lambda rows: rows[1] == "ready", "ready")
            server.kill()
            await server.communicate()
            await terminal.until("no connection")
            server, _ = await serve(port)
            await terminal.when(lambda rows: rows[1] == "ready" and "connection" not in rows[0], "the session again")
            await terminal.line("echo is $kept; exit 6")
            await terminal.until("is 42")
            await terminal.until("status=6")
            assert await state(terminal) == before
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
        await server.communicate()
        shutil.rmtree(home)


# -- without a terminal


def reached(server: Serving) -> dict[str, str]:
    """The environment in which a command finds a server."""
    return os.environ | {"RECONNECTINGPTY_URL": server.http, "RECONNECTINGPTY_TOKEN": TOKEN}


async def attached(server: Serving, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Its exit status, output and errors, in a pipe."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconnectingpty_server", "attach", *arguments),
        env=reached(server), stdin=-1, stdout=-1, stderr=-1,
    )  # fmt: skip
    async with asyncio.timeout(50):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, out, err


async def test_in_a_pipe_a_shell_runs_what_is_piped_and_ends_with_it() -> None:
    async with serving(command=SHELL) as server:
        status, out, err = await attached(server, "work", stdin=b"echo $((40 + 2))\n")
        assert (status, b"\x1b[?2004l\r42\r\n" in out, err) == (0, True, b"")
        status, out, _ = await attached(server, "work", stdin=b"echo ~. $((40 + 3)); exit 9\n")
        assert (status, b"~. 43" in out) == (9, True)


async def test_every_byte_arrives_as_it_is() -> None:
    data = bytes(range(256)) * 40
    async with serving() as server:
        command = f"stty raw -echo; echo ready; head -c {len(data)} | md5sum; exit 4"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", "attach", "work", "--command", command),
            env=reached(server), stdin=-1, stdout=-1,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(50):
            await process.stdout.readuntil(b"ready")
            out, _ = await process.communicate(data)
        assert (process.returncode, hashlib.md5(data).hexdigest().encode() in out) == (4, True)


async def test_what_can_not_be_attached_to_is_told_in_a_line() -> None:
    async with serving() as server:
        status, out, err = await attached(server, "work", "--no-start")
        assert (status, out, err.count(b"\n")) == (1, b"", 1), err
        assert b"no session" in err
        status, _, err = await attached(server, "work", "--token", "wrong-token")
        assert (status, err.count(b"\n")) == (1, 1), err
    status, _, err = await attached(server, "work")
    assert (status, b"cannot reach a server at" in err, err.count(b"\n")) == (1, True, 1)


async def test_in_a_pipe_it_tells_of_a_connection_that_is_lost_and_of_one_that_is_made_again() -> None:
    async with serving(command=SHELL) as server, proxy(server.address.port) as between:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", "attach", "work"),
            env=reached(server) | {"RECONNECTINGPTY_URL": between.origin}, stdin=-1, stdout=-1, stderr=-1,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(50):
            await process.stdout.readuntil(b"inner$")
            for again in (True, False):
                between.down = True
                between.cut()
                assert b"; trying again]" in await process.stderr.readline()
                if again:
                    between.down = False
                    assert await process.stderr.readline() == b"[reconnectingpty: connected again]\r\n"
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
        assert (process.returncode, err) == (130, b"")


async def test_a_reader_that_has_enough_ends_it() -> None:
    async with serving() as server:
        process = await asyncio.create_subprocess_shell(
            f"{ATTACH} work --command yes </dev/null | head -n 3; echo ${{PIPESTATUS[0]}}", env=reached(server),
            stdout=-1, executable="/bin/bash",
        )  # fmt: skip
        async with asyncio.timeout(50):
            out, _ = await process.communicate()
        assert out == b"y\r\n" * 3 + b"141\n"


async def test_a_reader_that_takes_nothing_does_not_keep_it_from_being_ended() -> None:
    async with serving() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", "attach", "work", "--command", "seq 1000000; cat"),
            env=reached(server), stdin=-1, stdout=-1, stderr=-1, limit=1024,
        )  # fmt: skip
        assert process.stdout is not None
        async with asyncio.timeout(50):
            await process.stdout.readline()
            session = next(iter(server.server.sessions))
            while session.held_by != "viewer":  # everything between the program and this reader is full
                await asyncio.sleep(0.02)
            process.terminate()
            await process.communicate()
        assert process.returncode == 128 + signal.SIGTERM
