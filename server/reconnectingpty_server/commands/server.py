"""Which server a command is for, and which of its sessions: the flags and words that all commands share."""

from __future__ import annotations

import argparse

from ..remote import Remote


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


def session_of(arguments: argparse.Namespace) -> tuple[Remote, str | None]:
    """The server, and the session by its id or within a link; None where none is named. Raises RemoteError."""
    target = arguments.session
    if target is not None and ("://" in target or target.startswith("unix:")):
        arguments.url, target = target, None
    remote = server_of(arguments)
    return remote, target or remote.session
