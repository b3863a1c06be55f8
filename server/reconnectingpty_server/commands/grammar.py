"""What the command line knows, as the manual and the completions need it: read off the parsers, and kept nowhere."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from reconnectingpty.tunnel.flags import FLAGS

PATHS = frozenset({"PATH", "FILE", "PEM", "DIR"})
"""Values that are files or directories, by what the help calls them."""
SESSIONS = frozenset({"SESSION", "SESSION|URL"})
"""Values that are sessions which there are."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A flag, by its names, or a word without one. `value` is what the help calls its value, empty if it takes none."""

    names: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...] = ()
    optional: bool = True
    several: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its flags and its words."""

    name: str
    help: str
    description: str
    flags: tuple[Argument, ...]
    words: tuple[Argument, ...]


def commands(parser: argparse.ArgumentParser) -> list[Command]:
    """All commands of a program's parser."""
    found: list[Command] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            found += [_command(name, text, action.choices[name]) for name, text in helps.items()]
    return found


def _command(name: str, text: str, parser: argparse.ArgumentParser) -> Command:
    if name == "tunnel":  # its flags have a table of their own
        return Command(name, text, "", tuple(_tunnels_flags()), (Argument((), "SSH_ARGUMENTS", "what ssh gets"),))
    arguments = [_argument(action) for action in parser._actions if action.help is not argparse.SUPPRESS]
    return Command(
        name,
        text,
        parser.description or "",
        tuple(argument for argument in arguments if argument.names),
        tuple(argument for argument in arguments if not argument.names),
    )


def _argument(action: argparse.Action) -> Argument:
    takes_value = action.nargs != 0
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    choices = tuple(str(choice) for choice in action.choices or ())
    return Argument(
        tuple(action.option_strings),
        value if takes_value else "",
        (action.help or "") % {"prog": "reconnectingpty"},
        choices,
        action.nargs in ("?", "*") if not action.option_strings else not action.required,
        action.nargs in ("*", "+"),
    )


def _tunnels_flags() -> Iterator[Argument]:
    for flag in FLAGS:
        names = (f"-{flag.short}", flag.name) if flag.short else (flag.name,)
        choices = ("alive", "0", "auto") if flag.value == "HOW" else ()
        yield Argument(names, flag.value, flag.help, choices)
