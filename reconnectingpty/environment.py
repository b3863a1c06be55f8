"""What a session's command finds around it: its environment, its argument vector, its directory.

A child gets what a login on this machine would give it, a terminal's variables, and the session's marks; never the
server's own secrets, and nothing of the terminal or supervisor that the server itself happens to run in.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from .account import Account
from .errors import OptionError
from .leftovers import EPOCH_VARIABLE

SESSION_VARIABLE = "RECONNECTINGPTY_SESSION"
OWN_PREFIX = "RECONNECTINGPTY_"
"""What the server is configured by, tokens included."""
TERM = "xterm-256color"
KEPT_FOR_ANOTHER = ("PATH", "LANG", "LANGUAGE", "LC_*", "TZ")
"""What a session of another user gets of the server's environment, if nothing else is said: the server's is not its."""

FOREIGN: dict[str, str] = {
    "TMUX": "a multiplexer around the server is not around the session",
    "TMUX_PANE": "the same",
    "STY": "the same, GNU screen's",
    "WINDOW": "the same, GNU screen's",
    "ZELLIJ": "the same",
    "TERMCAP": "the capabilities of another terminal",
    "LINES": "the size of another terminal; programs believe it over the real one",
    "COLUMNS": "the same",
    "COLORFGBG": "the colours of another terminal",
    "WINDOWID": "the X window of another terminal",
    "TERM_PROGRAM": "the name of another terminal, from which programs infer what this one can do",
    "TERM_PROGRAM_VERSION": "the same",
    "TERM_SESSION_ID": "the same, Apple's Terminal and iTerm2",
    "LC_TERMINAL": "the same, iTerm2's, which ssh passes on",
    "LC_TERMINAL_VERSION": "the same",
    "TERMINAL_EMULATOR": "the same, JetBrains'",
    "VTE_VERSION": "the same, GNOME's and its relatives'",
    "XTERM_VERSION": "the same",
    "WT_SESSION": "the same, Windows Terminal's",
    "WT_PROFILE_ID": "the same",
    "INSIDE_EMACS": "an editor around the server is not around the session",
    "SSH_TTY": "the terminal of the login that started the server",
    "GPG_TTY": "the same: a passphrase would be asked for there",
    "SSH_CLIENT": "the connection of that login",
    "SSH_CONNECTION": "the same",
    "NOTIFY_SOCKET": "systemd's, for the server alone: a child could report in its name (sd_notify(3))",
    "WATCHDOG_PID": "the same (sd_watchdog_enabled(3))",
    "WATCHDOG_USEC": "the same",
    "LISTEN_FDS": "the same: descriptors that a child doesn't have (sd_listen_fds(3))",
    "LISTEN_FDNAMES": "the same",
    "LISTEN_PID": "the same",
    "FDSTORE": "the same",
    "MAINPID": "the same (systemd.exec(5), as are those below)",
    "MANAGERPID": "the same",
    "SYSTEMD_EXEC_PID": "the same",
    "INVOCATION_ID": "the same",
    "JOURNAL_STREAM": "the same: a terminal is not the journal",
    "CREDENTIALS_DIRECTORY": "the same: where the server's secrets are",
}
"""Variables of the server's own surroundings, and why a session must not have them."""

FOREIGN_PREFIXES: dict[str, str] = {
    OWN_PREFIX: "the server's own configuration and secrets",
    "ALACRITTY_": "window, socket and log of another terminal",
    "GHOSTTY_": "the same",
    "GNOME_TERMINAL_": "the same",
    "ITERM_": "the same",
    "KITTY_": "the same, and the way to control it",
    "KONSOLE_": "the same",
    "WEZTERM_": "the same",
    "ZELLIJ_": "a multiplexer around the server is not around the session",
    "MEMORY_PRESSURE_": "systemd's, for the server alone (systemd.exec(5))",
    "SUPERVISOR_": "supervisord's, for the server alone",
}
"""The same for families of variables, by what their names begin with."""


