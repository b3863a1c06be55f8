"""The bounded log of a session's output, addressed by byte offset, and the readers that follow it.

Offsets count from the first byte the process ever wrote and never repeat. The log keeps the newest bytes only; it
knows nothing of who reads it, and never waits for anybody. A change of the terminal's size is an entry of the log
too, at the offset where it happened, so that a reader that comes later draws each byte at the size it was written for.
"""

from __future__ import annotations

from .size import DEFAULT_SIZE, Size

DEFAULT_LIMIT = 1 << 20
MAX_SIZE_CHANGES = 1024
_FIRST_CAPACITY = 1 << 12


class OutputLog:
    """The newest `limit` bytes of a stream, in a ring that grows on use.

    Invariant: bytes `start <= offset < end` can be read, and `end - start <= limit`.
    """

    __slots__ = ("_first_change", "_ring", "_size_before", "changes", "end", "limit", "start")

    def __init__(self, limit: int = DEFAULT_LIMIT, size: Size = DEFAULT_SIZE) -> None:
        if limit < 1:
            raise ValueError(f"a log needs room for at least one byte, not {limit}")
        self.limit = limit
        self.start = 0
        self.end = 0
        self._ring = bytearray()
        self.changes: list[tuple[int, Size]] = []  # few: an empty deque would take ten times as much
        self._first_change = 0  # the number of size changes already forgotten
        self._size_before = size  # the size in force before the oldest change kept

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def size(self) -> Size:
        """The terminal's size at the end of the log."""
        return self.changes[-1][1] if self.changes else self._size_before

    def size_at(self, offset: int) -> Size:
        """The size in force for the byte at `offset`."""
        return next((size for at, size in reversed(self.changes) if at <= offset), self._size_before)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Add output; the oldest bytes beyond `limit` are forgotten."""
        if not data:
            return
        end = self.end + len(data)
        start = max(self.start, end - self.limit)
        if end - start > len(self._ring):
            self._grow(start, end - start)
        if len(data) > self.limit:
            data = memoryview(data)[-self.limit :]
        self._put(end - len(data), data)
        self.start, self.end = start, end
        while self.changes and self.changes[0][0] < start:
            self._forget_change()

    def resize(self, size: Size) -> None:
        """Note that the terminal has another size from here on. The same size again is not a change."""
        if size == self.size:
            return
        self.changes.append((self.end, size))
        if len(self.changes) > MAX_SIZE_CHANGES:
            self._forget_change()

    def slice(self, start: int, end: int) -> bytes:
        """The bytes from offset `start` up to `end`, which must lie within the log."""
        if not self.start <= start <= end <= self.end:
            raise ValueError(f"bytes {start} to {end} are not in the log, which holds {self.start} to {self.end}")
        if start == end:
            return b""
        capacity = len(self._ring)
        at = start % capacity
        stop = at + end - start
        if stop <= capacity:
            return bytes(memoryview(self._ring)[at:stop])
        return b"".join((memoryview(self._ring)[at:], memoryview(self._ring)[: stop - capacity]))

    def reader(self, offset: int | None = None) -> LogReader:
        """A cursor at `offset`, by default at the end: nothing of the past.

        Raises ValueError for an offset that the log no longer, or not yet, reaches.
        """
        if offset is None:
            offset = self.end
        if not self.start <= offset <= self.end:
            raise ValueError(f"offset {offset} is not in the log, which holds {self.start} to {self.end}")
        return LogReader(self, offset)

    def next_change(self, number: int) -> tuple[int, Size] | None:
        """Size change `number`, counted from the first ever; the oldest kept where that one is forgotten."""
        index = max(number - self._first_change, 0)
        return self.changes[index] if index < len(self.changes) else None

    def first_change_after(self, offset: int) -> int:
        """The number of the first size change later than `offset`."""
        later = sum(1 for at, _ in self.changes if at > offset)
        return self._first_change + len(self.changes) - later

    def change_taken(self, number: int) -> int:
        """The number after `number`, or after whatever `next_change(number)` gave in its stead."""
        return max(number, self._first_change) + 1

    def _forget_change(self) -> None:
        self._size_before = self.changes.pop(0)[1]
        self._first_change += 1

    def _put(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data`, no longer than the ring, to where `offset` lies in it."""
        at = offset % len(self._ring)
        room = len(self._ring) - at
        if len(data) <= room:
            self._ring[at : at + len(data)] = data
        else:
            self._ring[at:] = data[:room]
            self._ring[: len(data) - room] = data[room:]

    def _grow(self, start: int, needed: int) -> None:
        """Make the ring hold at least `needed` bytes, and keep what it has from offset `start` on."""
        kept_from = min(start, self.end)
        kept = self.slice(kept_from, self.end)
        self._ring = bytearray(min(self.limit, 1 << (max(needed, _FIRST_CAPACITY) - 1).bit_length()))
        self._put(kept_from, kept)


class LogReader:
    """A cursor into an :class:`OutputLog`. Costs the log nothing, and may fall behind its start."""

    __slots__ = ("_change", "log", "offset")

    def __init__(self, log: OutputLog, offset: int) -> None:
        self.log = log
        self.offset = offset
        self._change = log.first_change_after(offset)

    @property
    def lag(self) -> int:
        """How many bytes there are that this reader has not read."""
        return self.log.end - self.offset

    @property
    def overrun(self) -> bool:
        """Whether the log has forgotten bytes that this reader has not read."""
        return self.offset < self.log.start

    @property
    def at_end(self) -> bool:
        """Whether there is nothing to read: no byte and no change of size."""
        return self.offset == self.log.end and self.log.next_change(self._change) is None

    def read(self, limit: int) -> bytes | Size:
        """The next at most `limit` bytes up to a change of size, or that change; `b""` at the end.

        Raises ValueError after an overrun: the caller makes a new start with a picture and :meth:`skip_to`.
        """
        end = min(self.offset + max(limit, 0), self.log.end)
        change = self.log.next_change(self._change)
        if change is not None and change[0] <= end:
            at, size = change
            if at <= self.offset:
                self._change = self.log.change_taken(self._change)
                return size
            end = at
        data = self.log.slice(self.offset, end)
        self.offset = end
        return data

    def next_size_change(self) -> int | None:
        """The offset of the next change of size that this reader has not read; None where there is none."""
        change = self.log.next_change(self._change)
        return None if change is None else change[0]

    def skip_to(self, offset: int) -> None:
        """Put the cursor at `offset`, which must lie in the log; size changes up to it count as seen."""
        if not self.log.start <= offset <= self.log.end:
            raise ValueError(f"offset {offset} is not in the log, which holds {self.log.start} to {self.log.end}")
        self.offset = offset
        self._change = self.log.first_change_after(offset)
