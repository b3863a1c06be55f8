# ruff: noqa: E501 - recorded lines
"""How fast the model parses, skips and draws, beside pyte's own screens: `python -m tests.terminal.speed`.

No test: it prints a table, and says nothing about how long anything may take. CPU time, best of a few rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import pyte

from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size
from reconnectingpty.terminal.catchup import TerminalModel
from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.snapshot import snapshot

CHUNK = 4096
SIZE = Size(24, 80)


def _full_screen(frames: int) -> bytes:
    """Frames as a process viewer draws them: positioned, coloured, with bars."""
    parts = []
    for frame in range(frames):
        parts.append("\x1b[H")
        for row in range(1, 25):
            parts.append(f"\x1b[{row};1H\x1b[36m{row * 37 + frame:5d}\x1b[39;49m user \x1b[32m{'|' * (row + frame % 20)}"
                         f"\x1b[{40 + row % 8}m\x1b[K\x1b[{row};60H\x1b[1m{frame % 100:3d}.{row}%\x1b[m /usr/bin/program")  # fmt: skip
    return "".join(parts).encode()


def _editor(frames: int) -> bytes:
    """An editor's screens: syntax colours in 256 colours, line numbers, a status line, insertions and deletions."""
    parts = []
    for frame in range(frames):
        parts.append("\x1b[?25l\x1b[1;23r\x1b[23;1H\r\n\x1b[r" if frame % 3 else "\x1b[H\x1b[2J")
        for row in range(1, 24):
            parts.append(f"\x1b[{row};1H\x1b[38;5;130m{row + frame:3d} \x1b[m\x1b[38;5;121mdef\x1b[m \x1b[38;5;81mname_{row}\x1b[m"
                         f"(\x1b[38;5;224mself\x1b[m): \x1b[38;5;13m# comment {frame}\x1b[m\x1b[K")  # fmt: skip
        parts.append(f"\x1b[24;1H\x1b[7m-- INSERT --\x1b[m\x1b[K\x1b[24;70H{frame},1\x1b[{frame % 23 + 1};9H\x1b[?25h")
    return "".join(parts).encode()


STREAMS: dict[str, bytes] = {
    "plain lines of 70": b"".join(b"%070d\r\n" % number for number in range(60_000)),
    "yes": b"y\r\n" * 300_000,
    "seq": b"".join(b"%d\r\n" % number for number in range(200_000)),
    "ls --color": b"".join(
        b"drwxr-xr-x 2 user user %7d Jan  1 12:00 \x1b[0m\x1b[01;34mdirectory-%d\x1b[0m\r\n" % (number, number) for number in range(20_000)
    ),
    "git log -p": b"".join(
        b"\x1b[33mcommit %040x\x1b[m\r\nAuthor: Some One\r\n\r\n    Subject\r\n\x1b[36m@@ -1,3 +1,3 @@\x1b[m\r\n \x1b[31m-old line %d\x1b[m\r\n"
        b"\x1b[32m+\x1b[m\x1b[32mnew line %d\x1b[m\r\n context\r\n" % (number, number, number) for number in range(6_000)
    ),
    "full screen": _full_screen(400),
    "editor": _editor(500),
    "CJK": ("中文字符測試日本語" * 4 + "\r\n").encode() * 8_000,
    "24-bit colour": "".join(f"\x1b[38;2;{n % 256};{n // 7 % 256};{n // 3 % 256}m▄" + "\r\n" * (n % 80 == 79) for n in range(60_000)).encode(),
    "synchronized ticks": b"\x1b[?2026h\x1b[5;10H12:34:56\x1b[?2026l" * 25_000,
}  # fmt: skip


def rate(feed: Callable[[bytes], None], data: bytes) -> float:
    """MB a second of CPU time."""
    began = time.process_time()
    for at in range(0, len(data), CHUNK):
        feed(data[at : at + CHUNK])
    return len(data) / (time.process_time() - began) / 1e6


def pyte_rate(screen: type[pyte.Screen], data: bytes) -> float | None:
    """The same for one of pyte's screens, over the first part; None where it raises."""
    stream = pyte.ByteStream(screen(SIZE.cols, SIZE.rows))
    try:
        return rate(stream.feed, data[:300_000])
    except Exception:  # noqa: BLE001 - whatever pyte raises, it did not survive
        return None


def parsing(rounds: int) -> None:
    """The table of parsing rates."""
    print(f"{'MB/s':22}{'Screen':>9}{'History':>9}{'ours':>9}{'x Screen':>10}{'x History':>10}")
    for name, data in STREAMS.items():
        screen, history = pyte_rate(pyte.Screen, data), pyte_rate(pyte.HistoryScreen, data)
        ours = max(rate(Parser(Emulator(SIZE.cols, SIZE.rows)).feed, data) for _ in range(rounds))
        cells = [f"{value:9.2f}" if value else "   raises" for value in (screen, history)]
        ratios = [f"{ours / value:10.0f}" if value else f"{'-':>10}" for value in (screen, history)]
        print(f"{name:22}{cells[0]}{cells[1]}{ours:9.1f}{ratios[0]}{ratios[1]}")


def skipping() -> None:
    """Floods through a model that is let fall behind, as when the output goes to nobody."""
    print(f"\n{'flood of 60 MB':22}{'MB/s':>9}{'longest hold, ms':>18}{'left to do at its end, ms':>27}")
    for name in ("plain lines of 70", "yes", "ls --color"):
        data = STREAMS[name]
        log = OutputLog(1 << 20, SIZE)
        model = TerminalModel(log, SIZE, clock=time.perf_counter)
        done, hold, began = 0, 0.0, time.process_time()
        behind = log.limit * 3 // 4
        while done < 60_000_000:
            for at in range(0, len(data), 1 << 17):
                log.append(data[at : at + (1 << 17)])
                done += min(1 << 17, len(data) - at)
                while model.lag > behind:
                    before = time.perf_counter()
                    model.advance(0.004, behind)
                    hold = max(hold, time.perf_counter() - before)
        took = time.process_time() - began
        before = time.perf_counter()
        while not model.advance(0.004):
            pass
        print(f"{name:22}{done / took / 1e6:9.0f}{hold * 1e3:18.1f}{(time.perf_counter() - before) * 1e3:27.1f}")


def drawing() -> None:
    """Snapshots of a screen with 1,000 lines above it."""
    print(f"\n{'snapshot, 1,000 lines':22}{'ms':>9}{'bytes':>12}")
    for name in ("plain lines of 70", "ls --color", "CJK"):
        parser = Parser(Emulator(SIZE.cols, SIZE.rows, 1000))
        parser.feed(STREAMS[name])
        best, size = 1.0, 0
        for _ in range(3):
            before = time.perf_counter()
            size = len(snapshot(parser))
            best = min(best, time.perf_counter() - before)
        print(f"{name:22}{best * 1e3:9.1f}{size:12,}")


def main() -> None:
    """Print all tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3, help="rounds of which the best counts")
    parsing(arguments.parse_args().rounds)
    skipping()
    drawing()


if __name__ == "__main__":
    main()
