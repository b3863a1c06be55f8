"""Real programs for the tunnel's tests: autossh, a scripted stand-in for ssh, and our own command."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

GUARD = 45.0
"""Seconds: far more than anything here takes, for a machine that is busy with other things."""
PYAUTOSSH = (sys.executable, "-m", "reconnectingpty.tunnel.cli")


def needed(path: str, package: str) -> str:
    """The program at `path`, or on PATH; its absence fails the test."""
    found = shutil.which(path)
    assert found, f"{path} is missing; install it with: apt-get install -y {package}"
    return found


def autossh() -> str:
    """autossh itself, below Debian's wrapper."""
    return needed("/usr/lib/autossh/autossh", "autossh")


def wrapper() -> str:
    """Debian's wrapper, which chooses a port."""
    autossh()
    return needed("/usr/bin/autossh", "autossh")


def by_another_name(path: Path) -> Path:
    """Our command under the name that this path has. By a shell, since a first line `#!` knows no blanks."""
    path.write_text(
        "#!/bin/sh\n"
        f"'''exec' {shlex.quote(PYAUTOSSH[0])} \"$0\" \"$@\"\n"
        "' '''\n"
        "from reconnectingpty.tunnel.cli import main\n"
        "raise SystemExit(main())\n"
    )
    path.chmod(0o755)
    return path


class StandIn:
    """A program to be taken for ssh: it tells this test of each start and its arguments, then does what `act` says.

    `act` is a shell script, in which $N is the number of the start, from 1.
    """

    def __init__(self, folder: Path, act: str = "exit 0") -> None:
        self.path = str(folder / "ssh")
        self.pidfile = str(folder / "pid")
        self.logfile = str(folder / "log")
        self._folder = folder
        fifo = folder / "starts"
        os.mkfifo(fifo)
        self._fifo = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self._read = b""
        self.act(act)
        Path(self.path).write_text(
            f"#!/bin/sh\n"
            f"echo >> {folder}/count\n"
            f"N=$(wc -l < {folder}/count)\n"
            f"printf '%s\\0' $# $$ \"$@\" > {fifo}\n"
            f". {folder}/act\n"
        )
        Path(self.path).chmod(0o755)

    def act(self, script: str) -> None:
        """What it does from now on."""
        (self._folder / "act").write_text(script + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fifo)

    @property
    def starts(self) -> int:
        """How often it was started so far."""
        count = self._folder / "count"
        return len(count.read_text()) if count.exists() else 0

    def started(self, within: float = GUARD) -> tuple[int, list[str]] | None:
        """The next start: its pid and arguments; None when there is none within that time (seconds)."""
        last = time.monotonic() + within
        while True:
            parts = self._read.split(b"\0")
            if len(parts) > 1 and len(parts) > int(parts[0]) + 2:
                count = int(parts[0])
                self._read = b"\0".join(parts[count + 2 :])
                return int(parts[1]), [os.fsdecode(part) for part in parts[2 : count + 2]]
            if not select.select([self._fifo], [], [], max(0.0, last - time.monotonic()))[0]:
                return None
            self._read += os.read(self._fifo, 65536)

    def must_start(self) -> tuple[int, list[str]]:
        """The next start, which must come."""
        start = self.started()
        assert start is not None, "it was not started"
        return start


def environment(stand_in: StandIn | None = None, **variables: str) -> dict[str, str]:
    """An environment without autossh's own variables but these."""
    clean = {name: value for name, value in os.environ.items() if "AUTOSSH" not in name}
    if stand_in is not None:
        clean["AUTOSSH_PATH"] = stand_in.path
    return clean | variables


class Run:
    """A running command, and what it wrote."""

    def __init__(
        self,
        argv: Sequence[str],
        variables: Mapping[str, str],
        *,
        name: str | None = None,
        stderr: int = subprocess.PIPE,
    ) -> None:
        self.process = subprocess.Popen(
            [name, *argv[1:]] if name else argv,
            executable=argv[0] if name else None,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def end(self) -> tuple[int, str, str]:
        """Its exit status, stdout and stderr, when it has ended."""
        out, err = self.process.communicate(timeout=GUARD)
        return self.process.returncode, os.fsdecode(out), os.fsdecode(err or b"")

    def send(self, number: signal.Signals) -> None:
        """Signal it."""
        self.process.send_signal(number)


@contextmanager
def running(argv: Sequence[str], variables: Mapping[str, str], *, stderr: int = subprocess.PIPE) -> Iterator[Run]:
    """A command that is ended, by TERM and at last by KILL, when this is left."""
    run = Run(argv, variables, stderr=stderr)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
            try:
                run.process.communicate(timeout=15)
            except subprocess.TimeoutExpired:
                run.process.kill()
        with suppress(ValueError):
            run.process.communicate()


def finished(argv: Sequence[str], variables: Mapping[str, str]) -> tuple[int, str, str]:
    """Run a command to its end."""
    with running(argv, variables) as run:
        return run.end()


def first_line(text: str) -> str:
    """The first line, without what differs between any two programs: their paths and pids."""
    line = text.partition("\n")[0]
    head, colon, rest = line.partition(": ")
    if not colon:
        return line
    return f"{os.path.basename(head.partition('[')[0])}: {rest}"


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def until(held: object, what: str) -> None:
    """Wait until a function of no arguments says yes; for what no event tells."""
    assert callable(held)
    last = time.monotonic() + GUARD
    while not held():
        assert time.monotonic() < last, f"never: {what}"
        time.sleep(0.02)
