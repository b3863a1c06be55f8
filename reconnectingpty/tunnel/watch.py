"""One ssh, from its start to its end: is it up, does it stay up, and why did it go?

Decides when to put an end to it; what follows from its end is the supervisor's to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from . import events
from .monitor import Heartbeat, ProbeFailed
from .policy import Exit, Reason
from .requests import Requests
from .settings import Settings
from .spawner import Child
from .words import SshWords

SETTLED = 5.0
"""Seconds that ssh must live to count as up where nothing better tells and there is no gate time."""
FIRST_RETRY, LAST_RETRY = 0.2, 2.0
"""Seconds between a new tunnel's first lines."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ssh. `up`: seconds for which its tunnel stood; `killed`: the end was ours."""

    end: Exit
    reason: Reason
    uptime: float
    up: float
    words: tuple[str, ...]
    killed: bool


class Watch:
    """Watches one running ssh."""

    def __init__(
        self,
        settings: Settings,
        child: Child,
        words: SshWords,
        heartbeat: Heartbeat | None,
        requests: Requests,
        tell: Callable[[events.Event], None],
        *,
        told: bool,
    ) -> None:
        self._settings = settings
        self._child = child
        self._words = words
        self._heartbeat = heartbeat
        self._requests = requests
        self._tell = tell
        self._told = told
        """Whether ssh says itself when its tunnel stands."""
        self._loop = asyncio.get_running_loop()
        self.begun = self._loop.time()
        self.ready_at: float | None = None
        self.probe_seconds: float | None = None
        self._spoke = asyncio.Event()
        self._prod = asyncio.Event()
        self._why = ""
        self.unshown = b""
        """The beginning of a line that ssh did not live to finish."""

    def spoke(self) -> None:
        """ssh has written to stderr."""
        self._spoke.set()

    def _ready(self) -> None:
        if self.ready_at is None:
            self.ready_at = self._loop.time()
            self._tell(events.Ready(self.ready_at - self.begun))

    # -- what may go wrong while it runs

    async def _judge(self) -> Reason:
        """Return when ssh runs, and its tunnel does not stand any more, or never will."""
        judges = [self._listen()]
        if self._heartbeat is not None:
            judges.append(self._probe(self._heartbeat))
        elif self._told:
            # Whoever types a passphrase may take his time.
            judges.append(self._never() if self._settings.terminal else self._start_in_time())
        else:
            judges.append(self._settle())
        tasks = [asyncio.create_task(judge) for judge in judges]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> Reason:
        """ssh's own words: that a forward was refused, which it may take for a mere warning, or that all is well."""
        while True:
            await self._spoke.wait()
            self._spoke.clear()
            if self._words.trouble is Reason.FORWARD_REFUSED and not self._settings.strict:
                self._why = "a forward was refused"
                return Reason.FORWARD_REFUSED
            if self._told and self._words.proven:
                self._ready()

    async def _start_in_time(self) -> Reason:
        """Until it has spoken of success ssh may hang where its own timeouts don't reach: in the middle of a login."""
        await asyncio.sleep(self._settings.start_timeout)
        if self.ready_at is None:
            self._why = f"not up within {self._settings.start_timeout:g} s"
            return Reason.START_TIMEOUT
        return await self._never()

    async def _settle(self) -> Reason:
        await asyncio.sleep(self._settings.gate_time or SETTLED)
        self._ready()
        return await self._never()

    async def _never(self) -> Reason:
        never: asyncio.Future[Reason] = self._loop.create_future()
        return await never

    async def _probe(self, heartbeat: Heartbeat) -> Reason:
        settings = self._settings
        if settings.strict:
            await self._pause(settings.first_poll or settings.poll)
        elif (reason := await self._first_probe(heartbeat)) is not None:
            return reason
        else:
            await self._pause(settings.poll)
        while True:
            try:
                self._probed(await heartbeat.probe(settings.net_timeout))
            except ProbeFailed as error:
                self._failed(str(error))
                return Reason.PROBE_FAILED
            await self._pause(settings.poll)

    async def _first_probe(self, heartbeat: Heartbeat) -> Reason | None:
        """Try until the first line comes back, so that who waits for the tunnel learns of it at once."""
        settings = self._settings
        # Whoever types a passphrase may take his time.
        least = settings.poll if settings.terminal else settings.start_timeout
        last = self.begun + max(least, settings.first_poll or 0.0)
        delay = FIRST_RETRY
        while True:
            try:
                self._probed(await heartbeat.probe(settings.net_timeout, patient=True))
            except ProbeFailed as error:
                if self._loop.time() >= last:
                    self._failed(str(error))
                    return Reason.START_TIMEOUT
            else:
                return None
            await asyncio.sleep(delay)
            delay = min(LAST_RETRY, delay * 2)

    def _probed(self, seconds: float) -> None:
        self.probe_seconds = seconds
        self._ready()
        self._tell(events.ProbeOk(seconds))

    def _failed(self, why: str) -> None:
        self._why = why
        self._tell(events.ProbeFailed(why))

    async def _pause(self, seconds: float) -> None:
        """Wait, or be prodded to probe at once."""
        self._prod.clear()
        timer = self._loop.call_later(seconds, self._prod.set)
        try:
            await self._prod.wait()
        finally:
            timer.cancel()

    # -- the whole life

    async def run(self) -> Outcome:
        """Watch until ssh has ended, by itself or because it had to. When cancelled, ssh is ended, too."""
        judge = asyncio.create_task(self._judge())
        asked = asyncio.create_task(self._requests.wait())
        reason: Reason | None = None
        try:
            while reason is None and not self._child.exited.done():
                await asyncio.wait((judge, asked, self._child.exited), return_when=asyncio.FIRST_COMPLETED)
                if asked.done():
                    if self._requests.stop or self._requests.take_restart():
                        reason = Reason.REQUESTED
                        break
                    if self._requests.take_retry() and not self._settings.strict:
                        self._prod.set()
                    asked = asyncio.create_task(self._requests.wait())
                if judge.done():
                    reason = judge.result()
        finally:
            judge.cancel()
            asked.cancel()
            await asyncio.gather(judge, asked, return_exceptions=True)
            ended = self._child.exited.done()
            end = await self._child.end(self._settings.kill_grace)
        return self._outcome(end, None if ended else reason)

    def _outcome(self, end: Exit, reason: Reason | None) -> Outcome:
        now = self._loop.time()
        self.unshown = self._words.end()
        words = (*self._words.last, self._why) if self._why else tuple(self._words.last)
        found = reason or self._words.trouble or (Reason.SIGNALLED if end.code is None else Reason.EXITED)
        up = now - self.ready_at if self.ready_at is not None else 0.0
        return Outcome(end, found, now - self.begun, up, words, killed=reason is not None)
