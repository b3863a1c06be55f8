"""The commands that use a session as a program does: `send`, `wait`, `run`, `record`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shlex
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from reconnectingpty import NotAllowed, ReconnectingPTYError
from reconnectingpty.client import (
    Closed,
    Condition,
    Ended,
    Exited,
    Found,
    Quiet,
    SessionEnded,
)

from ..logs import complain
from ..own_terminal import STDIN, STDOUT
from ..remote import RemoteError
from .server import TIMED_OUT, seconds, terminal_of
from .server import add as add_command
from .taping import tape

SLICE = 64 << 10
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
SEND = """\
Types into a session, as a person would: the words with a blank between them, and Enter after them with --enter.
With --keys the words are names of keys; C-, M- and S- are Ctrl, Alt and Shift. With --paste the text is pasted, so that
an editor or a shell takes it as one. Without words, what is piped in is typed (with --keys: its words are the names).

  reconnectingpty send work --enter make test
  reconnectingpty send work --keys C-c Up Enter
  git diff | reconnectingpty send work --paste"""
WAIT = """\
Waits until a session shows something that matches one of the regular expressions, is quiet, or ends, whatever is first.
What it shows already counts. Prints what matched.

  reconnectingpty wait work --for '^BUILD (OK|FAILED)' --timeout 10m
  reconnectingpty wait work --quiet 2

exit status:
  0, where it was seen; with --exit and the session's end, that one's status; 124 where it was not seen in time."""
RUN = """\
Runs a command in the shell that a session shows, waits for its end, and prints what it wrote. The end is told by the
shell itself; silence is never taken for it. A single word is a line as one would type it; several are quoted as needed.
Of more than 16 MiB of output the middle is left out, which is told on standard error.

  reconnectingpty run work 'cd /src && make -j2'
  reconnectingpty run work -- git log --oneline

exit status:
  the command's own; 124 where it did not end in time (it goes on then); 125 where the session can't run it."""
RECORD = """\
Records what a session shows into a file, as an asciicast that `reconnectingpty play` and asciinema play, until the
session ends or this program is interrupted. It begins with the screen as it is. (`serve --record` records all sessions,
from their beginning.)

exit status:
  0; 1 where the file can't be written."""


def add(commands: Any) -> None:
    """The commands' parsers."""
    send = add_command(commands, "send", "type into a session", SEND, _send, "its id, or a link")
    send.add_argument("words", nargs="*", metavar="WORD", help="what to type; -- before words that begin with -")
    how = send.add_mutually_exclusive_group()
    how.add_argument("--keys", action="store_true", help="the words are names of keys")
    how.add_argument("--paste", action="store_true", help="paste the text instead of typing it")
    send.add_argument("--enter", action="store_true", help="and Enter")

    wait = add_command(commands, "wait", "wait for what a session shows", WAIT, _driven(_wait), "its id, or a link")
    wait.add_argument("--for", dest="patterns", action="append", type=_pattern, default=[], metavar="REGEX",
                      help="text on the screen, or scrolling by; may be repeated")  # fmt: skip
    wait.add_argument("--quiet", type=seconds, metavar="TIME", help="no output for so long")
    wait.add_argument("--exit", action="store_true", help="the session's end")
    wait.add_argument("--timeout", type=seconds, metavar="TIME", help="wait no longer (default: forever)")
    wait.add_argument("--json", action="store_true", help="what was seen, and the screen then, as JSON")

    run = add_command(commands, "run", "run a command in a session's shell", RUN, _driven(_run), "its id, or a link")
    run.set_defaults(failed=125)
    run.add_argument("words", nargs="+", metavar="WORD", help="the command; -- before words that begin with -")
    run.add_argument("--timeout", type=seconds, metavar="TIME", help="wait no longer (default: forever)")
    run.add_argument("--no-start", action="store_true", help="only in a session that is there")
    run.add_argument("--json", action="store_true", help="status, output and duration, as JSON")

    record = add_command(
        commands, "record", "record a session into a file", RECORD, _driven(_record), "its id, or a link"
    )
    record.add_argument("file", metavar="FILE", help="a new file; - is standard output")
    record.add_argument("--for", dest="seconds", type=seconds, metavar="TIME", help="and stop after so long")


def _driven(work: Callable[[argparse.Namespace], Coroutine[Any, Any, int]]) -> Callable[[argparse.Namespace], int]:
    """A command around a coroutine, with what a terminal raises told in a line."""

    def run(arguments: argparse.Namespace) -> int:
        try:
            return asyncio.run(work(arguments))
        except TimeoutError as error:
            complain(str(error) or "it took too long")
            return TIMED_OUT
        except (ReconnectingPTYError, RemoteError, ValueError) as error:
            complain(_words(error))
            status: int = arguments.failed
            return status

    return run


