"""What every test must leave behind: nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest


def _children() -> set[int]:
    """This process's children, zombies too; those of its other threads' making as well."""
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        found |= {int(pid) for pid in path.read_text().split()}
    return found


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """Fails a test that leaves tasks, children or descriptors, or an error that nobody took notice of."""
    loop = asyncio.get_running_loop()
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    tasks, children, descriptors = asyncio.all_tasks(), _children(), len(os.listdir("/proc/self/fd"))
    yield
    for _ in range(200):
        left = asyncio.all_tasks() - tasks - {asyncio.current_task()}
        if not left and len(os.listdir("/proc/self/fd")) <= descriptors and _children() <= children:
            break
        await asyncio.sleep(0.01)
    assert not errors, errors
    assert not left, left
    assert _children() <= children
    assert len(os.listdir("/proc/self/fd")) <= descriptors
