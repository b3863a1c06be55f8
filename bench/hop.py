"""What a router costs: a key and its echo through HAProxy, beside the same without it, in turns."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from reconnectingpty_server.cluster.haproxy import configuration
from reconnectingpty_server.cluster.router import read

from .clients import Ours
from .measures import RAW, Row, echoes, percentile
from .servers import TOKEN, cpu, free_port, memory, ours

WITHIN = 60
"""µs that the router may add at p50."""
TURN = 250


def hop(quick: bool) -> Iterator[Row]:
    """A key there and back, through the router and straight."""
    rounds = 2 if quick else 20
    with (
        ours("--node", "n", "--max-viewers", "1000") as (port, _),
        _router(port) as (front, worker),
        ExitStack() as stack,
    ):
        straight, routed = (Ours(end, f"n.{end}", token=TOKEN, command=RAW) for end in (port, front))
        for client in (straight, routed):
            client.output()
        times: dict[str, list[float]] = {"ours": [], "straight": []}
        used = 0.0
        for _ in range(rounds):
            times["straight"] += echoes(straight, TURN)
            before = cpu(worker)
            times["ours"] += echoes(routed, TURN)
            used += cpu(worker) - before
        for percent in (50, 99):
            values = {name: percentile(found, percent) * 1e6 for name, found in times.items()}
            row = Row(f"key echo p{percent} by the router", "µs", values)
            if percent == 50:
                row.target, row.met = f"straight + {WITHIN}", values["ours"] - values["straight"] <= WITHIN
            yield row
        yield Row("router CPU for a key and its echo", "µs", {"ours": used / rounds / TURN * 1e6})
        before, count = memory(worker), 100 if quick else 500
        for _ in range(count):
            viewer = Ours(front, routed.session, token=TOKEN)
            stack.callback(viewer.close)
            viewer.greet()
        time.sleep(1)  # what was needed for the upgrade is let go
        yield Row("router memory of an idle terminal", "KiB", {"ours": (memory(worker) - before) / count / 1024})


@contextmanager
def _router(port: int) -> Iterator[tuple[int, int]]:
    """HAProxy before the node `n`: its port, and the pid of the process that works."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        raise RuntimeError("this measure needs HAProxy: apt-get install haproxy")
    front = free_port()
    with ExitStack() as stack:
        file = Path(stack.enter_context(TemporaryDirectory()), "haproxy.cfg")
        file.write_text(configuration(read("", [f"n=127.0.0.1:{port}"], [], bind=[f"127.0.0.1:{front}"], threads=1)))
        master = subprocess.Popen([program, "-W", "-f", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(master.wait)
        stack.callback(master.terminate)
        _until_listening(front, master)
        (worker,) = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()
        yield front, int(worker)


def _until_listening(port: int, master: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + 30
    while time.monotonic() < last and master.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == os.EX_OK:
                return
        time.sleep(0.02)
    raise RuntimeError("HAProxy does not listen")
