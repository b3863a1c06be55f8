"""A terminal on a real server: what is typed arrives, what is written comes, and both survive the connection."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from reconnectingpty import NotAllowed
from reconnectingpty.client import (
    Closed,
    Connected,
    ConnectFailed,
    Down,
    Ended,
    Exited,
    Key,
    Quiet,
    Resized,
    SessionEnded,
    Settings,
    Terminal,
    Watched,
    connect,
)
from reconnectingpty.size import Size
from reconnectingpty.wire import v1
from reconnectingpty.wire.messages import Resync

from ..faults.chaos import chaos
from ..support.attached import PATIENCE
from ..support.serving import TOKEN, serving
from .support import ECHO, QUICK, Unhurried, cut, terminal_of, until


async def test_what_is_typed_arrives_and_what_is_written_comes() -> None:
    async with serving() as s, terminal_of(s, ECHO) as terminal:
        assert await until(terminal, b"ready") == b"ready"
        await terminal.send("häl")
        await terminal.send(b"\xff\x00!")
        assert await until(terminal, b"!") == "häl".encode() + b"\xff\x00!"
        await terminal.flush()
        assert terminal.unsent == 0


async def test_output_is_read_from_its_beginning_whenever_the_first_read_comes() -> None:
    async with serving() as s, terminal_of(s, "echo one; read x; echo two") as terminal:
        with terminal.reader() as other:
            while b"one\r\n" not in await other.read():
                pass
        assert await until(terminal, b"one\r\n") == b"one\r\n"
        await terminal.send("\r")
        assert b"".join([data async for data in terminal]).endswith(b"two\r\n")
        assert await terminal.wait_closed() == Exited(0, None)
        assert await terminal.read() == b""


async def test_the_end_is_told_with_its_status_and_nothing_can_be_typed_after_it() -> None:
    async with serving() as s, terminal_of(s, "exit 3") as terminal:
        assert [event async for event in terminal.events()][-1] == Exited(3, None)
        assert terminal.end == Exited(3, None)
        with pytest.raises(SessionEnded, match="exit status 3"):
            await terminal.send("x")


async def test_it_goes_on_by_itself_after_its_connection_broke() -> None:
    async with serving() as s, terminal_of(s, ECHO) as terminal:
        seen: list[object] = []
        terminal.on_event = seen.append
        await until(terminal, b"ready")
        for number in range(5):
            cut(s)
            await terminal.send(f"<{number}>")
            assert await until(terminal, b">") == f"<{number}>".encode()
        assert terminal.connections > 1
        downs = [event for event in seen if isinstance(event, Down)]
        backs = [event for event in seen if isinstance(event, Connected)]
        assert downs
        assert backs
        assert all(event.resumed for event in backs)
        assert terminal.resyncs == 0


async def test_a_server_that_nobody_reaches_and_a_wrong_token_fail_at_once() -> None:
    with pytest.raises(ConnectFailed, match="cannot reach a server at 127"):
        await connect("http://127.0.0.1:1", session="x").open()
    async with serving() as s:
        with pytest.raises(ConnectFailed) as refused:
            await connect(s.http, session="x", token="wrong").open()
        assert refused.value.code == 401


async def test_a_session_that_is_only_to_be_joined_is_not_started() -> None:
    async with serving() as s:
        with pytest.raises(ConnectFailed, match="there is no session nobody") as refused:
            await connect(s.http, session="nobody", token=TOKEN, attach_only=True).open()
        assert refused.value.code == 4004


async def test_a_kill_ends_it_for_everybody() -> None:
    async with serving() as s, terminal_of(s, ECHO) as one, terminal_of(s, "") as other:
        one.kill()
        async with asyncio.timeout(PATIENCE):
            ends = [await one.wait_closed(), await other.wait_closed()]
        assert [type(end) for end in ends] == [Closed, Closed]
        assert {end.reason for end in ends if isinstance(end, Closed)} == {"killed"}


async def test_a_terminal_that_is_closed_lets_go_whoever_waits_to_type() -> None:
    async with serving() as s:
        terminal = await terminal_of(s, ECHO, settings=Settings(input_limit=1000)).open()
        cut(s)
        terminal.send_nowait(bytes(1000))
        sending = asyncio.create_task(terminal.send(b"more"))
        await asyncio.sleep(0)
        await terminal.aclose()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(SessionEnded):
                await sending


async def test_quiet_begins_when_all_has_come_over_a_new_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(backoff=Unhurried(longest=0.6))
    async with serving() as s, terminal_of(s, ECHO, settings=settings) as terminal:
        await terminal.wait_for("ready")
        loop, since = asyncio.get_running_loop(), 0.0

        def happened(event: object) -> None:
            nonlocal since
            since = loop.time() if isinstance(event, Connected) else since

        terminal.on_event = happened
        cut(s)
        await terminal.wait_for(Quiet(0.5), timeout=PATIENCE)
        assert terminal.connections == 2
        assert loop.time() - since >= 0.5
        monkeypatch.setattr(terminal._protocol, "ping", lambda _: None)  # as if much were still to come
        cut(s)
        with pytest.raises(TimeoutError):
            await terminal.wait_for(Quiet(0.1), timeout=1.5)
        assert terminal.connections == 3


async def test_a_read_only_terminal_looks_on() -> None:
    async with serving() as s, terminal_of(s, ECHO) as writer, terminal_of(s, "", readonly=True) as looker:
        with pytest.raises(NotAllowed):
            await looker.send("x")
        await writer.send("seen")
        await until(looker, b"seen")


async def test_a_change_of_size_is_told_to_all() -> None:
    async with serving() as s, terminal_of(s, ECHO, rows=20, cols=70) as one, terminal_of(s, "", rows=0) as other:
        assert (one.size, other.size) == (Size(20, 70), Size(20, 70))
        events = other.events()
        one.resize(30, 90)
        async with asyncio.timeout(PATIENCE):
            while await anext(events) != Resized(Size(30, 90)):
                pass
        assert Watched(2) in [event async for event in _until_now(one)]
        await events.aclose()


async def _until_now(terminal: Terminal):  # type: ignore[no-untyped-def]
    async for event in terminal.events():
        yield event
        if isinstance(event, Watched) and event.viewers == 2:
            return


async def test_a_reader_that_does_not_read_holds_the_program_back_and_loses_nothing() -> None:
    size = 6_000_000
    hold = Settings(hold=64 << 10)
    async with serving() as s, terminal_of(s, f"head -c {size} /dev/zero; exec cat", settings=hold) as terminal:
        first = await terminal.read(1)
        session = s.server.sessions.get("x")
        assert session is not None
        before = -1
        while session.bytes_out > before:
            before = session.bytes_out
            await asyncio.sleep(0.3)
        assert before < size / 2
        got = len(first)
        async with asyncio.timeout(PATIENCE):
            while got < size:
                data = await terminal.read()
                assert not data.strip(b"\0")
                got += len(data)
        assert terminal.resyncs == 0


async def test_input_that_the_session_does_not_take_holds_its_sender_back() -> None:
    small = Settings(input_limit=32 << 10)
    async with serving() as s, terminal_of(s, "stty raw -echo; echo ready; read x; exec cat", settings=small) as t:
        await until(t, b"ready")
        sending = asyncio.create_task(t.send(bytes(8 << 20)))
        await asyncio.wait((sending,), timeout=0.5)
        assert not sending.done()
        assert t.unsent <= 64 << 10
        sending.cancel()
        await asyncio.wait((sending,))


UVLOOP = """
import sys, uvloop
from reconnectingpty.client import connect

