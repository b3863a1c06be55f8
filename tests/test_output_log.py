"""The log against the plainest model of it: all bytes that ever came, and all sizes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconnectingpty.output_log import MAX_SIZE_CHANGES, LogReader, OutputLog
from reconnectingpty.size import Size

SIZES = st.builds(Size, st.integers(1, 9), st.integers(1, 9))
FIRST = Size(24, 80)


@dataclass
class Following:
    """A reader, and where it has to be: the next byte, and the next size of all there ever were."""

    reader: LogReader
    offset: int
    size: int


class LogMachine(RuleBasedStateMachine):
    """Whatever is appended, resized and read in whatever order: each reader gets it all, or knows that it can't."""

    readers = Bundle("readers")

    @initialize(limit=st.one_of(st.integers(1, 40), st.integers(1, 20_000)))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.log = OutputLog(limit, FIRST)
        self.everything = b""
        self.sizes: list[tuple[int, Size]] = []

    @property
    def start(self) -> int:
        return max(0, len(self.everything) - self.limit)

    def seen(self, offset: int) -> int:
        """How many of the sizes count as seen by one who begins at `offset`."""
        return sum(at <= offset for at, _ in self.sizes)

    @rule(
        data=st.one_of(st.binary(max_size=50), st.integers(0, 30_000).map(lambda n: bytes(i % 251 for i in range(n)))),
        kind=st.sampled_from((bytes, bytearray, memoryview)),
    )
    def append(self, data: bytes, kind: type) -> None:
        self.log.append(kind(data))
        self.everything += data

    @rule(size=SIZES)
    def resize(self, size: Size) -> None:
        if size != (self.sizes[-1][1] if self.sizes else FIRST):
            self.sizes.append((len(self.everything), size))
        self.log.resize(size)

    @rule(target=readers)
    def follow_from_the_end(self) -> Following:
        end = len(self.everything)
        return Following(self.log.reader(), end, self.seen(end))

    @rule(target=readers, part=st.floats(0, 1))
    def follow_from_an_offset(self, part: float) -> Following:
        offset = self.start + round(part * (len(self.everything) - self.start))
        return Following(self.log.reader(offset), offset, self.seen(offset))

    @rule(following=readers, limit=st.one_of(st.integers(-2, 20), st.integers(0, 40_000)))
    def read(self, following: Following, limit: int) -> None:
        reader = following.reader
        if following.offset < self.start:
            assert reader.overrun
            with pytest.raises(ValueError, match="not in the log"):
                reader.read(limit)
            return
        end = following.offset + max(0, limit)
        if following.size < len(self.sizes) and self.sizes[following.size][0] <= end:
            at, size = self.sizes[following.size]
            if at == following.offset:
                assert reader.read(limit) == size
                following.size += 1
                return
            end = at
        assert reader.read(limit) == self.everything[following.offset : end]
        following.offset = min(end, len(self.everything))

    @rule(following=readers, part=st.floats(0, 1))
    def skip(self, following: Following, part: float) -> None:
        following.offset = self.start + round(part * (len(self.everything) - self.start))
        following.reader.skip_to(following.offset)
        following.size = self.seen(following.offset)

    @rule(following=readers)
    def where_it_is(self, following: Following) -> None:
        reader = following.reader
        assert reader.offset == following.offset
        assert reader.lag == len(self.everything) - following.offset
        assert reader.overrun is (following.offset < self.start)
        unread = self.sizes[following.size :]
        assert reader.at_end is (following.offset == len(self.everything) and not unread)
        if not reader.overrun:
            assert reader.next_size_change() == (unread[0][0] if unread else None)

    @rule(beyond=st.integers(1, 5))
    def outside_is_refused(self, beyond: int) -> None:
        for offset in (self.start - beyond, len(self.everything) + beyond):
            with pytest.raises(ValueError, match="not in the log"):
                self.log.reader(offset)
            with pytest.raises(ValueError, match="not in the log"):
                self.log.reader().skip_to(offset)
        with pytest.raises(ValueError, match="not in the log"):
            self.log.slice(self.start - beyond, len(self.everything))
        with pytest.raises(ValueError, match="not in the log"):
            self.log.slice(self.start, len(self.everything) + beyond)

    @precondition(lambda self: hasattr(self, "log"))
    @invariant()
    def it_holds_the_newest_bytes_and_the_sizes_of_them(self) -> None:
        log, end = self.log, len(self.everything)
        assert (log.start, log.end, len(log)) == (self.start, end, end - self.start)
        assert log.slice(log.start, log.end) == self.everything[self.start :]
        assert log.size == (self.sizes[-1][1] if self.sizes else FIRST)
        for offset in {self.start, (self.start + end) // 2, end}:
            assert log.size_at(offset) == next((s for at, s in reversed(self.sizes) if at <= offset), FIRST)
        # Twice what was ever needed, at most, and never more than the limit.
        assert len(log._ring) <= min(self.limit, max(4096, 2 * end))


LogMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_every_reader_gets_every_byte_and_size_or_knows_that_it_was_overrun = LogMachine.TestCase


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
    assert log.reader(0).at_end
    assert not log.changes


def test_sizes_without_output_are_bounded_and_the_last_one_is_read() -> None:
    log = OutputLog()
    reader = log.reader()
    for number in range(3 * MAX_SIZE_CHANGES):
        log.resize(Size(1 + number % 7, 1 + number % 5))
    assert len(log.changes) == MAX_SIZE_CHANGES
    read = []
    while not reader.at_end:
        read.append(reader.read(1))
    assert len(read) == MAX_SIZE_CHANGES
    assert read[-1] == log.size


def test_a_reader_amid_sizes_that_are_being_forgotten_reads_none_twice() -> None:
    log = OutputLog()
    reader = log.reader()
    read = []
    for number in range(3 * MAX_SIZE_CHANGES):
        log.resize(Size(1 + number, 1))
        if number % 3 == 0:
            read.append(reader.read(1))
    while not reader.at_end:
        read.append(reader.read(1))
    rows = [size.rows for size in read if isinstance(size, Size)]
    assert rows == sorted(set(rows))
    assert rows[-1] == 3 * MAX_SIZE_CHANGES


def test_an_empty_log_costs_nothing_and_a_full_one_its_limit() -> None:
    log = OutputLog(1 << 20)
    assert len(log._ring) == 0
    log.append(b"x")
    assert len(log._ring) == 4096
    for _ in range(40):
        log.append(bytes(100_000))
    assert len(log._ring) == 1 << 20


def test_many_readers_cost_the_log_nothing() -> None:
    log = OutputLog(1 << 16)
    log.append(bytes(1 << 15))
    before = len(log._ring)
    readers = [log.reader(0) for _ in range(1000)]
    assert len(log._ring) == before
    assert all(reader.read(10) == bytes(10) for reader in readers)


def test_a_log_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        OutputLog(0)
