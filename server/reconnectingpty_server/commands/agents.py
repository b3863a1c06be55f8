"""The command `mcp`: terminals for programs that speak the Model Context Protocol, over standard input and output."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from ..remote import RemoteError
from .server import add as add_command
from .server import server_of

HELP = """\
Serves the Model Context Protocol on standard input and output, so that an agent drives real terminals, which a person
can watch and take over: tools to start, list and end sessions, to type, press keys, run commands, wait, and read the
screen. It needs the package mcp: pip install 'reconnectingpty[mcp]'. For an agent's configuration:

  {"mcpServers": {"terminals": {"command": "reconnectingpty", "args": ["mcp"]}}}"""


def add(commands: Any) -> None:
    """The command's parser."""
    parser = add_command(commands, "mcp", "terminals for agents, by the Model Context Protocol", HELP, run)
    parser.add_argument("--readonly", action="store_true", help="only the tools that look")


def run(arguments: argparse.Namespace) -> int:
    """Serve until standard input ends."""
    try:
        from .. import mcp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        raise RemoteError("this needs the package mcp: pip install 'reconnectingpty[mcp]'") from None
    asyncio.run(mcp.serve(server_of(arguments), readonly=arguments.readonly))
    return 0
