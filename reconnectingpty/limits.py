"""How much of its machine a session may use, and what holds it to that: a cgroup where there can be one, else rlimits.

Where neither can, a session is refused: a limit that is not held is worse than none, since somebody relies on it.
"""

from __future__ import annotations

import math
import os
import resource
from dataclasses import dataclass
from pathlib import Path

from .cgroup import Cgroup, Delegation, NoCgroup
from .errors import OptionError

CPU_PERIOD = 100_000
"""Microseconds; the kernel's own choice for cpu.max."""
MIN_MEMORY = 1 << 20
MIN_CPU = 0.01
MIN_FILES = 16
_FILES = {"memory": "memory.max", "processes": "pids.max", "cpu": "cpu.max"}
_CONTROLLERS = {"memory": "memory", "processes": "pids", "cpu": "cpu"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all processes of a session may use together; None: no limit. Raises OptionError for a value out of range."""

    memory: int | None = None
    """Bytes. Without a cgroup: of private data, of each process."""
    processes: int | None = None
    """Threads count as well. Without a cgroup: of all that its user runs; root can't be held to that."""
    cpu: float | None = None
    """CPUs: 0.5 is half of one. Only with a cgroup."""
    files: int | None = None
    """Open files of each process."""
    cgroup: str | None = None
    """The directory of a cgroup under which each session gets its own; None: one that was delegated to this process,
    where a limit needs it."""

    def __post_init__(self) -> None:
        """Refuse what can't be, by name."""
        _at_least("limits.memory", self.memory, MIN_MEMORY)
        _at_least("limits.processes", self.processes, 1)
        _at_least("limits.cpu", self.cpu, MIN_CPU)
        _at_least("limits.files", self.files, MIN_FILES)

    def __bool__(self) -> bool:
        """Whether there is anything to hold."""
        return any(value is not None for value in (self.memory, self.processes, self.cpu, self.files, self.cgroup))

    def needs_cgroup(self) -> bool:
        """Whether a cgroup would hold any of it better."""
        return any(value is not None for value in (self.memory, self.processes, self.cpu, self.cgroup))


def _at_least(name: str, value: float | None, least: float) -> None:
    if value is not None and not least <= value < math.inf:
        raise OptionError(f"{name} must be at least {least}, not {value}")


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Plan:
    """How limits will be held: `held` says by what (`cgroup` or `rlimit`), by the limit's name."""

    held: dict[str, str]
    parent: Delegation | None
    settings: dict[str, str]
    """The contents of the cgroup's files."""
    rlimits: tuple[tuple[int, int], ...]

    def confine(self, name: str) -> Confinement:
        """What holds one session, called `name`. Blocks for about a millisecond. Raises StartFailed."""
        cgroup = Cgroup.make(self.parent.path, name, self.settings) if self.parent is not None else None
        return Confinement(self.held, cgroup, self.rlimits)


def plan(limits: Limits, uid: int) -> Plan:
    """How `limits` can be held for processes of that user. Raises OptionError, which says what of it can't."""
    parent, why = _parent(limits)
    controllers = parent.controllers if parent is not None else frozenset()
    held: dict[str, str] = {}
    settings: dict[str, str] = {}
    rlimits: list[tuple[int, int]] = []
    for name, value in _wanted(limits, uid):
        if _CONTROLLERS.get(name) in controllers:
            held[name] = "cgroup"
            settings[_FILES[name]] = (
                f"{max(int(value * CPU_PERIOD), 1000)} {CPU_PERIOD}" if name == "cpu" else str(value)
            )
        elif (number := _rlimit(name, uid)) is not None:
            held[name] = "rlimit"
            rlimits.append((number, _within_hard(number, int(value))))
        else:
            controller = _CONTROLLERS[name]
            raise OptionError(
                f"limits.{name} can't be held here: {why or f'its cgroup has no {controller} controller'}"
            )
    return Plan(held, parent, settings, tuple(rlimits))


def _wanted(limits: Limits, uid: int) -> list[tuple[str, float]]:
    names = ("memory", "processes", "cpu", "files")
    return [(name, value) for name in names if (value := getattr(limits, name)) is not None]


def _parent(limits: Limits) -> tuple[Delegation | None, str]:
    """Where the session's cgroup can be, or why it can't have one. Raises OptionError for one that was named."""
    if not limits.needs_cgroup():
        return None, ""
    try:
        return Delegation.find(limits.cgroup), ""
    except (NoCgroup, OSError) as error:
        if limits.cgroup is not None:
            raise OptionError(f"limits.cgroup: {error}") from None
        return None, str(error)


def _rlimit(name: str, uid: int) -> int | None:
    """The resource limit (getrlimit(2)) that comes nearest to it, if one does."""
    if name == "memory":
        # Not the address space, of which many programs reserve far more than they use.
        return resource.RLIMIT_DATA
    if name == "processes":
        return resource.RLIMIT_NPROC if uid != 0 else None
    return resource.RLIMIT_NOFILE if name == "files" else None


def _within_hard(number: int, value: int) -> int:
    """Not even root's own limits are meant to be raised by this."""
    hard = resource.getrlimit(number)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds one session to its limits, from before its command starts."""

    held: dict[str, str]
    cgroup: Cgroup | None
    rlimits: tuple[tuple[int, int], ...]

    def enter(self) -> None:
        """Be held from here on, for a child between fork and exec. Raises OSError, ValueError."""
        if self.cgroup is not None:
            fd = os.open(self.cgroup.procs, os.O_WRONLY)
            os.write(fd, b"0")
            os.close(fd)
        for number, value in self.rlimits:
            resource.setrlimit(number, (value, value))

    def words(self) -> list[str]:
        """The same for somebody who can't have this object: the cgroup's file, or nothing; and the rlimits."""
        rlimits = " ".join(f"{number}:{value}" for number, value in self.rlimits)
        return [self.cgroup.procs if self.cgroup is not None else "", rlimits]

    @classmethod
    def left(cls, held: dict[str, str], path: str | None) -> Confinement:
        """That of a session whose command another server has started."""
        return cls(held, Cgroup(Path(path)) if path is not None else None, ())

    def end(self) -> None:
        """Kill what is left in the cgroup, and remove it; blocks until that is done. Raises OSError."""
        if self.cgroup is not None:
            self.cgroup.remove()


UNCONFINED = Confinement({}, None, ())
"""What holds a session that has no limits: nothing."""
