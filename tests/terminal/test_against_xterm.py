"""The model and its snapshots against xterm.js: a stream, and a snapshot in its place, lead to the same terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconnectingpty.terminal.snapshot import snapshot

from .mixtures import FEATURES, PROBE, Stream
from .reattaching import differences
from .support import fed
from .xterm import TELL, Job, States, Step, Xterm, xterm

MIXTURES = int(os.environ.get("TERMINAL_MIXTURES", "1000"))
"""Random streams to compare; a nightly run takes more, and others each time."""
AS_EVER = "TERMINAL_MIXTURES" not in os.environ
SIZES = ((20, 6), (10, 4), (80, 24))


class Case:
    """A stream, cut somewhere, possibly with a change of size; and what is made of it at the cut."""

    def __init__(self, name: str, data: bytes, cut: int, size: tuple[int, int], scrollback: int = 1000) -> None:
        self.name, self.data, self.cut, self.size, self.scrollback = name, data, cut, size, scrollback
        self.resize: tuple[int, int, int] | None = None

    def __repr__(self) -> str:
        return f"{self.name}: {self.data!r} cut at {self.cut}, {self.size}, {self.scrollback} lines, {self.resize}"

    def steps(self, start: int, end: int) -> list[Step]:
        """What is to be done from one offset to another."""
        if self.resize is None or start:
            return [self.data[start:end]]
        at, columns, rows = self.resize
        return [self.data[start:at], (columns, rows), self.data[at:end]]

    def jobs(self) -> tuple[Job, Job]:
        """For the stream itself and for the snapshot, each told at the cut and after all."""
        columns, rows = self.size
        before, after = self.steps(0, self.cut), [*self.steps(self.cut, len(self.data)), PROBE, TELL]
        parser = fed(columns=columns, rows=rows, scrollback=self.scrollback)
        for step in before:
            if isinstance(step, bytes):
                parser.feed(step)
            elif isinstance(step, tuple):
                parser.emulator.resize(step[1], step[0])
        now = (parser.emulator.columns, parser.emulator.lines)
        return (
            (columns, rows, self.scrollback, [*before, TELL, *after]),
            (*now, self.scrollback, [snapshot(parser), TELL, *after]),
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Streams of everything, cut anywhere."""
    size = draw(st.sampled_from(SIZES))
    resized = draw(st.integers(0, 9)) < 3
    stream = Stream(0, *size, simple=resized)
    count = draw(st.sampled_from((10, 40, 120)))
    seeds = draw(st.lists(st.integers(0, (1 << 32) - 1), min_size=count // 2, max_size=count))
    data = b"".join(stream.one(seed) for seed in seeds)
    cut = draw(st.integers(0, len(data)))
    case = Case("mixture", data, cut, size, draw(st.sampled_from((1000, 5, 1000))))
    if resized:
        # Before the cut: erased cells that show an underline come back as spaces, which a later rewrapping tells apart.
        # Without alternate screens, which xterm.js gives a scrollback of their own after some changes of size, and
        # without wide characters, which it cuts in half at the edge of the cursor's line.
        columns, rows = draw(st.sampled_from((8, 15, 20, 30, 100))), draw(st.sampled_from((3, 6, 10, 30)))
        case.resize = (draw(st.integers(0, cut)), columns, rows)
    return case


def seen(state: dict[str, Any]) -> dict[str, Any]:
    """What a person can see, or will see when the program writes on. No terminal may have been asked anything."""
    left_out = ("answers", "joins", "pen", "link", "protected", "begun", "character", "savedCharset")
    kept = {key: value for key, value in state.items() if key not in left_out}
    kept["normal"] = {key: value for key, value in state["normal"].items() if key not in ("saved", "unseen")}
    if kept["behind"] is not None:
        kept["normal"]["x"] = None  # where the cursor was left; coming back, it is taken along
        kept["behind"] = {
            key: value for key, value in kept["behind"].items() if key not in ("saved", "scrollback", "unseen")
        }
    return kept


def compared(case: Case, expected: States, found: States) -> list[str]:
    """What is not the same."""
    if expected is None:
        return []  # xterm.js itself breaks on it
    if found is None:
        return [f"{case!r}: xterm.js breaks on the snapshot"]
    wrong = [f"cut{line}" for line in differences(seen(expected[0]), seen(found[0]))]
    wrong += [f"end{line}" for line in differences(seen(expected[1]), seen(found[1]))]
    if found[0]["answers"]:
        wrong.append(f"asks: {found[0]['answers']!r}")
    return [f"{case!r}: {'; '.join(wrong[:4])}"] if wrong else []


@pytest.mark.timeout(300)
def test_each_feature_is_redrawn_as_xterm_shows_it() -> None:
    each = [Case(name, data, len(data), (40, 10)) for name, data in FEATURES.items()]
    each += [Case(f"{name}, halfway", data, len(data) // 2, (40, 10)) for name, data in FEATURES.items()]
    with xterm() as judge:
        answers = judge.ask_all(job for case in each for job in case.jobs())
        results = list(zip(each, answers, answers, strict=True))
    assert all(expected and found for _, expected, found in results)
    assert [line for result in results for line in compared(*result)] == []


def _resized(data: bytes, size: tuple[int, int, int], more: bytes = b"") -> Case:
    case = Case("resized", data + more, len(data), (10, 4))
    case.resize = size
    return case


def _cut(data: bytes) -> Case:
    return Case("cut", data, len(data), (20, 6))


ONCE_WRONG = [
    # The row of the cursor saved before anything else, within a line that fills more than the screen.
    _resized(b"01234567890123456789narrow\x0bz fox jumps over it once more", (50, 8, 3), b"\x1b[3J"),
    # The cursor is moved by the change of size, away from the character that was printed in another colour.
    _resized(b"fox jumps\x1b[4mf", (15, 8, 3), b"ox"),
    # A cell made wide at the right edge, in a row that goes on below, on the screen and above it.
    _cut(b"x" * 60 + "\x1b[1;16H\x1b[?7lfoxes👨\u200d👩".encode()),
    _cut(b"x" * 60 + "\x1b[1;16H\x1b[?7lfoxes👨\u200d👩\x1b[?7h\x1b[6H\n\n".encode()),
    _cut(b"x" * 60 + "\x1b[1;19H\x1b[?7l👩\u200dfoxes\x1b[H".encode()),
    _cut(b"x" * 60 + "\x1b[1;19H\x1b[?7l中foxes\x1b[?7h\x1b[6H\n\n".encode()),
]


@pytest.mark.parametrize("case", ONCE_WRONG, ids=range(len(ONCE_WRONG)))
def test_what_was_once_wrong_is_right(case: Case) -> None:
    with xterm() as judge:
        expected, found = judge.ask_all(iter(case.jobs()))
    assert compared(case, expected, found) == []


@pytest.fixture(scope="module")
def judge() -> Iterator[Xterm]:
    with xterm() as found:
        yield found


@pytest.mark.timeout(7200)
@settings(
    max_examples=MIXTURES,
    deadline=None,
    derandomize=AS_EVER,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    phases=(Phase.generate, Phase.shrink),
)
@given(case=cases())
def test_mixtures_are_redrawn_as_xterm_shows_them(judge: Xterm, case: Case) -> None:
    expected, found = (judge.ask(job) for job in case.jobs())
    assert compared(case, expected, found) == []
