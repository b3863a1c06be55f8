"""The life cycle of a session: four states, forward only, each with the error that caused it.

    starting → ready → closing → done

Everything about states lives here, and this file knows nothing else: no process, no viewer, no clock. A transition
to the same or an earlier state is not an error, it is simply too late: the first cause wins and stays.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum


class State(IntEnum):
    """Where a session is in its life; comparable, because it only ever grows."""

    STARTING = 0
    READY = 1
    CLOSING = 2
    DONE = 3


REASONS: dict[tuple[State, State], str] = {
    (State.STARTING, State.READY): "the process runs",
    (State.STARTING, State.CLOSING): "closed, or timed out, before the process ran",
    (State.STARTING, State.DONE): "the process could not be started",
    (State.READY, State.CLOSING): "process exit, idle timeout, close() or shutdown",
    (State.READY, State.DONE): "the process was lost at once, with nothing to close",
    (State.CLOSING, State.DONE): "the process is gone and every viewer was told",
}
"""Every transition there is, and what makes it happen."""


class StateMachine:
    """The current state, its cause, and who wants to hear of the next one.

    Invariant: `state` never falls, and `error` is the cause of the last accepted transition that had one.
    """

    __slots__ = ("_listeners", "error", "state")

    def __init__(self) -> None:
        self.state = State.STARTING
        self.error: BaseException | None = None
        self._listeners: list[Callable[[State], None]] = []

    def advance(self, state: State, error: BaseException | None = None) -> bool:
        """Go on to `state`; False, with nothing changed, where the session is there or beyond already."""
        if state <= self.state:
            return False
        self.state = state
        self.error = error or self.error
        for listener in tuple(self._listeners):
            listener(state)
        return True

    def listen(self, listener: Callable[[State], None]) -> Callable[[], None]:
        """Call `listener` at each transition from now on; call what is returned to stop that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop
