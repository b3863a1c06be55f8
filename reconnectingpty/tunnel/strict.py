"""autossh's command line, to the letter: which arguments it takes, which it refuses, and what ssh gets of them. Pure.

Facts come from running autossh 1.4g as Debian ships it; tests/tunnel compares both on hundreds of command lines. Its
oddities are kept, as scripts may lean on them: options move before operands (getopt(3) does that), a cluster keeps what
follows `f`, every later argument loses its `f` too, the first `--` vanishes, and `-NM port` leaves `-M` to ssh as well,
with the port without its echo port.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .cnumbers import as_int, unsigned_long
from .settings import Echo, ExitOnly, Loop, Monitor

OPTIONS = "M:V1246ab:c:e:fgi:kl:m:no:p:qstvw:xyACD:E:F:GI:MJKL:NO:PQ:R:S:TW:XY"
"""The letters autossh knows; a colon follows one that takes a value. The first of two equal letters counts."""
USAGE = "usage: {program} [-V] [-M monitor_port[:echo_port]] [-f] [SSH_OPTIONS]"
_GIVES_PORT = re.compile(r"-f?M ?[0-9]+")


class StrictError(Exception):
    """autossh would end with status 1 and this in its log."""


class UsageError(StrictError):
    """autossh would end with status 1, this on stderr and its usage below it."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What getopt finds: `arguments` is the rest of argv in the order in which getopt leaves it."""

    arguments: tuple[str, ...] = ()
    port: str | None = None
    background: bool = False
    version: bool = False
    operands: int = 0


def takes_value(letter: str) -> bool | None:
    """Whether an option takes a value; None where there is no such option."""
    at = -1 if letter in ":;" else OPTIONS.find(letter)
    return None if at < 0 else OPTIONS[at + 1 : at + 2] == ":"


def read(arguments: Sequence[str], *, posix: bool = False) -> CommandLine:
    """Go through the arguments as glibc's getopt does; with `posix` (POSIXLY_CORRECT) the first operand ends options.

    Raises UsageError with getopt's own words.
    """
    options: list[str] = []
    operands: list[str] = []
    port: str | None = None
    port_in = 0  # which of the options
    background = False
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            options.append(argument)
            break
        if argument == "-" or not argument.startswith("-"):
            operands.append(argument)
            if posix:
                break
            continue
        options.append(argument)
        for index, letter in enumerate(argument[1:], 2):
            wants = takes_value(letter)
            if wants is None:
                first_byte = os.fsdecode(os.fsencode(letter)[:1])
                raise UsageError(f"invalid option -- '{first_byte}'")
            value = argument[index:]
            if wants and not value:
                if not waiting:
                    raise UsageError(f"option requires an argument -- '{letter}'")
                value = waiting.pop(0)
                options.append(value)
            if letter == "M":
                port, port_in = value, len(options) - 1
            elif letter == "f":
                background = True
            elif letter == "V":
                return CommandLine(version=True)
            if wants:
                break
    operands += waiting
    if port is not None:  # autossh ends it at the colon where it lies
        before = len(options[port_in]) - len(port)
        options[port_in] = options[port_in][:before] + port.partition(":")[0]
    return CommandLine((*options, *operands), port, background, operands=len(operands))


def gives_port(arguments: Sequence[str]) -> bool:
    """Whether Debian's wrapper takes this for a command line with a monitor port, and so looks for none itself."""
    return any(_GIVES_PORT.search(line) for line in " ".join(arguments).splitlines())


def monitor_of(port: str) -> Monitor:
    """What `-M` or AUTOSSH_PORT asks for. Raises StrictError in autossh's words."""
    port, colon, echo = port.partition(":")
    echo_port = 0
    if colon:
        echo_port = as_int(unsigned_long(echo) or 0)
        if echo_port == 0:
            raise StrictError(f'invalid echo port  "{echo}"')
    number = unsigned_long(port)
    if number is None:
        raise StrictError(f'invalid port "{port}"')
    number = as_int(number)
    if number == 0:
        return ExitOnly()
    if not 0 < number < 65535:
        raise StrictError(f"monitor port ({number}) out of range")
    return Echo(number, echo_port) if colon else Loop(number)


def ssh_arguments(line: CommandLine, forwards: Sequence[str]) -> list[str]:
    """What ssh is given: the monitor's `forwards` first, then the arguments that are not autossh's own."""
    given = list(forwards)
    stopped = False
    waiting = list(line.arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument.startswith("--") and not stopped:
            stopped = True
        elif argument.startswith("-M") and not stopped:
            if argument == "-M":
                waiting = waiting[1:]
        else:
            given.append(without_f(argument))
    return [argument for argument in given if argument]


def without_f(argument: str) -> str:
    """An argument as autossh hands it on: without `f`, up to a letter that takes a value."""
    if not argument.startswith("-") or argument == "-":
        return argument
    letters = list(argument)
    at = 0
    while at < len(letters):
        if takes_value(letters[at]):
            return "".join(letters)
        if letters[at] == "f":
            del letters[at]
        # Whatever moved into its place is passed over.
        at += 1
    left = "".join(letters)
    return "" if left == "-" else left
