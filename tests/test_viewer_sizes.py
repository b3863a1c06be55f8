"""Whose size a terminal has, of those who look at it."""

from __future__ import annotations

import pytest

from reconnectingpty import (
    ReconnectingPTY,
    SizePolicy,
)
from reconnectingpty.size import Size
from reconnectingpty.wire.messages import Hello, Resize, SizeChanged

from .support.attached import Attached, session_of


def size_of(session: ReconnectingPTY) -> Size:
    info = session.info()
    return Size(info.rows, info.cols)


async def test_the_first_viewer_gives_the_command_its_size() -> None:
    async with session_of("stty size; cat") as session:
        assert await Attached.to(session, 31, 97).until(b"\r\n") == b"31 97\r\n"


@pytest.mark.parametrize(("rows", "cols", "size"), [(0, 0, b"25 81"), (65535, 65535, b"1000 2000"), (1, 1, b"1 1")])
async def test_an_odd_first_size_becomes_possible(rows: int, cols: int, size: bytes) -> None:
    async with session_of("stty size; cat", size=Size(25, 81)) as session:
        assert await Attached.to(session, rows, cols).until(b"\r\n") == size + b"\r\n"


async def test_the_latest_to_type_or_resize_has_the_size() -> None:
    async with session_of("cat") as session:
        first = Attached.to(session, 30, 100)
        await first.until_told(Hello)
        second = Attached.to(session, 20, 60)
        assert (await second.until_told(Hello)).rows == 20
        assert await first.until_told(SizeChanged) == SizeChanged(20, 60)
        first.feed(b"x")
        assert await second.until_told(SizeChanged) == SizeChanged(30, 100)
        second.feed(Resize(21, 61))
        await second.answered()
        assert size_of(session) == Size(21, 61)
        await second.detach()
        assert size_of(session) == Size(30, 100)


async def test_a_new_size_reaches_the_program_and_then_everybody() -> None:
    async with session_of("echo ready; read; stty size; cat") as session:
        first, second = Attached.to(session, 30, 100), Attached.to(session, 30, 100)
        await second.until(b"ready")
        first.feed(Resize(22, 77))
        first.feed(b"\n")
        assert b"22 77\r\n" in await second.until(b"22 77\r\n")
        for client in (first, second):
            where = client.sent.index(SizeChanged(22, 77))
            assert b"22 77" not in b"".join(m for m in list(client.sent)[:where] if isinstance(m, bytes))


@pytest.mark.parametrize("size", [(0, 0), (0, 50), (50, 0), (-1, 5)])
async def test_a_client_without_a_size_claims_none(size: tuple[int, int]) -> None:
    async with session_of("cat") as session:
        client = Attached.to(session, 30, 100)
        await client.until_told(Hello)
        client.feed(Resize(*size))
        await client.answered()
        assert size_of(session) == Size(30, 100)
        assert not client.told(SizeChanged)


@pytest.mark.parametrize(
    ("policy", "both", "first_alone"),
    [
        (SizePolicy.SMALLEST, (20, 60), (30, 60)),
        (SizePolicy.LARGEST, (30, 100), (30, 60)),
        (SizePolicy.FIXED, (25, 81), (25, 81)),
        (SizePolicy.LATEST, (20, 100), (30, 60)),
    ],
)
async def test_each_policy_holds_with_two_viewers_and_when_one_has_left(
    policy: SizePolicy, both: tuple[int, int], first_alone: tuple[int, int]
) -> None:
    async with session_of("stty size; cat", size_policy=policy, size=Size(25, 81)) as session:
        first = Attached.to(session, 30, 60)
        await first.until_told(Hello)
        second = Attached.to(session, 20, 100)
        await second.until_told(Hello)
        assert size_of(session) == both
        await second.detach()
        assert size_of(session) == first_alone
        await first.detach()
        assert size_of(session) == first_alone


async def test_a_read_only_viewer_does_not_change_the_size() -> None:
    async with session_of("cat", size_policy=SizePolicy.SMALLEST) as session:
        await Attached.to(session, 30, 100).until_told(Hello)
        looking = Attached.to(session, 20, 60, readonly=True)
        hello = await looking.until_told(Hello)
        assert (hello.rows, hello.cols) == (30, 100)
        looking.feed(Resize(10, 10))
        await looking.answered()
        assert size_of(session) == Size(30, 100)


async def test_a_read_only_viewer_has_no_say_in_the_first_size_either() -> None:
    async with session_of("stty size; cat", size=Size(30, 100)) as session:
        await Attached.to(session, 2, 3, readonly=True).until(b"30 100")
