"""The lines that have left the screen at the top: newest last, bounded, packed when there is time.

A line comes in as it is and costs nothing; it is packed only if it survives that long. Called by the buffer when it
scrolls, by the snapshot, the resize and the model's idle moments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from .line import Line, Row, unpack
from .pen import DEFAULT, Pen

MAX_LOOSE = 512
"""Lines that may wait to be packed."""


class Scrollback:
    """At most `limit` lines. Invariant: all but the newest `loose` are packed."""

    __slots__ = ("limit", "loose", "rows")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.rows: deque[Row | Line] = deque(maxlen=limit)
        self.loose = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row | Line]:
        return iter(self.rows)

    def append(self, line: Line) -> None:
        """The screen's first line leaves it."""
        self.rows.append(line)
        self.loose += 1
        if self.loose > MAX_LOOSE:
            self.pack()

    def extend(self, lines: Iterable[Line]) -> None:
        """Several lines leave the screen."""
        self.pack()
        self.rows.extend([line.pack() for line in lines])

    def extend_text(self, texts: list[str], pen: Pen) -> None:
        """Lines of one pen that never were on the screen for anyone to see."""
        self.pack()
        if pen is DEFAULT:
            self.rows.extend(texts)
        else:
            blank = pen.blank
            self.rows.extend([(False, blank, (), text, pen) if text else (False, blank, ()) for text in texts])

    def pack(self) -> None:
        """Make every line small."""
        rows = self.rows
        count = min(self.loose, len(rows))
        self.loose = 0
        if not count:
            return
        newest = [rows.pop() for _ in range(count)]
        newest.reverse()
        rows.extend([row.pack() if isinstance(row, Line) else row for row in newest])

    def clear(self) -> None:
        """Forget all."""
        self.rows.clear()
        self.loose = 0

    def fill(self) -> None:
        """As many empty lines as there may be: what is here will soon be gone."""
        self.rows.extend([""] * (self.limit - len(self.rows)))

    def last(self, count: int) -> list[Row | Line]:
        """The newest `count` lines, oldest first."""
        return list(islice(self.rows, max(len(self.rows) - count, 0), None))

    def lines(self, columns: int) -> list[Line]:
        """All of them as lines, oldest first."""
        return [row if isinstance(row, Line) else unpack(row, columns) for row in self.rows]

    def replace(self, lines: Iterable[Line | Row]) -> None:
        """Other lines instead, oldest first."""
        self.rows = deque(lines, maxlen=self.limit)
        self.loose = len(self.rows)
        self.pack()

    def unwrap(self, index: int) -> None:
        """Let the line at `index`, counted from the oldest, no longer go on from the one before."""
        row = self.rows[index]
        if isinstance(row, Line):
            row.wrapped = False
        elif not isinstance(row, str):
            self.rows[index] = (False, *row[1:])
