"""What a session's command finds around it: its environment, its argument vector, its directory.

A child gets what a login on this machine would give it, a terminal's variables, and the session's marks; never the
server's own secrets, and nothing of the terminal or supervisor that the server itself happens to run in.
"""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import OptionError
from .leftovers import EPOCH_VARIABLE

SESSION_VARIABLE = "RECONNECTINGPTY_SESSION"
OWN_PREFIX = "RECONNECTINGPTY_"

FOREIGN: dict[str, str] = {
    "TMUX": "a multiplexer around the server is not around the session",
    "TMUX_PANE": "the same",
    "STY": "GNU screen's name of a session that this is not",
    "WINDOW": "the same",
    "TERMCAP": "the capabilities of another terminal",
    "LINES": "the size of another terminal",
    "COLUMNS": "the same",
    "WINDOWID": "the X window of another terminal",
    "TERM_PROGRAM": "the name of another terminal",
    "TERM_PROGRAM_VERSION": "the same",
    "VTE_VERSION": "the same",
    "KITTY_WINDOW_ID": "the same",
    "KONSOLE_VERSION": "the same",
    "SSH_TTY": "the server's own login's terminal",
    "NOTIFY_SOCKET": "systemd's, for the server alone",
    "WATCHDOG_PID": "the same",
    "WATCHDOG_USEC": "the same",
    "LISTEN_FDS": "the same",
    "LISTEN_FDNAMES": "the same",
    "LISTEN_PID": "the same",
    "INVOCATION_ID": "the same",
    "JOURNAL_STREAM": "the same",
}
"""Variables of the server's own surroundings, and why a session must not have them."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that sessions run as."""

    name: str
    home: str
    shell: str


def current_account() -> Account:
    """This process's user, from the password database; $SHELL and /bin/sh where that has no shell."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:  # a container run with a user id that has no name
        home = os.environ.get("HOME", "/")
        return Account(str(os.getuid()), home, os.environ.get("SHELL") or "/bin/sh")
    return Account(entry.pw_name, entry.pw_dir, entry.pw_shell or os.environ.get("SHELL") or "/bin/sh")


def command_line(command: str | Sequence[str], account: Account) -> list[str]:
    """The argument vector for a command: empty, the login shell; a string, run by that shell; a sequence, as it is.

    A string that begins with `#!` is a script, run by the words of that line and `-c`. Raises OptionError.
    """
    if not isinstance(command, str):
        argv = list(command)
        if not argv or not argv[0]:
            raise OptionError("a command given as a list needs at least the program's name")
    elif not command.strip():
        argv = [account.shell, "-l"]
    elif command.lstrip().startswith("#!"):
        first = command.lstrip().splitlines()[0][2:]
        try:
            words = shlex.split(first)
        except ValueError as error:
            raise OptionError(f"the script's first line can't be read: {error}") from None
        if not words:
            raise OptionError("the script's first line names no interpreter after #!")
        argv = [*words, "-c", command]
    else:
        argv = [account.shell, "-c", command]
    if any("\0" in word for word in argv):
        raise OptionError("a command can't hold a NUL character")
    return argv


def working_directory(configured: str | None, account: Account) -> str:
    """Where a command starts: the configured directory if it is one, else the user's home, else the root."""
    return next((path for path in (configured, account.home) if path and os.path.isdir(path)), "/")


def child_environment(
    base: Mapping[str, str], *, session: str, epoch: str, user: Account, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a session's command, made from `base`; `extra` wins over all but the session's marks."""
    environment = {
        name: value for name, value in base.items() if not name.startswith(OWN_PREFIX) and name not in FOREIGN
    }
    environment |= {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "USER": user.name,
        "LOGNAME": user.name,
        "HOME": user.home,
        "SHELL": user.shell,
    }
    environment |= _locale(environment)
    environment |= extra or {}
    environment |= {SESSION_VARIABLE: session, EPOCH_VARIABLE: epoch}
    return environment


def _locale(environment: Mapping[str, str]) -> dict[str, str]:
    """LC_CTYPE where the locale in force has no UTF-8. A non-empty LC_ALL is respected as it is (locale(7))."""
    if environment.get("LC_ALL"):
        return {}
    effective = environment.get("LC_CTYPE") or environment.get("LANG") or ""
    charset = effective.partition(".")[2].partition("@")[0].lower().replace("-", "")
    return {} if charset == "utf8" else {"LC_CTYPE": "C.UTF-8"}
