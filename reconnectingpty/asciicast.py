"""The file format asciicast: the lines of a recording, made and read. No file is opened here.

Version 3 is made; 2 and 3 are read. A recording is text, so bytes that are no UTF-8 are U+FFFD in it.
https://docs.asciinema.org/manual/asciicast/v3/
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import ReconnectingPTYError
from .size import DEFAULT_SIZE, Size

OUTPUT, INPUT, RESIZE, MARKER, EXIT = "o", "i", "r", "m", "x"
MAX_LINE = 64 << 20
"""Characters of a line that is read; who made a longer one did not record a terminal."""

LONGEST = 1e9
"""Seconds, 31 years: no recording has a longer pause, and system calls take no number."""

_UTF8 = codecs.getincrementaldecoder("utf-8")


class NotARecording(ReconnectingPTYError, ValueError):
    """A file is no asciicast, or of a version that is not read here."""


class Encoder:
    """Makes the lines of a recording, in order.

    Times are seconds of any one clock that never goes back. Characters that are split over two writes are put together.
    """

    __slots__ = ("_began", "_input", "_output", "_told")

    def __init__(self) -> None:
        self._began = self._told = 0.0
        self._output = _UTF8("replace")
        self._input = _UTF8("replace")

    def header(self, at: float, size: Size, timestamp: float, **more: Any) -> bytes:
        """The first line; `timestamp` is the Unix time of `at`. A character cut in half goes on behind it."""
        self._began, self._told = at, 0.0
        kind = more.pop("type", None)
        term = {"cols": size.cols, "rows": size.rows} | ({"type": kind} if kind else {})
        head = {"version": 3, "term": term, "timestamp": int(timestamp)}
        return _line(head | {name: value for name, value in more.items() if value})

    def output(self, at: float, data: bytes) -> bytes:
        """What the program wrote; nothing where that is only a part of a character."""
        return self._event(at, OUTPUT, self._output.decode(data))

    def input(self, at: float, data: bytes) -> bytes:
        """What was typed."""
        return self._event(at, INPUT, self._input.decode(data))

    def resize(self, at: float, size: Size) -> bytes:
        """The terminal has another size."""
        return self._event(at, RESIZE, f"{size.cols}x{size.rows}")

    def marker(self, at: float, label: str) -> bytes:
        """A place to find, with words."""
        return self._event(at, MARKER, label or " ")

    def exit(self, at: float, status: int) -> bytes:
        """The program's end, by its status as a shell tells it; what is left of a character comes before."""
        return self._event(at, OUTPUT, self._output.decode(b"", True)) + self._event(at, EXIT, str(status))

    def break_off(self) -> None:
        """The output does not go on where it was: half a character that waits for the other is dropped."""
        self._output.reset()

    def _event(self, at: float, code: str, text: str) -> bytes:
        if not text:
            return b""
        # Intervals are rounded; the sum of those told is not allowed to drift.
        interval = max(round(at - self._began - self._told, 6), 0.0)
        self._told += interval
        return f"[{interval:.6f}, {json.dumps(code)}, {json.dumps(text, ensure_ascii=False)}]\n".encode()


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `after` seconds since the one before (or the beginning), its code and its text."""

    after: float
    code: str
    text: str


class Recording:
    """A recording that is read: `size`, `title` and `version` out of its header, then its events by iteration.

    Raises NotARecording where the beginning is none. What follows a damaged line, as a crash leaves, is not read.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        head = _parse(next(self._lines, ""))
        if not isinstance(head, dict) or head.get("version") not in (2, 3):
            raise NotARecording("this is no asciicast of version 2 or 3")
        self.version: int = head["version"]
        term = head.get("term") if self.version == 3 else {"cols": head.get("width"), "rows": head.get("height")}
        self.size = _size(term)
        self.title = str(head.get("title") or "")
        limit = head.get("idle_time_limit")
        self.idle_limit = float(limit) if isinstance(limit, int | float) and 0 < limit <= LONGEST else None

    def __iter__(self) -> Iterator[Event]:
        last = 0.0
        for line in self._lines:
            if line.startswith("#") or not line.strip():
                continue
            match _parse(line):
                case [int() | float() as time, str() as code, str() as text, *_] if abs(time) <= LONGEST:
                    after = time if self.version == 3 else time - last
                    last = time
                    yield Event(max(after, 0.0), code, text)
                case _:
                    return


def _size(term: Any) -> Size:
    if isinstance(term, dict) and isinstance(term.get("rows"), int) and isinstance(term.get("cols"), int):
        return Size.bounded(term["rows"], term["cols"]) or DEFAULT_SIZE
    return DEFAULT_SIZE


def size_of(event: Event) -> Size | None:
    """The size that an event of code `r` tells; None where it is none."""
    cols, _, rows = event.text.partition("x")
    return Size.bounded(int(rows), int(cols)) if _number(rows) and _number(cols) else None


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _parse(line: str) -> Any:
    try:
        return json.loads(line) if len(line) <= MAX_LINE else None
    except (ValueError, RecursionError):
        return None


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
