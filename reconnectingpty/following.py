"""When a session's terminal model follows its log: in the quiet after output, in slices, behind everybody's back.

Under a flood it only keeps up with the log, and the program waits for it where it would fall off; the rest it does in
the quiet after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .process import READ_AT_ONCE
from .terminal.catchup import TerminalModel
from .turns import turns

SLICE = 0.003
"""Seconds that the model may hold the event loop at a time."""
IDLE = 0.03
"""Seconds of quiet after which the model catches up."""
TRICKLE = 64 << 10
"""Bytes in that time that count as quiet: a program that goes on blinking while it waits for an answer gets it."""


class Follower:
    """Has a model follow a log of `limit` bytes.

    `moved` is called when the model has, and with it perhaps what the program waits for; `settled` when it is at the
    log's end, but not where somebody waited for that.
    """

    __slots__ = (
        "_awaited", "_far", "_last_output", "_limit", "_loop", "_model", "_moved", "_settled", "_timer", "_turns"
    )  # fmt: skip

    def __init__(
        self, model: TerminalModel, limit: int, *, moved: Callable[[], None], settled: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._model = model
        self._limit = limit
        self._far = limit * 3 // 4
        self._moved = moved
        self._settled = settled
        self._turns = turns()
        self._timer: asyncio.TimerHandle | None = None  # until the output may be quiet
        self._awaited = 0  # the log must not run away from a picture that is being made
        self._last_output = self._loop.time()

    def came(self, now: float) -> None:
        """Output has come."""
        self._last_output = now

    def follow(self) -> None:
        """See to it that the model catches up: when the output is quiet, or now if it has fallen far behind."""
        if self._model.caught_up:
            return
        if self._model.lag > self._far:
            self._turns.ask(self._advance)
        elif self._timer is None:
            self._timer = self._loop.call_later(IDLE, self._perhaps_quiet)

    @property
    def holds(self) -> bool:
        """Whether the program has to wait for the model."""
        return self._awaited > 0 or self._model.lag + 2 * READ_AT_ONCE > self._limit

    async def catch_up(self) -> None:
        """Return when the model is at the log's end, in the same turn of the event loop."""
        self._awaited += 1
        self._moved()
        try:
            while not self._model.advance(SLICE):  # noqa: ASYNC110 (gives the loop a turn, waits for nothing)
                await asyncio.sleep(0)
        finally:
            self._awaited -= 1
            self._moved()

    def leave(self) -> None:
        """Follow no more, nor hold on to anybody."""
        self._turns.forget(self._advance)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._moved = self._settled = lambda: None

    @property
    def _quiet(self) -> bool:
        return self._model.lag <= TRICKLE or self._loop.time() - self._last_output >= IDLE

    def _perhaps_quiet(self) -> None:
        self._timer = None
        if self._quiet:
            self._turns.ask(self._advance)
        else:
            self._moved()

    def _advance(self) -> None:
        behind = 0 if self._quiet else self._far
        if self._model.advance(SLICE, behind):
            self._settled()
        elif not behind:
            self._turns.ask(self._advance)
        self._moved()
