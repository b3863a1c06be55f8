"""What our own mode does with ssh's end, and how long it waits."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reconnectingpty.tunnel.policy import (
    CAPS,
    PASSING,
    Backoff,
    Exit,
    Grace,
    Reason,
    Verdict,
    strict_verdict,
    verdict,
)

CODES = st.integers(0, 255)
ENDS = st.one_of(st.builds(Exit, code=CODES), st.builds(Exit, signal=st.integers(1, 31)))
TIMES = st.floats(0, 1e6)


@given(ENDS, st.sampled_from(Reason), st.booleans(), TIMES, st.sampled_from([0.0, 1.0, 30.0]), st.booleans())
def test_ours_restarts_whatever_autossh_restarts(
    end: Exit, reason: Reason, proven: bool, uptime: float, gate_time: float, once: bool
) -> None:
    ours = verdict(end, reason, proven=proven, uptime=uptime, gate_time=gate_time, one_shot=once)
    assert (ours is Verdict.FINISHED) == (end.code == 0)
    if once:
        assert ours is not Verdict.RESTART
        return
    for first in (True, False):
        theirs = strict_verdict(end, first=first, uptime=uptime, gate_time=gate_time)
        if theirs is Verdict.RESTART and (proven or first):
            assert ours is Verdict.RESTART


@pytest.mark.parametrize("reason", sorted(PASSING))
def test_what_passes_by_itself_is_tried_again_from_the_first(reason: Reason) -> None:
    found = verdict(Exit(code=255), reason, proven=False, uptime=0, gate_time=30, one_shot=False)
    assert found is Verdict.RESTART


@pytest.mark.parametrize("reason", [Reason.DENIED, Reason.USAGE, Reason.EXITED])
def test_what_does_not_pass_ends_a_tunnel_that_never_stood(reason: Reason) -> None:
    def meaning(*, proven: bool, gate_time: float) -> Verdict:
        return verdict(Exit(code=255), reason, proven=proven, uptime=1, gate_time=gate_time, one_shot=False)

    assert meaning(proven=False, gate_time=30) is Verdict.FAILED
    assert meaning(proven=True, gate_time=30) is Verdict.RESTART
    assert meaning(proven=False, gate_time=0) is Verdict.RESTART


class Waiting(RuleBasedStateMachine):
    """Any sequence of failures."""

    def __init__(self) -> None:
        super().__init__()
        self.backoff = Backoff(60.0, 30.0, random.Random(0))
        self.delays: list[float] = []
        self.reason = Reason.EXITED

    @rule(reason=st.sampled_from(Reason))
    def fails_at_once(self, reason: Reason) -> None:
        self.reason = reason
        self.delays.append(self.backoff.delay(0.0, reason))

    @rule(reason=st.sampled_from(Reason))
    def fails_after_a_time_up(self, reason: Reason) -> None:
        assert self.backoff.delay(30.0, reason) == 0.0
        self.delays.clear()

    @rule()
    def is_prodded(self) -> None:
        self.backoff.forget()
        self.delays.clear()

    @invariant()
    def waits_longer_but_never_too_long(self) -> None:
        if self.delays:
            whole = min(60.0, CAPS.get(self.reason, 60.0), 0.5 * 2 ** (len(self.delays) - 1))
            assert whole / 2 <= self.delays[-1] <= whole


TestWaiting = Waiting.TestCase


def test_supervisors_that_fail_together_do_not_come_back_together() -> None:
    delays = {Backoff(60.0, 30.0).delay(0.0, Reason.LOST) for _ in range(20)}
    assert len(delays) > 10


@given(st.integers(1, 10**6), st.lists(st.one_of(st.none(), st.floats(0, 1e5)), max_size=60))
def test_autosshs_delay_never_exceeds_the_poll_time(poll: int, ups: list[float | None]) -> None:
    grace = Grace(poll)
    for number, up in enumerate(ups):
        delay = grace.delay(up)
        assert 0 <= delay <= poll
        if number < 5:
            assert delay == 0
