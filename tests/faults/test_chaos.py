"""Cut again and again, in every way that networks know: nothing lost, nothing repeated, the same program.

200 cuts by default; CHAOS_CUTS and CHAOS_SEED, which scripts/chaos sets, make it more of them and others.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import shlex
import signal
import sys
from pathlib import Path

from reconnectingpty.client import Backoff, Exited, Resynced, Settings, Terminal, connect
from reconnectingpty.client.rendering import rendered
from reconnectingpty.size import DEFAULT_SIZE

from ..client.support import Unhurried
from ..server.test_program import program
from ..support.serving import TOKEN, serving
from .chaos import Chaos, Plan, chaos

CUTS = int(os.environ.get("CHAOS_CUTS", "200"))
SEED = int(os.environ.get("CHAOS_SEED", "20261121"))
PATIENCE = 60.0 + CUTS / 5
BACKLOG = 20_000
"""Bytes typed that may wait for the session: with more, a short connection has no room for output."""
QUICK = Settings(backoff=Backoff(0.001, 0.01), heartbeat=0.5, open_timeout=1.0, scrollback=None)

PROGRAM = r"""
import hashlib, os, sys, threading, time, tty, zlib
tty.setraw(0)
lock, ended = threading.Lock(), threading.Event()
def say(text):
    with lock:
        os.write(1, text.replace("\n", "\r\n").encode())
def count():
    number = 0
    while not ended.is_set():
        lines = "".join(f"{n} {zlib.crc32(str(n).encode())}\n" for n in range(number, number + 40))
        number += 40
        say(lines)
        time.sleep(0.005)
    say(f"lines {number}\n")
say(f"pid {os.getpid()}\n")
counting = threading.Thread(target=count)
counting.start()
digest, length, tail = hashlib.sha256(), 0, b""
while not tail.endswith(b"\nEND\n"):
    data = os.read(0, 65536)
    digest.update(data)
    length += len(data)
    tail = (tail + data)[-8:]
ended.set()
counting.join()
say(f"input {length} {digest.hexdigest()}\npid {os.getpid()}\nbye\n")
"""


class Output:
    """What the program must write, checked as it comes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0
        self._rest = b""

    def take(self, data: bytes) -> None:
        """The next bytes. Fails where a line is missing, repeated or torn."""
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            match = re.fullmatch(rb"(\d+) \d+", line)
            if match is None:
                self.lines.append(line.decode())
            else:
                assert int(match[1]) == self.count, (line, self.count)
                self.count += 1


async def hear(terminal: Terminal, output: Output) -> None:
    async for data in terminal:
        output.take(data)


async def type_on(terminal: Terminal, rng: random.Random, proxy: Chaos) -> tuple[int, str]:
    """Type until there were cuts enough; how much it was, and its digest."""
    digest, length = hashlib.sha256(), 0
    told = 1000
    while proxy.cuts < CUTS:
        if proxy.cuts >= told:
            print(f"{proxy.cuts} cuts, {terminal.connections} connections", flush=True)
            told += 1000
        part = rng.randbytes(rng.randint(1, 1500)).replace(b"\nEND\n", b"")
        digest.update(part)
        length += len(part)
        await terminal.send(part)
        await asyncio.sleep(rng.uniform(0, 0.01))
        while terminal.unsent > BACKLOG and proxy.cuts < CUTS and terminal.end is None:
            await asyncio.sleep(0.002)
    digest.update(b"\nEND\n")
    await terminal.send(b"\nEND\n")
    return length + 5, digest.hexdigest()


