"""What a supervisor tells of its work, as values: one class an event, each with what a reader would act on."""

from __future__ import annotations

import asyncio
import signal as signals
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from .errors import TunnelError
from .policy import Exit, Reason

KEPT = 1000
"""Events that wait for one slow reader; the oldest of more are dropped."""


@dataclass(frozen=True, slots=True)
class Started:
    """ssh runs. `count` starts so far, of `limit` (None: any number)."""

    pid: int
    count: int
    limit: int | None = None
    argv: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """The tunnel stands: a line came through it, or ssh has said so, or it has outlived the gate time."""

    seconds: float
    """Since ssh was started."""


@dataclass(frozen=True, slots=True)
class ProbeOk:
    """A line went through the tunnel and back in `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ProbeFailed:
    """No line came back; ssh is restarted."""

    why: str


@dataclass(frozen=True, slots=True)
class Exited:
    """ssh has ended. `words`: the last it wrote to stderr."""

    end: Exit
    uptime: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restarting:
    """ssh will be started again in `delay` seconds."""

    reason: Reason
    delay: float


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """The supervisor was sent a signal."""

    signal: signals.Signals


@dataclass(frozen=True, slots=True)
class Woke:
    """The machine has slept for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The supervisor has ended, and `run` raises this error."""

    error: TunnelError


@dataclass(frozen=True, slots=True)
class Stopped:
    """The supervisor has ended, as asked (`asked`), or as ssh ended well."""

    asked: bool


Event = Started | Ready | ProbeOk | ProbeFailed | Exited | Restarting | SignalReceived | Woke | GaveUp | Stopped


class Listeners:
    """Hands each event to everybody who listens; nobody's slowness holds anybody up."""

    def __init__(self) -> None:
        self._ears: dict[Listening, None] = {}
        self.over = False

    def tell(self, event: Event) -> None:
        """Hand on an event; GaveUp and Stopped are the last."""
        self.over = self.over or isinstance(event, GaveUp | Stopped)
        for ear in self._ears:
            ear.hear(event)

    def listen(self) -> Listening:
        """The events from this moment on."""
        ear = Listening(self)
        if not self.over:
            self._ears[ear] = None
        return ear

    def forget(self, ear: Listening) -> None:
        """Tell it nothing more."""
        self._ears.pop(ear, None)


class Listening(AsyncIterator[Event]):
    """One reader of events: `async for event in supervisor.events()`. Ends when the supervisor has."""

    def __init__(self, source: Listeners) -> None:
        self._source = source
        self._waiting: deque[Event] = deque(maxlen=KEPT)
        self._news = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Take one more."""
        self._waiting.append(event)
        self._news.set()

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._source.over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def close(self) -> None:
        """Hear no more; who reads to the end need not."""
        self._source.forget(self)
