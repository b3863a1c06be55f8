"""Who sees what of a session: several viewers, those that come back, those that only look, and their sizes."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from reconnectingpty import (
    Killed,
    MemoryConnection,
    NotAllowed,
    Outcome,
    State,
    Superseded,
    TooManyViewers,
)
from reconnectingpty.wire.messages import Hello, Kill, Ping, Pong, Resize, ServerMessage, SizeChanged, Viewers

from .support.attached import Attached, Holding, session_of

# -- what a viewer begins with


async def test_a_client_is_greeted_with_where_it_is() -> None:
    async with session_of("stty raw -echo; echo -n hello; cat") as session:
        first = Attached.to(session, 31, 97, window=4096)
        await first.until(b"hello")
        assert first.sent[0] == Hello(
            session=session.id,
            epoch=session.epoch,
            backend="buffered",
            created=session.created,
            rows=31,
            cols=97,
            readonly=False,
            offset=0,
            snapshot=0,
            input_offset=0,
            window=4096,
        )
        second = Attached.to(session, 0, 0, readonly=True)
        hello = await second.until_told(Hello)
        assert second.sent[0] is hello
        assert (hello.rows, hello.cols, hello.readonly, hello.window) == (31, 97, True, 0)
        assert (hello.offset, hello.snapshot > 0) == (5, True)


async def test_all_viewers_see_the_same_bytes() -> None:
    async with session_of("stty raw -echo; echo -n '>'; head -c 1; seq 1 30000; echo -n '<'; cat") as session:
        clients = [Attached.to(session) for _ in range(5)]
        for client in clients:
            await client.until(b">")
        clients[0].feed(b"!")
        # One that came a moment after the prompt was drawn it; from there on all is alike.
        live = b"!" + b"".join(b"%d\n" % number for number in range(1, 30001)) + b"<"
        for client in clients:
            output = await client.until(b"<")
            assert output[-len(live) :] == live
            assert len(output) - len(live) < 10


async def test_one_who_comes_later_gets_the_picture_and_what_comes_after_it() -> None:
    async with session_of("cat") as session:
        first, second = Attached.to(session), Attached.to(session)
        await first.until_told(Hello)
        first.feed(b"hello\r")
        await first.until(b"hello\r\nhello")
        await second.until(b"hello\r\nhello")
        await first.detach()
        await second.detach()
        third = Attached.to(session)
        hello = await third.until_told(Hello)
        assert hello.snapshot > 0
        assert b"hello\r\nhello" in await third.until_output(hello.snapshot)
        third.feed(b"more\r")
        live = (await third.until(b"more\r\nmore\r\n"))[hello.snapshot :]
        assert live == b"more\r\nmore\r\n"
        assert session.bytes_out == hello.offset + len(live)


async def test_a_picture_has_the_lines_that_have_scrolled_away_too() -> None:
    async with session_of("seq 1 2000; echo end; cat", scrollback=1000) as session:
        await Attached.to(session).until(b"end")
        later = Attached.to(session)
        hello = await later.until_told(Hello)
        lines = (await later.until_output(hello.snapshot)).replace(b"\r", b"").split(b"\n")
        numbers = [int(line) for line in lines if line.isdigit()]
        assert numbers == list(range(numbers[0], 2001))
        assert 1000 <= len(numbers) < 1030


@pytest.mark.parametrize("offset", [0, 1, 60, 99, 100])
async def test_a_client_that_names_its_offset_gets_exactly_the_rest(offset: int) -> None:
    data = bytes(range(100))
    async with session_of("stty raw -echo; printf '\\0'; cat") as session:
        client = Attached.to(session)
        await client.until(b"\0")
        client.feed(data[1:])
        assert await client.until_output(100) == data
        await client.detach()
        again = Attached.to(session, epoch=session.epoch, offset=offset)
        hello = await again.until_told(Hello)
        assert (hello.offset, hello.snapshot, hello.epoch) == (offset, 0, session.epoch)
        again.feed(b".more.")
        assert await again.until(b"more.") == data[offset:] + b".more."


@pytest.mark.parametrize(
    "where",
    [
        {"epoch": "ff", "offset": 0},
        {"epoch": None, "offset": 5},
        {"epoch": "own", "offset": 8},
        {"epoch": "own", "offset": -1},
        {"epoch": "own", "offset": 10**30},
        {"epoch": "own", "offset": None},
        {"epoch": "own", "offset": 0, "forgotten": True},
    ],
    ids=str,
)
async def test_a_client_that_names_another_place_gets_a_picture(where: dict[str, Any]) -> None:
    forgotten = where.pop("forgotten", False)
    script = "seq 1 200000; echo hello; cat" if forgotten else "echo hello; cat"
    async with session_of(script, log_limit=512 << 10) as session:
        await Attached.to(session).until(b"hello\r\n")
        if where["epoch"] == "own":
            where = {**where, "epoch": session.epoch}
        again = Attached.to(session, **where)
        hello = await again.until_told(Hello)
        assert (hello.offset, hello.snapshot > 0) == (session.bytes_out, True)
        assert b"hello" in await again.until_output(hello.snapshot)


async def test_a_client_is_told_the_sizes_of_what_it_missed_between_the_bytes() -> None:
    async with session_of("stty raw -echo; printf zero; cat") as session:
        client = Attached.to(session, 24, 80)
        await client.until(b"zero")
        for number, text in ((10, b"ten"), (11, b"eleven")):
            client.feed(Resize(number, number))
            client.feed(text)
            await client.until(text)
        again = Attached.to(session, 11, 11, epoch=session.epoch, offset=0)
        await again.until(b"teneleven")
        seen = [message for message in again.sent if not isinstance(message, Viewers)]
        assert isinstance(seen[0], Hello)
        assert (seen[0].rows, seen[0].cols) == (24, 80)
        assert seen[1:] == [b"zero", SizeChanged(10, 10), b"ten", SizeChanged(11, 11), b"eleven"]


# -- how many


async def test_the_number_of_viewers_is_told_to_each() -> None:
    async with session_of("cat") as session:
        first = Attached.to(session)
        await first.when(lambda: first.told(Viewers))
        second = Attached.to(session, readonly=True)
        await second.when(lambda: second.told(Viewers))
        await first.when(lambda: first.told(Viewers)[-1].count == 2)
        await second.detach()
        await first.when(lambda: first.told(Viewers)[-1].count == 1)
        assert [message.count for message in first.told(Viewers)] == [1, 2, 1]
        assert [message.count for message in second.told(Viewers)] == [2]
        assert session.viewer_count == 1


async def test_the_number_of_viewers_is_bounded_and_a_place_is_free_again() -> None:
    async with session_of("cat", max_viewers=2) as session:
        _, second = Attached.to(session), Attached.to(session)
        await second.until_told(Hello)
        with pytest.raises(TooManyViewers, match="2 viewers"):
            await session.attach(MemoryConnection(), "third", 24, 80)
        await second.detach()
        third = Attached.to(session)
        await third.until_told(Hello)
        assert session.viewer_count == 2


async def test_those_that_only_look_can_not_take_all_places() -> None:
    async with session_of("cat", max_viewers=4) as session:
        looking = [Attached.to(session, readonly=True) for _ in range(3)]
        for one in looking:
            await one.until_told(Hello)
        with pytest.raises(TooManyViewers, match="3 viewers"):
            await Attached.to(session, readonly=True).outcome
        await Attached.to(session).until_told(Hello)
        with pytest.raises(TooManyViewers, match="4 viewers"):
            await Attached.to(session).outcome
        await looking[0].detach()
        await Attached.to(session, readonly=True).until_told(Hello)
    async with session_of("cat", max_viewers=1) as session:
        await Attached.to(session, readonly=True).until_told(Hello)


async def test_those_that_wait_for_the_start_count_as_well() -> None:
    async with session_of("cat", max_viewers=2) as session:
        clients = [Attached.to(session) for _ in range(5)]
        await asyncio.wait([client.outcome for client in clients[2:]])
        assert [type(client.outcome.exception()) for client in clients[2:]] == [TooManyViewers] * 3
        await clients[1].until_told(Hello)
        assert session.viewer_count == 2


async def test_a_client_that_comes_back_takes_its_own_place_in_a_full_session() -> None:
    async with session_of("cat", max_viewers=1) as session:
        dead = Attached.to(session, client="me")
        await dead.until_told(Hello)
        again = Attached.to(session, client="me")
        await again.until_told(Hello)
        with pytest.raises(Superseded):
            await dead.outcome
        with pytest.raises(TooManyViewers):
            await session.attach(MemoryConnection(), "other", 24, 80, client="other")


# -- one client, several connections


async def test_a_newer_connection_of_a_client_ends_the_older_one_only() -> None:
    async with session_of("cat") as session:
        older, other = Attached.to(session, client="me"), Attached.to(session, client="you")
        nameless = Attached.to(session)
        for client in (older, other, nameless):
            await client.until_told(Hello)
        newer = Attached.to(session, client="me")
        await newer.until_told(Hello)
        with pytest.raises(Superseded):
            await older.outcome
        newer.feed(b"hello\n")
        for client in (newer, other, nameless):
            await client.until(b"hello\r\nhello")
        assert b"hello" not in older.output
        assert session.viewer_count == 3


async def test_a_connection_that_comes_late_ends_none_of_its_clients_newer_ones() -> None:
    async with session_of("cat") as session:
        newer = Attached.to(session, client="me", attempt=8)
        await newer.until_told(Hello)
        for late in (7, 8):
            with pytest.raises(Superseded):
                await session.attach(MemoryConnection(), "late", 24, 80, client="me", attempt=late)
        newer.feed(b"hello\n")
        await newer.until(b"hello\r\nhello")
        newest = Attached.to(session, client="me", attempt=9)
        with pytest.raises(Superseded):
            await newer.outcome
        await newest.until_told(Hello)


async def test_of_many_connections_of_a_client_the_newest_stays() -> None:
    async with session_of("cat") as session:
        clients = [Attached.to(session, client="me") for _ in range(10)]
        await asyncio.wait([client.outcome for client in clients[:-1]])
        assert all(isinstance(client.outcome.exception(), Superseded) for client in clients[:-1])
        await clients[-1].until_told(Hello)
        assert not clients[-1].outcome.done()
        assert session.viewer_count == 1


async def test_a_connection_that_takes_nothing_is_superseded_as_well() -> None:
    async with session_of("echo ready; cat") as session:
        dead = Holding.to(session, client="me")
        assert isinstance(dead, Holding)
        await dead.until(b"ready")
        dead.shut()
        dead.feed(b"x\n")
        await dead.held.wait()
        again = Attached.to(session, client="me", epoch=session.epoch, offset=7)
        with pytest.raises(Superseded):
            await dead.outcome
        assert await again.until(b"x\r\nx\r\n") == b"x\r\nx\r\n"


# -- those that only look


@pytest.mark.parametrize("what", [b"x", Kill()], ids=str)
async def test_a_read_only_viewer_may_neither_type_nor_kill(what: bytes | Kill) -> None:
    async with session_of("cat") as session:
        other, client = Attached.to(session), Attached.to(session, readonly=True)
        await client.until_told(Hello)
        client.feed(what)
        with pytest.raises(NotAllowed):
            await client.outcome
        assert session.state is State.READY
        assert session.bytes_in == 0
        await other.answered()


async def test_a_read_only_viewer_sees_everything_and_is_answered() -> None:
    async with session_of("cat") as session:
        writer, reader = Attached.to(session), Attached.to(session, readonly=True)
        await reader.until_told(Hello)
        writer.feed(b"hello\n")
        assert await reader.until(b"hello\r\nhello\r\n") == await writer.until(b"hello\r\nhello\r\n")
        await reader.answered()


async def test_a_kill_ends_the_session_for_everybody() -> None:
    async with session_of("cat") as session:
        client, other = Attached.to(session), Attached.to(session, readonly=True)
        await client.until_told(Hello)
        await other.until_told(Hello)
        client.feed(Kill())
        for one in (client, other):
            with pytest.raises(Killed):
                await one.outcome


# -- small talk, and what is kept


async def test_a_ping_is_answered_and_the_newest_answer_is_enough() -> None:
    async with session_of("cat") as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        for number in range(1000):
            client.feed(Ping(number))
        await client.answered(1000)
        assert len(client.told(Pong)) < 1000


async def test_notices_for_a_client_that_takes_nothing_do_not_pile_up() -> None:
    async with session_of("cat") as session:
        client, other = Holding.to(session), Attached.to(session)
        assert isinstance(client, Holding)
        await client.when(lambda: client.told(Viewers) and client.told(Viewers)[-1].count == 2)
        client.shut()
        sent = len(client.sent)
        for number in range(300):
            client.feed(Ping(number))
            if number % 30 == 0:
                passing = Attached.to(session)
                await passing.until_told(Hello)
                await passing.detach()
        await other.answered()
        client.open.set()
        await client.when(lambda: Pong(299) in client.sent)
        await client.when(lambda: Viewers(2) in list(client.sent)[sent:])
        assert len(client.sent) - sent < 10


async def test_a_client_that_was_refused_is_not_held_on_to() -> None:
    async with session_of("cat") as session:
        session.close()
        await session.wait()
        refused = []
        for _ in range(5):
            connection = MemoryConnection()
            refused.append(weakref.ref(connection))
            with pytest.raises(Killed):
                await session.attach(connection, "late", 24, 80)
            del connection
        gc.collect()
        assert [reference() for reference in refused] == [None] * 5


async def test_a_client_that_has_left_is_not_held_on_to() -> None:
    async with session_of("cat") as session:
        connection = MemoryConnection()
        attached = asyncio.create_task(session.attach(connection, "me", 24, 80, client="me"))
        connection.feed(b"x\n")
        await connection.until(b"x\r\nx\r\n")
        connection.leave()
        assert await attached is Outcome.LEFT
        gone = weakref.ref(connection)
        del connection, attached
        gc.collect()
        assert gone() is None


class Failing(MemoryConnection):
    """A connection with a mistake in it."""

    async def send(self, message: bytes | ServerMessage) -> None:
        raise RuntimeError("a mistake")


async def test_a_mistake_in_a_connection_is_raised_to_who_attached_it_and_disturbs_nobody() -> None:
    async with session_of("cat") as session:
        other = Attached.to(session)
        await other.until_told(Hello)
        with pytest.raises(RuntimeError, match="a mistake"):
            await session.attach(Failing(), "failing", 24, 80)
        await other.answered()
        assert session.viewer_count == 1
