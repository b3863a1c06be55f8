"""Who answers what a program asks of its terminal: the leading viewer's terminal, or the session; each question once.

Every viewer's terminal gets the same bytes and answers the same questions. Of their answers, which come mixed with what
is typed, those go on that the program waits for: of the one viewer that led when the question was asked. Nobody else's
reach the program, nor does one that comes late, or is given to a question that was asked before its viewer came.

The terminal model sees each question, too, but later than a viewer may have answered it; so both are accounted for.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PATIENCE: Final = 1.0
"""Seconds that a viewer's terminal may take; then the session answers in its stead."""
LATE: Final = 10.0
"""Seconds in which an answer to a question that the session has answered may still come."""
MOST: Final = 256
"""Questions open at a time, and answers ahead of theirs; more are nobody's honest questions."""

_SHAPES: Final = {
    "primary": rb"\x1b\[\?[0-9;]*c",
    "secondary": rb"\x1b\[>[0-9;]*c",
    "tertiary": rb"\x1bP!\|[0-9A-Fa-f]*(?:\x1b\\|\x07)",
    "status": rb"\x1b\[\??[0-9;]*n",
    "position": rb"\x1b\[[0-9]+;[0-9]+R",
    "private_position": rb"\x1b\[\?[0-9]+;[0-9]+(?:;[0-9]+)?R",
    "mode": rb"\x1b\[\??[0-9]+;[0-9]\$y",
    "version": rb"\x1bP>\|[^\x07\x1b]*(?:\x1b\\|\x07)",
    "window": rb"\x1b\[[34689];[0-9]+;[0-9]+t",
    "keyboard": rb"\x1b\[\?[0-9]+u",
    "colour": rb"\x1b\](?:4;[0-9]+|1[0-9]);rgba?:[0-9A-Fa-f/]+(?:\x1b\\|\x07)",
    "setting": rb"\x1bP[01]\$r[^\x07\x1b]*(?:\x1b\\|\x07)",
    "capability": rb"\x1bP[01]\+r[^\x07\x1b]*(?:\x1b\\|\x07)",
}
_ANSWER: Final = re.compile(b"|".join(b"(?P<%s>%s)" % (name.encode(), shape) for name, shape in _SHAPES.items()))
_F3: Final = re.compile(rb"\x1b\[1;[2-8]R")
"""F3 with Shift, Alt or Control (xterm's ctlseqs, "PC-Style Function Keys") looks like a cursor in the first row."""


class _Answers:
    """What a viewer's terminal has answered. One that has left a question open is not waited for with its kind again.

    One that has answered nothing ever is not waited for with any.
    """

    __slots__ = ("_given", "_owed")

    def __init__(self) -> None:
        self._given = False
        self._owed: set[str] = set()

    def expected(self, kind: str) -> bool:
        """Whether to wait for one of this kind."""
        return kind not in self._owed and (self._given or not self._owed)

    def came(self, kind: str) -> None:
        """It has answered, in time or late."""
        self._given = True
        self._owed.discard(kind)

    def failed(self, kind: str) -> None:
        """It has let its time pass."""
        self._owed.add(kind)


@dataclass(frozen=True, slots=True)
class _Open:
    kind: str
    answer: bytes
    who: object
    due: float


class Questions:
    """A session's accounts. `write` types an answer; `leader` tells which viewer leads, if any does."""

    def __init__(self, write: Callable[[bytes], None], leader: Callable[[], object | None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._write = write
        self._leader = leader
        self._open: list[_Open] = []  # few: an empty deque would take ten times as much
        self._answers: dict[object, _Answers] = {}
        self._early: Counter[str] = Counter()  # answers gone on whose questions the model has not seen yet
        self._late: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MOST))
        """Until when an answer of a kind may still come; of more than so many nobody keeps account."""
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, answer: bytes) -> None:
        """The model has come to a question that a terminal like it answers so."""
        match = _ANSWER.match(answer)
        kind = match.lastgroup if match is not None else None
        if kind is not None and self._early[kind]:
            self._early[kind] -= 1
            return
        leader = self._leader()
        if leader is None or kind is None:
            self._write(answer)
        elif not self._of(leader).expected(kind) or len(self._open) >= MOST:
            self._answer(kind, answer)
        else:
            self._open.append(_Open(kind, answer, leader, self._loop.time() + PATIENCE))
            self._watch()

    def sift(self, who: object, data: bytes) -> bytes:
        """Of what a viewer sent, what the program shall get: all but the answers that nobody waits for."""
        kept, at = [], 0
        for match in _ANSWER.finditer(data):
            kind = match.lastgroup
            assert kind is not None
            if not self._passes(who, kind, match[0]):
                kept.append(data[at : match.start()])
                at = match.end()
        return b"".join((*kept, data[at:])) if kept else data

    def _passes(self, who: object, kind: str, answer: bytes) -> bool:
        of_kind = [question for question in self._open if question.kind == kind]
        own = next((question for question in of_kind if question.who is who), None)
        if own is not None:
            self._open.remove(own)
            self._of(who).came(kind)
            return True
        late = self._late[kind]
        while late and late[0] < self._loop.time():
            late.popleft()
        if not late and not of_kind and _F3.fullmatch(answer):
            return True
        if who is not self._leader() or of_kind:
            return False
        if late:
            late.popleft()
            self._of(who).came(kind)
            return False
        self._of(who).came(kind)
        self._early[kind] = min(self._early[kind] + 1, MOST)
        return True

    def _of(self, who: object) -> _Answers:
        return self._answers.setdefault(who, _Answers())

    def caught_up(self) -> None:
        """The model has seen all that was asked so far, and so every question that somebody has answered already."""
        self._early.clear()

    def left(self, who: object) -> None:
        """A viewer has gone, and will answer nothing any more."""
        for question in [question for question in self._open if question.who is who]:
            self._open.remove(question)
            self._answer(question.kind, question.answer)
        self._answers.pop(who, None)

    def close(self) -> None:
        """There is nobody left who asks, nor who answers: the session is held on to no more."""
        self._open.clear()
        self._answers.clear()
        self._write, self._leader = lambda _: None, lambda: None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answer(self, kind: str, answer: bytes) -> None:
        """Answer in the stead of a viewer, whose own answer may yet come."""
        self._late[kind].append(self._loop.time() + LATE)
        self._write(answer)

    def _watch(self) -> None:
        if self._timer is None and self._open:
            self._timer = self._loop.call_at(self._open[0].due, self._lose_patience)

    def _lose_patience(self) -> None:
        self._timer = None
        while self._open and self._open[0].due <= self._loop.time():
            question = self._open.pop(0)
            self._of(question.who).failed(question.kind)
            self._answer(question.kind, question.answer)
        self._watch()
