"""The marks that shells put into their output, OSC 133, found in it. Pure.

Source: FinalTerm's semantic prompts as Per Bothner wrote them down ("semantic-prompts.md"): A begins a prompt, B ends
it, C is where a command's output begins, D where it ended, with its status. What this client has a shell print besides
carries `aid`, a name that only this shell knows, and a number that grows: see `shell`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 512
"""Bytes of a mark; what is longer is none."""
_START = b"\x1b]133;"
_MARK = re.compile(rb"\x1b\]133;([^\x00-\x1f]{0,%d})(?:\x07|\x1b\\)" % MOST)
_UNFINISHED = re.compile(rb"\x1b(?:\](?:1(?:3(?:3(?:;[^\x00-\x1f]{0,%d}\x1b?)?)?)?)?)?\Z" % MOST)


@dataclass(frozen=True, slots=True)
class ShellMark:
    """`ESC ] 133 ; kind ; words, or name=value ... BEL`."""

    kind: str
    words: tuple[str, ...]
    values: dict[str, str]

    @classmethod
    def of(cls, payload: bytes) -> ShellMark:
        """What stands between the introducer and the terminator."""
        kind, *rest = payload.decode("utf-8", "replace").split(";")
        pairs = dict(part.split("=", 1) for part in rest if "=" in part)
        return cls(kind, tuple(part for part in rest if "=" not in part), pairs)


class MarkScanner:
    """Takes output, cut anywhere."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[bytes | ShellMark]:
        """The output without its marks, and the marks, in order. What may be the beginning of one is kept back."""
        if self._tail:
            data, self._tail = self._tail + data, b""
        at = 0
        if _START in data:
            for match in _MARK.finditer(data):
                if match.start() > at:
                    yield data[at : match.start()]
                at = match.end()
                yield ShellMark.of(match[1])
        cut = _UNFINISHED.search(data, max(at, len(data) - MOST - 16))
        end = cut.start() if cut is not None else len(data)
        self._tail = data[end:]
        if end > at:
            yield data[at:end]
