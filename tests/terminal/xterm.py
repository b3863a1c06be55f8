"""xterm.js as the judge: what state it is in after given steps."""

from __future__ import annotations

import base64
import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import pytest

FOLDER = Path(__file__).parent / "oracle"


@dataclass(frozen=True)
class Repeated:
    """The same bytes, many times over."""

    data: bytes
    times: int


TELL = None
"""The step at which a state is told."""
Step: TypeAlias = "bytes | tuple[int, int] | Repeated | None"
"""Bytes to write, or columns and rows to take, or TELL."""
Job: TypeAlias = "tuple[int, int, int, Sequence[Step]]"
"""Columns, rows, lines of scrollback, and steps."""
States: TypeAlias = "list[dict[str, Any]] | None"
"""One state for each TELL of a job; None where xterm.js itself broke."""


def _install() -> None:
    """Have the packages of the lock file, once, whoever else is about to do the same."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail("this test compares with xterm.js, which needs Node.js: apt-get install nodejs npm")
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "node_modules" / "@xterm" / "headless").is_dir():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, capture_output=True)


def _told(step: Step) -> object:
    if isinstance(step, bytes):
        return base64.b64encode(step).decode()
    if isinstance(step, Repeated):
        return {"data": base64.b64encode(step.data).decode(), "times": step.times}
    return step


def _line(job: Job) -> str:
    cols, rows, scrollback, steps = job
    return json.dumps({"cols": cols, "rows": rows, "scrollback": scrollback, "steps": list(map(_told, steps))}) + "\n"


_KNOWN_BREAKS = ("setting 'isWrapped'",)
"""What xterm.js 6.0 raises on some streams, in its own words."""


def _states(line: str) -> States:
    answer = json.loads(line)
    error = answer.get("error")
    assert error is None or any(known in error for known in _KNOWN_BREAKS), error
    states: States = answer.get("states")
    return states


class Xterm:
    """A process that runs jobs, one after the other."""

    def __init__(self, jobs: IO[str], answers: IO[str]) -> None:
        self._jobs = jobs
        self._answers = answers

    def ask(self, job: Job) -> States:
        """The states of one job."""
        self._jobs.write(_line(job))
        self._jobs.flush()
        line = self._answers.readline()
        assert line, "xterm.js has gone"
        return _states(line)

    def ask_all(self, jobs: Iterable[Job]) -> Iterator[States]:
        """The states of many, and no more after that; made while the later jobs are still being thought of."""

        def put() -> None:
            with self._jobs:
                for job in jobs:
                    self._jobs.write(_line(job))

        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(put)
            for line in self._answers:
                yield _states(line)
            writer.result()


@contextmanager
def xterm() -> Iterator[Xterm]:
    """A terminal that knows better, for as long as the block lasts."""
    _install()
    process = subprocess.Popen(
        ["node", "state.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Xterm(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
