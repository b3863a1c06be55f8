"""The lines that have left the screen at the top: newest last, packed, bounded in lines and in bytes.

A line comes in as it is and costs nothing; it is packed with others a little later. Beyond the bound in bytes the
oldest lines are forgotten: they still count, so that whatever counts lines is right, but are empty and shown to nobody.
Called by the buffer when it scrolls, by the snapshot and by the resize.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from .line import Line
from .packing import Row, packed, unwrapped, weigh
from .pen import DEFAULT, Pen

LINE_BYTES, LEAST_BYTES = 800, 1 << 20
"""What all lines together may weigh: so much for each that there may be, but no less than this for all."""
BATCH: Final = 64
"""Lines that are packed, and weighed, together."""
_STRING: Final = 50
"""About what a string weighs besides its characters."""


class Scrollback:
    """At most `limit` lines, and about `most` bytes. Invariant: all but the newest `loose` are packed."""

    __slots__ = ("_batches", "_covered", "_packed", "_weight", "limit", "loose", "most", "rows")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.most = max(limit * LINE_BYTES, LEAST_BYTES)
        self.rows: deque[Row | Line] = deque(maxlen=limit)
        self.loose = 0
        self._batches: list[tuple[int, int]] = []
        """Rows and their weight, oldest first. Packed rows in none of them are forgotten ones."""
        self._covered = self._weight = 0
        self._packed = 0  # lines that ever were

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row | Line]:
        return iter(self.rows)

    @property
    def forgotten(self) -> int:
        """How many of the oldest lines are no longer known."""
        return max(len(self.rows) - self.loose - self._covered, 0)

    @property
    def ever(self) -> int:
        """How many lines have come, those that fell off its end included. A change of width counts them anew."""
        return self._packed + self.loose

    @property
    def weight(self) -> int:
        """About how many bytes the packed lines take."""
        return self._weight

    def append(self, line: Line) -> None:
        """The screen's first line leaves it."""
        self.rows.append(line)
        self.loose += 1
        if self.loose > BATCH:
            self.pack()

    def extend(self, lines: Iterable[Line]) -> None:
        """Several lines leave the screen."""
        self.extend_packed([line.pack() for line in lines])

    def extend_packed(self, rows: list[Row]) -> None:
        """The same, of lines that nobody has seen there."""
        self.pack()
        self.rows.extend(rows)
        self._count(len(rows), weigh(rows))

    def extend_text(self, texts: list[str], pen: Pen) -> None:
        """Lines of ASCII and of one pen that never were on the screen for anyone to see."""
        self.pack()
        count = len(texts)
        weight = sum(map(len, texts)) + _STRING * count
        if pen is DEFAULT:
            self.rows.extend(texts)
        else:
            empty, head = packed(False, pen.blank, []), packed(False, pen.blank, ["", pen])
            assert isinstance(head, bytes)
            weight += len(head) * count
            self.rows.extend([head + text.encode() if text else empty for text in texts])
        self._count(count, weight)

    def pack(self) -> None:
        """Make every line small."""
        rows = self.rows
        count = min(self.loose, len(rows))
        self._packed += self.loose - count
        self.loose = 0
        if not count:
            return
        newest = [rows.pop() for _ in range(count)]
        newest.reverse()
        small = [row.pack() if isinstance(row, Line) else row for row in newest]
        rows.extend(small)
        self._count(count, weigh(small))

    def _count(self, count: int, weight: int) -> None:
        """Rows have come; forget some if they are too heavy."""
        batches = self._batches
        if batches and batches[-1][0] + count <= BATCH:
            few, light = batches.pop()
            batches.append((few + count, light + weight))
        else:
            batches.append((count, weight))
        self._packed += count
        self._covered += count
        self._weight += weight
        self._drop_what_is_gone()
        while self._weight > self.most and len(batches) > 1:
            self._forget()

    def _drop_what_is_gone(self) -> None:
        """Count no more what fell off the end."""
        batches = self._batches
        gone = self._covered - (len(self.rows) - self.loose)
        while gone > 0:
            count, weight = batches.pop(0)
            left = max(count - gone, 0)
            kept = weight * left // count
            if left:
                batches.insert(0, (left, kept))
            self._covered -= count - left
            self._weight -= weight - kept
            gone -= count - left

    def _forget(self) -> None:
        """Let go of the oldest batch. The line behind it then begins a text of its own."""
        first = self.forgotten
        count, weight = self._batches.pop(0)
        rows, end = self.rows, first + count
        for index in range(first, end):
            rows[index] = ""
        self.unwrap(end)
        self._covered -= count
        self._weight -= weight

    def clear(self) -> None:
        """Forget all."""
        self._packed += self.loose
        self.rows.clear()
        self._batches.clear()
        self.loose = self._covered = self._weight = 0

    def fill(self) -> None:
        """As many empty lines as there may be: what is here will soon be gone."""
        self.pack()
        count = self.limit - len(self.rows)
        if count:
            self.rows.extend([""] * count)
            self._count(count, 0)

    def last(self, count: int) -> list[Row | Line]:
        """The newest `count` lines that are known, oldest first."""
        first = max(len(self.rows) - count, self.forgotten)
        return list(islice(self.rows, first, None))

    def replace(self, rows: list[Row], weights: list[tuple[int, int]]) -> None:
        """Other lines instead, oldest first; the newest have been weighed, in batches, the others are forgotten."""
        self.clear()
        self.rows.extend(rows)
        self._batches.extend(weights)
        self._covered = sum(count for count, _ in weights)
        self._packed = len(rows)
        self._weight = sum(weight for _, weight in weights)
        self._drop_what_is_gone()
        while self._weight > self.most and len(self._batches) > 1:
            self._forget()

    def unwrap(self, index: int) -> None:
        """Let the line at `index`, counted from the oldest, no longer go on from the one before."""
        row = self.rows[index]
        if isinstance(row, Line):
            row.wrapped = False
        else:
            self.rows[index] = unwrapped(row)
