"""The program as a person runs it: a process of its own, its signals, and its commands."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ..support.attached import PATIENCE
from ..support.program import program_of
from ..support.programs import full_pipe
from ..support.serving import Told

PROGRAM = [sys.executable, "-m", "reconnectingpty_server"]


@asynccontextmanager
async def program(tmp_path: Path, *flags: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, dict[str, str]]]:
    """A running server, its link, and the environment in which the commands find it."""
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "RECONNECTINGPTY_BACKEND": "buffered"}
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "serve", "--listen", "127.0.0.1:0", *flags, env=environment, stdout=-1, stderr=-1
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            link = (await process.stdout.readline()).decode().strip()
        yield process, link, environment
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(environment: dict[str, str], *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """A command's status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, env=environment, stdin=-1, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate(stdin)
    return process.returncode or 0, out.decode(), err.decode()


async def test_it_prints_its_link_first_and_ends_softly_on_sigterm(tmp_path: Path) -> None:
    async with program(tmp_path) as (process, link, _):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#token=[\w-]{20,}", link)
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
        assert (process.returncode, out) == (0, b"")
        assert link.partition("token=")[2].encode() not in err


@pytest.mark.parametrize("how", ["flag", "file", "environment", "settings"])
async def test_a_token_that_it_was_given_is_in_no_captured_output(tmp_path: Path, how: str) -> None:
    token = "a-token-that-is-known"
    (tmp_path / "token").write_text(token)
    (tmp_path / "settings.toml").write_text(f"token = '{token}'\n")
    flags = {
        "flag": ["--token", token],
        "file": ["--token-file", str(tmp_path / "token")],
        "environment": [],
        "settings": ["--config", str(tmp_path / "settings.toml")],
    }
    more = {"RECONNECTINGPTY_TOKEN": token} if how == "environment" else {}
    async with program_of(*flags[how], token="", **more) as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\n", server.link)
        assert (await server.request("GET", "/api/whoami", token=token))[0] == 200
        await server.end()
        assert server.process.stdout is not None
        assert await server.process.stdout.read() == b""
    assert token not in server.log


async def test_a_token_that_it_was_given_is_told_to_whoever_sits_there(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as screen:
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, "serve", "--listen", "127.0.0.1:0", "--token", "a-token-that-is-known"),
            env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}, stdin=-3, stdout=theirs, stderr=-3,
        )  # fmt: skip
        os.close(theirs)
        try:
            async with asyncio.timeout(PATIENCE):
                said = await asyncio.to_thread(screen.read, 4096)
            assert b"/#token=a-token-that-is-known" in said
        finally:
            process.terminate()
            await process.wait()


async def test_a_log_that_nobody_reads_stops_nothing() -> None:
    with full_pipe() as (_, writer, _):
        async with program_of("--log-level", "debug", "--audit-log", "-", stderr=writer) as server:
            for number in range(3):
                async with server.connect(f"reconnect=s{number}&command=cat") as socket:
                    told = Told(socket)
                    await told.until_told("hello")
                    await told.say(type="kill")
                    assert (await told.to_the_end())[0] == 4001


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
async def test_it_may_be_started_without_its_standard_descriptors(tmp_path: Path, closed: str) -> None:
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "RECONNECTINGPTY_BACKEND": "buffered"}
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *PROGRAM, "serve", "--listen", "127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=-3, stdout=-1, stderr=-1)
    try:
        async with asyncio.timeout(PATIENCE):
            while not (tmp_path / "reconnectingpty" / f"{process.pid}.link").exists():
                await asyncio.sleep(0.02)
        status, out, err = await run(environment, "run", "x", "echo well")
        assert (status, out.splitlines()[-1]) == (0, "well"), err
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_commands_find_it_and_do_what_they_say(tmp_path: Path) -> None:
    async with program(tmp_path, "--allow-command") as (_, _, environment):
        status, out, err = await run(environment, "attach", "work", "--command", "echo hello; exit 7")
        assert (status, out) == (7, "hello\r\n"), err
        attached = await asyncio.create_subprocess_exec(
            *PROGRAM, "attach", "stays", "--command", "echo ready; cat", env=environment, stdin=-1, stdout=-1
        )
        assert attached.stdout is not None
        await attached.stdout.readuntil(b"ready")
        status, out, _ = await run(environment, "list")
        assert status == 0
        assert out.splitlines()[0].split()[:2] == ["ID", "STATE"]
        assert out.splitlines()[1].startswith("stays")
        assert (await run(environment, "screen", "stays"))[1] == "ready\n"
        assert (await run(environment, "kill", "stays"))[0] == 0
        await attached.communicate()
        assert attached.returncode == 1
        status, _, err = await run(environment, "screen", "stays")
        assert (status, "no session" in err) == (1, True)


