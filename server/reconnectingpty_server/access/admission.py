"""What is open now, on whose proof: so that a proof's end is the end of all that rests on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

from reconnectingpty import NotAllowed

from .visitor import Visitor


class Admission:
    """One thing that a visitor does for a while, as a context manager: cut short with NotAllowed when it must end."""

    def __init__(self, open_ones: set[Admission], visitor: Visitor) -> None:
        self.visitor = visitor
        self._open = open_ones
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reason = ""

    def __enter__(self) -> Admission:
        self._task = asyncio.current_task()
        self._open.add(self)
        self._wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if not self._reason or self._task is None:
            return
        # Whoever else cancelled the task gets it cancelled; our own word becomes an error.
        if self._task.uncancel() == 0 and (error is None or isinstance(error, asyncio.CancelledError)):
            raise NotAllowed(self._reason) from None

    def end(self, reason: str) -> None:
        """Cut it short."""
        if not self._reason and self._task is not None:
            self._reason = reason
            self._task.cancel()

    def _wait(self) -> None:
        """End it at its time. The clock may be set meanwhile, so that is looked at again now and then."""
        if self.visitor.expires is None:
            return
        left = self.visitor.expires - time.time()
        if left <= 0:
            self.end(expired(self.visitor))
        else:
            self._timer = asyncio.get_running_loop().call_later(min(left + 0.01, 600.0), self._wait)


class Admissions:
    """All of them."""

    def __init__(self) -> None:
        self._open: set[Admission] = set()

    def __len__(self) -> int:
        return len(self._open)

    def hold(self, visitor: Visitor) -> Admission:
        """For a `with`, in the task that does what the visitor may."""
        return Admission(self._open, visitor)

    def review(self, why_not: Callable[[Visitor], str | None]) -> None:
        """End those whose visitor would not be let in any more, for the reason that `why_not` gives."""
        for admission in tuple(self._open):
            reason = why_not(admission.visitor)
            if reason is not None:
                admission.end(reason)


def expired(visitor: Visitor) -> str:
    """What tells a visitor that the time is over."""
    return "this link has expired" if visitor.grant is not None else "this login has expired; log in again"