async def main():
    async with connect(sys.argv[1], token=sys.argv[2], command="read x; exit 4") as terminal:
        await terminal.send("\\r")
        print(await terminal.wait_closed())

uvloop.run(main())
"""


async def test_it_runs_on_uvloop_and_over_a_unix_socket_as_well(tmp_path: Path) -> None:
    url = f"unix:{tmp_path}/socket"
    async with serving(listen=[url]):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", UVLOOP, url, TOKEN, stdout=-1, stderr=-1)
        out, err = await process.communicate()
    assert (out.decode(), err.decode()) == ("exit status 4\n", "")


async def test_a_wait_ends_in_its_time_although_the_rest_of_a_picture_never_comes() -> None:
    async with serving() as s, terminal_of(s, ECHO) as terminal:
        await until(terminal, b"ready")
        assert list(terminal._protocol.receive(v1.encode(Resync(1000, 10)))) == []
        with pytest.raises(TimeoutError, match="the screen had not come"):
            await terminal.wait_for("ready", timeout=0.1)


async def test_keys_and_pastes_are_sent_as_the_program_asked_for_them() -> None:
    show = "stty raw -echo; printf '\\033[?1h\\033[?2004hready'; exec cat -v"
    async with serving() as s, terminal_of(s, show) as terminal:
        await terminal.wait_for("ready")
        await terminal.press("Up", "C-Up", "M-x", "F5")
        await terminal.paste("a\nb")
        await terminal.send("end", Key("Enter"))
        found = await terminal.wait_for(r"ready(.*)end")
        assert found[1] == "^[OA^[[1;5A^[x^[[15~^[[200~a^Mb^[[201~"


async def test_the_screen_has_text_cursor_title_and_cells() -> None:
    drawing = "printf '\\033]2;a title\\007one\\r\\n\\033[1;31mred\\033[m\\033[5;10H'; exec cat"
    async with serving() as s, terminal_of(s, drawing, rows=10, cols=40) as terminal:
        await terminal.wait_for(lambda screen: screen.title == "a title" and screen.row == 4)
        screen = await terminal.screen()
        assert (screen.lines[:2], screen.row, screen.col, len(screen.lines)) == (("one", "red"), 4, 9, 10)
        cells = await terminal.cells()
        assert (cells[1][0].data, cells[1][0].fg, cells[1][0].bold) == ("r", "red", True)
        assert (len(cells), {len(row) for row in cells}) == (10, {40})


async def test_what_is_waited_for_in_vain_is_told_with_what_is_there_instead() -> None:
    async with serving() as s, terminal_of(s, "echo something else; read x") as terminal:
        await terminal.wait_for("else")
        with pytest.raises(
            TimeoutError, match=r"not seen within 0.05 s: 'never'; the screen ends with 'something else'"
        ):
            await terminal.wait_for("never", timeout=0.05)
        await terminal.send("\r")
        assert (await terminal.wait_for(Ended())).end == Exited(0, None)
        with pytest.raises(SessionEnded):
            await terminal.wait_for("never")


async def test_a_server_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    url = f"unix:{tmp_path}/socket"
    settings = Settings(backoff=QUICK.backoff, patience=PATIENCE)
    opening = asyncio.create_task(connect(url, token=TOKEN, command="exit 0", settings=settings).open())
    await asyncio.sleep(0.1)
    assert not opening.done()
    async with serving(listen=[url]):
        terminal = await opening
        assert await terminal.wait_closed() == Exited(0, None)
        await terminal.aclose()


async def test_a_server_that_does_not_come_back_is_given_up_when_that_is_wanted() -> None:
    settings = Settings(backoff=QUICK.backoff, give_up=0.3)
    async with serving() as s:
        async with chaos(s.address.port, 0) as proxy:
            proxy.calm = True
            url = f"http://{proxy.address}"
            terminal = await connect(url, token=TOKEN, command=ECHO, settings=settings).open()
        async with asyncio.timeout(PATIENCE):
            end = await terminal.wait_closed()
        assert isinstance(end, Closed)
        assert end.detail.startswith("no connection for 0 s: cannot reach a server at 127.0.0.1")
        with pytest.raises(SessionEnded):
            await terminal.send("x")
        await terminal.aclose()
