"""Sessions that open, flood, are resized, left, come back to, and die, in rounds: nothing of them may be left.

After each round all have ended, and the server must hold what it held after the first: descriptors, tasks, processes.
Its memory may not grow. `SOAK_SECONDS` and `SOAK_SESSIONS` say how long and how many; `scripts/soak` is the long one.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from pathlib import Path
from random import Random
from statistics import linear_regression

import pytest

from ..support.attached import PATIENCE
from ..support.program import Program, program_of
from .lives import LIVES, MARK, Soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "12"))
SESSIONS = int(os.environ.get("SOAK_SESSIONS", "200"))
ROUND_SECONDS = max(6.0, SECONDS / 60)
GROWTH = 24 << 20
"""Bytes that a short run's memory may grow by after its first round: what allocators keep, and ended sessions that are
remembered. A leak of a session's log alone would be a hundred times that."""
SLOPE = 256 << 10
"""Bytes a minute that a long run's may grow by, in its second half."""
EXPECTED = re.compile(
    r"\d\d:\d\d:\d\d info    "
    r"(127\.0\.0\.1:\d+: closed with (4001: killed on request|1011: cannot start '/no/such/interpreter': .*)"
    r"|SIGTERM: shutting down)"
    # On a busy machine, which does not tell whose fault it is.
    r"|\d\d:\d\d:\d\d warning the event loop was held up for .*"
)


@pytest.mark.timeout(SECONDS * 3 + 180)
async def test_two_hundred_sessions_leave_nothing() -> None:
    flags = ("--timeout", "15", "--limit-creations", "off", "--limit-attaches", "off", "--log-size", "524288")
    lives: Counter[str] = Counter()
    memory: list[int] = []
    async with program_of(*flags) as server:
        rounds = max(2, round(SECONDS / ROUND_SECONDS))
        held: dict[str, object] | None = None
        for number in range(rounds):
            lives += await _round(server, number)
            if held is None:
                held = await _settled(server)
            else:
                await _until_as(server, held)
            memory.append(server.memory)
            print(f"round {number + 1} of {rounds}: {lives.total()} sessions, {memory[-1] >> 10} KiB")
        left = _processes_of_sessions()
        assert left == {}, left
    assert {life.__name__ for life in LIVES} == set(lives), lives
    assert [line for line in server.log.splitlines() if not EXPECTED.fullmatch(line)] == []
    assert memory[-1] - memory[0] < GROWTH or SECONDS > 300, memory
    if SECONDS > 300:
        later = memory[len(memory) // 2 :]
        slope = linear_regression([ROUND_SECONDS / 60 * place for place in range(len(later))], later).slope
        print(f"{slope / 1024:.1f} KiB a minute in the second half")
        assert slope < SLOPE, memory


async def _round(server: Program, number: int) -> Counter[str]:
    """Many sessions at a time, for a while: how often each life was lived."""
    until = asyncio.get_running_loop().time() + ROUND_SECONDS
    soaks = [Soak(server, Random(f"{number} {place}"), f"{number}-{place}") for place in range(SESSIONS)]
    async with asyncio.TaskGroup() as workers:
        for soak in soaks:
            workers.create_task(soak.go_on(until))
    return sum((soak.lives for soak in soaks), Counter[str]())


async def _held(server: Program) -> dict[str, object]:
    """What the server holds now."""
    inside = await server.json("/debug/sessions")
    return {
        "sessions": len(inside["sessions"]) + inside["ending"],
        "terminals": inside["connections"]["terminals"],
        "tasks": inside["loop"]["tasks"],
        "descriptors": server.descriptors,
        "children": len(server.children),
    }


async def _settled(server: Program) -> dict[str, object]:
    """What it holds when nothing of a round goes on any more."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = await _held(server)
            if not any(held[name] for name in ("sessions", "terminals", "children")):
                return held
            await asyncio.sleep(0.1)


async def _until_as(server: Program, before: dict[str, object]) -> None:
    """Wait until it holds what it held before, and no more."""
    held: dict[str, object] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while held != before:
                await asyncio.sleep(0.1)
                held = await _held(server)
    except TimeoutError:
        raise AssertionError(f"more is left than before: {held}, was {before}") from None


def _processes_of_sessions() -> dict[str, bytes]:
    """All processes that carry the mark of one of these sessions."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"RECONNECTINGPTY_SESSION={MARK}-".encode() in (entry / "environ").read_bytes():
                found[entry.name] = (entry / "cmdline").read_bytes()
        except OSError:  # it is gone, or not ours
            continue
    return found
