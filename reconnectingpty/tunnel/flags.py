"""Our own command line: the flags, and which of the arguments are ssh's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import OptionError
from .settings import Alive, Echo, ExitOnly, Loop, Monitor
from .sshargs import TAKES_VALUE
from .variables import level, seconds, whole


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line asks for; None where it says nothing."""

    ssh_args: tuple[str, ...] = ()
    monitor: str | None = None
    background: bool = False
    one_shot: bool = False
    version: bool = False
    help: bool = False
    poll: float | None = None
    first_poll: float | None = None
    gate_time: float | None = None
    max_start: int | None = None
    max_lifetime: float | None = None
    ssh_path: str | None = None
    pidfile: str | None = None
    logfile: str | None = None
    debug: bool = False
    log_level: int | None = None


def _text(text: str, name: str) -> str:
    return text


def _from_zero(text: str, name: str) -> float:
    return seconds(text, name, zero=True)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: `value` names what it takes ("" for nothing), `read` makes of it what field `field` of Asked holds."""

    name: str
    short: str
    value: str
    field: str
    help: str
    read: Callable[[str, str], Any] = _text


FLAGS = (
    Flag("--monitor-port", "M", "HOW", "monitor", "alive (default), 0, auto, PORT or PORT:ECHO_PORT; see above"),
    Flag("--background", "f", "", "background", "go to the background once it is clear that all can be started"),
    Flag("--one-shot", "1", "", "one_shot", "start ssh once, and end with its exit status"),
    Flag("--poll", "", "SECONDS", "poll", "time between two probes (600)", seconds),
    Flag("--first-poll", "", "SECONDS", "first_poll", "time that a new tunnel is given to answer (60)", seconds),
    Flag("--gate-time", "", "SECONDS", "gate_time", "a first failure within this time is final (30)", _from_zero),
    Flag("--max-start", "", "N", "max_start", "how often ssh is started at most; -1 for no limit (-1)", whole),
    Flag("--max-lifetime", "", "SECONDS", "max_lifetime", "end after this time; 0 for never (0)", _from_zero),
    Flag("--ssh-path", "", "FILE", "ssh_path", "the ssh to run (ssh)"),
    Flag("--pid-file", "", "FILE", "pidfile", "write our pid here; refused while another holds it"),
    Flag("--log-file", "", "FILE", "logfile", "log here; else to stderr, or in the background to syslog"),
    Flag("--log-level", "", "LEVEL", "log_level", "0 to 7, or emerg to debug (info)", level),
    Flag("--debug", "", "", "debug", "log everything, and to stderr"),
    Flag("--strict", "", "", "", "behave as autossh 1.4g does, to the letter"),
    Flag("--no-strict", "", "", "", "don't"),
    Flag("--version", "V", "", "version", "print the version"),
    Flag("--help", "", "", "help", "print this"),
)
_LONG = {flag.name: flag for flag in FLAGS if flag.field}
_SHORT = {flag.short: flag for flag in FLAGS if flag.short}

HELP = """\
usage: {program} [FLAGS] [--] SSH_ARGUMENTS
       {program} completions bash|zsh|fish|powershell

Starts ssh, watches it, and starts it again. What is no flag of ours goes to ssh, untouched and in order.

flags:
{flags}

how a tunnel is watched (-M):
  alive            ssh asks the server for signs of life; needs no port
  0                only by ssh's end; nothing is added to its arguments
  auto             a line goes through the tunnel and back, by a free pair of ports
  PORT             the same by PORT, and PORT + 1 on this side
  PORT:ECHO_PORT   a line goes to an echo service on the far side, and back

environment:
  AUTOSSH_PORT, AUTOSSH_POLL, AUTOSSH_FIRST_POLL, AUTOSSH_GATETIME, AUTOSSH_MAXSTART, AUTOSSH_MAXLIFETIME,
  AUTOSSH_MESSAGE, AUTOSSH_PATH, AUTOSSH_PIDFILE, AUTOSSH_LOGFILE, AUTOSSH_LOGLEVEL and AUTOSSH_DEBUG mean what
  they mean to autossh; flags go before them. PYAUTOSSH_STRICT=1 stands for --strict, as does the name autossh.
"""


def help_text(program: str) -> str:
    """What --help prints."""
    rows = []
    for flag in FLAGS:
        short = f"-{flag.short}, " if flag.short else "    "
        rows.append((f"  {short}{flag.name}{' ' + flag.value if flag.value else ''}", flag.help))
    width = max(len(left) for left, _ in rows) + 2
    return HELP.format(program=program, flags="\n".join(left.ljust(width) + right for left, right in rows))


def read(arguments: Sequence[str]) -> Asked:
    """Tell our flags from ssh's arguments. Raises OptionError.

    Ours may stand anywhere before the remote command, and before the first `--`, which is ours, too.
    """
    asked = Asked()
    given: list[str] = []
    waiting = list(arguments)
    operands = 0
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            break
        if argument.startswith("--"):
            asked = _long(asked, argument, waiting)
        elif argument.startswith("-") and argument != "-":
            asked, rest = _cluster(asked, argument[1:], waiting)
            given += rest
        else:
            given.append(argument)
            operands += 1
            if operands == 2:
                break
    return replace(asked, ssh_args=(*given, *waiting))


def _long(asked: Asked, argument: str, waiting: list[str]) -> Asked:
    name, equals, value = argument.partition("=")
    flag = _LONG.get(name)
    if flag is None:
        raise OptionError(f"unrecognized option '{name}'")
    if not flag.value:
        if equals:
            raise OptionError(f"option '{name}' takes no value")
        return _set(asked, flag, True)
    if not equals:
        if not waiting:
            raise OptionError(f"option '{name}' requires a value")
        value = waiting.pop(0)
    return _set(asked, flag, flag.read(value, name))


def _cluster(asked: Asked, letters: str, waiting: list[str]) -> tuple[Asked, list[str]]:
    """Take our letters out of a cluster; what is left is ssh's, with the value of its last letter."""
    left = ""
    for index, letter in enumerate(letters, 1):
        flag = _SHORT.get(letter)
        rest = letters[index:]
        if flag is not None and flag.value:
            if not rest and not waiting:
                raise OptionError(f"option requires an argument -- '{letter}'")
            asked = _set(asked, flag, rest or waiting.pop(0))
            break
        if flag is not None:
            asked = _set(asked, flag, True)
            continue
        left += letter
        if letter in TAKES_VALUE:
            if rest:
                return asked, [f"-{left}{rest}"]
            return asked, [f"-{left}", *([waiting.pop(0)] if waiting else [])]
    return asked, [f"-{left}"] if left else []


def _set(asked: Asked, flag: Flag, value: object) -> Asked:
    changes: dict[str, Any] = {flag.field: value}
    return replace(asked, **changes)


def monitor_of(text: str, name: str = "-M") -> Monitor:
    """How to watch a tunnel. Raises OptionError."""
    if text in ("alive", "auto"):
        return Alive() if text == "alive" else Loop()
    port, colon, echo = text.partition(":")
    first = _port(port, text, name)
    if first == 0:
        return ExitOnly()
    return Echo(first, _port(echo, text, name)) if colon else Loop(first)


def _port(text: str, whole_text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise OptionError(f"{name}: {whole_text!r} is none of alive, 0, auto, PORT and PORT:ECHO_PORT")
    return int(text)
