"""Terminals over real WebSockets: the page's protocol and Coder's."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from socket import SHUT_WR
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from reconnectingpty import StartFailed, State
from reconnectingpty.process import ExitStatus
from reconnectingpty.size import Size
from reconnectingpty.viewer import INPUT_QUEUE
from reconnectingpty_server import session_api

from ..support.attached import PATIENCE
from ..support.serving import Told, serving


async def test_a_shell_survives_its_connection_and_goes_on_at_the_offset() -> None:
    async with serving() as s:
        async with s.connect(
            "reconnect=a&width=97&height=31&client=c&command=stty+raw+-echo%3Becho+-n+ready%3Bcat"
        ) as socket:
            told = Told(socket)
            hello = await told.until_told("hello")
            assert (hello["session"], hello["rows"], hello["cols"], hello["offset"]) == ("a", 31, 97, 0)
            await told.until(b"ready")
            await socket.send(b"hello \xff\x00 there")
            await told.until(b"hello \xff\x00 there")
            await told.until_told("ack")
            assert told.told("ack")[-1]["input_offset"] == 14
        query = f"reconnect=a&width=97&height=31&client=c&epoch={hello['epoch']}&offset=11"
        async with s.connect(query) as socket:
            told = Told(socket)
            hello = await told.until_told("hello")
            assert (hello["snapshot"], hello["offset"], hello["input_offset"]) == (0, 11, 14)
            assert await told.until(b"there") == b"\xff\x00 there"


async def test_an_exit_is_told_with_its_status_and_code_1000() -> None:
    async with serving() as s, s.connect("reconnect=a&command=echo+bye%3B+exit+3") as socket:
        told = Told(socket)
        assert await told.to_the_end() == (1000, "")
        assert told.output == b"bye\r\n"
        assert told.messages[-1] == {"type": "exit", "code": 3, "signal": None}


async def test_a_client_that_comes_back_after_the_end_is_told_so_and_gets_no_new_shell() -> None:
    async with serving() as s:
        async with s.connect("reconnect=a&command=exit+4") as socket:
            epoch = (await Told(socket).until_told("hello"))["epoch"]
            await Told(socket).to_the_end()
        async with s.connect(f"reconnect=a&epoch={epoch}&offset=0") as socket:
            told = Told(socket)
            assert await told.to_the_end() == (1000, "")
            assert told.messages == [{"type": "exit", "code": 4, "signal": None}]
        async with s.connect("reconnect=a&epoch=abcdef&offset=0") as socket:
            assert (await Told(socket).to_the_end())[0] == 4004
        async with s.connect("reconnect=nobody&attach_only=1") as socket:
            assert (await Told(socket).to_the_end())[0] == 4004
        async with s.connect("reconnect=a&command=echo+new") as socket:
            await Told(socket).until(b"new")


async def test_each_run_under_an_id_is_remembered_for_its_own_clients() -> None:
    async with serving() as s:
        epochs = []
        for code in (3, 5):
            async with s.connect(f"reconnect=a&command=exit+{code}") as socket:
                epochs.append((await Told(socket).until_told("hello"))["epoch"])
                await Told(socket).to_the_end()
        async with s.connect("reconnect=a&command=cat") as socket:
            living = (await Told(socket).until_told("hello"))["epoch"]
            for epoch, code in zip(epochs, (3, 5), strict=True):
                async with s.connect(f"reconnect=a&epoch={epoch}&offset=0") as again:
                    told = Told(again)
                    assert await told.to_the_end() == (1000, "")
                    assert told.messages == [{"type": "exit", "code": code, "signal": None}]
            async with s.connect(f"reconnect=a&epoch={living}&offset=0") as again:
                assert (await Told(again).until_told("hello"))["epoch"] == living


async def test_who_comes_back_while_the_session_ends_is_told_how_it_ended() -> None:
    async with serving(command="trap '' HUP; echo ready; while :; do sleep 1000; done") as s:
        async with s.connect("reconnect=a") as socket:
            told = Told(socket)
            epoch = (await told.until_told("hello"))["epoch"]
            await told.until(b"ready")
        session = s.server.sessions.get("a")
        assert session is not None
        session.close()
        async with s.connect(f"reconnect=a&epoch={epoch}&offset=0") as socket:
            assert session.state < State.DONE
            told = Told(socket)
            assert (await told.to_the_end())[0] == 4001
            assert told.messages[-1]["reason"] == "killed"


async def test_who_comes_back_to_a_start_that_failed_is_told_that() -> None:
    async with serving(cwd="/") as s:
        session = s.server.sessions.get_or_start("a", "")
        session._start = _fails  # type: ignore[method-assign]
        async with s.connect("reconnect=a") as socket:
            assert (await Told(socket).to_the_end())[0] == 1011
        async with s.connect(f"reconnect=a&epoch={session.epoch}&offset=0") as socket:
            told = Told(socket)
            assert await told.to_the_end() == (1011, "cannot start it")
            assert not told.messages


async def _fails(size: Size | None) -> None:
    raise StartFailed("cannot start it")


@pytest.mark.parametrize(
    ("how", "code", "reason"), [("kill", 4001, "killed"), ("delete", 4001, "killed"), ("idle", 4000, "timeout")]
)
async def test_each_way_to_close_a_session_has_its_code(how: str, code: int, reason: str) -> None:
    async with serving(timeout="0.2") as s, s.connect("reconnect=a&command=cat") as socket:
        told = Told(socket)
        epoch = (await told.until_told("hello"))["epoch"]
        if how == "idle":
            await socket.close()
            session = s.server.sessions.get("a")
            assert session is not None
            await session.wait()
            async with s.connect(f"reconnect=a&epoch={epoch}&offset=0") as again:
                told = Told(again)
                assert (await told.to_the_end())[0] == code
        elif how == "kill":
            await told.say(type="kill")
        else:
            assert (await s.request("DELETE", "/api/sessions/a"))[0] == 204
        assert (await told.to_the_end())[0] == code
        assert told.told("closing")[0]["reason"] == reason


@pytest.mark.parametrize("backend", ["buffered", "screen"])
async def test_who_ends_a_session_waits_for_no_viewer_that_takes_nothing(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_api, "REST_SECONDS", 0.1)
    async with serving(backend=backend) as s, s.connect("reconnect=a&command=yes") as socket:
        async with asyncio.timeout(PATIENCE):
            while (session := s.server.sessions.get("a")) is None or session.held_by != "viewer":
                await asyncio.sleep(0.01)
        assert (await s.request("DELETE", "/api/sessions/a"))[0] == 204
        assert (session.exit_status, session.state) == (ExitStatus(signal=1), State.CLOSING)
        socket.transport.abort()


async def test_a_shutdown_is_told_and_leaves_nothing() -> None:
    async with serving() as s, s.connect("reconnect=a&command=cat") as socket:
        told = Told(socket)
        await told.until_told("hello")
        closing = asyncio.create_task(s.server.close(5))
        assert (await told.to_the_end())[0] == 1001
        assert told.told("closing")[0]["reason"] == "shutdown"
        await closing
        assert s.server.conn_count() == 0


async def test_two_viewers_share_one_shell_and_see_each_others_size_and_number() -> None:
    async with serving() as s, s.connect("reconnect=a&width=80&height=24&command=cat") as one:
        first = Told(one)
        await first.until_told("hello")
        async with s.connect("reconnect=a&width=60&height=20") as two:
            second = Told(two)
            await second.until_told("hello")
            assert (await first.until_told("size")) == {"type": "size", "rows": 20, "cols": 60}
            await one.send(b"hi\r")
            await second.until(b"hi\r\nhi\r\n")
            while first.told("viewers")[-1:] != [{"type": "viewers", "count": 2}]:
                await first.next()


async def test_simultaneous_first_attaches_get_one_session() -> None:
    async with serving() as s:

        async def attach() -> str:
            async with s.connect("reconnect=same&command=cat") as socket:
                return (await Told(socket).until_told("hello"))["epoch"]

        assert len(set(await asyncio.gather(*(attach() for _ in range(30))))) == 1
        assert len(s.server.sessions) == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", 1007),
        ("[]", 1007),
        ('{"type":"nonsense"}', 1007),
        ('{"type":"resize","rows":"x","cols":2}', 1007),
        ('{"type":"resize","rows":70000,"cols":2}', 1007),
        ('{"type":"ack","offset":-1}', 1007),
        ('{"type":"ack","offset":99999}', 1008),
        ("{" * 70000, 1009),
        (b"x" * (2 << 20), 1009),
    ],
)
async def test_what_the_protocol_does_not_allow_closes_that_connection_alone(frame: str | bytes, code: int) -> None:
    async with serving() as s, s.connect("reconnect=a&command=cat") as good, s.connect("reconnect=a") as bad:
        told = Told(bad)
        await told.until_told("hello")
        await bad.send(frame)
        assert (await told.to_the_end())[0] == code
        await good.send(b"still here\r")
        await Told(good).until(b"still here")


async def test_a_hundred_mebibytes_of_one_message_are_never_held() -> None:
    async with serving() as s, s.connect("reconnect=a&command=cat") as socket:
        told = Told(socket)
        await told.until_told("hello")

        async def flood() -> None:
            async def parts():  # type: ignore[no-untyped-def]
                for _ in range(1600):
                    yield b"x" * 65536

            with pytest.raises(Exception, match=r"1009|too big|closed"):
                await socket.send(parts())

        await flood()
        assert (await told.to_the_end())[0] == 1009


async def test_a_read_only_client_that_writes_is_refused() -> None:
    async with serving() as s, s.connect("reconnect=a&command=cat&readonly=1") as socket:
        told = Told(socket)
        assert (await told.until_told("hello"))["readonly"] is True
        await socket.send(b"x")
        assert (await told.to_the_end())[0] == 1008


async def test_a_failed_start_is_1011_with_the_reason() -> None:
    async with serving() as s, s.connect("reconnect=a&command=%23%21%2Fnonexistent%2Fx") as socket:
        code, reason = await Told(socket).to_the_end()
        assert code == 1011
        assert "/nonexistent/x" in reason


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "reconnect"),
        ("reconnect=", "reconnect"),
        ("reconnect=../etc", "reconnect"),
        ("reconnect=.hidden", "reconnect"),
        ("reconnect=%2e%2e%2fx", "reconnect"),
        ("reconnect=a%00b", "reconnect"),
        ("reconnect=" + "x" * 65, "reconnect"),
        ("reconnect=a&reconnect=b", "reconnect"),
        ("reconnect=a&width=-1", "width"),
        ("reconnect=a&height=65536", "height"),
        ("reconnect=a&offset=1e3", "offset"),
        ("reconnect=a&epoch=XYZ", "epoch"),
        ("reconnect=a&client=a+b", "client"),
        ("reconnect=a&readonly=maybe", "readonly"),
        ("reconnect=a&backend_type=nonsense", "backend_type"),
    ],
)
async def test_wrong_parameters_are_told_before_the_upgrade(query: str, field: str) -> None:
    async with serving() as s:
        with pytest.raises(InvalidStatus) as caught:
            await s.connect(query)
        assert caught.value.response.status_code == 400
        body = json.loads(caught.value.response.body or b"")
        assert [error["field"] for error in body["validations"]] == [field]


@pytest.mark.parametrize(("width", "height", "size"), [(0, 0, (24, 80)), (1, 1, (1, 1)), (65535, 65535, (1000, 2000))])
async def test_odd_sizes_are_made_possible(width: int, height: int, size: tuple[int, int]) -> None:
    async with serving() as s, s.connect(f"reconnect=a&width={width}&height={height}&command=cat") as socket:
        hello = await Told(socket).until_told("hello")
        assert (hello["rows"], hello["cols"]) == size


# -- Coder's clients


async def test_coders_message_stream_in_any_framing() -> None:
    path = f"/api/v2/workspaceagents/{uuid4()}/pty"
    async with serving() as s, s.connect(f"reconnect={uuid4()}&command=cat", v1=False, path=path) as socket:
        told = Told(socket)
        whole = json.dumps({"data": "héllo\r"}, ensure_ascii=False).encode() + b' {"HEIGHT":30,"width":90,"other":[{}]}'
        for start in range(0, len(whole), 3):
            await socket.send(whole[start : start + 3])
        await told.until("héllo\r\nhéllo\r\n".encode())
        await socket.send('{"Data":"text frame\\r"}')
        await told.until(b"text frame\r\ntext frame\r\n")
        assert (await s.json("/api/sessions"))["sessions"][0]["cols"] == 90
        assert told.messages == []


async def test_coders_client_that_comes_back_gets_a_picture_on_a_reset_terminal() -> None:
    async with serving() as s:
        async with s.connect("reconnect=a&command=echo+hello%3Bcat", v1=False) as socket:
            assert await Told(socket).until(b"hello\r\n") == b"hello\r\n"
        async with s.connect("reconnect=a", v1=False) as socket:
            assert (await Told(socket).until(b"hello")).startswith(b"\x1bc")


@pytest.mark.parametrize("bad", ['{"data":5}', '{"height":70000,"width":1}', "garbage", "[1]"])
async def test_coders_client_that_breaks_the_protocol_is_closed(bad: str) -> None:
    async with serving() as s, s.connect("reconnect=a&command=cat", v1=False) as socket:
        await socket.send(bad.encode())
        assert (await Told(socket).to_the_end())[0] == 1007


@pytest.mark.parametrize("cut", [True, False])
async def test_a_client_that_is_cut_off_while_its_input_stands_still_is_noticed(cut: bool) -> None:
    command = "stty%20raw%3Becho%20ready%3Bexec%20sleep%201000"
    async with serving() as s, s.connect(f"reconnect=a&command={command}") as socket:
        await Told(socket).until(b"ready")
        session = s.server.sessions.get("a")
        assert session is not None
        pouring = asyncio.create_task(_pour(socket))
        async with asyncio.timeout(session.options.input_stall - 5):
            while session.bytes_in <= INPUT_QUEUE:
                await asyncio.sleep(0.01)
            if cut:
                socket.transport.abort()
            else:
                socket.transport.get_extra_info("socket").shutdown(SHUT_WR)
            while session.viewer_count:
                await asyncio.sleep(0.01)
        socket.transport.abort()
        with suppress(ConnectionClosed, OSError):
            await pouring


async def _pour(socket: ClientConnection) -> None:
    while True:
        await socket.send(bytes(64 << 10))
