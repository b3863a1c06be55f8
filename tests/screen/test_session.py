"""A session that GNU screen carries: how it starts, who sees it, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from reconnectingpty import (
    ExitStatus,
    Killed,
    Metrics,
    Options,
    Outcome,
    StartFailed,
    State,
    new,
)
from reconnectingpty.screen import setup
from reconnectingpty.wire.messages import Exited, Hello, Resize

from ..support.attached import PATIENCE, Attached, Holding
from ..support.programs import fifo
from .homes import alive, daemons, kept, nothing_is_left, screen_of, until


class TestStart:
    async def test_the_first_output_is_the_commands_own(self) -> None:
        async with screen_of("echo hello; exec cat") as session:
            client = Attached.to(session)
            output = await client.until(b"hello\r\n")
            # No version, no start-up message, no "new screen".
            assert b"creen" not in output
            assert client.told(Hello)[0].backend == "screen"

    async def test_the_command_starts_at_the_first_viewers_size(self) -> None:
        async with screen_of("stty size; exec cat") as session:
            await Attached.to(session, 31, 97).until(b"31 97\r\n")

    async def test_what_is_typed_at_once_is_not_lost_nor_shown_twice(self) -> None:
        async with screen_of("cat") as session:
            client = Attached.to(session)
            client.feed(b"early\r")
            await client.until(b"early\r\nearly\r\n")
            assert client.output.count(b"early") == 2

    async def test_the_environment_is_that_of_a_shell_outside_of_screen(self) -> None:
        async with screen_of(
            "env; echo done", environment={"PATH": os.environ["PATH"], "OWN": "value", "STY": "x"}
        ) as s:
            client = Attached.to(s)
            await client.until_told(Exited)
            lines = client.output.decode().split("\r\n")
        names = {line.partition("=")[0] for line in lines}
        assert {"TERM=xterm-256color", "OWN=value", f"RECONNECTINGPTY_SESSION={s.id}"} <= set(lines)
        assert not names & {"STY", "WINDOW", "TERMCAP", "SCREENDIR", "SYSSCREENRC"}
        assert ("COLORTERM=truecolor" in lines) == setup.has_truecolour()

    async def test_it_starts_in_the_directory_that_is_asked_for(self, tmp_path: Path) -> None:
        async with screen_of("pwd; exec cat", cwd=str(tmp_path)) as session:
            client = Attached.to(session)
            await client.until(str(tmp_path).encode())
            client.feed(b"typed\r")
            await client.until(b"typed\r\ntyped")
            info = session.info()
            assert info.cwd == str(tmp_path)
            assert info.pid is not None
            assert Path(f"/proc/{info.pid}/comm").read_text() == "cat\n"

    @pytest.mark.parametrize("command", [["/no/such/program"], ["/etc/passwd"]])
    async def test_a_command_that_there_is_not_is_said(self, command: list[str]) -> None:
        metrics = Metrics()
        async with screen_of(command, metrics=metrics) as session:
            with pytest.raises(StartFailed, match=command[0]):
                await Attached.to(session).outcome
            assert session.state is State.DONE
        assert b'reconnecting_pty_errors_total{error_type="create_command"} 1.0' in metrics.render()

    async def test_a_program_that_cannot_be_executed_is_said(self, tmp_path: Path) -> None:
        program = tmp_path / "program"
        program.write_text("#!/no/such/interpreter\n")
        program.chmod(0o755)
        async with screen_of([str(program)]) as session:
            with pytest.raises(StartFailed, match="No such file"):
                await Attached.to(session).outcome

    async def test_a_missing_screen_is_said_and_counted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        await asyncio.to_thread(setup.version)
        monkeypatch.setattr(setup, "PROGRAM", "no-such-screen")
        metrics = Metrics()
        async with screen_of("cat", metrics=metrics) as session:
            with pytest.raises(StartFailed, match="GNU screen"):
                await Attached.to(session).outcome
        assert b'reconnecting_pty_errors_total{error_type="screen_spawn"} 1.0' in metrics.render()
        assert kept() == []

    async def test_a_screen_that_does_not_come_up_is_said_and_counted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "screen"
        program.write_text("#!/bin/sh\necho no sockets today\n")
        program.chmod(0o755)
        await asyncio.to_thread(setup.version)
        monkeypatch.setattr(setup, "PROGRAM", str(program))
        metrics = Metrics()
        async with screen_of("cat", metrics=metrics) as session:
            with pytest.raises(StartFailed, match="no sockets today"):
                await Attached.to(session).outcome
        assert b'reconnecting_pty_errors_total{error_type="screen_wait"} 1.0' in metrics.render()
        assert kept() == []


class TestEnd:
    @pytest.mark.parametrize(
        ("command", "status"),
        [
            ("exit 0", ExitStatus(code=0)),
            ("echo bye; exit 3", ExitStatus(code=3)),
            ("exit 143", ExitStatus(code=143)),
            ("kill -TERM $$", ExitStatus(signal=signal.SIGTERM)),
            ("kill -KILL $$", ExitStatus(signal=signal.SIGKILL)),
        ],
    )
    async def test_the_commands_end_ends_the_session_with_its_status(self, command: str, status: ExitStatus) -> None:
        async with screen_of(command) as session:
            client = Attached.to(session)
            assert await client.outcome is Outcome.EXITED
            assert client.told(Exited) == [Exited(status.code, status.signal)]
            await session.wait()
            assert (session.exit_status, session.error) == (status, None)
            assert b"terminating" not in client.output
        await nothing_is_left()

    async def test_all_output_comes_before_the_end(self) -> None:
        async with screen_of("seq 1 20000") as session:
            client = Attached.to(session)
            assert await client.outcome is Outcome.EXITED
            lines = client.output.partition(b"\x1b[2J1\r\n")[2].split(b"\r\n")
            assert lines[:19999] == [b"%d" % number for number in range(2, 20001)]

    async def test_output_that_ends_within_a_sequence_does_not_hide_the_end(self) -> None:
        async with screen_of(r"printf 'last\033P no end'") as session:
            client = Attached.to(session)
            assert await client.outcome is Outcome.EXITED
            assert b"last" in client.output

    async def test_an_ended_session_is_done_and_its_id_starts_the_new_command(self) -> None:
        async with screen_of("echo one") as session:
            await Attached.to(session).outcome
            await session.wait()
            again = new("echo two", Options(backend_type="screen"), session_id=session.id)
            client = Attached.to(again)
            await client.outcome
            await again.wait()
            assert b"two" in client.output
            assert b"one" not in client.output

    async def test_close_ends_what_has_a_session_of_its_own_too(self, tmp_path: Path) -> None:
        with fifo(tmp_path) as pipe:
            async with screen_of(f"setsid -f sh -c 'echo $$ > {pipe.path}; exec sleep 1000'; exec cat") as session:
                await Attached.to(session).until_told(Hello)
                hidden = int(await pipe.heard())
                pid = session.info().pid
                session.close()
                await session.wait()
                assert isinstance(session.error, Killed)
                assert pid is not None
                assert not alive(pid)
                assert not alive(hidden)

    async def test_a_program_that_ignores_hangups_gets_its_grace_and_is_killed(self) -> None:
        async with screen_of("trap '' HUP TERM; echo ready; while :; do sleep 1000; done") as session:
            await Attached.to(session).until(b"ready")
            pid = session.info().pid
            session.close()
            await session.wait()
            assert pid is not None
            assert not alive(pid)

    async def test_a_program_hears_one_hangup_and_its_last_words_are_shown(self) -> None:
        async with screen_of("trap 'echo hung up; exit 4' HUP; echo ready; while :; do sleep 0.05; done") as session:
            client = Attached.to(session)
            await client.until(b"ready")
            session.close()
            await session.wait()
            assert client.output.count(b"hung up") == 1
            assert session.exit_status == ExitStatus(code=4)

    async def test_what_nohup_keeps_goes_on_after_an_ordinary_end(self, tmp_path: Path) -> None:
        with fifo(tmp_path) as pipe:
            kept_up = f"nohup sh -c 'echo $$ > {pipe.path}; exec sleep 1000' >/dev/null 2>&1 & read line; exit"
            async with screen_of(kept_up) as session:
                client = Attached.to(session)
                pid = int(await pipe.heard())
                client.feed(b"\r")
                await session.wait()
                assert alive(pid)
                os.kill(pid, signal.SIGKILL)

    async def test_abort_ends_it_at_once(self) -> None:
        async with screen_of(
            "trap '' HUP TERM; echo ready; while :; do sleep 1000; done", kill_grace=1000.0
        ) as session:
            await Attached.to(session).until(b"ready")
            session.abort()
            await session.wait()
        await nothing_is_left()

    async def test_the_idle_timeout_ends_the_daemon_too(self) -> None:
        async with screen_of("exec cat", timeout=0.05) as session:
            client = Attached.to(session)
            await client.until_told(Hello)
            await client.detach()
            async with asyncio.timeout(PATIENCE):
                await session.wait()
        await nothing_is_left()

    async def test_a_daemon_that_dies_ends_the_session_and_what_it_ran(self) -> None:
        async with screen_of("trap '' HUP; echo ready; while :; do sleep 1000; done") as session:
            await Attached.to(session).until(b"ready")
            pid = session.info().pid
            assert pid is not None
            for daemon in daemons():
                os.kill(daemon, signal.SIGKILL)
            await session.wait()
            assert session.exit_status == ExitStatus()
            assert not alive(pid)

    async def test_a_screen_client_that_dies_is_replaced(self, tmp_path: Path) -> None:
        with fifo(tmp_path) as pipe:
            async with screen_of(f"echo before; read line < {pipe.path}; echo after; exec cat") as session:
                client = Attached.to(session)
                await client.until(b"before")
                pid = session.info().pid
                front = session._process  # type: ignore[attr-defined]
                os.kill(front.pid, signal.SIGKILL)
                await until(lambda: session._process not in (None, front))  # type: ignore[attr-defined]
                pipe.tell()
                await client.until(b"after")
                client.feed(b"typed\r")
                await client.until(b"typed\r\ntyped")
                assert session.info().pid == pid


class TestViewers:
    async def test_several_see_the_same(self) -> None:
        async with screen_of("cat") as session:
            one, two = Attached.to(session), Attached.to(session)
            one.feed(b"echo\r")
            await asyncio.gather(one.until(b"echo\r\necho"), two.until(b"echo\r\necho"))

    async def test_who_comes_back_is_continued_at_its_offset(self) -> None:
        async with screen_of("echo before; exec cat") as session:
            client = Attached.to(session)
            await client.until(b"before")
            offset, epoch = len(client.output), client.told(Hello)[0].epoch
            await client.detach()
            again = Attached.to(session, epoch=epoch, offset=offset)
            again.feed(b"after\r")
            await again.until(b"after\r\nafter")
            assert b"before" not in again.output

    async def test_a_resize_reaches_the_program(self) -> None:
        async with screen_of("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done") as session:
            client = Attached.to(session)
            await client.until(b"ready")
            client.feed(Resize(33, 101))
            await client.until(b"33 101")

    async def test_a_stuck_viewer_holds_up_nobody(self) -> None:
        async with screen_of("echo ready; read line; seq 1 200000; echo end; exec cat", log_limit=512 << 10) as session:
            stuck, free = Holding.to(session), Attached.to(session)
            await asyncio.gather(stuck.until(b"ready"), free.until(b"ready"))
            stuck.shut()
            free.feed(b"\r")
            await free.until(b"200000\r\nend", timeout=PATIENCE)
            stuck.open.set()
            await stuck.until(b"end", timeout=PATIENCE)
