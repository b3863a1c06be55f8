"""Commands run in the shell that a terminal shows: each with its exit status, its output and how long it took.

A command has ended when its shell says so (see `shell`), never because it has been silent. This sees all output before
anybody can read it, types what there is to type, and knows one command at a time; it keeps no task of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ..size import Size
from .errors import Busy, Incomplete, NoShell, OutputLost, SessionEnded
from .integration import MarkScanner, ShellMark
from .pulse import Pulse
from .shell import CLEAR_INPUT, END_OF_LINE, Echo, Shell, hello, line, setup, setup_fish
from .view import View, rendered

MOST_OUTPUT = 8 << 20
"""Bytes of a command's output that are kept at its beginning, and as many at its end."""
MAX_SHELLS = 16
"""Shells that are remembered, each started from within another one."""
SETTLED_SECONDS, SETTLING_SECONDS = 0.05, 1.0
"""How long nothing must have come, and how long to wait for that at most, before a strange shell is typed to. What it
prints meanwhile would only look odd."""
EDITOR_SECONDS = 0.2
"""How long at most to wait for a line editor that is known to come after a mark; the same."""
INTERRUPT = "\x03"
HEEDED_SECONDS = 1.0
"""After which an interrupt is given again: one that comes just before bash or zsh read is acted on with the next."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that has ended.

    `output` is what it came to on the screen, lines made whole; `raw` the very bytes. Where there were more than
    16 MiB, those in the middle are left out: `missing` says how many. `seconds`: from its being typed until its end was
    known here.
    """

    command: str
    status: int
    output: str
    raw: bytes
    seconds: float
    missing: int = 0

    @property
    def ok(self) -> bool:
        """Whether the status is 0."""
        return self.status == 0

    @property
    def truncated(self) -> bool:
        """Whether output is left out in the middle."""
        return self.missing > 0


class Typist(Protocol):
    """What commands need of their terminal."""

    async def send(self, data: str | bytes, /) -> None:
        """Type."""
        ...

    async def view(self) -> View | None:
        """What the terminal shows now, where that is known."""
        ...

    @property
    def size(self) -> Size:
        """The terminal's size."""
        ...


class _Job:
    """A command that was typed."""

    def __init__(self, shell: Shell, typed: str) -> None:
        self.shell = shell
        self.status: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        """None where the shell wants the rest of the command."""
        self.output = bytearray()
        self.tail = bytearray()
        self.dropped = 0
        self._echo = Echo(typed)
        self._ended = False

    def begin(self) -> None:
        """The output begins here."""
        self.output.clear()
        self.tail.clear()
        self._echo.over = True

    def finish(self) -> None:
        """The output ends here."""
        self._ended = True

    def add(self, data: bytes) -> None:
        """More of it."""
        if self._ended:
            return
        if not self._echo.over:
            at = self._echo.feed(data)
            if self._echo.over:
                self.begin()
                data = data[at:]
        room = MOST_OUTPUT - len(self.output)
        self.output += data[:room]
        self.tail += data[room:] if room < len(data) else b""
        if len(self.tail) > 2 * MOST_OUTPUT:
            self._drop()

    def _drop(self) -> None:
        surplus = max(len(self.tail) - MOST_OUTPUT, 0)
        del self.tail[:surplus]
        self.dropped += surplus

    def raw(self) -> bytes:
        """All that was kept."""
        self._drop()
        return END_OF_LINE.sub(b"", bytes(self.output + self.tail))

    def end(self, status: int | None) -> None:
        """It has ended."""
        if not self.status.done():
            self.status.set_result(status)


