"""Reattaching in the middle of a recording, judged by xterm.js: the viewer who was there all along against a picture.

How the model gets there is how a session does it: through a log that is too small for all of it, by slices, skipping.
Called by the tests and, for every combination there is, by the nightly run (`scripts/fuzz`).
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size
from reconnectingpty.terminal.catchup import TerminalModel

from .mixtures import PROBE
from .recordings import Recording
from .xterm import TELL, Job, Repeated, Step, Xterm

SCROLLBACK = 1000
LOG = 1 << 20

_LINES = b"".join(
    b"\x1b[32mok\x1b[m step %d of the build took %d ms\r\nplain line %d, of some length, as programs write them\r\n"
    % (number, number * 37 % 1000, number)
    for number in range(90)
)
_TICKS = b"\x1b[?2026h\x1b[?2026l" * 500
_FRAMES = b"".join(b"\x1b7\x1b[1;60H\x1b[7m 12:%02d:%02d \x1b[m\x1b8" % (n // 60, n % 60) for n in range(360))
AGES: dict[str, Repeated | None] = {"fresh": None} | {
    f"{size} kB of {kind}": Repeated(data, size * 1000 // len(data))
    for size in (100, 3000)
    for kind, data in (("lines", _LINES), ("ticks", _TICKS), ("frames", _FRAMES))
}
"""What happens between a cut and the reattaching."""


@dataclass(frozen=True)
class Reattach:
    """A recording up to a cut, its age, a size that the new viewer has; then the rest, which is taken at that size."""

    recording: Recording
    cut: int
    age: str = "fresh"
    size: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """What it is called where something is said of it."""
        where = "the end" if self.cut == len(self.recording.data) else "the middle"
        size = f", by a viewer of {self.size[0]}x{self.size[1]}" if self.size else ""
        return f"{self.recording.name} at {where}, {self.age}{size}"

    def before(self) -> list[Step]:
        """What the first viewer has seen when the second comes."""
        age = AGES[self.age]
        steps: list[Step] = [*self.recording.steps(0, self.cut)]
        return [*steps, *([age] if age else []), *([self.size] if self.size else [])]

    def after(self) -> list[Step]:
        """What both see from then on."""
        return [*self.recording.steps(self.cut, len(self.recording.data)), PROBE]

    def jobs(self) -> tuple[Job, Job]:
        """For who was there all along, and for who comes back."""
        recording, before, after = self.recording, self.before(), [*self.after(), TELL]
        cols, rows = self.size or recording.size_at(self.cut)
        picture = modelled(recording, before)
        return (
            (recording.cols, recording.rows, SCROLLBACK, [*before, TELL, *after]),
            (cols, rows, SCROLLBACK, [picture, TELL, *after]),
        )


def modelled(recording: Recording, steps: Iterable[Step]) -> bytes:
    """The picture that a session's model gives after these steps."""
    size = Size(recording.rows, recording.cols)
    log = OutputLog(LOG, size)
    model = TerminalModel(log, size, scrollback=SCROLLBACK, clock=time.perf_counter)
    behind = LOG * 3 // 4
    for step in steps:
        if isinstance(step, tuple):
            log.resize(Size(step[1], step[0]))
            continue
        data, times = (step.data, step.times) if isinstance(step, Repeated) else (step or b"", 1)
        for _ in range(times):
            log.append(data)
            while model.lag > behind:
                model.advance(0.004, behind)
    while not model.advance(0.004):
        pass
    return model.snapshot()


def points(recording: Recording) -> tuple[int, int]:
    """Where to cut: at any byte near the middle, and at the end."""
    return len(recording.data) // 2, len(recording.data)


def at_rest(recording: Recording, offset: int) -> int:
    """Where the program next waited for a key."""
    at = bisect_left(recording.marks, offset)
    return recording.marks[at] if at < len(recording.marks) else len(recording.data)


def everywhere(recording: Recording) -> Iterator[Reattach]:
    """Every combination of point and age, and other sizes."""
    for cut in points(recording):
        for age in AGES:
            yield Reattach(recording, cut if age == "fresh" else at_rest(recording, cut), age)
        for size in ((50, 15), (132, 43)):
            yield Reattach(recording, at_rest(recording, cut), size=size)


