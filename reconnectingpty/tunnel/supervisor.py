"""The supervisor: starts ssh, has it watched, and decides what its end means. Owns the loop of lives, nothing else.

Any number of them live in one process and one event loop. None touches signal handlers, the working directory, or
anything else that belongs to the whole process: the command does that.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from . import sshargs
from .clock import wake_watch
from .errors import MaxLifetimeReached, MaxStartsReached, SshFailed, SshNotFound, TunnelError
from .events import (
    Event,
    Exited,
    GaveUp,
    Listeners,
    Listening,
    Ready,
    Restarting,
    SignalReceived,
    Started,
    Stopped,
    Woke,
)
from .monitor import Heartbeat
from .policy import Backoff, Exit, Grace, Reason, Verdict, strict_verdict, verdict
from .requests import Requests
from .settings import Echo, Loop, Settings, forwards
from .spawner import Child, find_leash, find_ssh
from .status import State, Status
from .watch import Outcome, Watch
from .words import SshWords

NO_PROGRAM = (errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR)

log = logging.getLogger("reconnectingpty.tunnel")


@dataclass(frozen=True, slots=True)
class Ended:
    """How `run` came to its end without an error: `asked` to, or because ssh ended well (`status` 0)."""

    asked: bool
    status: int | None = None


class SshSupervisor:
    """One tunnel. Made by SshSupervisorBuilder; `run` once."""

    def __init__(
        self,
        settings: Settings,
        *,
        program: str = "reconnectingpty",
        stderr: Callable[[bytes], asyncio.Future[None] | None] | None = None,
    ) -> None:
        self.settings = settings
        self._program = "autossh" if settings.strict else program
        self._stderr = stderr
        self._requests = Requests()
        self._listeners = Listeners()
        self._over = asyncio.Event()
        self._state = State.IDLE
        self._starts = 0
        self._restarts: Counter[str] = Counter()
        self._watch: Watch | None = None
        self._words: SshWords | None = None
        self._pid: int | None = None
        self._probe_seconds: float | None = None
        self._delay = 0.0
        self._trouble = ""
        self._proven = False
        self._leash: tuple[str, ...] = ()
        self._started_at: float | None = None
        self._deadline: float | None = None
        self._grace = Grace(settings.poll)
        self._backoff = Backoff(settings.backoff_cap, settings.gate_time or 10.0)

    # -- for everybody

    def events(self) -> Listening:
        """What happens from now on: `async for event in supervisor.events()`, until the supervisor has ended."""
        return self._listeners.listen()

    def status(self) -> Status:
        """How the tunnel is now."""
        watch = self._watch
        up_for = 0.0
        if watch is not None:
            self._probe_seconds = watch.probe_seconds if watch.probe_seconds is not None else self._probe_seconds
            if watch.ready_at is not None:
                up_for = asyncio.get_running_loop().time() - watch.ready_at
        return Status(
            state=self._state,
            pid=self._pid,
            starts=self._starts,
            restarts=dict(self._restarts),
            up_for=up_for,
            probe_seconds=self._probe_seconds,
            backoff_seconds=self._delay,
            last_trouble=self._trouble,
            allocated_port=self._words.allocated if self._words is not None else None,
        )

    def restart(self) -> None:
        """End ssh and start it again."""
        self._requests.ask(restart=True)

    def retry(self) -> None:
        """Start ssh now if it is waiting to be started; probe now if it runs."""
        self._requests.ask(retry=True)

    def ask_to_stop(self) -> None:
        """End ssh, and then `run`, without waiting for it."""
        self._requests.ask(stop=True)

    async def stop(self) -> None:
        """End ssh, and then `run`; return when both have ended."""
        self.ask_to_stop()
        if self._state is not State.IDLE:
            await self._over.wait()

    def take_signal(self, number: signal.Signals) -> None:
        """Do what autossh does at this signal: TERM and INT stop, USR1 restarts, HUP tries again now."""
        self._tell(SignalReceived(number))
        if number in (signal.SIGTERM, signal.SIGINT):
            self.ask_to_stop()
        elif number is signal.SIGUSR1:
            self.restart()
        elif number is signal.SIGHUP:
            self.retry()

    # -- the loop of lives

    async def run(self) -> Ended:
        """Keep ssh running until it ends for good, or somebody asks for an end.

        Raises SshNotFound, PortUnavailable, SshFailed, MaxStartsReached or MaxLifetimeReached. When cancelled, ssh is
        ended before this returns.
        """
        if self._state is not State.IDLE:
            raise RuntimeError("a supervisor runs once; build another")
        self._state = State.CONNECTING
        last: Event = Stopped(asked=True)
        final = State.STOPPED
        try:
            ended = await self._run()
            last = Stopped(asked=ended.asked)
            return ended
        except TunnelError as error:
            final, last = State.FAILED, GaveUp(error)
            raise
        finally:
            self._state, self._pid, self._watch, self._delay = final, None, None, 0.0
            self._tell(last)
            self._over.set()

    async def _run(self) -> Ended:
        settings = self.settings
        environment = settings.environment if settings.environment is not None else os.environ
        ssh = settings.ssh_path if settings.strict and settings.ssh_path else find_ssh(settings.ssh_path, environment)
        loop = asyncio.get_running_loop()
        self._deadline = None if settings.max_lifetime is None else loop.time() + settings.max_lifetime
        if not settings.strict:
            self._leash = await find_leash(environment)
        async with AsyncExitStack() as stack:
            heartbeat = None
            if isinstance(settings.monitor, Loop | Echo):
                heartbeat = await stack.enter_async_context(Heartbeat(settings, self._program))
            wakes = wake_watch()
            wakes.subscribe(self._woke)
            stack.callback(wakes.unsubscribe, self._woke)
            while True:
                if settings.max_start is not None and self._starts >= settings.max_start:
                    raise MaxStartsReached(self._starts)
                if self._requests.stop:
                    return Ended(asked=True)
                outcome = await self._live(ssh, environment, heartbeat)
                if self._requests.stop:
                    return Ended(asked=True)
                ended = self._judge(outcome)
                if ended is not None:
                    return ended
                if heartbeat is not None and not outcome.up:
                    await heartbeat.choose_again()
                await self._wait(outcome)

    async def _live(self, ssh: str, environment: Mapping[str, str], heartbeat: Heartbeat | None) -> Outcome:
        """One life of ssh. Raises MaxLifetimeReached when the supervisor's own is over meanwhile."""
        settings = self.settings
        self._state = State.CONNECTING
        self._starts += 1
        self._started_at = asyncio.get_running_loop().time()
        asked = sshargs.read(settings.ssh_args)
        told = sshargs.tells_progress(settings, asked)
        words = self._words = SshWords(remote_forwards=asked.remote_forwards, hide_debug=told and not asked.verbose)
        argv = [ssh, *self._arguments(heartbeat)]
        child: Child
        watch: Watch | None = None

        def hear(data: bytes) -> None:
            shown = words.feed(data)
            busy = self._show(shown)
            if busy is not None:
                # Whoever writes it on is not done with it: ssh waits, rather than our memory growing.
                child.pause()
                busy.add_done_callback(lambda _: child.resume())
            if watch is not None:
                watch.spoke()

        sink = None if settings.strict else hear
        try:
            child = Child.spawn(argv, environment=environment, terminal=settings.terminal, sink=sink, leash=self._leash)
        except OSError as error:
            return self._not_started(ssh, error)
        self._pid = child.pid
        self._tell(Started(child.pid, self._starts, settings.max_start, tuple(argv)))
        watch = self._watch = Watch(settings, child, words, heartbeat, self._requests, self._told, told=told)
        watch.spoke()
        try:
            async with asyncio.timeout_at(self._deadline):
                outcome = await watch.run()
        except TimeoutError:
            assert settings.max_lifetime is not None
            raise MaxLifetimeReached(settings.max_lifetime) from None
        finally:
            self._probe_seconds = watch.probe_seconds
            self._proven = self._proven or watch.ready_at is not None
            self._watch = self._pid = None
            self._show(watch.unshown)
        self._tell(Exited(outcome.end, outcome.uptime, outcome.words))
        return outcome

    def _show(self, said: bytes) -> asyncio.Future[None] | None:
        """Pass on what ssh has said."""
        if self._stderr is None or not said:
            return None
        try:
            return self._stderr(said)
        except Exception:
            # A mistake of whoever listens must not cost the tunnel.
            log.exception("%s: what ssh said could not be passed on", self.settings.name)
            return None

    def _not_started(self, ssh: str, error: OSError) -> Outcome:
        """There is no process, program or memory to be had. Raises SshNotFound where that will not pass."""
        why = os.strerror(error.errno or 0)
        if self.settings.strict or (self._starts == 1 and error.errno in NO_PROGRAM):
            raise SshNotFound(ssh, why) from error
        # Packages are upgraded, and machines run out of things, while a tunnel has to live on.
        return Outcome(Exit(), Reason.SPAWN, 0.0, 0.0, (f"{ssh}: {why}",), killed=False)

    def _arguments(self, heartbeat: Heartbeat | None) -> list[str]:
        monitor_forwards = forwards(heartbeat.monitor) if heartbeat is not None else []
        return sshargs.build(self.settings, monitor_forwards)

    def _told(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._state = State.UP
            self._trouble = ""
        self._tell(event)

    def _judge(self, outcome: Outcome) -> Ended | None:
        """What ssh's end means: None to start it again. Raises SshFailed."""
        settings = self.settings
        if outcome.killed and not (settings.one_shot and outcome.reason is not Reason.REQUESTED):
            return None
        if settings.strict:
            first = self._starts == 1
            meaning = strict_verdict(outcome.end, first=first, uptime=outcome.uptime, gate_time=settings.gate_time)
            early = first and 0 < settings.gate_time >= int(outcome.uptime)
        else:
            early = not self._proven
            meaning = verdict(
                outcome.end,
                outcome.reason,
                proven=self._proven,
                uptime=outcome.uptime,
                gate_time=settings.gate_time,
                one_shot=settings.one_shot,
            )
        if meaning is Verdict.RESTART:
            return None
        if meaning is Verdict.FINISHED:
            return Ended(asked=False, status=outcome.end.code)
        raise SshFailed(outcome.end.code, outcome.words, early=early)

    async def _wait(self, outcome: Outcome) -> None:
        """Let the time pass that has to pass before the next start."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        if settings.max_start is not None and self._starts >= settings.max_start:
            return
        if settings.strict:
            assert self._started_at is not None
            delay: float = self._grace.delay(loop.time() - self._started_at)
        elif outcome.reason is Reason.REQUESTED:
            delay = 0.0
        else:
            delay = self._backoff.delay(outcome.up, outcome.reason)
        self._restarts[outcome.reason] += 1
        self._trouble = f"{outcome.reason}: {outcome.words[-1]}" if outcome.words else str(outcome.reason)
        self._state, self._delay = State.WAITING, delay
        self._tell(Restarting(outcome.reason, delay))
        until = loop.time() + delay
        while not (self._requests.stop or self._requests.take_prod()):
            now = loop.time()
            if self._deadline is not None and now >= self._deadline:
                assert settings.max_lifetime is not None
                raise MaxLifetimeReached(settings.max_lifetime)
            if now >= until:
                break
            await self._requests.wait(until if self._deadline is None else min(until, self._deadline))
        else:
            self._backoff.forget()
        self._delay = 0.0

    # -- the rest

    def _woke(self, seconds: float) -> None:
        self._tell(Woke(seconds))
        self.retry()

    def _tell(self, event: Event) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %r", self.settings.name, event)
        self._listeners.tell(event)