async def test_what_is_piped_into_attach_is_typed(tmp_path: Path) -> None:
    async with program(tmp_path, "--allow-command") as (_, _, environment):
        status, out, err = await run(environment, "attach", "x", "--command", "cat; exit 3", stdin=b"echo \xc3\xa9\n")
        assert status == 3, err
        assert out.count("echo é") == 2


async def test_attach_types_a_file(tmp_path: Path) -> None:
    async with program(tmp_path, "--allow-command") as (_, _, environment):
        script = tmp_path / "script"
        script.write_text("echo from a file\n")
        with script.open("rb") as stdin:
            process = await asyncio.create_subprocess_exec(
                *(*PROGRAM, "attach", "x", "--command", "cat; exit 3"), env=environment, stdin=stdin, stdout=-1
            )
            async with asyncio.timeout(30):
                out, _ = await process.communicate()
        assert (process.returncode, out.count(b"from a file")) == (3, 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_attach_puts_the_terminal_back_when_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    import termios

    async with program(tmp_path, "--allow-command") as (_, _, environment):
        leader, follower = pty.openpty()
        before = termios.tcgetattr(follower)
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, "attach", "x", "--command", "echo ready; cat"), env=environment, stdin=follower, stdout=-1
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            await process.stdout.readuntil(b"ready")
            assert termios.tcgetattr(follower) != before
            process.send_signal(number)
            await process.communicate()
        assert process.returncode == 128 + number
        assert termios.tcgetattr(follower) == before
        os.close(leader)
        os.close(follower)


async def test_attach_puts_the_terminal_back_and_leaves_with_tilde_dot(tmp_path: Path) -> None:
    import termios

    async with program(tmp_path, "--allow-command") as (_, _, environment):
        leader, follower = pty.openpty()
        before = termios.tcgetattr(follower)
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            "attach",
            "x",
            "--command",
            "echo ready; cat",
            env=environment,
            stdin=follower,
            stdout=-1,
            stderr=-1,
        )
        assert process.stdout is not None
        await process.stdout.readuntil(b"ready")
        os.write(leader, b"\r~.")
        async with asyncio.timeout(20):
            _, err = await process.communicate()
        assert (process.returncode, b"the session goes on" in err) == (0, True)
        assert termios.tcgetattr(follower) == before
        os.close(leader)
        os.close(follower)
        assert "x" in (await run(environment, "list"))[1]


async def test_sighup_reads_the_token_file_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("the-first-token\n")
    async with program(tmp_path, "--token-file", str(token)) as (process, link, environment):
        url = link.partition("#")[0]
        assert (await run(environment, "list", "--url", url, "--token", "the-first-token"))[0] == 0
        token.write_text("the-second-token")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while b"reloaded" not in await process.stderr.readline():
                pass
        assert (await run(environment, "list", "--url", url, "--token", "the-first-token"))[0] == 1
        assert (await run(environment, "list", "--url", url, "--token-file", str(token)))[0] == 0
        assert (await run(environment, "list"))[0] == 0  # what it left for the commands has the new one, too


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--timeout", "x"], "--timeout: 'x' must be"),
        (["--listen", "127.0.0.1:1", "--nonsense"], "--nonsense"),
        (["--listen", "256.1.1.1:1"], "cannot listen on 256.1.1.1:1: Name or service not known"),
        (["--listen", "203.0.113.1:1"], "cannot listen on 203.0.113.1:1: Cannot assign requested address"),
        (["--listen", "a..b:80"], "cannot listen on a..b:80: no host can have that name"),
        (["--listen", f"unix:/tmp/{'x' * 120}"], "x: AF_UNIX path too long"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2(tmp_path: Path, flags: list[str], said: str) -> None:
    status, out, err = await run(dict(os.environ), "serve", *flags)
    assert (status, out) == (2, "")
    assert said in err.splitlines()[-1]


async def test_without_a_command_it_tells_which_there_are() -> None:
    status, out, err = await run(dict(os.environ))
    assert (status, out) == (2, "")
    assert "put this terminal on a session" in err


async def test_a_second_sigterm_ends_at_once(tmp_path: Path) -> None:
    async with program(tmp_path, "--allow-command") as (process, _, environment):
        stubborn = "trap '' HUP TERM; echo ready; while :; do sleep 1; done"
        attached = await asyncio.create_subprocess_exec(
            *PROGRAM, "attach", "x", "--command", stubborn, env=environment, stdin=-1, stdout=-1, stderr=-1
        )
        assert attached.stdout is not None
        await attached.stdout.readuntil(b"ready")
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while b"shutting down" not in await process.stderr.readline():
                pass
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.wait()
        attached.kill()  # it waits for a server to come back
        await attached.communicate()
