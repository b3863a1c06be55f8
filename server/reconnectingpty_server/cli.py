"""The command line: one function a command."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import PackageNotFoundError, version

from reconnectingpty.tunnel.cli import tunnel

from . import serve
from .access import users
from .cluster import command as haproxy_config
from .commands import agents, attaching, completion, driving, play, sessions
from .commands.server import Parser
from .config import ConfigError, add_flags
from .logs import complain
from .remote import RemoteError


def main(arguments: list[str] | None = None) -> None:
    """The console script `reconnectingpty`."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["tunnel"]:  # what follows is ssh's, which argparse would take for its own
        raise SystemExit(tunnel(given[1:]))
    parsed = parser().parse_args(given)
    try:
        status = parsed.run(parsed)
    except RemoteError as error:
        complain(error)
        status = 1
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        sys.stderr.close()
        status = 141
    raise SystemExit(status)


def parser() -> argparse.ArgumentParser:
    """What reads the command line."""
    parser = argparse.ArgumentParser("reconnectingpty", description="Shells that survive.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    serving = commands.add_parser("serve", help="run the server", allow_abbrev=False)
    add_flags(serving)
    serving.set_defaults(run=serve.run)
    commands.add_parser("tunnel", help="keep an ssh connection open, as autossh does", add_help=False)
    adding = commands.add_parser("user", help="add a user, or give one a new token, which is printed")
    adding.add_argument("name")
    adding.add_argument("--role", choices=("user", "viewer", "admin"), default="user", help="(default: user)")
    adding.add_argument("--users-file", required=True, metavar="PATH", help="what the server has as --users-file")
    adding.set_defaults(run=_add_user)
    routing = "HAProxy's configuration for several nodes"
    haproxy_config.add_arguments(commands.add_parser("haproxy-config", help=routing, allow_abbrev=False))
    for group in (attaching, sessions, driving, play, agents):
        group.add(commands)
    completion.add(commands, parser)
    return parser


def _add_user(arguments: argparse.Namespace) -> int:
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
