"""The command `health`: whether the server of this user on this machine answers, wherever and however it listens."""

from __future__ import annotations

import argparse
from typing import Any

from ..remote import Remote

HELP = """\
Asks the server that this user runs on this machine for a sign of life, at its first listener; no token is sent. The
exit status is 0 if it gives one, else 1: for the health check of a container."""


def add(commands: Any) -> None:
    """The command's parser."""
    parser = commands.add_parser("health", help="whether the server here answers", description=HELP, allow_abbrev=False)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    Remote.of().ask_whether_it_lives()
    return 0