def command_line(command: str | Sequence[str], account: Account) -> list[str]:
    """The argument vector for a command: blank, the login shell; a string, run by that shell; a sequence, as it is.

    A string that begins with `#!` is a script, run by the words of that line and `-c`. Raises OptionError.
    """
    if not isinstance(command, str):
        argv = list(command)
        if not argv or not argv[0]:
            raise OptionError("a command given as a list needs at least the program's name")
    elif not command.strip():
        argv = [account.shell, "-l"]
    elif command.lstrip().startswith("#!"):
        argv = [*_interpreter(command.lstrip()), "-c", command]
    else:
        argv = [account.shell, "-c", command]
    for word in argv:
        _check("a command", word)
    return argv


def _interpreter(script: str) -> list[str]:
    """The words after `#!`, quoted as for a shell."""
    try:
        words = shlex.split(script.partition("\n")[0].removeprefix("#!"))
    except ValueError as error:
        raise OptionError(f"the script's first line can't be read: {error}") from None
    if not words or not words[0]:
        raise OptionError("the script's first line names no interpreter after #!")
    return words


def working_directory(configured: str | None, account: Account) -> str:
    """Where a command starts: the configured directory if it is one, else the user's home, else the root."""
    return next((path for path in (configured, account.home) if path and os.path.isdir(path)), "/")


def child_environment(
    base: Mapping[str, str],
    *,
    session: str,
    epoch: str,
    user: Account,
    extra: Mapping[str, str] | None = None,
    keep: Sequence[str] | None = None,
) -> dict[str, str]:
    """The environment of a session's command, made from `base`; `extra` wins over all but the session's marks.

    Of `base` only what is called as one of `keep` (`*` at the end: as it begins) gets there; None: all, or for another
    user `KEPT_FOR_ANOTHER`. What is the server's own never does.

    Raises OptionError for a name or a value in `extra` that no environment can hold.
    """
    extra = extra or {}
    for name, value in extra.items():
        if not name or "=" in name:
            raise OptionError(f"an environment can't hold a variable called {name!r}")
        _check("an environment variable's name", name)
        _check(f"the environment variable {name}", value)
    if keep is None and user.switch:
        keep = KEPT_FOR_ANOTHER
    environment = {name: value for name, value in base.items() if not _is_foreign(name) and _is_kept(name, keep)}
    environment |= {
        "TERM": TERM,
        "COLORTERM": "truecolor",
        "USER": user.name,
        "LOGNAME": user.name,
        "HOME": user.home,
        "SHELL": user.shell,
    }
    environment |= extra
    if "LC_CTYPE" not in extra and not _in_utf8(environment):
        environment["LC_CTYPE"] = "C.UTF-8"
    return environment | {SESSION_VARIABLE: session, EPOCH_VARIABLE: epoch}


def _is_foreign(name: str) -> bool:
    return name in FOREIGN or name.startswith(tuple(FOREIGN_PREFIXES))


def _is_kept(name: str, keep: Sequence[str] | None) -> bool:
    if keep is None:
        return True
    return any(name.startswith(kept[:-1]) if kept.endswith("*") else name == kept for kept in keep)


def _in_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale in force has UTF-8, or is forced by LC_ALL, whatever it says (locale(7): empty is unset)."""
    if environment.get("LC_ALL"):
        return True
    effective = environment.get("LC_CTYPE") or environment.get("LANG") or ""
    charset = effective.partition(".")[2].partition("@")[0]
    return charset.lower().replace("-", "") == "utf8"


def _check(what: str, word: object) -> None:
    """Raises OptionError for what execve(2) can't be given."""
    if not isinstance(word, str):
        raise OptionError(f"{what} must be text, not {type(word).__name__}")
    if "\0" in word:
        raise OptionError(f"{what} can't hold a NUL character")
    try:
        os.fsencode(word)
    except UnicodeEncodeError:
        raise OptionError(f"{what} can't hold a character that this system's encoding doesn't have") from None
