"""What was measured to go wrong in Coder's (its two backends, and its design), and does not here.

The numbers are those of docs/backends.md, second table.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import pytest

from ..screen.homes import alive
from ..support.attached import PATIENCE
from ..support.leaks import Held
from ..support.programs import fifo
from ..support.serving import Told
from .clients import AgentClient, Client, coder, init, plain
from .conftest import Serve

SESSION = "00000000-0000-4000-8000-00000000dead"
FLOOD = "stty -echo; echo ready; read line; seq 1 400000; echo flooded; exec cat"


ONLY = re.compile(rb"only (\d+)[^\d]")
PRIVATE_MODES = re.compile(rb"\x1b\[\?([\d;]+)h")


async def pid_of(client: Client) -> int:
    """The number that a client is shown first in a line of its own."""
    await client.line(str.isdigit, "a pid")
    return int(next(filter(str.isdigit, client.lines)))


# -- the buffered backend


async def test_d1_the_program_has_its_size_from_the_first_moment(serve: Serve) -> None:
    async with serve() as server:
        for _ in range(5):
            client = await server.attach(command="stty size", rows=33, cols=111)
            assert b"33 111" in await client.to_the_end()


async def test_d2_a_client_that_stops_reading_holds_up_nobody(serve: Serve) -> None:
    async with serve() as server:
        stuck, free = await server.attach(SESSION, FLOOD), await server.attach(SESSION)
        await asyncio.gather(stuck.shows(b"ready"), free.shows(b"ready"))
        # From here on nobody reads what `stuck` is sent.
        await free.type("go\r")
        await free.shows(b"flooded\r\n")
        await free.type("still here\r")
        await free.shows(b"still here")
        late = await server.attach(SESSION)
        await late.shows(b"still here")


async def test_d3_an_interrupt_is_obeyed_under_a_flood_that_somebody_does_not_read(serve: Serve) -> None:
    async with serve() as server:
        stuck = await server.attach(SESSION, "echo ready; trap 'echo interrupted; exec cat' INT; yes")
        free = await server.attach(SESSION)
        await asyncio.gather(stuck.shows(b"ready"), free.shows(b"y\r\ny\r\n"))
        await free.type("\x03")
        await free.shows(b"interrupted")


async def test_d4_the_end_of_a_session_leaves_no_child_that_hid(serve: Serve, tmp_path: Path) -> None:
    with fifo(tmp_path) as pipe:
        async with serve() as server:
            script = f"(trap '' HUP; echo $(exec sh -c 'echo $PPID') > {pipe.path}; exec sleep 1000) & "
            script += f"setsid sh -c 'echo $$ > {pipe.path}; exec sleep 1000' & exec cat"
            await server.attach(SESSION, script)
            heard = b""
            while heard.count(b"\n") < 2:
                heard += await pipe.heard()
            hidden = [int(word) for word in heard.split()]
            assert all(map(alive, hidden))
            await server.serving.request("DELETE", f"/api/sessions/{SESSION}")
            await server.no_session_is_left()
            assert not any(map(alive, hidden))


async def test_d5_the_exit_status_is_told(backend: str) -> None:
    async with coder("websocket", backend) as server:
        query = f"reconnect={SESSION}&width=80&height=24&command=exit+42&backend_type={backend}"
        async with server.serving.connect(query) as socket:
            told = Told(socket)
            assert await told.to_the_end() == (1000, "")
            assert told.told("exit")[-1]["code"] == 42


async def test_d6_a_terminals_questions_are_not_asked_again(serve: Serve) -> None:
    async with serve() as server:
        first = await server.attach(SESSION, r"stty -echo raw; printf '\033[c\033[6nasked'; exec cat -v")
        await first.shows(b"asked")
        await first.close()
        await server.nobody_is_attached()
        second = await server.attach(SESSION)
        await second.shows(b"asked")
        assert b"\x1b[c" not in second.output
        assert b"\x1b[6n" not in second.output


async def test_d7_modes_and_screens_outlast_any_amount_of_output(serve: Serve) -> None:
    async with serve() as server:
        script = r"printf '\033[?2004h\033[?1000h\033[?1006h'; seq 1 60000; echo over; exec cat"
        first = await server.attach(SESSION, script)
        await first.shows(b"over")
        await first.close()
        await server.nobody_is_attached()
        second = await server.attach(SESSION)
        await second.shows(b"over")
        wanted = {b"2004", b"1000", b"1006"}
        await second.until(
            lambda: wanted <= {mode for modes in PRIVATE_MODES.findall(second.output) for mode in modes.split(b";")},
            "the modes",
        )


async def test_d8_a_picture_begins_with_no_half_of_anything(serve: Serve) -> None:
    async with serve() as server:
        script = "i=0; while [ $i -lt 4000 ]; do printf '\\033[38;5;%dm日本語❯\\033[m' $((i % 250)); i=$((i+1)); done"
        first = await server.attach(SESSION, script + "; echo; echo over; exec cat")
        await first.shows(b"over")
        await first.close()
        await server.nobody_is_attached()
        second = await server.attach(SESSION)
        await second.shows(b"over")
        second.output.decode()
        assert "�" not in "".join(second.lines)
        assert "m日" not in "".join(second.lines)


async def test_d9_many_reattaches_under_output_repeat_and_lose_nothing(backend: str) -> None:
    async with coder("websocket", backend) as server:
        query = f"reconnect={SESSION}&width=80&height=24&backend_type={backend}"
        command = "&command=read+x;seq+1+30000;echo+over;exec+cat"
        whole, epoch, offset = b"", "", 0
        for turn in range(30):
            again = f"&epoch={epoch}&offset={offset}" if epoch else command
            async with server.serving.connect(query + again) as socket:
                told = Told(socket)
                hello = await told.until_told("hello")
                assert hello["snapshot"] == 0
                epoch = hello["epoch"]
                if turn == 0:
                    await socket.send(b"\r")
                # A frame each time, and at last whatever is left.
                while b"over" not in whole + told.output and (turn == 29 or not told.output):
                    await told.next()
                whole += told.output
                offset += len(told.output)
        assert [int(line) for line in plain(whole) if line.isdigit()] == list(range(1, 30001))


@pytest.mark.parametrize("wrong", ['{"data": 7}', '{"height": 70000, "width": 1}', "garbage", '{"height": "x"}'])
async def test_d10_what_is_wrong_ends_that_connection_alone(backend: str, wrong: str) -> None:
    async with coder("agent", backend) as server:
        good, bad = await server.attach(SESSION, "cat"), await server.attach(SESSION)
        assert isinstance(bad, AgentClient)
        await bad.write(wrong.encode())
        await bad.to_the_end()
        await good.type("alive\r")
        await good.shows(b"alive\r\nalive")


async def test_d11_a_program_that_reads_nothing_does_not_keep_its_session_alive(serve: Serve) -> None:
    async with serve(timeout="0.3") as server:
        client = await server.attach(SESSION, "stty raw -echo; echo $$; while :; do sleep 1000; done")
        pid = await pid_of(client)
        for _ in range(3):
            await client.type("x" * 60_000)
        await client.close()
        await server.no_session_is_left()
        assert not alive(pid)


async def test_d12_sessions_that_ended_leave_nothing_behind(serve: Serve) -> None:
    async with serve() as server:
        for _ in range(3):
            await (await server.attach(command="true")).to_the_end()
        await server.no_session_is_left()
        await server.nobody_is_attached()
        before, tasks = Held.now(), len(asyncio.all_tasks())
        for _ in range(20):
            client = await server.attach(command="true")
            await client.to_the_end()
            await client.close()
        await server.no_session_is_left()
        await server.nobody_is_attached()
        assert len(asyncio.all_tasks()) <= tasks
        assert not [what for what in Held.now().more_than(before) if "thread" not in what and "socket" not in what]


async def test_d13_two_first_attaches_at_once_share_one_command(serve: Serve) -> None:
    async with serve() as server:
        for number in range(10):
            session = f"{SESSION[:-2]}{number:02d}"
            clients = await asyncio.gather(*(server.attach(session, "echo only $$ ; exec cat") for _ in range(2)))
            await asyncio.gather(*(client.shows(b"only ") for client in clients))
            await asyncio.gather(*(client.until(lambda c=client: ONLY.search(c.output), "a pid") for client in clients))
            shown = {match[1] for client in clients if (match := ONLY.search(client.output))}
            assert len(shown) == 1, [client.output for client in clients]


# -- the screen backend


async def test_d14_what_is_typed_at_once_is_taken_at_once(serve: Serve) -> None:
    async with serve() as server:
        client = await server.attach(command="cat")
        await client.type("early\r")
        await client.shows(b"early\r\nearly\r\n")


async def test_d15_nothing_is_shown_but_the_programs_output(serve: Serve) -> None:
    async with serve() as server:
        client = await server.attach(command="echo output; sleep 0.3; echo more")
        await client.to_the_end()
        assert [line for line in client.lines if line.strip()] == ["output", "more"]


async def test_d16_an_ended_id_starts_the_new_command(serve: Serve) -> None:
    async with serve() as server:
        first = await server.attach(SESSION, "echo the first")
        assert b"the first" in await first.to_the_end()
        second = await server.attach(SESSION, "echo the second")
        assert b"the second" in await second.to_the_end()
        assert b"the first" not in second.output


async def test_d17_a_commands_own_end_is_no_error_in_the_metrics(serve: Serve) -> None:
    async with serve() as server:
        for _ in range(3):
            await (await server.attach(command="true")).to_the_end()
        await server.no_session_is_left()
        assert await server.metric("reconnecting_pty_errors_total{") == 0


@pytest.mark.parametrize("prefix", ["\x13", "\x01"])
async def test_d18_no_key_is_a_command_to_anything_but_the_program(serve: Serve, prefix: str) -> None:
    async with serve() as server:
        client = await server.attach(SESSION, "stty -echo raw; echo ready; exec cat -v")
        await client.shows(b"ready")
        shown = "^" + chr(ord(prefix) + 64)
        for key in ("k", "d", ":", "?", "\\"):
            await client.type(prefix + key)
        await client.shows("".join(f"{shown}{key}" for key in ("k", "d", ":", "?", "\\")).encode())


async def test_d19_history_above_the_screen_comes_back(serve: Serve) -> None:
    async with serve() as server:
        first = await server.attach(SESSION, "seq 1 500; echo over; exec cat")
        await first.shows(b"over")
        await first.close()
        await server.nobody_is_attached()
        second = await server.attach(SESSION)
        await second.shows(b"over")
        assert [int(line) for line in second.lines if line.isdigit()] == list(range(1, 501))


async def test_d20_nothing_is_left_when_the_server_has_ended(serve: Serve) -> None:
    async with serve() as server:
        watched, left = (
            await server.attach(command="echo $$; exec cat"),
            await server.attach(command="echo $$; exec cat"),
        )
        pids = [await pid_of(watched), await pid_of(left)]
        await left.close()
    assert not any(map(alive, pids))


# -- the design


async def test_d21_who_leaves_gives_the_size_back_to_who_stays(serve: Serve) -> None:
    async with serve() as server:
        script = 'while :; do now=$(stty size); [ "$now" = "$then" ] || echo "$now"; then=$now; sleep 0.05; done'
        big = await server.attach(SESSION, script, rows=30, cols=100)
        await big.shows(b"30 100\r\n")
        big.output = b""
        small = await server.attach(SESSION, rows=20, cols=60)
        await big.shows(b"20 60")
        await small.close()
        await big.shows(b"30 100")


async def test_d22_sessions_are_listed_described_and_ended(serve: Serve) -> None:
    async with serve() as server:
        client = await server.attach(SESSION, "echo $$; printf '\\033]0;a title\\007'; echo titled; exec cat", rows=31)
        pid = await pid_of(client)
        await client.shows(b"titled")
        (told,) = await server.sessions()
        assert (told["id"], told["backend"], told["pid"], told["viewers"]) == (SESSION, server.backend, pid, 1)
        assert (told["rows"], told["cwd"]) == (31, str(Path.home()))
        screen = json.loads((await server.serving.request("GET", f"/api/sessions/{SESSION}/screen?format=json"))[2])
        assert screen["title"] == "a title"
        await server.serving.request("DELETE", f"/api/sessions/{SESSION}")
        await client.to_the_end()


async def test_d23_a_program_has_its_grace_to_say_goodbye(serve: Serve) -> None:
    async with serve() as server:
        client = await server.attach(SESSION, "trap 'echo goodbye; exit' HUP; echo ready; while :; do sleep 0.05; done")
        await client.shows(b"ready")
        await server.serving.request("DELETE", f"/api/sessions/{SESSION}")
        assert b"goodbye" in await client.to_the_end()


async def test_d24_bytes_that_are_no_text_can_be_typed(backend: str) -> None:
    async with coder("websocket", backend) as server:
        query = f"reconnect={SESSION}&width=80&height=24&backend_type={backend}"
        command = "stty+-echo+raw;echo+ready;exec+cat+-v"
        async with server.serving.connect(f"{query}&command={command}") as socket:
            told = Told(socket)
            await told.until(b"ready")
            await socket.send(bytes([0xFF, 0x80, 0x00, 0xC3]) + b"|")
            await told.until(b"M-^?M-^@^@M-C|")


async def test_d25_the_servers_own_secrets_are_not_in_the_environment(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONNECTINGPTY_TOKEN", "a-secret-of-the-server")
    async with serve() as server:
        client = await server.attach(command="env")
        await client.to_the_end()
        assert any(line.startswith("TERM=") for line in client.lines)
        assert "a-secret-of-the-server" not in "\n".join(client.lines)


async def test_d26_input_for_a_program_that_reads_slowly_is_bounded_and_arrives(serve: Serve) -> None:
    async with serve() as server:
        client = await server.attach(
            SESSION, "stty raw -echo; echo ready; sleep 0.5; head -c 500000 | wc -c; echo over"
        )
        await client.shows(b"ready")
        for _ in range(10):
            await client.type("x" * 50_000)
        await client.shows(b"500000")


async def test_d27_an_idle_server_does_nothing(serve: Serve) -> None:
    async with serve() as server:
        clients = [await server.attach(command="echo ready; exec cat") for _ in range(10)]
        for client in clients:
            await client.shows(b"ready")
        await asyncio.sleep(1.0)
        before = time.process_time()
        await asyncio.sleep(1.0)
        # Seconds of the processor, of which a loop that polls would use most; it does not depend on what else runs.
        assert time.process_time() - before < 0.3


async def test_d28_a_connection_that_dies_without_a_word_is_noticed_and_counted_out(backend: str) -> None:
    async with coder("agent", backend) as server:
        client = await server.attach(SESSION, "echo ready; exec cat")
        assert isinstance(client, AgentClient)
        await client.shows(b"ready")
        client.writer.transport.abort()
        async with asyncio.timeout(PATIENCE):
            await server.nobody_is_attached()
        assert (await server.sessions())[0]["viewers"] == 0


async def test_d29_a_backend_that_there_is_not_is_refused_by_name() -> None:
    async with coder("websocket", "buffered") as server:
        query = f"/pty?reconnect={SESSION}&width=80&height=24&backend_type=tmux"
        status, _, body = await server.serving.request("GET", query)
        assert status == 400
        assert b"auto, buffered, screen" in body


async def test_d30_the_backend_that_a_client_names_is_the_one_it_gets(backend: str) -> None:
    async with coder("agent", "buffered") as server:
        reader, writer = await asyncio.open_connection(server.agent.host, server.agent.port)
        client = AgentClient(reader, writer)
        await client.write(init(SESSION, 24, 80, "echo ready; exec cat", backend))
        await client.shows(b"ready")
        assert (await server.sessions())[0]["backend"] == backend
        await client.close()
