"""How a supervisor is made: every setting a method, all of them checked in `build`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

from ..errors import OptionError
from .mode import Mode
from .settings import HIGHEST_PORT, LONGEST, MAX_MESSAGE, Alive, Echo, Loop, Monitor, Settings
from .spawner import find_ssh
from .sshargs import read
from .supervisor import SshSupervisor


class SshSupervisorBuilder:
    """`SshSupervisorBuilder("-N", "-R", "9000:localhost:80", "user@host").poll(60).build()`.

    Each method sets one thing and returns the builder. The arguments are ssh's own, untouched and in their order.
    """

    def __init__(self, *ssh_args: str) -> None:
        self._settings = Settings(ssh_args)
        self._program = "reconnectingpty"
        self._stderr: Callable[[bytes], asyncio.Future[None] | None] | None = None

    def _with(self, **changes: Any) -> Self:
        self._settings = replace(self._settings, **changes)
        return self

    def ssh_args(self, arguments: Iterable[str]) -> Self:
        """ssh's arguments."""
        return self._with(ssh_args=tuple(arguments))

    def ssh_path(self, path: str | None) -> Self:
        """The program to run. None (default): `ssh` on PATH."""
        return self._with(ssh_path=path)

    def monitor(self, monitor: Monitor) -> Self:
        """How the tunnel is watched: ExitOnly, Alive (default), Loop or Echo."""
        return self._with(monitor=monitor)

    def mode(self, mode: Mode) -> Self:
        """Our ways (default), or autossh's to the letter."""
        return self._with(mode=mode)

    def poll(self, seconds: float) -> Self:
        """Time between two probes (default 600)."""
        return self._with(poll=seconds)

    def first_poll(self, seconds: float | None) -> Self:
        """Strict mode: time to the first probe. Default mode: until then a tunnel that never stood is given time."""
        return self._with(first_poll=seconds)

    def gate_time(self, seconds: float) -> Self:
        """A first failure within this time ends the supervisor, if it is none that passes (default 30, 0: never)."""
        return self._with(gate_time=seconds)

    def max_start(self, starts: int | None) -> Self:
        """How often ssh is started at most. None (default): any number."""
        return self._with(max_start=starts)

    def max_lifetime(self, seconds: float | None) -> Self:
        """How long `run` lasts at most. None (default): for ever."""
        return self._with(max_lifetime=seconds)

    def message(self, message: str) -> Self:
        """Added to the monitor's line; at most 64 bytes."""
        return self._with(message=message)

    def one_shot(self, once: bool = True) -> Self:
        """Start ssh once; its failure is ours."""
        return self._with(one_shot=once)

    def start_timeout(self, seconds: float) -> Self:
        """How long a tunnel may take to stand before ssh is started afresh (default 60)."""
        return self._with(start_timeout=seconds)

    def backoff_cap(self, seconds: float) -> Self:
        """The longest time between two tries (default 60). Strict mode goes by autossh's rule instead."""
        return self._with(backoff_cap=seconds)

    def kill_grace(self, seconds: float) -> Self:
        """Time between SIGTERM and SIGKILL (default 10)."""
        return self._with(kill_grace=seconds)

    def terminal(self, shared: bool = True) -> Self:
        """Let ssh have our terminal, so that it can ask for a passphrase, or show a remote shell."""
        return self._with(terminal=shared)

    def environment(self, environment: Mapping[str, str] | None) -> Self:
        """What ssh finds in its environment. None (default): ours."""
        return self._with(environment=environment)

    def name(self, name: str) -> Self:
        """What the log calls it."""
        return self._with(name=name)

    def program(self, program: str) -> Self:
        """What the monitor's line calls us."""
        self._program = program
        return self

    def stderr(self, write: Callable[[bytes], asyncio.Future[None] | None] | None) -> Self:
        """Called with what ssh writes to stderr; a future that it returns holds ssh up until it is done."""
        self._stderr = write
        return self

    def settings(self) -> Settings:
        """What has been set, checked. Raises OptionError."""
        check(self._settings)
        return self._settings

    def build(self) -> SshSupervisor:
        """The supervisor. Raises OptionError for a setting out of range, SshNotFound where there is no ssh."""
        settings = self.settings()
        if not settings.strict:
            find_ssh(settings.ssh_path, os.environ if settings.environment is None else settings.environment)
        return SshSupervisor(settings, program=self._program, stderr=self._stderr)


def check(settings: Settings) -> None:
    """Raise OptionError for a setting out of range."""

    def need(held: bool, what: str) -> None:
        if not held:
            raise OptionError(what)

    need(all("\0" not in argument for argument in settings.ssh_args), "ssh's arguments may hold no null character")
    if not settings.strict:
        need(read(settings.ssh_args).destination is not None, "ssh's arguments name no host")
    for name in ("poll", "start_timeout", "backoff_cap"):
        need(0 < getattr(settings, name) <= LONGEST, f"{name} must be more than 0 seconds")
    for name in ("gate_time", "kill_grace"):
        need(0 <= getattr(settings, name) <= LONGEST, f"{name} must be 0 seconds or more")
    for name in ("first_poll", "max_lifetime"):
        value = getattr(settings, name)
        need(value is None or 0 < value <= LONGEST, f"{name} must be more than 0 seconds, or none")
    need(settings.max_start is None or settings.max_start >= 0, "max_start must be 0 or more, or none")
    message = settings.message.encode()
    need(len(message) <= MAX_MESSAGE, f"echo message may only be {MAX_MESSAGE} bytes long")
    need(b"\n" not in message and b"\r" not in message, "the message must be one line")
    match settings.monitor:
        case Loop(int(port)):
            need(0 < port <= HIGHEST_PORT, f"monitor port ({port}) out of range")
        case Echo(port, echo_port):
            need(0 < port <= HIGHEST_PORT, f"monitor port ({port}) out of range")
            need(settings.strict or 0 < echo_port <= 65535, f'invalid echo port  "{echo_port}"')
        case Alive(interval, count):
            need(interval is None or interval > 0, "the interval between signs of life must be more than 0 seconds")
            need(count > 0, "at least 1 sign of life has to stay away")
