"""The command line: one function a command."""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from reconnectingpty.tunnel.cli import tunnel

from . import serve
from .access import users
from .cluster import command as haproxy_config
from .cluster import everywhere
from .commands import attaching, play
from .commands.server import add_server, server_of
from .config import ConfigError, add_flags
from .logs import clean
from .remote import RemoteError


def main(arguments: list[str] | None = None) -> None:
    """The console script `reconnectingpty`."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["tunnel"]:  # what follows is ssh's, which argparse would take for its own
        raise SystemExit(tunnel(given[1:]))
    parsed = _parser().parse_args(given)
    try:
        status = parsed.run(parsed)
    except RemoteError as error:
        print(f"reconnectingpty: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        sys.stderr.close()
        status = 141
    raise SystemExit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("reconnectingpty", description="Shells that survive.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
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
    listing = _client(commands, "list", "list the sessions, behind a router those of all nodes", _list)
    listing.add_argument("--json", action="store_true", help="as JSON")
    _client(commands, "kill", "end a session", _kill).add_argument("session")
    screen = _client(commands, "screen", "print what a session shows", _screen)
    screen.add_argument("session")
    screen.add_argument("--format", choices=("text", "ansi", "json"), default="text")
    attaching.add(commands)
    play.add(commands)
    return parser


def _client(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, allow_abbrev=False)
    add_server(parser)
    parser.set_defaults(run=run)
    return parser


def _add_user(arguments: argparse.Namespace) -> int:
    try:
        print(users.add(arguments.users_file, arguments.name, arguments.role))
    except ConfigError as error:
        print(f"reconnectingpty: {error}", file=sys.stderr)
        return 2
    print(f"The token of {arguments.name}; a server that runs takes it on SIGHUP.", file=sys.stderr)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    sessions, silent = everywhere.sessions(server_of(arguments))
    for node in silent:
        print(f"reconnectingpty: node {clean(node)} does not answer; its sessions are not listed", file=sys.stderr)
    if arguments.json:
        print(json.dumps(sessions, indent=2))
        return 0
    rows = [("ID", "STATE", "SIZE", "VIEWERS", "IDLE", "COMMAND", "TITLE")]
    for session in sessions:
        size, idle = f"{session['cols']}x{session['rows']}", f"{session['idle']:.0f}s"
        command = session["command"] or "(login shell)"
        row = (session["id"], session["state"], size, str(session["viewers"]), idle, command, session["title"])
        rows.append(tuple(clean(text) for text in row))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _kill(arguments: argparse.Namespace) -> int:
    server_of(arguments).request("DELETE", f"/api/sessions/{quote(arguments.session, safe='')}")
    return 0


def _screen(arguments: argparse.Namespace) -> int:
    path = f"/api/sessions/{quote(arguments.session, safe='')}/screen"
    sys.stdout.buffer.write(server_of(arguments).request("GET", path, format=arguments.format))
    return 0


def _version() -> str:
    try:
        return f"reconnectingpty {version('reconnectingpty')}"
    except PackageNotFoundError:
        return "reconnectingpty (not installed)"