def some(number: int, recording: Recording) -> Iterator[Reattach]:
    """Both points fresh, one aged, one at another size; a few have aged long."""
    middle, end = points(recording)
    yield Reattach(recording, middle)
    yield Reattach(recording, end)
    ages = list(AGES)
    aged = (middle, end)[number // 3 % 2]
    yield Reattach(recording, at_rest(recording, aged), ages[1 + number % 3])
    if number % 4 == 0:
        yield Reattach(recording, at_rest(recording, aged), ages[4 + number // 4 % 3])
    yield Reattach(
        recording, at_rest(recording, (end, middle)[number % 2]), size=((50, 15), (132, 43))[number // 2 % 2]
    )


@dataclass(frozen=True)
class Verdict:
    """How near a picture comes. `asked`: what the new viewer's terminal would have typed."""

    name: str
    unlike: tuple[str, ...]
    imperfect: tuple[str, ...]
    asked: str
    lines: int
    lines_wrong: int


def judged(xterm: Xterm, reattaches: Iterable[Reattach]) -> Iterator[Verdict]:
    """Let xterm.js judge them all; those on which it breaks itself are left out."""
    names: list[str] = []

    def jobs() -> Iterator[Job]:
        for reattach in reattaches:
            names.append(reattach.name)
            yield from reattach.jobs()

    answers = xterm.ask_all(jobs())
    for index, (expected, found) in enumerate(zip(answers, answers, strict=True)):
        if expected is not None:
            yield _verdict(names[index], expected, found or [])


def _verdict(name: str, expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> Verdict:
    unlike, imperfect = [], []
    for moment, one, other in zip(("now", "later"), expected, found, strict=True):
        unlike += differences(seen(one), seen(other), moment)
        imperfect += differences(hidden(one), hidden(other), moment)
    before, after = expected[0]["normal"]["scrollback"], found[0]["normal"]["scrollback"]
    right = sum(one[1:] == other[1:] for one, other in zip(reversed(before), reversed(after), strict=False))
    return Verdict(name, tuple(unlike), tuple(imperfect), found[0]["answers"], len(before), len(before) - right)


def _shown(buffer: dict[str, Any], columns: int) -> dict[str, Any]:
    return {"rows": [row[1:] for row in buffer["rows"]], "x": min(buffer["x"], columns - 1), "y": buffer["y"]}


def seen(state: dict[str, Any]) -> dict[str, Any]:
    """What a person sees, on either screen and above, and the modes that decide what is typed."""
    columns, normal, behind = state["size"][0], state["normal"], state["behind"]
    shown = {name: state[name] for name in ("size", "alternate", "title", "modes")}
    shown["scrollback"] = [row[1:] for row in normal["scrollback"]]
    shown["active"] = _shown(behind or normal, columns)
    shown["rows behind"] = [row[1:] for row in normal["rows"]] if behind else None
    return shown


def hidden(state: dict[str, Any]) -> dict[str, Any]:
    """All the rest that xterm.js keeps: what shows only when the program writes on, or is resized, or never."""
    normal, behind = state["normal"], state["behind"]
    active = behind or normal
    kept = {
        name: state[name]
        for name in ("colours", "pen", "charsets", "link", "protected", "parser", "begun", "character", "savedCharset")
    }
    kept["waits to wrap"] = active["x"] >= state["size"][0]
    kept["wrapped above"] = [row[0] for row in normal["scrollback"]]
    for name, buffer in (("normal", normal), ("alternate", behind)):
        if buffer is not None:
            kept[name] = {key: buffer[key] for key in ("margins", "tabs", "saved", "unseen")}
            kept[name]["wrapped"] = [row[0] for row in buffer["rows"]]
    return kept


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where two states differ."""
    if expected == found:
        return []
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key in expected for line in differences(expected[key], found.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{path}[{index}]")]
    return [f"{path}: {str(expected)[:200]} became {str(found)[:200]}"]
