"""What goes through GNU screen: keys, input and output, to the byte."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from reconnectingpty.screen.directory import home, name_of
from reconnectingpty.wire.messages import Hello, InputAck

from ..support.attached import PATIENCE, Attached
from ..support.programs import fifo
from .homes import screen_of

# A terminal without echo that shows what it gets, byte by byte.
SHOWS_KEYS = "stty -echo raw; echo ready; exec cat -v"


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
