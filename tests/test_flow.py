"""Output under pressure: the program waits for whom it must, and for nobody else."""

from __future__ import annotations

import asyncio

import pytest

from reconnectingpty.options import MIN_LOG
from reconnectingpty.wire.messages import OutputAck, Resync

from .support.attached import PATIENCE, Attached, Holding, session_of

LINES = b"".join(b"%d\r\n" % number for number in range(1, 200_001))


async def test_the_smallest_log_is_enough_for_a_flood() -> None:
    async with session_of("seq 1 200000; echo end; cat", log_limit=MIN_LOG) as session:
        client = Attached.to(session)
        assert await client.until(b"end\r\n") == LINES + b"end\r\n"
        assert not client.told(Resync)


@pytest.mark.parametrize("log_limit", [MIN_LOG, 1 << 20])
async def test_a_lone_viewer_loses_nothing_however_long_it_holds(log_limit: int) -> None:
    async with session_of("echo ready; read; seq 1 200000; echo end; cat", log_limit=log_limit) as session:
        client = Holding.to(session)
        assert isinstance(client, Holding)
        await client.until(b"ready")
        client.shut()
        client.feed(b"\n")
        await client.held.wait()
        client.open.set()
        output = await client.until(b"end\r\n")
        assert LINES + b"end\r\n" in output
        assert not client.told(Resync)


async def test_a_client_that_acknowledges_nothing_gets_its_window_and_then_the_program_waits() -> None:
    window = 4096
    async with session_of("seq 1 200000; echo end; cat", window=window) as session:
        client = Attached.to(session, window=window)
        await client.until_output(window)
        await client.answered()
        assert len(client.output) == window
        taken = 0
        while b"end\r\n" not in client.output:
            taken = len(client.output)
            client.feed(OutputAck(taken))
            await client.until_output(min(taken + window, len(LINES)))
            assert len(client.output) <= taken + window
        assert client.output == LINES + b"end\r\n"


async def test_a_viewer_that_holds_costs_another_nothing_and_gets_a_picture_of_what_it_missed() -> None:
    async with session_of("echo ready; read; seq 1 500000; echo end; cat") as session:
        stuck, client = Holding.to(session), Attached.to(session)
        assert isinstance(stuck, Holding)
        await stuck.until(b"ready")
        stuck.shut()
        client.feed(b"\n")
        await client.until(b"\r\nend\r\n")
        stuck.open.set()
        resync = await stuck.until_told(Resync)
        assert resync.offset == session.bytes_out
        await stuck.until(b"end")


async def test_a_viewer_that_may_only_look_holds_no_program_up() -> None:
    async with session_of("echo ready; read; seq 1 200000; echo end; cat") as session:
        writer, looking = Attached.to(session), Attached.to(session, readonly=True, window=4096)
        await asyncio.gather(writer.until(b"ready"), looking.until(b"ready"))
        writer.feed(b"\n")
        await writer.detach()  # and the other one acknowledges nothing
        async with asyncio.timeout(PATIENCE):
            while session.bytes_out < len(LINES):
                await asyncio.sleep(0.01)
        assert session.held_by == ""
        looking.feed(OutputAck(len(looking.output)))
        await looking.until_told(Resync)


async def test_one_that_only_looks_although_it_may_write_is_waited_for() -> None:
    async with session_of("seq 1 200000; echo end; cat") as session:
        looking = Attached.to(session, readonly=True, window=4096, paces=True)
        while b"end\r\n" not in looking.output:
            taken = len(looking.output)
            looking.feed(OutputAck(taken))
            await looking.until_output(min(taken + 4096, len(LINES)))
        assert looking.output == LINES + b"end\r\n"
