"""Run inside User-Mode Linux by inside.py: what becomes of sessions on a machine that has run out of something."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconnectingpty import Options, new

from ..support.attached import Attached

SMALL = Path("/run/small")


async def echoing(backend: str) -> tuple[Any, Attached]:
    """A session, and a client of it."""
    session = new("stty -echo; echo ready; exec cat", Options(backend_type=backend, kill_grace=0.2, linger=1.0))
    client = Attached.to(session)
    await client.until(b"ready")
    return session, client


async def lives(client: Attached, word: bytes) -> bool:
    """Whether what is typed comes back."""
    client.feed(word + b"\n")
    return word in await client.until(word)


async def told(backend: str) -> str:
    """What attach() to a new session raises; empty where that works."""
    session = new("stty -echo; echo ready; exec cat", Options(backend_type=backend, kill_grace=0.2, linger=1.0))
    client = Attached.to(session)
    ready = asyncio.create_task(client.until(b"ready"))
    await asyncio.wait((ready, client.outcome), return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    with suppress(asyncio.CancelledError, AssertionError):
        await ready
    if not client.outcome.done():
        session.close()
    await asyncio.wait((client.outcome,))
    error = client.outcome.exception()
    async with asyncio.timeout(20):
        session.close()
        await session.wait()
    return "" if "killed" in str(error) else f"{type(error).__name__}: {error}"


@contextmanager
def full_disk() -> Iterator[None]:
    """Where sessions keep what they keep there is no room left."""
    filler = SMALL / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


async def disk(backend: str) -> dict[str, Any]:
    """A full disk, from before a session's start to after another's end."""
    SMALL.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "small", str(SMALL)], check=True)
    before = os.environ["XDG_RUNTIME_DIR"]
    os.environ["XDG_RUNTIME_DIR"] = str(SMALL)
    try:
        one, looking = await echoing(backend)
        two, _ = await echoing(backend)
        with full_disk():
            refused = await told(backend)
            one.describe(name="renamed")
            looking.leave()
            await looking.outcome
            looking = Attached.to(one)
            alive = await lives(looking, b"alive")
            two.close()
            await two.wait()
            ended = two.state.name
        after = await told(backend)
        still = await lives(looking, b"still")
        one.close()
        await one.wait()
    finally:
        os.environ["XDG_RUNTIME_DIR"] = before
        subprocess.run(["umount", "-l", str(SMALL)], check=True)
    return {"refused": refused, "alive": alive, "ended": ended, "after": after, "still": still}


@contextmanager
def no_processes(group: Path) -> Iterator[None]:
    """Nothing in a cgroup can start another process or thread."""
    (group / "pids.max").write_text("0")  # which those that are there may exceed
    try:
        yield
    finally:
        (group / "pids.max").write_text("max")


async def processes(backend: str, group: Path) -> dict[str, Any]:
    """A machine that has as many processes as it can have."""
    one, looking = await echoing(backend)
    two, _ = await echoing(backend)
    with no_processes(group):
        refused = [await told(backend) for _ in range(3)]
        alive = await lives(looking, b"alive")
        two.close()
        await two.wait()
        ended = two.state.name
    after = await told(backend)
    still = await lives(looking, b"still")
    one.close()
    await one.wait()
    return {"refused": refused, "alive": alive, "ended": ended, "after": after, "still": still}
