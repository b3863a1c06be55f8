"""Output for the terminal model to parse: of kinds that programs write, made here, and of recorded programs."""

from __future__ import annotations

from dataclasses import dataclass

from tests.terminal.recordings import recordings


@dataclass(frozen=True)
class Stream:
    """Bytes for a terminal of a size. `times`: how many times pyte's HistoryScreen's speed the model is to reach."""

    name: str
    data: bytes
    times: float
    cols: int = 80
    rows: int = 24


def made() -> list[Stream]:
    """Lines of several kinds, and pictures."""
    commits = (
        b"\x1b[33mcommit %040x\x1b[m\r\nAuthor: Some One\r\n\r\n    Subject\r\n\x1b[36m@@ -1,3 +1,3 @@\x1b[m\r\n"
        b" \x1b[31m-old line %d\x1b[m\r\n\x1b[32m+\x1b[m\x1b[32mnew line %d\x1b[m\r\n context\r\n"
        % (number, number, number)
        for number in range(6_000)
    )
    entries = (
        b"drwxr-xr-x 2 user user %7d Jan  1 12:00 \x1b[0m\x1b[01;34mdirectory-%d\x1b[0m\r\n" % (number, number)
        for number in range(20_000)
    )
    dots = (f"\x1b[38;2;{n % 256};{n // 7 % 256};{n // 3 % 256}m▄" + "\r\n" * (n % 80 == 79) for n in range(60_000))
    return [
        Stream("plain lines of 70", b"".join(b"%070d\r\n" % number for number in range(60_000)), 100),
        Stream("coloured ls", b"".join(entries), 60),
        Stream("yes", b"y\r\n" * 300_000, 12),
        Stream("short lines", b"".join(b"%d\r\n" % number for number in range(200_000)), 12),
        Stream("git log -p", b"".join(commits), 12),
        Stream("CJK", ("中文字符測試日本語" * 4 + "\r\n").encode() * 8_000, 12),
        Stream("synchronized ticks", b"\x1b[?2026h\x1b[5;10H12:34:56\x1b[?2026l" * 25_000, 12),
        Stream("a 24-bit colour a cell", "".join(dots).encode(), 12),
    ]


def recorded(size: int) -> list[Stream]:
    """What real programs wrote, over and over, up to so many bytes."""
    by_name = {recording.name: recording for recording in recordings()}
    found = []
    for program in ("vim", "htop", "less", "mc", "tmux", "nano", "dialog"):
        recording = next(one for name, one in by_name.items() if name.startswith(program) and not one.resizes)
        data = recording.data * (size // len(recording.data) + 1)
        found.append(Stream(f"{recording.name} (recorded)", data, 12, recording.cols, recording.rows))
    return found
