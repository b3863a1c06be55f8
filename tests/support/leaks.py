"""What a test leaves behind: descriptors, child processes, threads, tasks, and errors that nobody took notice of.

`Held` says what the process holds; the difference of two is a leak. `LoopWatch` watches one event loop. Both wait a
moment for what is just ending, since a test may return before the kernel or the loop has put the last thing away.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 2.0
"""Seconds that something may take to go away after the test. A clean test waits for nothing."""
PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds at a moment."""

    descriptors: frozenset[int]
    children: frozenset[int]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Held:
        """Look. Children that ended and were not waited for count as well."""
        children: list[str] = []
        for task in os.listdir("/proc/self/task"):
            try:
                children += Path("/proc/self/task", task, "children").read_text().split()
            except OSError:  # that thread has just ended
                continue
        return cls(
            # The listing's own descriptor is in it, and closed by now.
            frozenset(number for number in map(int, os.listdir("/proc/self/fd")) if _what(number)),
            frozenset(map(int, children)),
            frozenset(thread for thread in threading.enumerate() if thread.is_alive()),
        )

    def more_than(self, before: Held) -> list[str]:
        """What is held now and was not before, in words."""
        return [
            *(f"descriptor {number}: {_what(number)}" for number in sorted(self.descriptors - before.descriptors)),
            *(f"child {pid}: {_command(pid)}" for pid in sorted(self.children - before.children)),
            *(f"thread {thread.name}" for thread in self.threads - before.threads),
        ]


class LoopWatch:
    """The running loop's tasks from here on, and every error that reaches the loop's exception handler."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._before = asyncio.all_tasks()
        self.errors: list[str] = []
        self._loop.set_exception_handler(lambda _, context: self.errors.append(_told(context)))

    async def left(self) -> list[str]:
        """What still runs after a moment's patience, and the errors, in words."""
        mine = asyncio.current_task()
        deadline = time.monotonic() + PATIENCE
        while (tasks := asyncio.all_tasks() - self._before - {mine}) and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE)
        # A task that failed unawaited says so when it is collected, and so does a socket that was not closed.
        gc.collect()
        await asyncio.sleep(0)
        return [*(f"task {task!r}" for task in tasks), *self.errors]


def settled(before: Held) -> list[str]:
    """What is held beyond `before` after a moment's patience, in words."""
    return _patiently(lambda: Held.now().more_than(before))


def start_small() -> None:
    """Make the next `gc.collect()` look at nothing but what is made from here on, so that each test can afford one."""
    gc.freeze()


def _patiently(left: Callable[[], list[str]]) -> list[str]:
    deadline = time.monotonic() + PATIENCE
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return found


def _told(context: dict[str, Any]) -> str:
    error = context.get("exception")
    return f"unhandled on the loop: {context['message']}" + (f": {error!r}" if error is not None else "")


def _what(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "gone"