class Commands:
    """What a terminal runs in its shells."""

    def __init__(self, typist: Typist) -> None:
        self._typist = typist
        self._scanner = MarkScanner()
        self._turn = asyncio.Lock()
        self._shells: dict[str, Shell] = {}
        self._shell: Shell | None = None
        self._answers: dict[str, asyncio.Future[ShellMark]] = {}
        self._job: _Job | None = None
        self._marked = Pulse()
        self._heard = Pulse()
        self._heard_any = False

    @property
    def shell(self) -> Shell | None:
        """The shell that printed the last mark."""
        return self._shell

    # -- what the terminal tells

    def came(self, data: bytes) -> None:
        """Output has come."""
        self._heard_any = True
        self._heard.beat()
        for part in self._scanner.feed(data):
            if isinstance(part, ShellMark):
                self._take(part)
            elif self._job is not None:
                self._job.add(part)

    def missed(self) -> None:
        """Output went by unseen, and maybe a mark with it."""
        self._scanner = MarkScanner()
        self._shell = None  # to be asked again
        self._fail(OutputLost("output went by unseen while the command ran"))

    def over(self, error: SessionEnded) -> None:
        """Nothing more will come."""
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Let whoever waits for something know."""
        job, self._job = self._job, None
        if job is not None:
            _refuse(job.status, error)
        for answer in self._answers.values():
            _refuse(answer, error)

    def _take(self, mark: ShellMark) -> None:
        if mark.kind in "HR" and mark.words:
            self._answered(mark)
            return
        shell = self._shells.get(mark.values.get("aid", ""))
        if shell is None:
            return
        if mark.kind == "C":
            shell.busy = True
            if self._job is not None and self._job.shell is shell:
                self._job.begin()
        elif mark.kind == "E":
            if self._job is not None and self._job.shell is shell:
                self._job.finish()
        elif mark.kind == "P":
            self._end(shell, None)
        elif mark.kind == "D":
            self._prompted(shell, mark)

    def _answered(self, mark: ShellMark) -> None:
        """A shell has said what it was asked. Its first prompt may come with the same frame, so it is known at once."""
        answer = self._answers.get(mark.words[0])
        if answer is None or answer.done():
            return
        if mark.kind == "R":
            values = mark.values
            shell = Shell(values.get("kind", ""), values.get("aid", ""), values.get("p", ""))
            self._shells.pop(shell.aid, None)
            self._shells[shell.aid] = shell
            if len(self._shells) > MAX_SHELLS:
                del self._shells[next(iter(self._shells))]
        answer.set_result(mark)

    def _prompted(self, shell: Shell, mark: ShellMark) -> None:
        """A shell is ready for a command, if this is a mark of its own."""
        try:
            status, number = int(mark.words[0]), int(mark.values["n"])
        except (KeyError, IndexError, ValueError):
            return
        if mark.values.get("p") != shell.pid or number <= shell.number:
            return  # an old one, shown again; or a copy of this shell's prompt
        shell.number, shell.busy = number, False
        self._shell = shell
        self._end(shell, status)
        self._marked.beat()

    def _end(self, shell: Shell, status: int | None) -> None:
        if self._job is not None and self._job.shell is shell:
            self._job.end(status)
            self._job = None

    # -- what is to be done

    async def enter(self, timeout: float) -> Shell:
        """Make the shell that is at its prompt tell of its commands. Raises NoShell, SessionEnded."""
        async with self._turn:
            try:
                async with asyncio.timeout(timeout):
                    return await self._enter()
            except TimeoutError:
                raise NoShell(f"nothing that runs commands as a shell does has answered for {timeout:g} s") from None

    async def run(self, command: str, timeout: float | None, answer_within: float) -> Completed:
        """Run a command, and wait for its end. Raises TimeoutError, Busy, NoShell, OutputLost, Incomplete, ..."""
        if self._shell is None:
            await self.enter(answer_within)
        async with self._turn:
            shell = self._shell
            assert shell is not None
            if shell.busy:
                raise Busy(f"{shell.kind} is running something else")
            typed = line(shell, command)
            await self._editor(shell)
            job = self._job = _Job(shell, typed)
            loop = asyncio.get_running_loop()
            began = loop.time()
            shell.busy = True
            await self._typist.send(CLEAR_INPUT + typed + "\r")
            async with asyncio.timeout(timeout):
                status = await self._ended(job, command)
            seconds = loop.time() - began
        raw = job.raw()
        return Completed(command, status, rendered(raw, self._typist.size), raw, seconds, job.dropped)

    async def _ended(self, job: _Job, command: str) -> int:
        status = await job.status
        if status is not None:
            return status
        await self._take_back(job.shell)
        raise Incomplete(f"the shell waits for the rest of {command!r}")

    async def _take_back(self, shell: Shell) -> None:
        """Have the shell drop what it has of a command."""
        await self._typist.send(INTERRUPT)
        again = False
        while shell.busy:
            try:
                async with asyncio.timeout(HEEDED_SECONDS):
                    await self._marked.wait()
            except TimeoutError:
                again = True
                await self._typist.send(INTERRUPT)
        if again:  # the marks of those that were not needed come before its answer
            await self._enter()

    async def _enter(self) -> Shell:
        await self._settled()
        row, col = await self._place()
        nonce, aid = secrets.token_hex(8), secrets.token_hex(8)
        mark = await self._asked(nonce, CLEAR_INPUT + hello(nonce) + "\r")
        rows = max((await self._place())[0] - row, 0)
        wrapped = "wrapped" in mark.values
        if mark.values.get("fish"):
            length = col + len(setup_fish(nonce, aid, rows, wrapped=wrapped))
            rows += length // self._typist.size.cols + 1 if rows else 0
            mark = await self._asked(nonce, CLEAR_INPUT + setup_fish(nonce, aid, rows, wrapped=wrapped) + "\r")
        else:
            mark = await self._asked(nonce, setup(nonce, aid, rows, wrapped=wrapped) + "\n")
        shell = self._shells[mark.values.get("aid", "")]
        while shell.number < 0:
            await self._marked.wait()
        return shell

    async def _asked(self, nonce: str, text: str) -> ShellMark:
        """The answer to what is typed."""
        answer: asyncio.Future[ShellMark] = asyncio.get_running_loop().create_future()
        self._answers[nonce] = answer
        try:
            await self._typist.send(text)
            return await answer
        finally:
            del self._answers[nonce]

    async def _settled(self) -> None:
        """Let a shell that is just starting say what it has to say."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING_SECONDS):
                while True:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(SETTLED_SECONDS):
                            await self._heard.wait()
                            continue
                    if self._heard_any:
                        return

    async def _place(self) -> tuple[int, int]:
        """Where the cursor is."""
        view = await self._typist.view()
        return (view.top + view.emulator.y, view.emulator.x) if view is not None else (0, 0)

    async def _editor(self, shell: Shell) -> None:
        """Let the shell's line editor come, so that what is typed is not echoed twice."""
        deadline = asyncio.get_running_loop().time() + EDITOR_SECONDS
        while True:
            view = await self._typist.view()
            if view is None:
                return
            if view.emulator.modes.bracketed_paste:
                shell.pastes = True
                return
            if not shell.pastes or asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(0.002)


def _refuse(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # where nobody waits any more, it is no news
