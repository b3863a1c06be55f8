"""What real programs wrote, as they wrote it: recorded by `scripts/record-streams`, kept packed in `streams/`.

A recording is one gzip file: a line of JSON, then the bytes.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

FOLDER = Path(__file__).parent / "streams"
Step: TypeAlias = "bytes | tuple[int, int]"
"""Bytes to write, or columns and rows to take."""


@dataclass(frozen=True)
class Recording:
    """A program's output. `resizes`: offset, columns and rows; `marks`: offsets where it waited for the next key."""

    name: str
    command: str
    cols: int
    rows: int
    resizes: tuple[tuple[int, int, int], ...]
    marks: tuple[int, ...]
    data: bytes

    def steps(self, start: int, end: int) -> list[Step]:
        """What happened from one offset up to another; a change of size comes before the byte at its offset."""
        found: list[Step] = []
        for at, cols, rows in self.resizes:
            if start <= at < end or (at == end == len(self.data) and at > start):
                found += [self.data[start:at], (cols, rows)]
                start = at
        return [*found, self.data[start:end]]

    def size_at(self, offset: int) -> tuple[int, int]:
        """Columns and rows once everything before an offset has happened."""
        size = (self.cols, self.rows)
        for step in self.steps(0, offset):
            if not isinstance(step, bytes):
                size = step
        return size

    def save(self) -> None:
        """Write it to its file; the same recording always makes the same file."""
        head = asdict(self)
        del head["data"]
        FOLDER.mkdir(exist_ok=True)
        packed = gzip.compress(json.dumps(head).encode() + b"\n" + self.data, 9, mtime=0)
        (FOLDER / f"{self.name}.gz").write_bytes(packed)


def load(path: Path) -> Recording:
    """A recording from its file."""
    head, _, data = gzip.decompress(path.read_bytes()).partition(b"\n")
    values = json.loads(head)
    values["resizes"] = tuple(map(tuple, values["resizes"]))
    values["marks"] = tuple(values["marks"])
    return Recording(**values, data=data)


def recordings() -> list[Recording]:
    """All there are, by name."""
    return [load(path) for path in sorted(FOLDER.glob("*.gz"))]
