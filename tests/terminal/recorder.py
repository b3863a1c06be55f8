"""Drives real programs with keys and records what they write: `scripts/record-streams [NAME ...]`.

Each runs in a process namespace of its own, on a host called "example", in a folder made for it that it sees as /srv,
so that a recording shows nothing of the machine it was made on. What a program asks of its terminal is answered by the
model. A key is sent once the program has been quiet for a moment.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.parser import Parser

from .programs import PROGRAMS, Program
from .recordings import Recording
from .workspace import furnish

QUIET = 0.15
"""Seconds without output after which a program is taken to wait for a key."""
PATIENCE = 3.0
"""Seconds after which the next key is sent to a program that is never quiet."""


class Recorder:
    """One program on a PTY."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self.data = bytearray()
        self.resizes: list[tuple[int, int, int]] = []
        self.marks: list[int] = []
        self.parser = Parser(Emulator(program.cols, program.rows))
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.execvpe("unshare", self._arguments(folder), self._environment())
        self.parser.emulator.on_query = self._answer
        self._set_size(program.cols, program.rows)

    def _arguments(self, folder: Path) -> list[str]:
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        place = f"hostname example; mount --bind {shlex.quote(str(folder))} /srv; cd /srv"
        script = f"{place}; read -r go; exec {self.program.command}"
        return ["unshare", *user, "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "sh", "-c", script]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/srv/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": "/srv",
            "USER": "user",
            "SHELL": "/bin/bash",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HISTFILE": "",
            "PS1": "\\[\\e[1;32m\\]\\u@\\h\\[\\e[m\\]:\\[\\e[1;34m\\]\\w\\[\\e[m\\]\\$ ",
            **self.program.environment,
        }

    def _answer(self, answer: bytes) -> None:
        os.write(self.terminal, answer)

    def _set_size(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def _read(self, quiet: float) -> bool:
        """Take what there is until there is nothing more for a while; False at the end of the program."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not select.select([self.terminal], [], [], quiet)[0]:
                return True
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                return False
            self.data += data
            self.parser.feed(data)
        return True

    def run(self) -> Recording:
        """Send all keys; the program is ended where it does not end by itself."""
        program = self.program
        # Everything up to here is the shell that set things up.
        os.write(self.terminal, b"\n")
        while b"\n" not in self.data:
            self._read(0.01)
        del self.data[: self.data.index(b"\n") + 1]
        self.parser = Parser(Emulator(program.cols, program.rows))
        self.parser.emulator.on_query = self._answer
        self.parser.feed(bytes(self.data))
        alive = self._read(QUIET * 4)
        for key in program.keys:
            if not alive:
                break
            self.marks.append(len(self.data))
            if isinstance(key, str):
                os.write(self.terminal, key.encode())
            else:
                self.resizes.append((len(self.data), *key))
                self.parser.emulator.resize(key[1], key[0])
                self._set_size(*key)
            alive = self._read(program.quiet or QUIET)
        self.marks.append(len(self.data))
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return Recording(
            program.name, program.command, program.cols, program.rows,
            tuple(self.resizes), tuple(dict.fromkeys(self.marks)), bytes(self.data),
        )  # fmt: skip


def main() -> None:
    """Record the programs named, or all; print what their screens show in the end."""
    arguments = argparse.ArgumentParser("scripts/record-streams", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", help="recordings to make, by default all")
    arguments.add_argument("--show", action="store_true", help="print the last screen of each")
    options = arguments.parse_args()
    programs = [program for program in PROGRAMS if not options.names or program.name in options.names]
    missing = {program.package for program in programs if shutil.which(program.package_has) is None}
    if missing:
        sys.exit(f"programs to be recorded are missing: apt-get install {' '.join(sorted(missing))}")
    for program in programs:
        with tempfile.TemporaryDirectory() as folder:
            furnish(Path(folder))
            recorder = Recorder(program, Path(folder))
            recording = recorder.run()
            recording.save()
        print(f"{program.name}: {len(recording.data)} bytes, {len(recording.marks)} marks", flush=True)
        if options.show:
            print("\n".join("    " + row.rstrip() for row in recorder.parser.emulator.display))


if __name__ == "__main__":
    main()
