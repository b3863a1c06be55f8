"""The model and its snapshots against xterm.js: a stream, and a snapshot in its place, lead to the same terminal."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

from reconnectingpty.terminal.snapshot import snapshot

from .streams import FEATURES, PROBE, Stream
from .support import fed
from .xterm import Step, states

FIRST = int(os.environ.get("TERMINAL_FIRST_SEED", "0"))
STREAMS = int(os.environ.get("TERMINAL_STREAMS", "400"))
"""Random streams to compare; a nightly run takes more."""
SIZES = ((20, 6), (10, 4), (80, 24))


class Case:
    """A stream, cut somewhere, possibly with a change of size; and what is made of it at the cut."""

    def __init__(self, name: str, data: bytes, cut: int, size: tuple[int, int], scrollback: int = 1000) -> None:
        self.name, self.data, self.cut, self.size, self.scrollback = name, data, cut, size, scrollback
        self.resize: tuple[int, int, int] | None = None

    def steps(self, start: int, end: int) -> list[Step]:
        """What is to be done from one offset to another."""
        if self.resize is None or start:
            return [self.data[start:end]]
        at, columns, rows = self.resize
        return [self.data[start:at], (columns, rows), self.data[at:end]]

    def jobs(self) -> list[tuple[int, int, int, list[Step]]]:
        """At the cut and after all, for the stream itself and for the snapshot."""
        columns, rows = self.size
        before, after = self.steps(0, self.cut), [*self.steps(self.cut, len(self.data)), PROBE]
        parser = fed(columns=columns, rows=rows, scrollback=self.scrollback)
        for step in before:
            if isinstance(step, bytes):
                parser.feed(step)
            else:
                parser.emulator.resize(step[1], step[0])
        drawn = [snapshot(parser)]
        now = (parser.emulator.columns, parser.emulator.lines, self.scrollback)
        then = (columns, rows, self.scrollback)
        return [(*then, before), (*now, drawn), (*then, before + after), (*now, drawn + after)]


def random_case(seed: int) -> Case:
    """A stream of everything, cut at random."""
    chance = random.Random(seed)
    size = chance.choice(SIZES)
    resized = chance.random() < 0.3
    data = Stream(seed, *size, simple=resized).make(chance.choice((10, 40, 120)))
    case = Case(f"seed {seed}", data, chance.randint(0, len(data)), size, chance.choice((5, 1000, 1000)))
    if resized:
        # Before the cut: erased cells that show an underline come back as spaces, which a later rewrapping tells apart.
        # Without alternate screens, which xterm.js gives a scrollback of their own after some changes of size, and
        # without wide characters, which it cuts in half at the edge of the cursor's line.
        case.resize = (chance.randint(0, case.cut), chance.choice((8, 15, 20, 30, 100)), chance.choice((3, 6, 10, 30)))
    return case


def seen(state: dict[str, Any]) -> dict[str, Any]:
    """What a person can see, or will see when the program writes on. No terminal may have been asked anything."""
    kept = {key: value for key, value in state.items() if key not in ("answers", "joins", "pen")}
    kept["normal"] = {key: value for key, value in state["normal"].items() if key not in ("saved",)}
    if kept["behind"] is not None:
        kept["normal"]["x"] = None  # where the cursor was left; coming back, it is taken along
        kept["behind"] = {key: value for key, value in kept["behind"].items() if key not in ("saved", "scrollback")}
    return kept


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where two states differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key in expected for line in differences(expected[key], found.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{path}[{index}]")]
    return [] if expected == found else [f"{path}: {json.dumps(expected)[:200]} became {json.dumps(found)[:200]}"]


def compare(cases: list[Case]) -> list[str]:
    """What is not the same, case by case."""
    answers = states([job for case in cases for job in case.jobs()])
    wrong = []
    for index, case in enumerate(cases):
        cut, drawn, end, drawn_on = answers[4 * index : 4 * index + 4]
        if cut is None or end is None:
            continue  # xterm.js itself breaks on it
        if drawn is None or drawn_on is None:
            wrong.append(f"{case.name}: xterm.js breaks on the snapshot")
            continue
        found = [f"cut{line}" for line in differences(seen(cut), seen(drawn))]
        found += [f"end{line}" for line in differences(seen(end), seen(drawn_on))]
        if drawn["answers"]:
            found.append(f"asks: {drawn['answers']!r}")
        if found:
            wrong.append(f"{case.name}, cut at {case.cut}: " + "; ".join(found[:4]))
    return wrong


@pytest.mark.timeout(300)
def test_each_feature_is_redrawn_as_xterm_shows_it() -> None:
    cases = [Case(name, data, len(data), (40, 10)) for name, data in FEATURES.items()]
    cases += [Case(f"{name}, halfway", data, len(data) // 2, (40, 10)) for name, data in FEATURES.items()]
    assert compare(cases) == []


@pytest.mark.timeout(1800)
def test_random_mixtures_are_redrawn_as_xterm_shows_them() -> None:
    assert compare([random_case(seed) for seed in range(FIRST, FIRST + STREAMS)]) == []
