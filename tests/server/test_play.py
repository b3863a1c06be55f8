"""`serve --record` and `play`, as a person uses them."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from ..support.serving import Told, serving

PROGRAM = [sys.executable, "-m", "reconnectingpty_server"]
CAST = """{"version": 3, "term": {"cols": 80, "rows": 24}}
[0.01, "o", "one\\r\\n"]
[0.02, "r", "90x30"]
[%s, "o", "\\u001b[?1000h\\u001b[?25ltwo €\\r\\n"]
[0.01, "x", "3"]
"""


def play(*arguments: str | Path, path: str = "/nonexistent", stdin: bytes | None = None) -> tuple[int, str, str]:
    """Its exit status, output and errors, with programs found there alone."""
    environment = os.environ | {"PATH": path, "LANG": "C.UTF-8"}
    done = subprocess.run(
        [*PROGRAM, "play", *map(str, arguments)], env=environment, input=stdin, capture_output=True, timeout=60
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def cast(tmp_path: Path, pause: float = 0.01) -> Path:
    """A recording with such a pause in it."""
    path = tmp_path / "some.cast"
    path.write_text(CAST % pause)
    return path


async def test_a_server_records_what_it_is_told_to_and_says_so(tmp_path: Path) -> None:
    async with (
        serving(record=str(tmp_path / "casts"), record_input="true") as server,
        server.connect("reconnect=work&width=80&height=24&command=read+x;+exit+4") as socket,
    ):
        told = Told(socket)
        await told.until_told("hello")
        (session,) = (await server.json("/api/sessions"))["sessions"]
        assert session["recorded"] is True
        await socket.send(b"typed\n")
        await told.to_the_end()
    (path,) = (tmp_path / "casts").glob("work-*.cast")
    status, out, err = await asyncio.to_thread(play, path)
    assert (status, out, err) == (0, "typed\r\n", "")
    assert '"i", "typed\\n"' in path.read_text()
    assert path.read_text().splitlines()[-1].endswith('"x", "4"]')


def test_it_plays_files_and_standard_input_as_fast_as_it_is_told_to(tmp_path: Path) -> None:
    path = cast(tmp_path, 3600)
    shown = "one\r\n\x1b[?1000h\x1b[?25ltwo €\r\n"
    assert play("--speed", "1e5", path) == (0, shown, "")
    assert play("--idle", "0.1", path, path) == (0, shown * 2, "")
    assert play("--idle", "0.1", "-", stdin=path.read_bytes()) == (0, shown, "")


def test_what_can_not_be_played_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    assert play(tmp_path / "text") == (
        1,
        "",
        f"reconnectingpty: cannot play {tmp_path}/text: this is no asciicast of version 2 or 3\n",
    )
    assert play(tmp_path / "none")[::2] == (
        1,
        f"reconnectingpty: cannot play {tmp_path}/none: No such file or directory\n",
    )
    status, _, err = play("--speed", "0", tmp_path / "text")
    assert (status, "must be a number above 0" in err) == (2, True)


def test_it_hands_over_to_an_asciinema_that_knows_the_version(tmp_path: Path) -> None:
    path = cast(tmp_path)
    program = tmp_path / "asciinema"
    for version, used in (("asciinema 2.4.0", False), ("asciinema 3.0.1", True)):
        program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{version}" && exit\necho "$@"; exit 5\n')
        program.chmod(0o755)
        status, out, _ = play("--speed", "2", "--idle", "0.5", path, path=str(tmp_path))
        assert (status, out.startswith("play --speed 2 --idle-time-limit 0.5 -- ")) == (
            (5, True) if used else (0, False)
        )
        assert play("--plain", path, path=str(tmp_path))[0] == 0


class Player:
    """A recording that is played on a terminal."""

    def __init__(self, path: Path) -> None:
        self.leader, self.follower = pty.openpty()
        self.before = termios.tcgetattr(self.follower)
        self.process = subprocess.Popen(
            [*PROGRAM, "play", "--plain", path], stdin=self.follower, stdout=self.follower, stderr=self.follower
        )
        self.seen = b""

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.leader)
        os.close(self.follower)

    def until(self, text: bytes) -> None:
        """Wait until that is shown."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            assert select.select([self.leader], [], [], deadline - time.monotonic())[0], self.seen
            self.seen += os.read(self.leader, 4096)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.leader, keys)

    def ended(self, status: int) -> None:
        """It ends with that status, and the terminal is as it was."""
        self.until(b"\x1b[?1000l\x1b[?25h")
        assert self.process.wait(30) == status
        assert termios.tcgetattr(self.follower) == self.before


def test_keys_pause_step_and_end_it_and_the_terminal_is_put_back(tmp_path: Path) -> None:
    path = cast(tmp_path, 3600)
    # However late the first key comes, there is more to come after the steps.
    path.write_text(path.read_text().replace('[0.01, "x"', '[3600, "o", "three"]\n[0.01, "x"'))
    with Player(path) as player:
        player.until(b"one")
        player.type(b" ..")
        player.until("two €".encode())
        player.type(b"\x1b[?1;2c")  # as this terminal answers
        player.type(b"q")
        player.ended(130)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_the_terminal_is_put_back(tmp_path: Path, number: signal.Signals) -> None:
    path = cast(tmp_path)
    path.write_text(path.read_text().replace('[0.01, "x"', '[3600, "o", "three"]\n[0.01, "x"'))
    with Player(path) as player:
        player.until("two €".encode())
        player.process.send_signal(number)
        player.ended(128 + number)
