"""Random and mutated bytes, sizes and snapshots: nothing raises, and every bound holds.

Run by `python -m tests.terminal.fuzz`, for as long as one likes.
"""

from __future__ import annotations

import argparse
import random
import time

from reconnectingpty.terminal import machine
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.snapshot import snapshot

from .mixtures import FEATURES, Stream
from .support import fed

_FEATURES = tuple(FEATURES.values())
_LIKELY = (0x1B, 0x9B, 0xC2, 0x3B, 0x30, 0x0A)


def chunk(chance: random.Random) -> bytes:
    """Something a program might send, or nearly so, or not at all."""
    kind = chance.random()
    if kind < 0.5:
        data = Stream(chance.randint(0, 1 << 30)).make(chance.randint(1, 20))
    elif kind < 0.7:
        data = chance.randbytes(chance.randint(1, 200))
    else:
        data = chance.choice(_FEATURES)
    if kind < 0.4:
        return data
    changed = bytearray(data)
    for _ in range(chance.randint(0, 5)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.choice((*_LIKELY, chance.randint(0, 255)))
    return bytes(changed[chance.randint(0, 3) :])


def check(parser: Parser) -> None:
    """What always holds."""
    emulator = parser.emulator
    assert len(emulator.grid) == emulator.lines
    assert 0 <= emulator.y < emulator.lines
    assert emulator.x >= 0
    assert emulator.normal.base <= emulator.scrollback_limit
    assert len(parser.pending) < 2 * machine.MAX_STRING


def round_of(seed: int) -> int:
    """One terminal's life; how many chunks it took."""
    chance = random.Random(seed)
    columns, rows = chance.choice((1, 2, 5, 20, 80)), chance.choice((1, 2, 6, 24))
    parser = fed(columns=columns, rows=rows, scrollback=chance.choice((0, 3, 100)))
    count = chance.randint(1, 40)
    for _ in range(count):
        parser.feed(chunk(chance))
        if chance.random() < 0.15:
            parser.emulator.resize(chance.randint(1, 30), chance.randint(1, 100))
        if chance.random() < 0.1:
            snapshot(parser)
        check(parser)
    return count


def main() -> None:
    """Go on for a while, from a seed on; print how far it came. Whatever raises names its seed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    until, seed, chunks = time.monotonic() + options.seconds, options.seed, 0
    while time.monotonic() < until:
        try:
            chunks += round_of(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        seed += 1
    print(f"{chunks} chunks, seeds {options.seed} to {seed - 1}")


if __name__ == "__main__":
    main()
