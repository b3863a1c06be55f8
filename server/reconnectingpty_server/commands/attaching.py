"""The command `attach`: its flags and its manual. What it does is in the package `attach`."""

from __future__ import annotations

import argparse
import os
import secrets
from typing import Any

from reconnectingpty.wire.address import AttachRequest

from ..attach.escapes import DEFAULT, escape_character
from .server import add_server, session_of

HELP = """\
Puts this terminal on a session, which is started if there is none of that name. When the connection is lost, it is
made again, and the session goes on at the very byte where it was.

After Enter, these are for this program instead of the session:
  ~.   leave; the session goes on
  ~^Z  stop this program, until `fg`
  ~r   draw the screen anew
  ~?   list these
  ~~   type one ~

What is piped in is typed, and then the end of input: `echo make | reconnectingpty attach work`."""
STATUS = """\
exit status:
  the session's own, where it ends (128 and the signal's number, where one ended it); 0 after ~. ; 1 where the session
  can't be reached or was closed by somebody; 128 and the number of the signal that ended this program."""


def add(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser(
        "attach", help="put this terminal on a session; ~. leaves", description=HELP, epilog=STATUS,
        allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("session", nargs="?", metavar="SESSION|URL", help="its id, or a link (default: a new one)")
    parser.add_argument("--command", default="", help="what a new session runs, where the server allows that")
    parser.add_argument("--readonly", action="store_true", help="look on, don't type; ^C leaves, too")
    parser.add_argument("--no-start", action="store_true", help="only to a session that is there")
    parser.add_argument(
        "--escape", type=_escape, default=os.environ.get("RECONNECTINGPTY_ESCAPE", DEFAULT), metavar="KEY",
        help="instead of ~: a character, ^X, or none (default: $RECONNECTINGPTY_ESCAPE, or ~)",
    )  # fmt: skip
    add_server(parser)
    parser.set_defaults(run=run)


class _Escape:
    def __init__(self, character: bytes | None) -> None:
        self.character = character


def _escape(text: str) -> _Escape:
    try:
        return _Escape(escape_character(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: argparse.Namespace) -> int:
    """Attach."""
    from .. import attach  # not needed by the other commands, which would have to wait for it

    remote, session = session_of(arguments, arguments.session)
    asked = AttachRequest(
        session=session or remote.json("/api/node")["session"],
        client=secrets.token_hex(8),
        command=arguments.command,
        readonly=arguments.readonly,
        attach_only=arguments.no_start,
    )
    return attach.run(remote, asked, arguments.escape.character)