async def test_nothing_is_lost_or_repeated_whatever_the_network_does(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = f"exec {shlex.quote(sys.executable)} {tmp_path}/program.py"
    rng = random.Random(SEED)
    # The log has all there is, so there is no reason for a picture. Nobody reads what the server says.
    flags = ("--allow-command", "--limit-attaches", "off", "--log-level", "error", "--log-size", str(256 << 20))
    async with program(tmp_path, *flags) as (server, link, _):
        port = int(re.search(r":(\d+)/", link)[1])  # type: ignore[index]
        async with chaos(port, SEED) as proxy:
            proxy.calm = True
            url = link.replace(f"127.0.0.1:{port}", proxy.address)
            async with connect(url, session="x", command=command, settings=QUICK) as terminal:
                resyncs: list[Resynced] = []
                terminal.on_event = lambda event: resyncs.append(event) if isinstance(event, Resynced) else None
                output = Output()
                async with asyncio.timeout(PATIENCE):
                    while not output.lines:  # then the program takes any byte as it is
                        output.take(await terminal.read())
                    proxy.calm = False
                    proxy.cut_now()
                    async with asyncio.TaskGroup() as group:
                        group.create_task(stop_and_go(server.pid, rng, proxy))
                        group.create_task(hear(terminal, output))
                        length, digest = await type_on(terminal, random.Random(SEED + 1), proxy)
                        proxy.calm = True
                assert await terminal.wait_closed() == Exited(0, None)
                assert resyncs == []
                assert terminal.resyncs == 0
    pid, lines, typed, again, bye = output.lines
    assert (lines, typed, again, bye) == (f"lines {output.count}", f"input {length} {digest}", pid, "bye")
    assert proxy.cuts >= CUTS
    assert proxy.plans.keys() >= ({Plan.CUT, Plan.LINGERING, Plan.STALE, Plan.TWICE} if CUTS < 5000 else set(Plan))
    print(
        f"{proxy.cuts} cuts, {terminal.connections} connections, {output.count} lines and {length} bytes typed,"
        f" {len(resyncs)} resyncs; " + ", ".join(f"{plan.name.lower()} {n}" for plan, n in proxy.plans.most_common())
    )


async def stop_and_go(pid: int, rng: random.Random, proxy: Chaos) -> None:
    """Stop the server for a moment, now and then."""
    while proxy.cuts < CUTS:
        await asyncio.sleep(rng.uniform(0.2, 3.0))
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(rng.uniform(0.01, 0.2))
        os.kill(pid, signal.SIGCONT)


FLOOD = r"""
import os, sys, time
number = 0
while True:
    os.write(1, "".join(f"{n:08d};\n" for n in range(number, number + 1000)).encode())
    number += 1000
    time.sleep(0.001)
"""
LOG = 512 << 10


async def test_only_what_the_log_no_longer_has_is_missed_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "flood.py").write_text(FLOOD)
    settings = Settings(backoff=Unhurried(longest=0.5), scrollback=None)
    missed: list[int] = []
    seen = bytearray()
    async with serving(log_size=str(LOG)) as s, chaos(s.address.port, SEED) as proxy:
        proxy.calm = True
        command = f"exec {shlex.quote(sys.executable)} {tmp_path}/flood.py"
        url = f"http://{proxy.address}"
        async with connect(url, session="x", token=TOKEN, command=command, settings=settings) as t:
            t.on_event = lambda event: missed.append(event.missed) if isinstance(event, Resynced) else None
            cuts = 0
            async with asyncio.timeout(60):
                while len(missed) < 4 or not seen.endswith(b";\r\n"):
                    data = await t.read()
                    seen += data
                    if len(seen) > (cuts + 1) * 1_000_000 and t.connected:
                        cuts += 1
                        proxy.cut_now()
            assert t.resyncs == len(missed)
            t.kill()
            await t.wait_closed()
    assert all(gap > LOG for gap in missed), missed
    parts = bytes(seen).split(b"\x1bc")
    assert len(parts) == len(missed) + 1
    for part in parts:
        *lines, last = (await rendered(part, DEFAULT_SIZE)).split("\n")
        first = int(lines[0].rstrip(";"))
        assert len(lines) > 100
        assert lines == [f"{number:08d};" for number in range(first, first + len(lines))]
        assert f"{first + len(lines):08d};".startswith(last)
