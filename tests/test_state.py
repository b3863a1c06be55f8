"""The life cycle as the table of transitions has it."""

from __future__ import annotations

from itertools import product

import pytest

from reconnectingpty.state import REASONS, State, StateMachine

PAIRS = [*product(State, State)]


def at(state: State, error: BaseException | None = None) -> StateMachine:
    """A machine that has come to `state`, by `error`."""
    machine = StateMachine()
    if state is not State.STARTING:
        assert machine.advance(state, error)
    return machine


def test_a_session_begins_in_starting_without_a_cause() -> None:
    machine = StateMachine()
    assert (machine.state, machine.error) == (State.STARTING, None)


def test_the_table_has_every_way_forward_and_no_other() -> None:
    assert set(REASONS) == {(before, after) for before, after in PAIRS if before < after}
    assert all(REASONS.values())


@pytest.mark.parametrize(("before", "after"), REASONS)
def test_a_transition_of_the_table_happens_and_is_heard(before: State, after: State) -> None:
    machine, cause, heard = at(before), ValueError(), list[State]()
    machine.listen(heard.append)
    assert machine.advance(after, cause)
    assert (machine.state, machine.error, heard) == (after, cause, [after])


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair not in REASONS])
def test_any_other_is_too_late_and_changes_nothing(before: State, after: State) -> None:
    cause, heard = ValueError(), list[State]()
    machine = at(before, cause)
    kept = machine.error
    machine.listen(heard.append)
    assert not machine.advance(after, KeyError())
    assert (machine.state, machine.error, heard) == (before, kept, [])


def test_the_first_cause_stays_when_a_later_transition_has_none() -> None:
    machine, cause = StateMachine(), ValueError()
    machine.advance(State.CLOSING, cause)
    machine.advance(State.CLOSING, KeyError())
    machine.advance(State.DONE)
    assert machine.error is cause


def test_a_listener_hears_each_transition_in_order_until_it_stops() -> None:
    machine, heard = StateMachine(), list[State]()
    stop = machine.listen(heard.append)
    machine.advance(State.READY)
    machine.advance(State.CLOSING)
    stop()
    stop()
    machine.advance(State.DONE)
    assert heard == [State.READY, State.CLOSING]


def test_a_listener_that_stops_in_the_call_keeps_no_other_from_hearing() -> None:
    machine, heard = StateMachine(), list[str]()
    stop = machine.listen(lambda _: (heard.append("once"), stop()))
    machine.listen(lambda _: heard.append("always"))
    machine.advance(State.READY)
    machine.advance(State.DONE)
    assert heard == ["once", "always", "always"]


def test_a_listener_sees_the_new_state_and_its_cause() -> None:
    machine, cause, seen = StateMachine(), ValueError(), list[object]()
    machine.listen(lambda _: seen.append((machine.state, machine.error)))
    machine.advance(State.CLOSING, cause)
    assert seen == [(State.CLOSING, cause)]
