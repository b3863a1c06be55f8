"""The tools of `reconnectingpty mcp`: terminals for programs that speak the Model Context Protocol, such as agents.

A session that an agent drives is one like any other, so that a person can watch it and take it over. One `Terminal`
for each session that was asked for is kept open, so that the shell in it needs to be asked only once how it tells of
its commands. The package `mcp` is an extra; nobody else imports this.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from reconnectingpty import NotAllowed, ReconnectingPTYError
from reconnectingpty.client import Condition, ConnectFailed, Ended, Exited, Quiet, SessionEnded, Settings, Terminal
from reconnectingpty.terminal.screen import Screen
from reconnectingpty.wire.address import AttachRequest

from .cluster import everywhere
from .remote import Remote, RemoteError

MAX_OPEN = 64
"""Sessions that are kept open; then, of those that nobody uses, the one not used for longest is let go of."""
MAX_TEXT = 40_000
"""Characters of a command's output that are told, half of them from its end."""
MAX_SECONDS = 3600.0
PATIENCE = 10.0
LEAVE_SECONDS = 2.0
"""How long saying goodbye to the sessions may take, once a signal has told to end."""
_STOPS = (signal.SIGINT, signal.SIGTERM)
INSTRUCTIONS = """\
Real terminals on a server. A session lives on when you are gone, and people may look at it, type into it, or take it
over: `reconnectingpty attach SESSION`. Start one with start_session. For shell commands use run_command, which knows
when a command has ended, and its exit status. For everything else (editors, prompts, programs that ask) use send_text
and press_keys, then wait_for what you expect to appear, and read_screen."""

P = ParamSpec("P")
T = TypeVar("T")

# What tools answer. Without slots, which the package takes for the fields' defaults.


@dataclass(frozen=True)
class Session:
    """A session of the server."""

    session: str
    name: str
    command: str
    state: str
    rows: int
    cols: int
    viewers: int
    idle_seconds: float
    title: str


@dataclass(frozen=True)
class Ran:
    """What became of a command. Without a status it goes on, and `screen` is what is shown now."""

    status: int | None
    output: str
    seconds: float
    timed_out: bool = False
    screen: str = ""


@dataclass(frozen=True)
class Seen:
    """What was waited for: `pattern`, `quiet`, `exit`, or `timeout` where none of these came; and the screen then."""

    what: str
    match: str
    exit_status: int | None
    screen: str


class _Kept:
    """A session's terminal, once it has been reached, and how many tools use it just now."""

    def __init__(self) -> None:
        self.terminal: Terminal | None = None
        self.turn = asyncio.Lock()
        self.users = 0


class Open:
    """The sessions that were asked for. One that is slow to be reached keeps nobody from another."""

    def __init__(self, remote: Remote, *, readonly: bool) -> None:
        self._remote = remote
        self._readonly = readonly
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @asynccontextmanager
    async def terminal(self, session: str) -> AsyncIterator[Terminal]:
        """A session that there is, or as it was at its end; kept open while it is used. Raises ConnectFailed, ..."""
        kept = self._kept.setdefault(session, _Kept())
        self._kept.move_to_end(session)
        kept.users += 1
        try:
            async with kept.turn:
                if kept.terminal is None or kept.terminal.end is not None:
                    kept.terminal = await self._opened(session, kept.terminal)
            yield kept.terminal
        finally:
            kept.users -= 1
            if kept.terminal is None and not kept.users:
                self._kept.pop(session, None)
            await self._let_go()

    async def _let_go(self) -> None:
        """Of those not used for longest, where there are too many."""
        unused = [session for session, kept in self._kept.items() if not kept.users]
        surplus = [self._kept.pop(session) for session in unused[: max(len(self._kept) - MAX_OPEN, 0)]]
        for kept in surplus:
            assert kept.terminal is not None
            await kept.terminal.aclose()

    async def _opened(self, session: str, ended: Terminal | None) -> Terminal:
        request = AttachRequest(
            session=session,
            rows=0,
            cols=0,
            client=secrets.token_hex(8),
            attach_only=True,
            readonly=self._readonly,
            answers=False,
        )
        try:
            return await Terminal(self._remote, request, Settings(give_up=PATIENCE)).open()
        except (ConnectFailed, SessionEnded):
            if ended is None:
                raise
            return ended
        finally:
            if ended is not None:
                await ended.aclose()

    async def aclose(self) -> None:
        """Let go of all."""
        terminals = [kept.terminal for kept in self._kept.values() if kept.terminal is not None]
        self._kept.clear()
        await asyncio.gather(*(terminal.aclose() for terminal in terminals))


