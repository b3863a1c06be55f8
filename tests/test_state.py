"""The life cycle as the table of transitions has it."""

from __future__ import annotations

from itertools import product

import pytest

from reconnectingpty.state import REASONS, State, StateMachine


@pytest.mark.parametrize(("before", "after"), [*product(State, State)])
def test_only_the_transitions_of_the_table_happen(before: State, after: State) -> None:
    machine = StateMachine()
    machine.state = before
    assert machine.advance(after) is ((before, after) in REASONS)
    assert machine.state is (after if (before, after) in REASONS else before)


def test_the_first_cause_stays_when_a_later_transition_has_none() -> None:
    machine, cause = StateMachine(), ValueError()
    machine.advance(State.CLOSING, cause)
    machine.advance(State.CLOSING, KeyError())
    machine.advance(State.DONE)
    assert machine.error is cause


def test_a_listener_hears_each_transition_until_it_stops() -> None:
    machine, heard = StateMachine(), []
    stop = machine.listen(heard.append)
    machine.advance(State.READY)
    machine.advance(State.READY)
    stop()
    machine.advance(State.DONE)
    assert heard == [State.READY]
