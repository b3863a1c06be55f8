"""A session that GNU screen carries: how it starts, what goes through, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import stat
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconnectingpty import (
    ExitStatus,
    Killed,
    Metrics,
    OptionError,
    Options,
    Outcome,
    ReconnectingPTY,
    StartFailed,
    State,
    backends,
    new,
)
from reconnectingpty.backends import resolve
from reconnectingpty.screen import setup
from reconnectingpty.screen.directory import home, name_of
from reconnectingpty.wire.messages import Exited, Hello, InputAck, Resize

from ..support.attached import PATIENCE, Attached, Holding, session_of
from ..support.programs import fifo
from .homes import alive, daemons, kept, nothing_is_left, until


def screen_of(command: str | list[str] = "", **options: Any) -> AbstractAsyncContextManager[ReconnectingPTY]:
    return session_of(command, backend_type="screen", **options)


# A terminal without echo that shows what it gets, byte by byte.
SHOWS_KEYS = "stty -echo raw; echo ready; exec cat -v"


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


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "shown"),
        [
            # The prefixes of screen and of Coder's, and what would follow.
            (b"\x01d", b"^Ad"),
            (b"\x01k", b"^Ak"),
            (b"\x13d", b"^Sd"),
            (b"\x00", b"^@"),
            (b"\x1b", b"^["),
            (b"\x1b[A", b"^[[A"),
            (b"\x1b[1;5A", b"^[[1;5A"),
            (b"\x1b[3~", b"^[[3~"),
            (b"\x1bOP", b"^[OP"),
            (b"\x1b[15~", b"^[[15~"),
            (b"\x1b[5~", b"^[[5~"),
            (b"\x1b[200~pasted\x1b[201~", b"^[[200~pasted^[[201~"),
            (b"\x1b[<64;10;5M", b"^[[<64;10;5M"),
            (b"\x1b[I", b"^[[I"),
            ("❯é日😀".encode(), b"M-bM-^]M-/M-CM-)M-fM-^WM-%M-pM-^_M-^XM-^@"),
            (b"\xff\xfe", b"M-^?M-~"),
        ],
    )
    async def test_every_key_reaches_the_program(self, key: bytes, shown: bytes) -> None:
        async with screen_of(SHOWS_KEYS) as session:
            client = Attached.to(session)
            await client.until(b"ready")
            client.feed(key + b"|")
            await client.until(b"|")
            assert client.output.partition(b"ready\n")[2].replace(b"\r", b"").strip() in (shown + b"|",)

    @pytest.mark.parametrize(
        ("key", "shown"), [(b"\x1b[A", b"^[OA"), (b"\x1b[H", b"^[OH"), (b"\x1b[F", b"^[OF"), (b"\x1b[1;5C", b"^[[1;5C")]
    )
    async def test_keys_are_what_the_program_has_asked_for(self, key: bytes, shown: bytes) -> None:
        async with screen_of(r"printf '\033[?1h\033='; " + SHOWS_KEYS) as session:
            client = Attached.to(session)
            await client.until(b"ready")
            client.feed(key + b"|")
            await client.until(shown + b"|")


class TestInput:
    async def test_a_paste_waits_for_a_program_that_does_not_read_and_arrives_whole(self, tmp_path: Path) -> None:
        # Screen itself would drop what is beyond a few kilobytes, and ring the bell.
        data = b"".join(b"%06d|" % number for number in range(60_000))
        with fifo(tmp_path) as pipe:
            script = f"stty raw -echo; echo ready; read go < {pipe.path}; head -c {len(data)} | sha256sum; exec cat"
            async with screen_of(script) as session:
                client = Attached.to(session, client="somebody", window=1 << 20)
                await client.until(b"ready")
                for at in range(0, len(data), 50_000):
                    client.feed(data[at : at + 50_000])
                await client.answered()
                pipe.tell()
                output = await client.until(b"  -")
                assert hashlib.sha256(data).hexdigest().encode() in output
                assert b"\a" not in output

    async def test_input_is_acknowledged_when_the_program_can_have_it(self) -> None:
        async with screen_of("stty raw -echo; echo ready; sleep 1000") as session:
            client = Attached.to(session, client="somebody", window=1 << 20)
            await client.until(b"ready")
            client.feed(b"x" * 200_000)
            await client.answered()
            first = (await client.until_told(InputAck)).input_offset
            assert 0 < first < 200_000

    async def test_bytes_that_are_no_text_do_not_hold_up_what_follows(self) -> None:
        # A byte that screen swallowed would never be acknowledged.
        noise = bytes(byte for byte in range(256) if byte != 0x1B) * 64
        async with screen_of("stty raw -echo; echo ready; exec cat >/dev/null") as session:
            client = Attached.to(session, client="somebody", window=1 << 20)
            await client.until(b"ready")
            client.feed(noise)
            await client.when(lambda: any(ack.input_offset == len(noise) for ack in client.told(InputAck)))

    async def test_keys_that_become_others_do_not_hold_up_what_follows(self) -> None:
        async with screen_of("stty -echo raw; echo ready; exec cat -v") as session:
            client = Attached.to(session)
            await client.until(b"ready")
            # However they are cut up on their way.
            client.feed(b"x" + b"\x1b[H" * 2000 + b"the end")
            await client.until(b"the end", timeout=PATIENCE)
            assert client.output.count(b"^[OH") == 2000

    async def test_an_interrupt_gets_through_a_flood(self) -> None:
        async with screen_of("trap 'echo interrupted; exec cat' INT; echo ready; yes") as session:
            client = Attached.to(session)
            await client.until(b"y\r\ny")
            client.feed(b"\x03")
            await client.until(b"interrupted", timeout=PATIENCE)

    async def test_the_terminal_is_the_commands_own(self) -> None:
        async with screen_of("stty -a; ps -o pid=,sid=,tpgid= -p $$; echo done; exec cat") as session:
            client = Attached.to(session)
            await client.until(b"done")
            assert {b"icanon", b"echo", b"isig", b"icrnl", b"opost"} <= set(client.output.split())
            pid = str(session.info().pid).encode()
            # The leader of a session of its own, and in the foreground, as without screen.
            assert client.output.split().count(pid) >= 3


class TestOutput:
    async def test_utf8_goes_through_in_any_locale(self) -> None:
        environment = {"PATH": os.environ["PATH"], "LANG": "C"}
        async with screen_of("echo ❯; exec cat", environment=environment) as session:
            await Attached.to(session).until("❯".encode())

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            (r"\033[3mitalic\033[m", b"\x1b[3mitalic"),
            (r"\033[38;5;200mpink\033[m", b"\x1b[38;5;200mpink"),
            (r"\033[7mreverse\033[m", b"\x1b[7mreverse"),
            (r"\033[?2004h", b"\x1b[?2004h"),
            (r"\033[?1000h\033[?1006h", b"\x1b[?1006h"),
            (r"\033[4 q", b"\x1b[4 q"),
            (r"\033]0;a title\007", b"]2;a title\x07"),
            (r"\a", b"\a"),
        ],
    )
    async def test_what_the_page_needs_goes_through(self, written: str, shown: bytes) -> None:
        async with screen_of(f"printf '{written}'; exec cat") as session:
            await Attached.to(session).until(shown)

    @pytest.mark.parametrize("query", [r"\033[c", r"\033[>c", r"\033[6n", r"\033[5n"])
    async def test_a_query_is_answered_once_and_shown_to_nobody(self, query: str) -> None:
        async with screen_of(f"stty -echo raw; printf '{query}'; exec cat -v") as session:
            client = Attached.to(session)
            await client.until(b"^[")
            client.feed(b"|")
            output = await client.until(b"|")
            assert output.count(b"^[") == 1
            assert query.replace(r"\033", "\x1b").encode() not in output

    async def test_what_a_program_writes_is_no_command_to_screen(self, tmp_path: Path) -> None:
        # OSC 83 is how screen takes commands from within.
        harm = tmp_path / "harm"
        async with screen_of(
            rf"printf '\033]83;exec touch {harm}\007\033]83;quit\007'; echo survived; exec cat"
        ) as session:
            client = Attached.to(session)
            await client.until(b"survived")
            client.feed(b"alive\r")
            await client.until(b"alive\r\nalive")
            assert not harm.exists()

    async def test_the_terminal_inside_repeats_no_characters(self) -> None:
        # Programs would draw frames by it, and screen would leave holes.
        async with screen_of("infocmp -1 | grep -c 'rep=\\|smxx='; echo done") as session:
            client = Attached.to(session)
            await client.until(b"done")
            assert b"0\r\n" in client.output

    async def test_the_wheel_has_something_to_scroll(self) -> None:
        async with screen_of("seq 1 200; echo end; exec cat") as session:
            client = Attached.to(session)
            await client.until(b"end")
            assert (await session.screen()).scrollback > 150
            await client.detach()
            again = Attached.to(session)
            await again.until(b"end")
            # The picture has the lines that have scrolled off, on the normal screen.
            assert all(b"%d\r\n" % number in again.output for number in range(1, 200))
            assert b"\x1b[?1049h" not in again.output

    async def test_the_history_that_screen_keeps_is_as_long_as_it_is_asked_for(self) -> None:
        async with screen_of("exec cat", scrollback=1234) as session:
            await Attached.to(session).until_told(Hello)
            assert "defscrollback 1234\n" in (home() / name_of(session.id) / "screenrc").read_text()

    async def test_no_configuration_but_ours_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("system", ".screenrc"):
            (tmp_path / name).write_text("hardstatus alwayslastline 'from a screenrc'\n")
        monkeypatch.setenv("SYSSCREENRC", str(tmp_path / "system"))
        monkeypatch.setenv("SCREENRC", str(tmp_path / ".screenrc"))
        monkeypatch.setenv("HOME", str(tmp_path))
        async with screen_of("echo hello; exec cat") as session:
            client = Attached.to(session)
            await client.until(b"hello")
            client.feed(b"again\r")
            await client.until(b"again\r\nagain")
            assert b"screenrc" not in client.output


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


class TestPlace:
    async def test_it_is_for_its_user_alone(self) -> None:
        async with screen_of("exec cat") as session:
            await Attached.to(session).until_told(Hello)
            (path,) = kept()
            assert path == home() / name_of(session.id)
            assert stat.S_IMODE(home().stat().st_mode) == 0o700
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            assert all(not entry.lstat().st_mode & 0o077 for entry in path.iterdir())
            # What the command's environment was told by may hold secrets.
            assert not (path / "spec").exists()

    async def test_one_that_is_not_its_users_is_refused(self, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir(mode=0o777)
        home().parent.mkdir(parents=True)
        home().symlink_to(elsewhere)
        async with screen_of("exec cat") as session:
            with pytest.raises(StartFailed, match="not a directory of this user"):
                await Attached.to(session).outcome
        assert list(elsewhere.iterdir()) == []
        home().unlink()

    async def test_one_that_others_could_read_is_closed_to_them(self) -> None:
        home().mkdir(parents=True, mode=0o777)
        home().chmod(0o777)
        async with screen_of("exec cat") as session:
            await Attached.to(session).until_told(Hello)
            assert stat.S_IMODE(home().stat().st_mode) == 0o700

    async def test_a_path_too_long_for_a_socket_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
        async with screen_of("exec cat") as session:
            with pytest.raises(StartFailed, match="XDG_RUNTIME_DIR"):
                await Attached.to(session).outcome

    async def test_two_sessions_of_one_id_have_a_place_each(self) -> None:
        # As two servers of one user would have them.
        async with screen_of("echo one; exec cat") as one:
            await Attached.to(one).until(b"one")
            two = new("echo two; exec cat", Options(backend_type="screen"), session_id=one.id)
            await Attached.to(two).until(b"two")
            assert len(kept()) == 2
            two.close()
            await two.wait()
            assert one.state is State.READY
            assert len(kept()) == 1


class TestChoice:
    def test_both_backends_are_known(self) -> None:
        assert backends() == ("buffered", "screen")

    async def test_an_unknown_name_is_refused_with_those_that_there_are(self) -> None:
        with pytest.raises(OptionError, match="choose one of auto, buffered, screen"):
            new("", Options(backend_type="tmux"))

    @pytest.mark.parametrize("name", ["", "auto"])
    def test_screen_is_taken_where_it_can_be(self, name: str) -> None:
        assert resolve(name) == "screen"

    def test_not_where_its_sockets_have_no_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
        assert resolve("auto") == "buffered"

    def test_not_where_nothing_can_be_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
        assert resolve("auto") == "buffered"

    def test_not_where_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert (resolve("auto"), resolve("screen")) == ("buffered", "screen")

    @pytest.mark.parametrize("name", [None, "nobody"])
    def test_not_for_users_whom_screen_does_not_take(self, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        # Tried with screen 4.9.0: it ends for the first, and refuses its own configuration to the second.
        entries = {os.getuid(): SimpleNamespace(pw_name=name)} if name else {}
        monkeypatch.setattr(setup.pwd, "getpwuid", entries.__getitem__)
        assert resolve("auto") == "buffered"