def _told(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A tool whose failures are told to the one who asked."""

    @wraps(tool)
    async def told(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await tool(*arguments, **named)
        except NotAllowed:
            raise ToolError("this session may be looked at, and no more") from None
        except SessionEnded as error:
            raise ToolError(f"the session has ended: {error}") from None
        except re.error as error:
            raise ToolError(f"{error.pattern!r} is no regular expression: {error}") from None
        except (ReconnectingPTYError, RemoteError, ValueError) as error:
            raise ToolError(str(error)) from None

    return told


async def serve(remote: Remote, *, readonly: bool) -> None:
    """Serve until standard input ends. `readonly`: without the tools that change anything.

    A signal ends the process when the sessions have been let go of: nothing else ends a read of standard input.
    """
    loop = asyncio.get_running_loop()
    sessions = Open(remote, readonly=readonly)
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    for number in _STOPS:
        loop.add_signal_handler(number, stop, number)
    serving = asyncio.create_task(_make(remote, sessions, readonly=readonly).run_stdio_async())
    await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not stopped.done():
        return serving.result()
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS):
            await sessions.aclose()
    os._exit(128 + stopped.result())


def _make(remote: Remote, sessions: Open, *, readonly: bool) -> MCPServer[None]:
    """The server for programs, in front of a server of sessions."""

    @asynccontextmanager
    async def living(_: MCPServer[None]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await sessions.aclose()

    server: MCPServer[None] = MCPServer(
        "reconnectingpty",
        version=version("reconnectingpty"),
        instructions=INSTRUCTIONS,
        lifespan=living,
        log_level="WARNING",
    )
    _add_looking(server, remote, sessions)
    if not readonly:
        _add_doing(server, remote, sessions)
    return server


def _add_looking(server: MCPServer[None], remote: Remote, sessions: Open) -> None:
    @server.tool()
    @_told
    async def list_sessions() -> list[Session]:
        """The terminal sessions that there are."""
        found, _ = await asyncio.to_thread(everywhere.sessions, remote)
        return [_session(told) for told in found]

    @server.tool()
    @_told
    async def read_screen(session: str) -> str:
        """What a session's terminal shows now, as text; then its size, the cursor, and the title."""
        async with sessions.terminal(session) as terminal:
            return await _look(terminal)

    @server.tool()
    @_told
    async def wait_for(
        session: str,
        pattern: str = "",
        quiet_seconds: float = 0.0,
        exit: bool = False,
        timeout_seconds: float = 30.0,
    ) -> Seen:
        """Wait until the terminal shows something that matches `pattern` (a Python regular expression, `^` and `$`
        being ends of lines; what is shown already counts), or has been quiet for `quiet_seconds`, or the session ends
        where `exit` is true: whatever is first.
        """
        conditions: list[Condition] = [re.compile(pattern, re.MULTILINE)] if pattern else []
        conditions += [Quiet(quiet_seconds)] if quiet_seconds > 0 else []
        conditions += [Ended()] if exit else []
        if not conditions:
            raise ToolError("wait for what? pattern, quiet_seconds or exit says")
        async with sessions.terminal(session) as terminal:
            try:
                found = await terminal.wait_for(*conditions, timeout=_bounded(timeout_seconds))
            except TimeoutError:
                return Seen("timeout", "", None, await _look(terminal))
        match conditions[found.index]:
            case re.Pattern():
                what = "pattern"
            case Quiet():
                what = "quiet"
            case _:
                what = "exit"
        status = found.end.status if isinstance(found.end, Exited) else None
        return Seen(what, found[0] if found.match is not None else "", status, _shown(found.screen))


def _add_doing(server: MCPServer[None], remote: Remote, sessions: Open) -> None:
    @server.tool()
    @_told
    async def start_session(name: str = "", command: str = "", rows: int = 24, cols: int = 80) -> Session:
        """Start a terminal session. `name` becomes its id if given; `command` is what it runs, where the server allows
        that, else a shell.
        """
        fields = {"id": name, "command": command, "rows": rows, "cols": cols}
        told = await asyncio.to_thread(everywhere.start, remote, {key: value for key, value in fields.items() if value})
        async with sessions.terminal(told["id"]):  # what it runs starts with the first that is there
            return _session(await asyncio.to_thread(remote.json, f"/api/sessions/{quote(told['id'], safe='')}"))

    @server.tool()
    @_told
    async def run_command(session: str, command: str, timeout_seconds: float = 60.0) -> Ran:
        """Run a command in the shell that the session shows, and wait for its end: exit status and output. The shell
        has to be at its prompt. A command that takes longer than the timeout goes on; wait_for tells when it is done.
        """
        timeout = _bounded(timeout_seconds)
        async with sessions.terminal(session) as terminal:
            try:
                done = await terminal.run(command, timeout=timeout)
            except TimeoutError:
                return Ran(None, "", timeout, True, await _look(terminal))
        return Ran(done.status, _shortened(done.output), round(done.seconds, 3))

    @server.tool()
    @_told
    async def send_text(session: str, text: str, enter: bool = False, paste: bool = False) -> str:
        """Type text into a session, and Enter after it if `enter` is true. With `paste` it is pasted, so that an editor
        takes several lines as one piece.
        """
        async with sessions.terminal(session) as terminal:
            await (terminal.paste(text) if paste else terminal.send(text))
            if enter:
                await terminal.press("Enter")
            return await _flushed(terminal, "typed")

    @server.tool()
    @_told
    async def press_keys(session: str, keys: list[str]) -> str:
        """Press keys, one after the other: characters, or Enter, Tab, Escape, Backspace, Up, Down, Left, Right, Home,
        End, PageUp, PageDown, Insert, Delete, Space, F1 to F12; with C-, M-, S- before it for Ctrl, Alt, Shift: C-c.
        """
        async with sessions.terminal(session) as terminal:
            await terminal.press(*keys)
            return await _flushed(terminal, "pressed")

    @server.tool()
    @_told
    async def kill_session(session: str) -> str:
        """End a session and what runs in it."""
        await asyncio.to_thread(remote.request, "DELETE", f"/api/sessions/{quote(session, safe='')}")
        return "ended"


def _session(told: dict[str, Any]) -> Session:
    return Session(
        told["id"], told.get("name", ""), told["command"], told["state"], told["rows"], told["cols"], told["viewers"],
        round(told["idle"], 1), told["title"],
    )  # fmt: skip


async def _flushed(terminal: Terminal, done: str) -> str:
    """Have the session take what was typed, which may have been its end."""
    try:
        await terminal.flush()
    except SessionEnded as error:
        if not isinstance(error.end, Exited):
            raise
        return f"{done}; the session has ended: {error}"
    return done


async def _look(terminal: Terminal) -> str:
    shown = _shown(await terminal.screen())
    return f"{shown}\n[the session has ended: {terminal.end}]" if terminal.end is not None else shown


def _shown(screen: Screen) -> str:
    """A screen as text, with what one can't see in it below."""
    cursor = f"cursor at row {screen.row + 1}, column {screen.col + 1}" if screen.cursor_visible else "cursor hidden"
    about = [f"{screen.cols}x{screen.rows}", cursor]
    about += ["a full-screen program"] if screen.alternate else []
    about += [f"title {screen.title!r}"] if screen.title else []
    return f"{screen.text()}\n[{', '.join(about)}]"


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _bounded(seconds: float) -> float:
    if not 0 < seconds <= MAX_SECONDS:
        raise ToolError(f"a timeout must be above 0, and at most {MAX_SECONDS:g} seconds")
    return seconds
