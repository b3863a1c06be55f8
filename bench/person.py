"""What a person at a terminal waits for: a key's echo through `reconnectingpty attach`, beside the plain terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .measures import RAW, Row, percentile
from .servers import TOKEN, ours

ADDED_MS = 1.0


def person(quick: bool) -> Iterator[Row]:
    """A key there and back, on a terminal."""
    count = 300 if quick else 3000
    with ours() as (port, _):
        attach = [sys.executable, "-m", "reconnectingpty_server", "attach", "--command", RAW]
        with _terminal([*attach, "--url", f"http://127.0.0.1:{port}", "--token", TOKEN]) as leader:
            attached = _echoes(leader, count)
    with _terminal(["sh", "-c", RAW]) as leader:
        plain = _echoes(leader, count)
    for percent in (50, 99):
        values = {"ours": percentile(attached, percent) * 1000, "plain terminal": percentile(plain, percent) * 1000}
        row = Row(f"a key's echo through attach, p{percent}", "ms", values)
        if percent == 50:
            row.target, row.met = f"adds < {ADDED_MS:g}", values["ours"] - values["plain terminal"] < ADDED_MS
        yield row


@contextmanager
def _terminal(command: Sequence[str]) -> Iterator[int]:
    """A program on a terminal of its own, when it is ready; the terminal's other end."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )  # fmt: skip
    os.close(follower)
    try:
        while b"R" not in os.read(leader, 4096):
            pass
        yield leader
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def _echoes(leader: int, count: int) -> list[float]:
    """Seconds from each of so many keys to its echo; the first few, which warm things up, are left out."""
    times = []
    for number in range(count):
        key = bytes([97 + number % 26])
        began = time.perf_counter()
        os.write(leader, key)
        while key not in os.read(leader, 4096):
            pass
        times.append(time.perf_counter() - began)
        time.sleep(0.002)
    return times[count // 20 :]
