"""Coming back to real programs: what a new viewer gets is what the one has who was there all along."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from . import reattaching
from .programs import PROGRAMS
from .recordings import Recording, recordings
from .xterm import xterm

DOCUMENT = Path(__file__).parents[2] / "docs" / "terminal.md"
RECORDINGS = recordings()
EVERYTHING = "TERMINAL_EVERYTHING" in os.environ
"""Every point, age and size instead of a sample; the nightly run's affair."""


def listed(heading: str) -> set[str]:
    """The names that the document lists under a heading."""
    section = re.split(r"^##+ ", DOCUMENT.read_text(), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(heading)]
    return set(re.findall(r"^- ([a-z0-9-]+)", text, re.MULTILINE))


def parts(count: int) -> list[list[tuple[int, Recording]]]:
    """The recordings, dealt out, so that no one test takes long."""
    numbered = list(enumerate(RECORDINGS))
    return [numbered[at::count] for at in range(count)]


def test_there_are_recordings_of_all_kinds_of_programs() -> None:
    kinds = {recording.name.split("-")[0] for recording in RECORDINGS}
    assert kinds >= {
        "bash",
        "vim",
        "nano",
        "less",
        "htop",
        "mc",
        "tmux",
        "man",
        "git",
        "top",
        "dialog",
        "python",
        "vttest",
    }
    assert len(RECORDINGS) >= 60
    assert {recording.name for recording in RECORDINGS} == {program.name for program in PROGRAMS}
    assert sum(bool(recording.resizes) for recording in RECORDINGS) >= 10


@pytest.mark.timeout(7200 if EVERYTHING else 300)
@pytest.mark.parametrize("part", range(8))
def test_reattaching_shows_what_was_there(part: int) -> None:
    mine = parts(8)[part]
    if EVERYTHING:
        reattaches = [one for _, recording in mine for one in reattaching.everywhere(recording)]
    else:
        reattaches = [one for number, recording in mine for one in reattaching.some(number, recording)]
    with xterm() as judge:
        verdicts = list(reattaching.judged(judge, reattaches))
    assert len(verdicts) == len(reattaches)
    assert [verdict for verdict in verdicts if verdict.asked] == []
    assert [verdict for verdict in verdicts if verdict.lines_wrong] == []
    astride, imperfect = listed("Not alike after a smaller viewer"), listed("Not perfect")
    pairs = [(one.recording.name, one.size, verdict) for one, verdict in zip(reattaches, verdicts, strict=True)]
    assert [verdict for name, size, verdict in pairs if verdict.unlike and not (size and name in astride)] == []
    assert [verdict for name, _, verdict in pairs if verdict.imperfect and name not in astride | imperfect] == []


def test_nearly_all_recordings_come_back_to_the_last_hidden_bit() -> None:
    names = {recording.name for recording in RECORDINGS}
    assert listed("Not perfect") <= names
    assert listed("Not alike after a smaller viewer") <= names
    assert len(listed("Not perfect")) <= 0.05 * len(names)
