"""How soon the Python client knows: that a command has ended, that a text is there, that a key was echoed; and how
fast it takes output. The times of ends are the commands' own: the last that they do is to print the clock."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

from reconnectingpty.client import Settings, Terminal, connect

from .measures import Row, percentile
from .servers import TOKEN, ours

CLOCK = "date +%s.%N"
TIMEOUT = 30.0


def client(quick: bool) -> Iterator[Row]:
    """The client's own latency and speed."""
    with ours() as (port, _):
        yield from asyncio.run(_measured(f"http://127.0.0.1:{port}", 30 if quick else 500, quick))


async def _measured(url: str, times: int, quick: bool) -> list[Row]:
    rows = []
    for shell in ("bash --norc", "dash", "zsh -f", "fish --no-config"):
        async with connect(url, token=TOKEN, command=shell) as terminal:
            known = await _run(terminal, times)
            rows += _latency(f"client: the end of a command is known, {shell.split()[0]}", known, 20.0)
    async with connect(url, token=TOKEN, command="PS1='$ ' bash --norc") as terminal:
        rows += _latency("client: a text is found on the screen", await _wait(terminal, times), 20.0)
    async with connect(url, token=TOKEN, command="stty raw -echo; echo ready; exec cat") as terminal:
        rows += _latency("client: a key's echo", await _echo(terminal, times), 2.0)
    size = (20 if quick else 200) * 1_000_000
    for name, scrollback in (("not drawn", None), ("drawn", 2000)):
        settings = Settings(scrollback=scrollback)
        command = f"read x; yes '{'0123456789' * 7}' | head -c {size}"
        async with connect(url, token=TOKEN, command=command, settings=settings) as terminal:
            rows.append(Row(f"client: takes lines, {name}", "MB/s", {"ours": await _flood(terminal) / 1e6}))
    return rows


def _latency(name: str, values: list[float], target: float) -> list[Row]:
    p50 = percentile(values, 50) * 1000
    return [
        Row(f"{name}, p50", "ms", {"ours": p50}, f"under {target:g} ms", p50 < target),
        Row(f"{name}, p99", "ms", {"ours": percentile(values, 99) * 1000}),
    ]


async def _run(terminal: Terminal, times: int) -> list[float]:
    values = []
    for _ in range(times):
        done = await terminal.run(CLOCK, timeout=TIMEOUT)
        values.append(time.time() - float(done.output))
    return values


async def _wait(terminal: Terminal, times: int) -> list[float]:
    values = []
    for _ in range(times):
        mark = await terminal.mark()
        await terminal.send(CLOCK + "\r")
        found = await terminal.wait_for(re.compile(r"^\d+\.\d{9}$", re.MULTILINE), since=mark)
        values.append(time.time() - float(found[0]))
        await terminal.wait_for(r"\$ $", since=mark)
    return values


async def _echo(terminal: Terminal, times: int) -> list[float]:
    while b"ready" not in await terminal.read():
        pass
    values = []
    for _ in range(times):
        began = time.perf_counter()
        await terminal.send("x")
        await terminal.read()
        values.append(time.perf_counter() - began)
    return values


async def _flood(terminal: Terminal) -> float:
    await terminal.send("\r")
    count, began = 0, 0.0
    async for data in terminal:
        began = began or time.perf_counter()
        count += len(data)
    await terminal.view()
    return count / (time.perf_counter() - began)
