"""The command line: one function a command."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from reconnectingpty.outlet import have_standard

from .commands import agents, attaching, driving, health, play, sessions
from .commands.server import Parser
from .logs import complain
from .own_terminal import STDOUT
from .remote import RemoteError


def main(arguments: list[str] | None = None) -> None:
    """The console script `reconnectingpty`."""
    have_standard()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what a session shows need not be in the user's encoding
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["tunnel"]:  # what follows is ssh's, which argparse would take for its own
        from reconnectingpty.tunnel.cli import tunnel

        raise SystemExit(tunnel(given[1:]))
    if not given:
        parser().print_help(sys.stderr)
        raise SystemExit(2)
    only = given[0] if given[0][:1] != "-" and given[0] != "completion" else None
    parsed = parser(only).parse_args(given)
    try:
        status = parsed.run(parsed)
        sys.stdout.flush()
    except RemoteError as error:
        complain(error)
        status = 1
    except UnicodeEncodeError:
        complain("what is given has to be text, and is no UTF-8")
        status = parsed.failed
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        _write_no_more()
        status = 141
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or error)
        _write_no_more()
        status = parsed.failed
    raise SystemExit(status)


def _write_no_more() -> None:
    """Drop what was printed and can't be written, which Python would try again at the end."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """What reads the command line. With `only` one command, what others would take long to import is left out."""
    parser = argparse.ArgumentParser("reconnectingpty", description="Shells that survive.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=_version())
    parser.set_defaults(failed=1)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    def add(name: str, text: str, add_flags: Callable[[argparse.ArgumentParser], None]) -> None:
        command = commands.add_parser(name, help=text, allow_abbrev=False)
        if only in (None, name):
            add_flags(command)

    add("serve", "run the server", _serve)
    commands.add_parser("tunnel", help="keep an ssh connection open, as autossh does", add_help=False)
    add("user", "add a user, or give one a new token, which is printed", _user)
    add("haproxy-config", "HAProxy's configuration for several nodes", _haproxy_config)
    for group in (attaching, sessions, driving, play, health, agents):
        group.add(commands)
    if only is None:
        from .commands import completion

        completion.add(commands, parser)
    return parser


def _serve(command: argparse.ArgumentParser) -> None:
    from . import serve
    from .config import add_flags

    add_flags(command)
    command.set_defaults(run=serve.run)


def _user(command: argparse.ArgumentParser) -> None:
    command.add_argument("name")
    command.add_argument("--role", choices=("user", "viewer", "admin"), default="user", help="(default: user)")
    command.add_argument("--users-file", required=True, metavar="PATH", help="what the server has as --users-file")
    command.set_defaults(run=_add_user)


def _haproxy_config(command: argparse.ArgumentParser) -> None:
    from .cluster.command import add_arguments

    add_arguments(command)


def _add_user(arguments: argparse.Namespace) -> int:
    from .access import users
    from .values import ConfigError

    try:
        print(users.add(arguments.users_file, arguments.name, arguments.role))
    except ConfigError as error:
        complain(error)
        return 2
    print(f"The token of {arguments.name}; a server that runs takes it on SIGHUP.", file=sys.stderr)
    return 0


def _version() -> str:
    try:
        return f"reconnectingpty {version('reconnectingpty')}"
    except PackageNotFoundError:
        return "reconnectingpty (not installed)"
