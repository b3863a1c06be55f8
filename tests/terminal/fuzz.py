"""Random and mutated bytes, sizes and snapshots: nothing raises, and every bound holds.

Run by `scripts/fuzz`, for as many chunks as one likes.
"""

from __future__ import annotations

import argparse
import random
import secrets
from functools import cache

from reconnectingpty.terminal import machine, modes
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.scrollback import BATCH
from reconnectingpty.terminal.snapshot import snapshot

from .mixtures import FEATURES, Stream
from .recordings import Recording, recordings
from .support import fed

_FEATURES = tuple(FEATURES.values())
_LIKELY = (0x1B, 0x9B, 0xC2, 0x3B, 0x30, 0x0A)


@cache
def _recordings() -> list[Recording]:
    return recordings()


def chunk(chance: random.Random) -> bytes:
    """Something a program might send, or nearly so, or not at all."""
    kind = chance.random()
    if kind < 0.5:
        data = Stream(chance.randint(0, 1 << 30)).make(chance.randint(1, 20))
    elif kind < 0.6:
        data = chance.randbytes(chance.randint(1, 200))
    elif kind < 0.8:
        whole = chance.choice(_recordings()).data
        at = chance.randrange(len(whole))
        data = whole[at : at + chance.randint(1, 400)]
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
    scrollback = emulator.normal.scrollback
    assert scrollback is not None
    assert scrollback.weight <= scrollback.most
    assert scrollback.loose <= BATCH
    assert len(emulator.title_stack) <= modes.MAX_TITLES
    assert len(emulator.icon_stack) <= modes.MAX_TITLES
    assert len(emulator.unknown_modes) <= modes.MAX_UNKNOWN
    assert all(len(stack) <= modes.MAX_KEYBOARD_STACK for stack in emulator.keyboard)
    assert len(emulator.colours) <= 259


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
    """So many chunks, from a seed on; print how far it came. Whatever raises names its seed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--chunks", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=secrets.randbits(40), help="by default another each time")
    options = arguments.parse_args()
    seed, chunks = options.seed, 0
    while chunks < options.chunks:
        try:
            chunks += round_of(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        seed += 1
    print(f"{chunks} chunks, seeds {options.seed} to {seed - 1}: nothing raised, every bound held")


if __name__ == "__main__":
    main()
