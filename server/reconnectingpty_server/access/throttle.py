"""How often one may try: token buckets by address and by name, in bounded memory.

A bucket holds `burst` tries and fills up again in `seconds`. Honest clients that all come back at once stay far below
what attaches and creations may be; what is slowed is guessing, and whoever opens and opens.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections import OrderedDict
from typing import NamedTuple

MAX_KEYS = 16_384
"""Keys with fewer tries than the burst left; beyond, the one that tried longest ago is forgotten."""


class Rate(NamedTuple):
    """So many tries at once, and the same again in so many seconds. `burst` 0: no limit."""

    burst: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """`TRIES/SECONDS` or `off`. Raises ValueError."""
        if text == "off":
            return cls(0, 1.0)
        match = re.fullmatch(r"(\d{1,7})/(\d{1,6})", text)
        if match is None or int(match[1]) < 1 or int(match[2]) < 1:
            raise ValueError("must be TRIES/SECONDS, such as 10/60, or off")
        return cls(int(match[1]), float(match[2]))


class Throttle:
    """The buckets of one kind of try."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tries taken, and when that was

    def wait(self, key: str) -> float:
        """Seconds until `key` may try again; 0.0: now."""
        if not self.rate.burst:
            return 0.0
        return max(0.0, self._now_spent(key) + 1.0 - self.rate.burst) * self.rate.seconds / self.rate.burst

    def take(self, key: str) -> float:
        """Take a try: 0.0, or the seconds to wait where there is none, which takes nothing."""
        wait = self.wait(key)
        if not wait and self.rate.burst:
            self._spent[key] = (self._now_spent(key) + 1.0, time.monotonic())
            self._spent.move_to_end(key)
            if len(self._spent) > MAX_KEYS:
                self._spent.popitem(last=False)
        return wait

    def _now_spent(self, key: str) -> float:
        spent, at = self._spent.get(key, (0.0, 0.0))
        return max(0.0, spent - (time.monotonic() - at) * self.rate.burst / self.rate.seconds)


def bucket_of(peer: str) -> str:
    """What a peer is counted under: its address; of IPv6 the 64 bits that one customer has all addresses of."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
