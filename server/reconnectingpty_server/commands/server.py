"""Which server a command is for, and which of its sessions: the flags and words that all commands share."""

from __future__ import annotations

import argparse
import math
import secrets
from typing import Any

from reconnectingpty.client import Settings, Terminal
from reconnectingpty.wire.address import AttachRequest

from ..remote import Remote, RemoteError

PATIENCE = 10.0
"""Seconds without a connection after which a command that nobody watches gives up."""
TIMED_OUT = 124
"""The exit status where what was waited for did not come in time, as timeout(1) has it."""


class Parser(argparse.ArgumentParser):
    """Takes flags among the words, too: `send work --keys C-c Enter`. What stands behind the first `--` are words, and
    come as they are: they may be a command line with flags, and a `--`, of its own."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.register("type", None, _unmarked)
        self._mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `parse_known_intermixed_args`, which calls this one in turn."""
        if self._mixing:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            parsed, unknown = self.parse_known_intermixed_args(_marked(args), namespace)
        finally:
            self._mixing = False
        if unknown:
            told = f"unrecognized arguments: {' '.join(map(_unmarked, unknown))}"
            if any(action.nargs in ("*", "+") for action in self._get_positional_actions()):
                told += "; -- has to stand before words that begin with -"
            self.error(told)
        return parsed, unknown


# argparse itself reads the arguments more than once, and takes a `--` away each time.
_WORD = "\0"
"""Begins a word that is no flag whatever follows; no argument of a program can have it."""


def _marked(arguments: list[str]) -> list[str]:
    """Without the first `--`, and with what is behind it marked."""
    if "--" not in arguments:
        return arguments
    at = arguments.index("--")
    return arguments[:at] + [_WORD + word for word in arguments[at + 1 :]]


def _unmarked(word: str) -> str:
    return word.removeprefix(_WORD)


def add(
    commands: Any, name: str, text: str, description: str, run: Any, session: str | None = None
) -> argparse.ArgumentParser:
    """A command's parser, with the flags that name a server, and a session where it is for one."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=description, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    if session is not None:
        parser.add_argument("session", metavar="SESSION|URL", help=session)
    add_server(parser)
    parser.set_defaults(run=run)
    return parser


def add_server(parser: argparse.ArgumentParser) -> None:
    """The flags that name a server."""
    group = parser.add_argument_group("the server")
    group.add_argument(
        "--url", help="its address or the link it printed (default: $RECONNECTINGPTY_URL, or the one here)"
    )
    group.add_argument("--token", help="its token (default: $RECONNECTINGPTY_TOKEN, or the link's)")
    group.add_argument("--token-file", metavar="PATH", help="a file with its token")


def server_of(arguments: argparse.Namespace) -> Remote:
    """The server that the flags name. Raises RemoteError."""
    return Remote.of(arguments.url, arguments.token, arguments.token_file)


def session_of(arguments: argparse.Namespace, target: str | None) -> tuple[Remote, str | None]:
    """The server, and the session by its id or within a link; None where none is named. Raises RemoteError."""
    if target is not None and ("://" in target or target.startswith("unix:")):
        remote = Remote.of(target, arguments.token, arguments.token_file)
        return remote, remote.session
    remote = server_of(arguments)
    return remote, target or remote.session


def named_session(arguments: argparse.Namespace, target: str | None) -> tuple[Remote, str]:
    """The same, where one has to be named. Raises RemoteError."""
    remote, session = session_of(arguments, target)
    if session is None:
        raise RemoteError("that link names no session")
    return remote, session


def terminal_of(arguments: argparse.Namespace, *, start: bool = False, readonly: bool = False) -> Terminal:
    """The session as a program uses it; its size is left to others. Raises RemoteError."""
    remote, session = named_session(arguments, arguments.session)
    request = AttachRequest(
        session=session,
        rows=0,
        cols=0,
        client=secrets.token_hex(8),
        command=getattr(arguments, "command", "") or "",
        attach_only=not start,
        readonly=readonly,
        answers=False,
    )
    return Terminal(remote, request, Settings(give_up=PATIENCE))


def seconds(text: str) -> float:
    """A time: seconds, or with one of the letters s, m, h, d behind it. Raises argparse.ArgumentTypeError."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        value = float(number) * _UNITS[unit]
    except ValueError:
        value = 0.0
    if not (0 < value < 1e9) or not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} must be a time above 0, such as 1.5, 30s, 10m or 2h")
    return value


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
