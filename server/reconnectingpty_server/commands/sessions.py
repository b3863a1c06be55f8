"""The commands on a server's sessions as a whole: `list`, `new`, `kill`, `screen`, `share`."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from typing import Any
from urllib.parse import quote

from reconnectingpty.client import ConnectFailed, SessionEnded
from reconnectingpty.terminal.width import width

from ..cluster import everywhere
from ..logs import clean, complain
from ..remote import RemoteError
from .server import add as add_command
from .server import named_session, seconds, server_of, terminal_of

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))
LIST = """\
The sessions that one may see, behind a router those of all nodes: the id, which is what other commands want, the name
if it has one, what it runs, its size, how many are attached, since when nothing has happened, and its title."""
NEW = """\
Starts a session, and prints its id. It runs in the background, until somebody attaches; one that nobody is attached to
for as long as the server's --timeout says is ended.

  id=$(reconnectingpty new --command 'make -j2')
  reconnectingpty attach --no-start $id

Without --no-start, attach starts another session where this one has ended."""
KILL = "Ends sessions, and waits until they have: their programs get their grace to end by themselves."
SCREEN = """\
Prints what a session shows now. `ansi` is with its colours, `json` with the cursor, size and title, too."""
SHARE = """\
Makes a link to one session for somebody who has no token here: to look on, or with --write to type, too. It counts
until its time is over or it is revoked.

  reconnectingpty share work --for 30m
  reconnectingpty share work --list
  reconnectingpty share work --revoke ID"""


def add(commands: Any) -> None:
    """The commands' parsers."""
    listing = add_command(commands, "list", "list the sessions, behind a router those of all nodes", LIST, _list)
    listing.add_argument("--json", action="store_true", help="everything, as JSON")

    new = add_command(commands, "new", "start a session", NEW, _new)
    new.add_argument("session", nargs="?", metavar="SESSION", help="its id (default: a random one)")
    new.add_argument("--name", default="", help="what people call it")
    new.add_argument("--command", default="", help="what it runs, where the server allows that (default: a shell)")
    new.add_argument("--backend", default="", metavar="NAME", help="buffered or screen (default: the server's)")
    new.add_argument("--size", type=_size, metavar="COLSxROWS", help="until somebody with a size attaches")
    new.add_argument("--json", action="store_true", help="everything about it, as JSON")

    killing = add_command(commands, "kill", "end sessions", KILL, _kill)
    killing.add_argument("sessions", nargs="+", metavar="SESSION|URL", help="its id, or a link")

    screen = add_command(commands, "screen", "print what a session shows", SCREEN, _screen, "its id, or a link")
    screen.add_argument("--format", choices=("text", "ansi", "json"), default="text", help="(default: text)")

    share = add_command(commands, "share", "make a link to a session", SHARE, _share, "its id")
    share.add_argument("--write", action="store_true", help="who has the link may type")
    share.add_argument("--for", dest="seconds", type=seconds, default=3600.0, metavar="TIME", help="(default: 1h)")
    share.add_argument("--list", action="store_true", help="the links that count now")
    share.add_argument("--revoke", metavar="ID", help="a link that shall count no more")
    share.add_argument("--json", action="store_true", help="everything, as JSON")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    if match is None or not int(match[1]) or not int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} must be columns and rows, such as 80x24")
    return int(match[1]), int(match[2])


def _list(arguments: argparse.Namespace) -> int:
    sessions, silent = everywhere.sessions(server_of(arguments))
    for node in silent:
        complain(f"node {node} does not answer; its sessions are not listed")
    if arguments.json:
        print(json.dumps(sessions, indent=2))
        return 0
    rows = [("ID", "STATE", "NAME", "SIZE", "VIEWERS", "IDLE", "COMMAND", "TITLE")]
    for session in sessions:
        size = f"{session['cols']}x{session['rows']}"
        command = session["command"] or "(login shell)"
        told = (session["id"], session["state"], session.get("name", ""), size, str(session["viewers"]))
        rows.append((*told, _ago(session["idle"]), command, session["title"]))
    _table(rows)
    return 0


def _table(rows: list[Any]) -> None:
    """Rows in columns, without those columns in which no row but the first has anything."""
    told = [[clean(text) for text in row] for row in rows]
    columns = [at for at in range(len(told[0])) if len(told) == 1 or any(row[at] for row in told[1:])]
    widths = {at: max(_width(row[at]) for row in told) for at in columns}
    for row in told:
        print("  ".join(row[at] + " " * (widths[at] - _width(row[at])) for at in columns).rstrip())


def _width(text: str) -> int:
    return sum(map(width, text))


def _ago(passed: float) -> str:
    for size, unit in _UNITS:
        if passed >= size:
            return f"{passed // size:.0f}{unit}"
    return f"{passed:.0f}s"


def _new(arguments: argparse.Namespace) -> int:
    fields: dict[str, Any] = {
        "id": arguments.session,
        "name": arguments.name,
        "command": arguments.command,
        "backend_type": arguments.backend,
    }
    if arguments.size is not None:
        fields["cols"], fields["rows"] = arguments.size
    body = {name: value for name, value in fields.items() if value}
    remote = server_of(arguments)
    told = everywhere.start(remote, body)
    arguments.session, arguments.command = told["id"], ""
    try:
        asyncio.run(_start(arguments))
        if arguments.json:  # what it is now that it runs
            told = remote.json(f"/api/sessions/{quote(told['id'], safe='')}")
    except ConnectFailed as error:
        raise RemoteError(str(error)) from None
    except SessionEnded:
        pass  # it had little to do
    print(json.dumps(told, indent=2) if arguments.json else told["id"])
    return 0


async def _start(arguments: argparse.Namespace) -> None:
    """A session's command starts when somebody attaches; that is done and over with."""
    async with terminal_of(arguments):
        pass


def _kill(arguments: argparse.Namespace) -> int:
    status = 0
    for target in arguments.sessions:
        try:
            remote, session = named_session(arguments, target)
            remote.request("DELETE", f"/api/sessions/{quote(session, safe='')}")
        except RemoteError as error:
            complain(error)
            status = 1
    return status


def _screen(arguments: argparse.Namespace) -> int:
    remote, session = named_session(arguments, arguments.session)
    shown = remote.request("GET", f"/api/sessions/{quote(session, safe='')}/screen", format=arguments.format)
    sys.stdout.buffer.write(shown)
    return 0


def _share(arguments: argparse.Namespace) -> int:
    remote, session = named_session(arguments, arguments.session)
    path = f"/api/sessions/{quote(session, safe='')}/links"
    if arguments.revoke:
        remote.request("DELETE", f"{path}/{quote(arguments.revoke, safe='')}")
        return 0
    if arguments.list:
        links = remote.json(path)["links"]
        if arguments.json:
            print(json.dumps(links, indent=2))
        else:
            made = [(link["id"], link["access"], _until(link["expires"]), link["by"]) for link in links]
            _table([("ID", "ACCESS", "EXPIRES", "BY"), *made])
        return 0
    told = remote.post(path, {"access": "write" if arguments.write else "read", "seconds": arguments.seconds})
    told["url"] = remote.page(told["path"])
    print(json.dumps(told, indent=2) if arguments.json else told["url"])
    return 0


def _until(moment: float) -> str:
    import time

    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
