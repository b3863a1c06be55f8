"""From a command line and an environment to what the command is to do. Pure but for the choice of a free port."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import OptionError
from . import flags, ports, strict, variables
from .mode import Mode
from .settings import GATE_TIME, POLL, Alive, ExitOnly, Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `log_level` is syslog's number; `notices` are lines for the log, before anything else."""

    settings: Settings
    background: bool = False
    pidfile: str | None = None
    logfile: str | None = None
    log_level: int = variables.INFO
    debug: bool = False
    notices: tuple[str, ...] = ()


class Words(Exception):
    """Nothing is to be run: these are to be printed, and the command ends with `status`."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class Refused(Exception):
    """autossh would log this and end with status 1; `plan` says where its log is."""

    def __init__(self, message: str, found: variables.Variables | None, notices: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.found = found
        self.notices = tuple(notices)


def strict_plan(program: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Plan:
    """autossh's way. Raises Words for its usage and version, Refused for what it logs."""
    try:
        found = variables.read_strict(environment)
    except strict.StrictError as error:
        raise Refused(str(error), None) from error
    name = os.path.basename(program)
    usage = strict.USAGE.format(program=name)
    try:
        line = strict.read(arguments, posix="POSIXLY_CORRECT" in environment)
    except strict.UsageError as error:
        raise Words(f"{program}: {error}\n{usage}", 1) from error
    if line.version:
        raise Words(f"{name} 1.4g", 0)
    port = line.port if line.port is not None else found.port
    if port is None and not strict.gives_port(arguments):
        # Debian's autossh is a wrapper that does this.
        chosen, held = ports.choose()
        held.close()
        port = str(chosen)
    if port is None or not line.operands:
        raise Words(usage, 1)
    notices = list(found.notices)
    try:
        monitor = strict.monitor_of(port)
    except strict.StrictError as error:
        raise Refused(str(error), found, notices) from error
    if isinstance(monitor, ExitOnly):
        notices.append("port set to 0, monitoring disabled")
    gate_time = GATE_TIME if found.gate_time is None else found.gate_time
    settings = Settings(
        ssh_args=tuple(strict.ssh_arguments(line, ())),
        ssh_path=found.path,
        monitor=monitor,
        mode=Mode.STRICT,
        poll=found.poll or POLL,
        first_poll=found.first_poll,
        gate_time=0.0 if line.background else gate_time,
        max_start=None if found.max_start is None or found.max_start < 0 else found.max_start,
        max_lifetime=found.max_lifetime,
        message=found.message,
        terminal=True,
        name=name,
    )
    if settings.poll / 2 < 15:
        notices.append(f"short poll time: adjusting net timeouts to {int(settings.net_timeout * 1000)}")
    return Plan(
        settings,
        background=line.background,
        pidfile=found.pidfile,
        logfile=found.logfile,
        log_level=variables.DEBUG if found.debug else variables.INFO if found.log_level is None else found.log_level,
        debug=found.debug,
        notices=tuple(notices),
    )


def default_plan(program: str, arguments: Sequence[str], environment: Mapping[str, str], *, terminal: bool) -> Plan:
    """Our way. Raises Words for help and version, OptionError for what is wrong."""
    asked = flags.read(arguments)
    if asked.help:
        raise Words(flags.help_text(program), 0)
    if asked.version:
        raise Words("", 0)
    found = variables.read_default(environment)
    how = asked.monitor or found.port
    max_start = asked.max_start if asked.max_start is not None else found.max_start
    gate_time = _first(asked.gate_time, found.gate_time, 0.0 if asked.background else GATE_TIME)
    if not asked.ssh_args:
        raise OptionError("ssh's arguments name no host; --help tells more")
    settings = Settings(
        ssh_args=asked.ssh_args,
        ssh_path=asked.ssh_path or found.path,
        monitor=flags.monitor_of(how, "-M" if asked.monitor else "AUTOSSH_PORT") if how else Alive(),
        poll=_first(asked.poll, found.poll, POLL),
        first_poll=asked.first_poll if asked.first_poll is not None else found.first_poll,
        gate_time=gate_time,
        max_start=None if max_start is None or max_start < 0 else max_start,
        max_lifetime=(asked.max_lifetime if asked.max_lifetime is not None else found.max_lifetime) or None,
        message=found.message,
        one_shot=asked.one_shot,
        terminal=terminal and not asked.background,
    )
    debug = asked.debug or found.debug
    level = asked.log_level if asked.log_level is not None else found.log_level
    quiet = variables.INFO - 2 if settings.terminal else variables.INFO
    return Plan(
        settings,
        background=asked.background,
        pidfile=asked.pidfile or found.pidfile,
        logfile=asked.logfile or found.logfile,
        log_level=variables.DEBUG if debug else quiet if level is None else level,
        debug=debug,
    )


def _first(one: float | None, other: float | None, default: float) -> float:
    return one if one is not None else other if other is not None else default


def with_watchdog(plan: Plan, watchdog: float | None) -> Plan:
    """The same, polling often enough for systemd's watchdog to be fed by probes."""
    if watchdog is None or not plan.settings.probes:
        return plan
    return replace(plan, settings=replace(plan.settings, poll=min(plan.settings.poll, watchdog / 3)))
