"""What clients type: counted over their reconnects, never in the way of anybody else."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from reconnectingpty import IdleTimeout, InputStalled, Outcome, Superseded
from reconnectingpty.audience import REMEMBERED_CLIENTS
from reconnectingpty.viewer import INPUT_QUEUE
from reconnectingpty.wire.messages import Hello, InputAck

from .support.attached import PATIENCE, Attached, session_of
from .support.clock import pass_time
from .support.programs import fifo

RAW = "stty raw -echo; printf '>'; "


# -- offsets


async def test_input_is_acknowledged_as_the_program_takes_it() -> None:
    async with session_of(RAW + "cat") as session:
        client = Attached.to(session, client="me", window=1024)
        await client.until(b">")
        for part in (b"123", b"45", b"x" * 5000):
            client.feed(part)
        await client.until_output(1 + 1000)
        await client.when(lambda: client.told(InputAck))
        client.feed(b"!")
        await client.when(lambda: client.told(InputAck)[-1].input_offset == 5006)
        offsets = [ack.input_offset for ack in client.told(InputAck)]
        assert offsets == sorted(set(offsets))


async def test_a_client_that_acknowledges_nothing_is_told_of_no_input() -> None:
    async with session_of(RAW + "cat") as session:
        client = Attached.to(session, client="me")
        await client.until(b">")
        client.feed(b"hello")
        await client.until(b"hello")
        await pass_time(10)
        await client.answered()
        assert not client.told(InputAck)


async def test_a_clients_input_is_counted_over_all_its_connections() -> None:
    async with session_of(RAW + "cat") as session:
        typed = 0
        for number in range(5):
            client = Attached.to(session, client="me", window=1 << 20)
            assert (await client.until_told(Hello)).input_offset == typed
            await client.until(b">")
            client.feed(b"%d" % number * (number + 1))
            typed += number + 1
            await client.until(b"%d" % number * (number + 1))
            await client.when(lambda: client.told(InputAck))  # noqa: B023 (awaited in this round)
            assert client.told(InputAck)[-1].input_offset == typed
            await client.detach()
        assert session.bytes_in == typed


async def test_other_clients_and_nameless_ones_count_for_themselves() -> None:
    async with session_of(RAW + "cat") as session:
        for name in ("one", "two", None, None):
            client = Attached.to(session, client=name)
            assert (await client.until_told(Hello)).input_offset == 0
            await client.until(b">")
            client.feed(b"abc" + (name or "").encode())
            await client.until(b"abc" + (name or "").encode())


async def test_a_superseded_connection_types_no_more() -> None:
    async with session_of(RAW + "cat") as session:
        older = Attached.to(session, client="me")
        await older.until(b">")
        older.feed(b"12345")
        await older.until(b"12345")
        newer = Attached.to(session, client="me", epoch=session.epoch, offset=6)
        assert (await newer.until_told(Hello)).input_offset == 5
        with pytest.raises(Superseded):
            await older.outcome
        older.feed(b"ghost")
        newer.feed(b"678")
        assert await newer.until(b"678") == b"678"
        assert session.bytes_in == 8


async def test_the_offsets_of_the_latest_clients_are_kept_and_no_more() -> None:
    async with session_of(RAW + "cat") as session:
        staying = Attached.to(session, client="staying")
        await staying.until(b">")
        staying.feed(b"stay")
        await staying.until(b"stay")
        names = [f"client {number}" for number in range(REMEMBERED_CLIENTS + 6)]
        for name in names:
            client = Attached.to(session, client=name)
            await client.until_told(Hello)
            client.feed(b"x")
            await client.answered()
            await client.detach()
        assert session._viewers.remembered == REMEMBERED_CLIENTS
        offsets = {}
        for name in (names[-1], names[8], names[0], "staying"):
            client = Attached.to(session, client=name)
            offsets[name] = (await client.until_told(Hello)).input_offset
            await client.detach()
        # One who is still attached is not forgotten, however long ago it came.
        assert offsets == {names[-1]: 1, names[8]: 1, names[0]: 0, "staying": 4}
        assert REMEMBERED_CLIENTS == 64


async def test_those_that_only_look_have_nobodys_input_forgotten() -> None:
    async with session_of(RAW + "cat") as session:
        client = Attached.to(session, client="writer")
        await client.until(b">")
        client.feed(b"typed")
        await client.until(b"typed")
        await client.detach()
        for number in range(REMEMBERED_CLIENTS + 6):
            other = Attached.to(session, client=f"looking {number}", readonly=True)
            await other.until_told(Hello)
            await other.detach()
        assert (await Attached.to(session, client="writer").until_told(Hello)).input_offset == 5


# -- programs that do not read


async def test_a_large_paste_arrives_whole_and_in_order_and_a_slow_program_makes_it_wait(tmp_path: Path) -> None:
    paste = bytes(range(256)) * 8000
    with fifo(tmp_path) as gate:
        script = f"{RAW} read < {gate.path}; head -c {len(paste)} | md5sum"
        async with session_of(script) as session:
            client = Attached.to(session, window=64 << 10)
            await client.until(b">")
            for start in range(0, len(paste), 10_000):
                client.feed(paste[start : start + 10_000])
            # No more of it is received than may wait, and the rest of the session goes on.
            await Attached.to(session).answered()
            assert session.bytes_in <= INPUT_QUEUE + 3 * 65536
            gate.tell()
            await client.until(hashlib.md5(paste).hexdigest().encode())
            assert session.bytes_in == len(paste)


async def test_a_program_that_never_reads_holds_up_nobody_and_at_last_who_types_is_told() -> None:
    script = f"{RAW} n=0; while :; do echo tick $((n++)); read -t 0.01 <> <(:); done"
    async with session_of(script, input_stall=50, timeout=10) as session:
        typist, other = Attached.to(session, client="me"), Attached.to(session)
        await typist.until(b">")
        for _ in range(60):
            typist.feed(b"z" * 16384)
        for client in (typist, other):
            seen = len(client.output)
            await client.until_output(seen + 50)
            # Its receiving stands still; what it is sent goes on.
        other.feed(b"x")
        await other.answered()
        assert not typist.outcome.done()
        await pass_time(60)
        with pytest.raises(InputStalled):
            await typist.outcome
        assert INPUT_QUEUE < session.bytes_in < 1 << 20
        again = Attached.to(session, client="me")
        assert (await again.until_told(Hello)).input_offset == session.bytes_in - 1
        await again.until(b"tick")
        await again.detach()
        await other.detach()
        await pass_time(10.1)
        await session.wait()
        assert isinstance(session.error, IdleTimeout)


async def test_a_client_that_leaves_while_its_input_stands_still_is_gone_at_once() -> None:
    async with session_of(RAW + "exec sleep 1000", input_stall=3000) as session:
        client = Attached.to(session)
        await client.until(b">")
        for _ in range(40):
            client.feed(b"z" * 16384)
        other = Attached.to(session)
        await other.answered()
        await other.detach()
        assert session.bytes_in > INPUT_QUEUE
        client.leave()
        async with asyncio.timeout(PATIENCE):
            assert await client.outcome is Outcome.LEFT
        assert session.viewer_count == 0


async def test_clients_that_come_one_after_the_other_cannot_fill_the_server() -> None:
    async with session_of(RAW + "exec sleep 1000") as session:
        stalled = 0
        for _ in range(40):
            client = Attached.to(session)
            await client.until(b">") if not session.bytes_in else await client.until_told(Hello)
            client.feed(b"z" * (256 << 10))
            answered = asyncio.create_task(client.answered())
            await asyncio.wait([client.outcome, answered], return_when=asyncio.FIRST_COMPLETED)
            if client.outcome.done():
                with pytest.raises(AssertionError, match="it ended before that"):
                    await answered
                stalled += isinstance(client.outcome.exception(), InputStalled)
            else:
                await client.detach()
        assert stalled > 10
        assert session.bytes_in < 6 << 20


async def test_input_left_behind_is_read_on_and_does_not_stall_the_client_that_comes_back(tmp_path: Path) -> None:
    with fifo(tmp_path) as gate:
        # Reads as much as it is let, slowly but steadily.
        script = f"{RAW} while read < {gate.path}; do head -c 4096 > /dev/null; printf .; done"
        async with session_of(script, input_stall=30) as session:
            older = Attached.to(session, client="me", window=1 << 20)
            await older.until(b">")
            for _ in range(20):
                older.feed(b"z" * 16384)
            await older.answered()
            newer = Attached.to(session, client="me", window=1 << 10, epoch=session.epoch, offset=1)
            await newer.until_told(Hello)
            newer.feed(b"y" * 16384)
            for step in range(1, 9):
                gate.tell()
                await newer.until_output(step)
                await pass_time(10)
            assert not newer.outcome.done(), newer.outcome
            # And it is told how far the program has come with what it typed before.
            await newer.when(lambda: newer.told(InputAck))


async def test_a_client_that_has_left_does_not_take_its_input_with_it() -> None:
    async with session_of(RAW + "head -c 200000 | wc -c; cat") as session:
        client = Attached.to(session)
        await client.until(b">")
        for _ in range(20):
            client.feed(bytes(10_000))
        await client.answered()
        await client.detach()
        await Attached.to(session).until(b"200000")