def _words(error: Exception) -> str:
    match error:
        case SessionEnded(end=Exited()):
            return f"the session has ended: {error}"
        case SessionEnded():
            return f"session closed: {error}"
        case NotAllowed():
            return "you may look at this session, and no more"
        case UnicodeEncodeError():
            return "only text can be run, and this is no UTF-8"
    return str(error)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.MULTILINE)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from None


def _send(arguments: argparse.Namespace) -> int:
    # Read before there is an event loop, which a ^C could not end while this waits for a person's input.
    if arguments.words:
        given = b" ".join(map(os.fsencode, arguments.words))
    elif os.isatty(STDIN) and (arguments.keys or (arguments.enter and not arguments.paste)):
        given = b""
    else:
        given = _piped()
    return _driven(partial(_type, given=given))(arguments)


def _piped() -> bytes:
    """All of standard input. Piece by piece: a ^C between two reads of one call would wait for the next input."""
    given = bytearray()
    while data := os.read(STDIN, SLICE):
        given += data
    return bytes(given)


async def _type(arguments: argparse.Namespace, *, given: bytes) -> int:
    text = given.decode(errors="replace")
    names = arguments.words or text.split()
    if arguments.keys and not names:
        raise ValueError("which keys? Their names are what is given, or piped in")
    async with terminal_of(arguments) as terminal:
        if arguments.keys:
            await terminal.press(*names)
        elif arguments.paste:
            await terminal.paste(text)
        else:
            await terminal.send(given)
        if arguments.enter:
            await terminal.press("Enter")
        try:
            await terminal.flush()
        except SessionEnded as error:
            if not isinstance(error.end, Exited):  # what was typed has ended it
                raise
    return 0


async def _wait(arguments: argparse.Namespace) -> int:
    conditions: list[Condition] = list(arguments.patterns)
    if arguments.quiet is not None:
        conditions.append(Quiet(arguments.quiet))
    if arguments.exit:
        conditions.append(Ended())
    if not conditions:
        raise ValueError("wait for what? --for, --quiet or --exit says")
    async with terminal_of(arguments, readonly=True) as terminal:
        found = await terminal.wait_for(*conditions, timeout=arguments.timeout)
    if arguments.json:
        print(json.dumps(_told(found, conditions[found.index]), indent=2))
    elif found.match is not None:
        print(found.match[0])
    elif found.end is not None:
        print(found.end)
    return found.end.status if isinstance(found.end, Exited) else int(isinstance(found.end, Closed))


def _told(found: Found, condition: Condition) -> dict[str, Any]:
    seen = "pattern" if isinstance(condition, re.Pattern) else "quiet" if isinstance(condition, Quiet) else "exit"
    told: dict[str, Any] = {"seen": seen, "screen": found.screen.json()}
    if found.match is not None:
        told |= {"match": found.match[0], "groups": list(found.match.groups()), "pattern": found.match.re.pattern}
    if isinstance(found.end, Exited):
        told["status"] = found.end.status
    elif found.end is not None:
        told |= {"status": None, "reason": found.end.reason, "detail": found.end.detail}
    return told


async def _run(arguments: argparse.Namespace) -> int:
    words: list[str] = arguments.words
    command = words[0] if len(words) == 1 else shlex.join(words)
    async with terminal_of(arguments, start=not arguments.no_start) as terminal:
        done = await terminal.run(command, timeout=arguments.timeout)
    if arguments.json:
        told = {"status": done.status, "output": done.output, "seconds": round(done.seconds, 3)}
        print(json.dumps(told | {"truncated": done.truncated, "missing": done.missing}, indent=2))
        return done.status
    if done.output:
        print(done.output)
    if done.truncated:
        complain(f"{done.missing} bytes in the middle of the output are left out")
    return done.status


async def _record(arguments: argparse.Namespace) -> int:
    path = arguments.file
    async with terminal_of(arguments, readonly=True) as terminal:  # before there is a file, which would be in the way
        try:
            with os.fdopen(os.dup(STDOUT) if path == "-" else os.open(path, _NEW, 0o600), "wb") as file:
                await tape(terminal, file, arguments.seconds)
        except OSError as error:
            raise RemoteError(f"cannot record into {path}: {error.strerror}") from None
    return 0
