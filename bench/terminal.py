"""How fast the terminal model parses, skips, draws and takes another size, beside pyte's own screens, and its memory.

CPU time of this thread, best of a few rounds: on a machine that does other things meanwhile, too.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pyte

from reconnectingpty.output_log import OutputLog
from reconnectingpty.size import Size
from reconnectingpty.terminal.catchup import TerminalModel
from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.snapshot import snapshot

from .measures import Row, percentile
from .terminal_streams import Stream, made, recorded

CHUNK = 4096
SIZE = Size(24, 80)
LOG = 1 << 20
SLICE = 0.004
"""Seconds that a session gives its model at a time."""
clock = time.thread_time


def _rate(feed: Callable[[bytes], None], data: bytes) -> float:
    """MB a second."""
    began = clock()
    for at in range(0, len(data), CHUNK):
        feed(data[at : at + CHUNK])
    return len(data) / (clock() - began) / 1e6


def _pyte_rate(screen: type[pyte.Screen], stream: Stream, size: int) -> float | None:
    """The same for one of pyte's screens, over the first bytes; None where it raises."""
    feed = pyte.ByteStream(screen(stream.cols, stream.rows)).feed
    try:
        return _rate(feed, stream.data[:size])
    except Exception:  # noqa: BLE001 - whatever pyte raises, it did not survive
        return None


def parsing(quick: bool) -> Iterator[Row]:
    """MB a second of output."""
    speeds = {}
    for stream in [*made(), *recorded(300_000 if quick else 1_500_000)]:
        ours = max(
            _rate(Parser(Emulator(stream.cols, stream.rows)).feed, stream.data) for _ in range(1 if quick else 3)
        )
        speeds[stream.name] = ours
        row = Row(f"parse {stream.name}", "MB/s", {"ours": ours})
        size = 60_000 if quick else 300_000
        for name, screen in (("Screen", pyte.Screen), ("HistoryScreen", pyte.HistoryScreen)):
            value = _pyte_rate(screen, stream, size)
            if value is not None:
                row.values[name] = value
        if "HistoryScreen" in row.values:
            times = ours / row.values["HistoryScreen"]
            row.target = f">= {stream.times:.0f} x pyte's HistoryScreen: {times:.0f} x"
            row.met = times >= stream.times
        else:
            row.target = "pyte raises"
        if stream.name.startswith("vim"):
            row.met = ours >= 8 and speeds["plain lines of 70"] >= 50
            row.target += "; >= 8 MB/s where plain lines reach 50"
        yield row


def _model() -> tuple[OutputLog, TerminalModel]:
    log = OutputLog(LOG, SIZE)
    return log, TerminalModel(log, SIZE, clock=time.perf_counter)


def _advance(model: TerminalModel, lag: int, holds: list[float]) -> bool:
    began = clock()
    done = model.advance(SLICE, lag)
    holds.append((clock() - began) * 1000)
    return done


def skipping(quick: bool) -> Iterator[Row]:
    """Floods that nobody watches, through a model that falls behind as far as a session lets it."""
    wanted = (10 if quick else 100) * 1_000_000
    streams = {stream.name: stream.data for stream in made()}
    for name, least in (("plain lines of 70", 200), ("yes", 200), ("coloured ls", 60)):
        data, behind, holds = streams[name], LOG * 3 // 4, []
        log, model = _model()
        done, began = 0, clock()
        while done < wanted:
            for at in range(0, len(data), 1 << 17):
                log.append(data[at : at + (1 << 17)])
                done += min(1 << 17, len(data) - at)
                while model.lag > behind:
                    _advance(model, behind, holds)
        speed = done / (clock() - began) / 1e6
        yield Row(f"skip a flood of {name}", "MB/s", {"ours": speed}, f">= {least}", speed >= least)
        began = clock()
        while not _advance(model, 0, holds):
            pass
        left = (clock() - began) * 1000
        plain = name.startswith("plain")
        yield Row(f"lag after {name}", "ms", {"ours": left}, "< 50" if plain else "", left < 50 if plain else None)
        yield _held(f"loop held at a time, {name}", holds)


def _held(name: str, holds: list[float]) -> Row:
    p99 = percentile(holds, 99)
    return Row(f"{name}, p99", "ms", {"ours": p99, "max": max(holds)}, f"<= 5 (max {max(holds):.1f})", p99 <= 5)


def drawing(quick: bool) -> Iterator[Row]:
    """Pictures of a screen with 1,000 lines above it, and with as many as there are by default."""
    for stream in made():
        if stream.name in ("plain lines of 70", "coloured ls", "git log -p", "CJK"):
            parser = Parser(Emulator(SIZE.cols, SIZE.rows))
            parser.feed(stream.data)
            for lines, target in ((1000, 15), (5000, 0)):
                times = []
                for _ in range(3 if quick else 20):
                    began = clock()
                    snapshot(parser, lines)
                    times.append((clock() - began) * 1000)
                row = Row(f"picture of {lines:,} lines, {stream.name}", "ms", {"ours": statistics.median(times)})
                if target:
                    row.target, row.met = f"< {target}", row.values["ours"] < target
                yield row


def resizing(quick: bool) -> Iterator[Row]:
    """Wrapping 5,000 lines anew."""
    words = (
        b"\x1b[32m%05d\x1b[m some words that go on until the line has come to the edge and then go on a little more\r\n"
    )
    kinds = {
        "plain": b"".join(b"%070d\r\n" % number for number in range(6_000)),
        "wrapped, coloured": b"".join(words % number for number in range(6_000)),
        "CJK": ("中文字符測試日本語" * 4 + "\r\n").encode() * 6_000,
        "one long line": b"x" * 500_000 + b"\r\n",
    }
    for name, data in kinds.items():
        log, model = _model()
        holds: list[float] = []
        for at in range(0, len(data), CHUNK):
            log.append(data[at : at + CHUNK])
            while not model.advance(SLICE):
                pass
        times = []
        for cols in (60, 80, 120, 80) * (1 if quick else 5):
            log.resize(Size(24, cols))
            began = len(holds)
            while not _advance(model, 0, holds):
                pass
            times.append(sum(holds[began:]))
        yield _held(f"loop held by a change of size, {name}", holds)
        yield Row(f"change of size, 5,000 lines, {name}", "ms", {"ours": statistics.median(times)})


def weighing(quick: bool) -> Iterator[Row]:
    """What a model's 5,000 lines weigh, and an idle one's none."""
    streams = {stream.name: stream.data for stream in made()}
    for name in ("plain lines of 70", "coloured ls", "CJK"):
        value = _weight(lambda name=name: streams[name]) / (1 << 20)
        yield Row(f"memory of 5,000 lines, {name}", "MiB", {"ours": value}, "< 1.5", value < 1.5)
    value = _weight(lambda: b"") / 1024
    yield Row("memory of a fresh model", "KiB", {"ours": value}, "< 30", value < 30)


def _weight(data: Callable[[], bytes]) -> int:
    def make() -> Parser:
        parser, whole = Parser(Emulator(SIZE.cols, SIZE.rows)), data()
        for at in range(0, len(whole), CHUNK):
            parser.feed(whole[at : at + CHUNK])
        return parser

    kept = [make()]
    tracemalloc.start()
    kept.append(make())
    weight = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return weight


def terminal(quick: bool) -> Iterator[Row]:
    """All of it."""
    for measure in (parsing, skipping, drawing, resizing, weighing):
        # What the measures before have left is not the next one's to collect.
        gc.collect()
        gc.freeze()
        yield from measure(quick)
