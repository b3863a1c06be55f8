"""The log against the plainest model of it: all bytes that ever came."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.output_log import MAX_SIZE_CHANGES, OutputLog
from reconnectingpty.size import Size

STEPS = st.lists(
    st.one_of(st.binary(max_size=300), st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 400)),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(limit=st.integers(1, 700), steps=STEPS)
def test_a_reader_gets_every_byte_and_size_in_order_or_knows_that_it_was_overrun(limit: int, steps: list) -> None:
    log, everything, position = OutputLog(limit), b"", 0
    reader, sizes = log.reader(), []
    for step in steps:
        if isinstance(step, bytes):
            log.append(step)
            everything += step
        elif isinstance(step, tuple):
            if log.size != step:
                sizes.append((log.end, Size(*step)))
            log.resize(Size(*step))
        elif reader.overrun:
            assert position < len(everything) - limit
            with pytest.raises(ValueError, match="not in the log"):
                reader.read(1)
            reader.skip_to(log.end)
            position = log.end
            sizes.clear()
        else:
            item = reader.read(step)
            if isinstance(item, bytes):
                assert everything[position : position + len(item)] == item
                position += len(item)
                assert position == reader.offset
            else:
                assert sizes.pop(0) == (reader.offset, item)
        assert log.end == len(everything)
        assert len(log) == min(limit, len(everything))
        assert log.slice(log.start, log.end) == everything[log.start :]
        assert reader.lag == log.end - reader.offset


def test_a_size_is_read_between_the_bytes_before_and_after_it() -> None:
    log = OutputLog()
    reader = log.reader()
    log.append(b"before")
    log.resize(Size(10, 20))
    log.append(b"after")
    assert [reader.read(99), reader.read(99), reader.read(99)] == [b"before", Size(10, 20), b"after"]
    assert reader.at_end
    assert (log.size_at(5), log.size_at(6)) == (Size(24, 80), Size(10, 20))


def test_a_reader_made_later_knows_the_size_at_its_offset_and_reads_later_ones() -> None:
    log = OutputLog()
    log.append(b"ab")
    log.resize(Size(1, 1))
    log.append(b"cd")
    log.resize(Size(2, 2))
    reader = log.reader(2)
    assert log.size_at(2) == Size(1, 1)
    assert [reader.read(9), reader.read(9), reader.at_end] == [b"cd", Size(2, 2), True]


def test_the_same_size_again_is_no_change() -> None:
    log = OutputLog()
    log.resize(Size(24, 80))
    assert log.reader().at_end


def test_sizes_without_output_are_bounded() -> None:
    log = OutputLog()
    reader = log.reader()
    for number in range(3 * MAX_SIZE_CHANGES):
        log.resize(Size(1 + number % 7, 1 + number % 5))
    assert len(log.changes) == MAX_SIZE_CHANGES
    last = None
    while not reader.at_end:
        last = reader.read(1)
    assert last == log.size


def test_an_empty_log_costs_nothing_and_a_full_one_its_limit() -> None:
    log = OutputLog(1 << 20)
    assert len(log._ring) == 0
    log.append(b"x")
    assert len(log._ring) == 4096
    for _ in range(40):
        log.append(bytes(100_000))
    assert len(log._ring) == 1 << 20


@pytest.mark.parametrize("offset", [-1, 6])
def test_a_reader_outside_the_log_is_refused(offset: int) -> None:
    log = OutputLog()
    log.append(b"hello")
    with pytest.raises(ValueError, match="not in the log"):
        log.reader(offset)
