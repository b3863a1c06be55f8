"""The servers under measurement, each a process of its own on loopback, ended by whoever started it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
TOKEN = "a-token-of-the-bench"

TERMINADO = """
import asyncio, sys, tornado.web, terminado
async def main():
    manager = terminado.UniqueTermManager(shell_command=["/bin/sh", "-c", sys.argv[2]])
    app = tornado.web.Application([(r"/ws", terminado.TermSocket, {"term_manager": manager})])
    app.listen(int(sys.argv[1]), "127.0.0.1")
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process and the first line that it prints."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def ours(*flags: str) -> Iterator[tuple[int, int]]:
    """This server: its port and pid."""
    base = [sys.executable, "-m", "reconnectingpty_server", "serve", "--listen", "127.0.0.1:0", "--token", TOKEN]
    with _process([*base, "--allow-command", "--max-sessions", "5000", "--backend", "buffered", *flags]) as (
        process,
        link,
    ):
        port = re.search(r":(\d+)/", link)
        if port is None:
            raise RuntimeError(f"the server printed no link: {link!r}")
        yield int(port[1]), process.pid


@contextmanager
def pump(command: str) -> Iterator[int]:
    """The pump with a command: its port."""
    port = free_port()
    with _process([compiled("pump"), str(port), command]):
        yield port


@contextmanager
def terminado(command: str) -> Iterator[int]:
    """Terminado with a command: its port."""
    port = free_port()
    with _process([sys.executable, "-c", TERMINADO, str(port), command]):
        yield port


_folder = tempfile.TemporaryDirectory()


def compiled(name: str) -> str:
    """A program of this folder, compiled once a run."""
    program = os.path.join(_folder.name, name)
    if not os.path.exists(program):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise RuntimeError("the bench needs a C compiler: apt-get install gcc libc6-dev")
        source = str(HERE / f"{name}.c")
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", program, source, "-lutil", "-lm"], check=True)
    return program


def memory(pid: int) -> int:
    """Bytes of memory that are a process's own (anonymous, resident)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Anonymous:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
