"""Which of two characters the command has: our defaults, or autossh's to the letter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum

STRICT_VARIABLES = ("PYAUTOSSH_STRICT", "RUSTY_AUTOSSH_STRICT")
"""The second is the older program's, so that what was set for it goes on working."""
YES = frozenset({"1", "true", "yes"})


class Mode(StrEnum):
    """DEFAULT does better than autossh where its ways hurt people; STRICT does what autossh 1.4g does."""

    DEFAULT = "default"
    STRICT = "strict"


def choose(argv: Sequence[str], environment: Mapping[str, str]) -> tuple[Mode, list[str]]:
    """The mode, and `argv[1:]` without the flags that chose it.

    In order of precedence: `--strict` or `--no-strict` (the last one wins), the environment, the program's name.
    Flags count until `--`; an argument of that look which belongs to a remote command has to stand behind one.
    """
    chosen: Mode | None = None
    rest: list[str] = []
    for index, argument in enumerate(argv[1:], 1):
        if argument == "--":
            rest += argv[index:]
            break
        if argument in ("--strict", "--no-strict"):
            chosen = Mode.STRICT if argument == "--strict" else Mode.DEFAULT
        else:
            rest.append(argument)
    if chosen is None:
        chosen = _unasked(argv[0] if argv else "", environment)
    return chosen, rest


def _unasked(program: str, environment: Mapping[str, str]) -> Mode:
    for name in STRICT_VARIABLES:
        if name in environment:
            return Mode.STRICT if environment[name].lower() in YES else Mode.DEFAULT
    return Mode.STRICT if os.path.basename(program) == "autossh" else Mode.DEFAULT
