"""Standard error that nobody reads holds nobody up, and loses no more than it must."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator

import pytest

from reconnectingpty import outlet
from reconnectingpty.outlet import MOST, Outlet

from .support.programs import full_pipe

Pipe = tuple[int, int, int]


@pytest.fixture
def stuck() -> Iterator[Pipe]:
    """A pipe that is full: what to read, what to write, and how much is in it."""
    with full_pipe() as (reader, writer, count):
        yield reader, writer, count


def read_all(reader: int, until: bytes) -> bytes:
    """What comes, up to `until`."""
    data = b""
    while not data.endswith(until):
        data += os.read(reader, 1 << 20)
    return data


def test_lines_come_whole_and_in_order() -> None:
    reader, writer = os.pipe()
    log, handler = logging.Logger("test"), Outlet(writer)
    log.addHandler(handler)
    log.info("first, before there is a thread")
    with handler.running():
        for number in range(100):
            log.info("%d \udcff", number)
    log.info("last")
    os.close(writer)
    with open(reader, "rb") as file:
        lines = file.read().decode().splitlines()
    assert lines == ["first, before there is a thread", *(f"{n} \\udcff" for n in range(100)), "last"]


def test_a_reader_that_does_not_read_stops_nobody_and_is_told_what_is_missing(stuck: Pipe) -> None:
    reader, writer, count = stuck
    handler = Outlet(writer)
    lines = [b"%07d\n" % number for number in range(MOST // 4)]
    with handler.running():
        for line in lines:
            handler.write(line)
        said = read_all(reader, b"them: %d\n" % (len(lines) - MOST // 8))[count:]
        handler.write(b"and on\n")
    said += os.read(reader, 1 << 10)
    *kept, loss, last = said.splitlines(keepends=True)
    assert kept == lines[: len(kept)]
    assert len(kept) * 8 == MOST
    assert loss == b"lines missing here, as nobody read them: %d\n" % (len(lines) - len(kept))
    assert last == b"and on\n"


def test_the_end_does_not_wait_for_a_reader(stuck: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "LAST_SECONDS", 0.01)
    reader, writer, count = stuck
    handler = Outlet(writer)
    with handler.running():
        handler.write(b"never read\n")
    assert read_all(reader, b"never read\n")[count:] == b"never read\n"


def test_what_is_passed_on_is_waited_for_and_not_lost(stuck: Pipe) -> None:
    reader, writer, count = stuck
    handler = Outlet(writer)

    async def pass_on() -> bytes:
        written = handler.pass_on(b"x" * (2 * MOST) + b"\n")
        handler.write(b"a line of the log\n")
        await asyncio.sleep(0)
        assert not written.done()
        said = await asyncio.to_thread(read_all, reader, b": 1\n")
        await written
        return said

    with handler.running():
        said = asyncio.run(pass_on())[count:]
        assert said == b"x" * (2 * MOST) + b"\nlines missing here, as nobody read them: 1\n"


def test_one_that_is_gone_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    handler = Outlet(writer)
    handler.write(b"to nobody\n")
    with handler.running():
        handler.write(b"to nobody\n")
    os.close(writer)
    Outlet(-1).write(b"there never was one\n")
