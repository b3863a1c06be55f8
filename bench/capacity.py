"""How many people one machine holds: sessions that are typed in and print by themselves, more and more of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from .measures import Row
from .servers import TOKEN, compiled, cpu, ours

ENOUGH = 20_000
"""µs; a key's echo is slow when the p99 is above."""
STEP = 1.5
CELLS = [(2, 0), (2, 1000), (2, 10_000)]
"""Keys a second, bytes printed a second; for each session."""


def capacity(quick: bool) -> Iterator[Row]:
    """The sessions at which a key's echo passes 20 ms at p99, for each rate of keys and of output."""
    for keys, rate in CELLS[:1] if quick else CELLS:
        best: tuple[int, float, float, float] | None = None
        for people, p50, p99, busy in _growing(keys, rate, 100 if quick else 20_000, 2 if quick else 3):
            if p99 > ENOUGH:
                break
            best = (people, p50, p99, busy)
        name = f"sessions with {keys} keys/s and {rate} B/s each"
        if best is None:
            yield Row(name, "", {"ours": 0.0})
            continue
        yield Row(name, "", {"ours": float(best[0])})
        yield Row("    with these: a key's echo, p50", "µs", {"ours": best[1]})
        yield Row("    p99", "µs", {"ours": best[2]})
        yield Row("    of a core for the server", "%", {"ours": best[3]})


def _growing(keys: int, rate: int, most: int, seconds: float) -> Iterator[tuple[int, float, float, float]]:
    """Sessions, p50 and p99 of an echo in µs, and how busy the server is in per cent; with more and more sessions."""
    command = quote(f"exec {compiled('chatter')} {rate}")
    with ours("--max-sessions", "20000", "--limit-attaches", "off", "--limit-creations", "off") as (port, pid):
        crowd = subprocess.Popen(
            [compiled("crowd"), str(port), TOKEN, str(keys), command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        try:
            people = 50.0
            while people <= most:
                crowd.stdin.write(f"{people:.0f} {seconds}\n")
                crowd.stdin.flush()
                if crowd.stdout.readline() != "ready\n":
                    return
                used = cpu(pid)
                answer = crowd.stdout.readline().split()
                used = cpu(pid) - used
                if not answer:
                    return
                typed, echoed, p50, p99, _, _ = map(float, answer)
                yield round(people), p50, p99 if echoed >= typed * 0.99 else float("inf"), used / seconds * 100
                people *= STEP
        finally:
            crowd.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                crowd.wait(10)
            crowd.kill()
            crowd.wait()
            crowd.stdout.close()
