"""What a user's arguments ask of ssh, and what we put before them. Pure; reads no ssh_config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .settings import Alive, Settings

TAKES_VALUE = frozenset("bceilmopBDEFIJLOPQRSWw")
"""ssh(1)'s options with a value, of OpenSSH 10.0."""
FORWARDS = {"L": "localforward", "R": "remoteforward", "D": "dynamicforward"}
ALIVE_INTERVAL = 15
CONNECT_TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Word:
    """One piece of an argument list: an option's letter and value, or (no letter) an operand."""

    letter: str
    value: str


def words(arguments: Sequence[str]) -> Iterator[Word]:
    """The options and operands up to the remote command, as ssh itself reads them: options may follow the host."""
    waiting = list(arguments)
    host = options_over = False
    while waiting:
        argument = waiting.pop(0)
        if argument == "--" and not options_over:
            options_over = True
        elif options_over or argument == "-" or not argument.startswith("-"):
            yield Word("", argument)
            if host:
                return
            host, options_over = True, False
        else:
            yield from _cluster(argument[1:], waiting)


def _cluster(letters: str, waiting: list[str]) -> Iterator[Word]:
    for index, letter in enumerate(letters, 1):
        if letter in TAKES_VALUE:
            rest = letters[index:]
            yield Word(letter, rest or (waiting.pop(0) if waiting else ""))
            return
        yield Word(letter, "")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the arguments ask for. `options` are the names given with -o, in small letters."""

    destination: str | None
    command: bool
    options: frozenset[str]
    remote_forwards: int
    forwards: int
    quiet: bool
    """Its log level, or the file its log goes to, was chosen by the user."""
    verbose: bool


def read(arguments: Sequence[str]) -> Asked:
    """Go through the arguments."""
    found = list(words(arguments))
    operands = [word.value for word in found if not word.letter]
    options = [_option_name(word.value) for word in found if word.letter == "o"]
    options += [FORWARDS[word.letter] for word in found if word.letter in FORWARDS]
    letters = {word.letter for word in found}
    if "clearallforwardings" in options:
        options = [name for name in options if name not in FORWARDS.values()]
    return Asked(
        destination=operands[0] if operands else None,
        command=len(operands) > 1,
        options=frozenset(options),
        remote_forwards=options.count("remoteforward"),
        forwards=sum(options.count(name) for name in FORWARDS.values()),
        quiet="loglevel" in options or bool(letters & {"q", "E"}),
        verbose="v" in letters,
    )


def _option_name(text: str) -> str:
    return text.replace("=", " ", 1).split(maxsplit=1)[0].lower() if text.strip(" =") else ""


def build(settings: Settings, monitor_forwards: Sequence[str]) -> list[str]:
    """ssh's arguments: ours, only where the user's say nothing of the matter, then the user's own, untouched.

    ssh takes the first value that it meets, so ours win over ssh_config: where that is not wanted, say it in the
    arguments, or switch it off with `-M 0`.
    """
    return [*monitor_forwards, *_additions(settings), *settings.ssh_args]


def _additions(settings: Settings) -> list[str]:
    monitor = settings.monitor
    if settings.strict or not isinstance(monitor, Alive):
        return []
    asked = read(settings.ssh_args)
    wanted = {}
    if "serveraliveinterval" not in asked.options:
        wanted["ServerAliveInterval"] = str(monitor.interval or max(1, min(ALIVE_INTERVAL, int(settings.poll / 3))))
        wanted["ServerAliveCountMax"] = str(monitor.count)
    if asked.forwards:
        wanted["ExitOnForwardFailure"] = "yes"
    if not settings.terminal:
        wanted["ConnectTimeout"] = str(CONNECT_TIMEOUT)
    if tells_progress(settings, asked) and not asked.verbose:
        # At this level ssh says when it is through, and when the server has taken each forward.
        wanted["LogLevel"] = "DEBUG1"
    return [
        argument
        for name, value in wanted.items()
        if name.lower() not in asked.options
        for argument in ("-o", f"{name}={value}")
    ]


def tells_progress(settings: Settings, asked: Asked) -> bool:
    """Whether ssh will say, in words that we read, when its tunnel stands."""
    return isinstance(settings.monitor, Alive) and not (settings.strict or asked.quiet)
