"""The command `play`: a recording on this terminal, by asciinema where that is installed, else plainly."""

from __future__ import annotations

import argparse
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from reconnectingpty.asciicast import LONGEST, OUTPUT, RESIZE, NotARecording, Recording, size_of
from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.leaving import leaving
from reconnectingpty.terminal.parser import Parser

from ..own_terminal import STDIN, STDOUT, Raw
from ..remote import RemoteError

PAUSE, STEP, QUIT = b" ", b".", (b"q", b"\x03", b"\x04")
_STOPS = (signal.SIGTERM, signal.SIGHUP)
_ANSWERS = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[]P_^X][^\x1b\x07]*(?:\x07|\x1b\\)?|\x1b.?", re.DOTALL)
"""What this terminal says to questions that the recorded program asked, and keys that are no single byte."""
HELP = """\
Plays recordings that `reconnectingpty serve --record` or `reconnectingpty record` has made, or any asciicast of
version 2 or 3, one after the other. Where asciinema is installed, and knows the version, it does that. Otherwise:
space pauses and goes on, `.` shows the next event of a pause, q or ^C ends."""


class Quit(Exception):
    """Whoever looks on has had enough."""


class Stopped(Exception):
    """A signal has told to end; `number` is its."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def add(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("play", help="play a recording", description=HELP, allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="FILE", help="an asciicast; - is standard input")
    parser.add_argument("--speed", type=_positive, default=1.0, metavar="X", help="so many times as fast")
    parser.add_argument("--idle", type=_positive, metavar="SECONDS", help="pauses last no longer than this")
    parser.add_argument("--plain", action="store_true", help="without asciinema")
    parser.set_defaults(run=run)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Play the files."""
    try:
        for path in arguments.files:
            status = None if arguments.plain or path == "-" else _by_asciinema(path, arguments.speed, arguments.idle)
            if status is None:
                _plainly(path, arguments.speed, arguments.idle)
            elif status:
                return status
    except Quit:
        return 130
    except Stopped as stopped:
        return 128 + stopped.number
    except (OSError, UnicodeDecodeError) as error:
        raise RemoteError(f"cannot play {path}: {getattr(error, 'strerror', None) or error}") from None
    except NotARecording as error:
        raise RemoteError(f"cannot play {path}: {error}") from None
    return 0


def _by_asciinema(path: str, speed: float, idle: float | None) -> int | None:
    """Its exit status; None where there is none that plays this."""
    program = shutil.which("asciinema")
    if program is None:
        return None
    with open(path, encoding="utf-8", errors="replace") as file:
        version = Recording(file).version
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    match = re.search(r"\d+", told)
    if match is None or int(match[0]) < version:  # asciinema 2 plays version 2, asciinema 3 both
        return None
    flags = ["--speed", f"{speed:g}", *([] if idle is None else ["--idle-time-limit", f"{idle:g}"])]
    return subprocess.run([program, "play", *flags, "--", path], check=False).returncode  # noqa: S603


def _plainly(path: str, speed: float, idle: float | None) -> None:
    with open(STDIN if path == "-" else path, encoding="utf-8", errors="replace", closefd=path != "-") as file:
        recording = Recording(file)
        keys = os.isatty(STDIN) and path != "-"
        parser = Parser(Emulator(recording.size.cols, recording.size.rows, 0))
        with _stoppable(), Raw() if keys else nullcontext():
            try:
                _show(recording, parser, _Clock(speed, idle or recording.idle_limit, keys=keys))
            finally:
                if os.isatty(STDOUT):
                    with suppress(OSError):  # the terminal may be what has gone
                        _write(leaving(parser))


@contextmanager
def _stoppable() -> Iterator[None]:
    """Signals that end a program raise Stopped instead, once, so that the terminal is put back."""
    before = {number: signal.getsignal(number) for number in _STOPS}
    heeded = [number for number in _STOPS if before[number] != signal.SIG_IGN]

    def stop(number: int, _: object) -> None:
        for other in heeded:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    try:
        for number in heeded:
            signal.signal(number, stop)
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _show(recording: Recording, parser: Parser, clock: _Clock) -> None:
    for event in recording:
        clock.wait(event.after)
        if event.code == OUTPUT:
            data = event.text.encode("utf-8", "replace")
            parser.feed(data)  # first: whatever is written has to be undone, also where a signal comes in between
            _write(data)
        elif event.code == RESIZE and (size := size_of(event)) is not None:
            parser.emulator.resize(size.rows, size.cols)


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


class _Clock:
    """When the next event is due; keys may stop it. Lost time is made up for, so that long recordings don't drift."""

    def __init__(self, speed: float, idle: float | None, *, keys: bool) -> None:
        self._speed = speed
        self._idle = idle
        self._keys = keys
        self._due = time.monotonic()
        self._typed = b""
        self._left: float | None = None  # seconds to the next event, while paused

    def wait(self, seconds: float) -> None:
        """Return when so much more of the recording's time is over. Raises Quit."""
        seconds = min(min(seconds, self._idle if self._idle is not None else seconds) / self._speed, LONGEST)
        if self._left is not None:
            self._left = seconds
        self._due += seconds
        while True:
            # Asked at least once, also where all is shown at once: no key is lost.
            key = self._key(None if self._left is not None else max(self._due - time.monotonic(), 0.0))
            now = time.monotonic()
            if self._left is None:
                if key == PAUSE:
                    self._left = max(self._due - now, 0.0)
                elif not key and now >= self._due:
                    return
            elif key == STEP:
                return
            elif key == PAUSE:
                self._due, self._left = now + self._left, None

    def _key(self, seconds: float | None) -> bytes:
        """Wait for a key for so long. Raises Quit."""
        if not self._keys:
            time.sleep(seconds or 0.0)
            return b""
        if not self._typed and select.select([STDIN], [], [], seconds)[0]:
            typed = os.read(STDIN, 4096)
            if not typed:
                raise Quit
            self._typed = _ANSWERS.sub(b"", typed)
        key, self._typed = self._typed[:1], self._typed[1:]
        if key in QUIT:
            raise Quit
        return key
