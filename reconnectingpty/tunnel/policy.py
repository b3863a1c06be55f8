"""What to do when ssh has ended, and how long to wait before the next try. Pure: no clock, no I/O.

The strict half is autossh 1.4g's, compared with it by tests; the other half differs where that hurts people.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum, StrEnum

QUICK_TRIES = 5
"""How many quick failures in a row autossh lets pass before it waits."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How ssh ended: by itself with `code`, or by `signal`; both None where somebody else has reaped it."""

    code: int | None = None
    signal: int | None = None

    def __str__(self) -> str:
        return f"signal {self.signal}" if self.signal is not None else f"status {self.code}"


class Reason(StrEnum):
    """Why ssh is started again: the label of `reconnecting_pty_tunnel_restarts_total`."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    PROBE_FAILED = "probe_failed"
    START_TIMEOUT = "start_timeout"
    FORWARD_REFUSED = "forward_refused"
    NAME = "name"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    DENIED = "denied"
    USAGE = "usage"
    SPAWN = "spawn"
    REQUESTED = "requested"


PASSING = frozenset({Reason.FORWARD_REFUSED, Reason.NAME, Reason.UNREACHABLE, Reason.LOST})
"""Troubles that pass by themselves: worth another try even when ssh was never up."""

CAPS = {Reason.FORWARD_REFUSED: 5.0, Reason.NAME: 15.0, Reason.UNREACHABLE: 15.0}
"""Seconds between tries at most, where the trouble may end at any moment and a try costs the far end little."""


class Verdict(Enum):
    """What ssh's end means for the supervisor."""

    RESTART = "restart"
    FINISHED = "finished"
    FAILED = "failed"


def strict_verdict(end: Exit, *, first: bool, uptime: float, gate_time: float) -> Verdict:
    """autossh's rules. `first`: ssh was started once so far; `uptime` counts from its start, in seconds."""
    if end.code is None:
        return Verdict.RESTART
    if first and gate_time and int(uptime) <= gate_time:
        return Verdict.FAILED
    if end.code == 0:
        return Verdict.FINISHED
    if end.code == 255 or (end.code in (1, 2) and (not first or not gate_time)):
        return Verdict.RESTART
    return Verdict.FAILED


def verdict(end: Exit, reason: Reason, *, proven: bool, uptime: float, gate_time: float, one_shot: bool) -> Verdict:
    """Our rules: as autossh's, but success is success however quick, and what passes is tried again from the first.

    `proven`: the tunnel stood at least once since the supervisor was started.
    """
    if end.code == 0:
        return Verdict.FINISHED
    if one_shot:
        return Verdict.FAILED
    if end.code is None or reason in PASSING:
        return Verdict.RESTART
    early = not proven and gate_time > 0 and uptime <= gate_time
    if end.code in (1, 2, 255) and not early:
        return Verdict.RESTART
    return Verdict.FAILED


class Grace:
    """autossh's delays: five quick failures cost nothing, then they grow with the square, up to the poll time."""

    def __init__(self, poll: float) -> None:
        self.poll = int(poll)
        self.tries = 0

    def delay(self, since_start: float | None) -> int:
        """Seconds to wait, `since_start` seconds after the last start (None: there was none)."""
        if since_start is None or int(since_start) >= max(10, self.poll // 10):
            self.tries = 0
        else:
            self.tries += 1
        over = self.tries - QUICK_TRIES
        return min(self.poll, int(self.poll / 100 * (over * (over / 3)))) if over > 0 else 0


class Backoff:
    """Our delays: at once after a time up, then from half a second doubling up to a cap, each cut by up to half."""

    def __init__(self, cap: float, settled: float, chance: random.Random | None = None) -> None:
        self.cap = cap
        self.settled = settled
        """Seconds up, after which a failure counts as the first."""
        self.failures = 0
        self._chance = chance or random.Random()  # noqa: S311 (spreads load, keeps no secret)

    def delay(self, up: float, reason: Reason) -> float:
        """Seconds to wait after a tunnel that stood for `up` seconds (0: it never did) ended for `reason`."""
        self.failures = 0 if up >= self.settled else self.failures + 1
        if self.failures == 0:
            return 0.0
        whole = min(self.cap, CAPS.get(reason, self.cap), 0.5 * 2.0 ** min(self.failures - 1, 30))
        return whole * self._chance.uniform(0.5, 1.0)

    def forget(self) -> None:
        """Count from the start again."""
        self.failures = 0
