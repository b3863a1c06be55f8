"""Commands run in the shell that a terminal shows: each with its exit status, its output and how long it took.

A command has ended when its shell says so (see `shell`), never because it has been silent. This types what there is to
type, and waits for what `listening` hears; it knows one command at a time, and keeps no task of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from ..errors import NotAllowed
from ..size import Size
from .errors import Busy, Incomplete, NoShell, SessionEnded
from .integration import ShellMark
from .job import Job
from .listening import Listening, refuse
from .rendering import rendered
from .shell import CLEAR_INPUT, LONGEST_LINE, Shell, hello, line, setup, setup_fish, take, typed
from .view import View

SETTLED_SECONDS, SETTLING_SECONDS = 0.05, 1.0
"""How long nothing must have come, and how long to wait for that at most, before a strange shell is typed to. What it
prints meanwhile would only look odd."""
EDITOR_SECONDS = 0.2
"""How long at most to wait for a line editor that is known to come after a mark; the same."""
BEGINNING_SECONDS = 0.2
"""How long a command may take to begin once something else has ended; then its shell is asked what became of it."""
LETTING_GO_SECONDS = 1.0
"""How long to wait at most until the session has what ends a question that was not answered."""
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
        """Type; wait before where too much is waiting."""
        ...

    def send_nowait(self, data: bytes) -> None:
        """Type without waiting."""
        ...

    async def flush(self) -> None:
        """Return when the session has all that was typed."""
        ...

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        ...

    async def view(self) -> View | None:
        """What the terminal shows now, where that is known."""
        ...

    @property
    def size(self) -> Size:
        """The terminal's size."""
        ...


class Commands(Listening):
    """What a terminal runs in its shells."""

    def __init__(self, typist: Typist) -> None:
        super().__init__()
        self._typist = typist
        self._turn = asyncio.Lock()

    async def enter(self, timeout: float) -> Shell:
        """Make the shell that is at its prompt tell of its commands. Raises NoShell, SessionEnded."""
        async with self._turn:
            return await self._entered(timeout)

    async def run(self, command: str, timeout: float | None, answer_within: float) -> Completed:
        """Run a command, and wait for its end. Raises TimeoutError, Busy, NoShell, OutputLost, Incomplete, ..."""
        try:
            async with asyncio.timeout(timeout), self._turn:
                job, status, seconds = await self._run(command, answer_within)
        except TimeoutError:
            raise TimeoutError(f"no end of {command!r} within {timeout:g} s{self._why}") from None
        raw = job.raw()
        output = await rendered(raw, self._typist.size)
        return Completed(command, status, output, raw, seconds, job.dropped)

    @property
    def _why(self) -> str:
        return "" if self._typist.connected else ": there is no connection to the session"

    async def _run(self, command: str, answer_within: float) -> tuple[Job, int, float]:
        shell = self._shell or await self._entered(answer_within)
        if shell.busy:
            raise Busy(f"{shell.kind} is running something else")
        word, text = secrets.token_hex(4), line(shell, command)
        what = typed(shell, word, text).encode()
        await self._editor(shell)
        if len(what) > LONGEST_LINE:
            await self._reading(shell, answer_within)
        if shell.busy:
            raise Busy(f"{shell.kind} is running something else")
        loop = asyncio.get_running_loop()
        job, began = Job(shell, word, text), loop.time()
        self._job, shell.busy = job, True
        try:
            await self._typist.send(what)
        except BaseException:
            self._job, shell.busy = None, False
            raise
        return job, await self._ended(job, command), loop.time() - began

    async def _ended(self, job: Job, command: str) -> int:
        while not job.status.done():
            if job.others and not job.begun and not job.shell.busy:
                await self._look_after(job)
            else:
                await self._marked.wait()
        status = await job.status
        if status is not None:
            return status
        await self._take_back(job.shell)
        raise Incomplete(f"the shell waits for the rest of {command!r}")

    async def _look_after(self, job: Job) -> None:
        """Something has ended that was not the command: find out what became of that.

        It begins now; or another program has read it; or, where its word is in the line, it was no line that the shell
        understands.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(BEGINNING_SECONDS):
                while not job.begun and not job.status.done():
                    await self._marked.wait()
        if job.begun or job.status.done() or job.shell.busy:
            return
        status = job.refused
        await self._enter()  # it is answered after all that was typed before
        if job.status.done():
            return
        if status is not None:
            self._end(job, status)
        else:
            self._job = None
            refuse(job.status, Busy(f"{job.shell.kind} was running something else, which took the command away"))

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

    async def _entered(self, seconds: float) -> Shell:
        async with self._answering(seconds):
            return await self._enter()

    @asynccontextmanager
    async def _answering(self, seconds: float) -> AsyncIterator[None]:
        """What is asked in here has to be answered in that time. Raises NoShell."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            why = self._why or ": nothing that runs commands as a shell does is there"
            raise NoShell(f"no answer for {seconds:g} s{why}") from None

    async def _enter(self) -> Shell:
        await self._settled()
        row, col = await self._place()
        nonce, aid = secrets.token_hex(8), secrets.token_hex(8)
        await self._typist.send(CLEAR_INPUT + hello(nonce) + "\r")
        try:
            mark = await self._answer("H", nonce)
            rows = max((await self._place())[0] - row, 0)
            wrapped = "wrapped" in mark.values
            if mark.values.get("fish"):
                length = col + len(setup_fish(nonce, aid, rows, wrapped=wrapped))
                rows += length // self._typist.size.cols + 1 if rows else 0
                await self._typist.send(CLEAR_INPUT + setup_fish(nonce, aid, rows, wrapped=wrapped) + "\r")
            else:
                await self._typist.send(CLEAR_INPUT + setup(nonce, aid, rows, wrapped=wrapped) + "\n")
            mark = await self._answer("R", nonce)
        except BaseException:
            await self._let_go()
            raise
        shell = self._shells[mark.values.get("aid", "")]
        if shell.number < 0:
            await self._answer("D", shell.aid)
        await self._editor(shell)
        return shell

    async def _answer(self, kind: str, name: str) -> ShellMark:
        """A mark, as soon as it comes."""
        answer: asyncio.Future[ShellMark] = asyncio.get_running_loop().create_future()
        self._answers[kind, name] = answer
        try:
            return await answer
        finally:
            del self._answers[kind, name]

    async def _let_go(self) -> None:
        """End what the first line makes a shell read, now or whenever it comes to it.

        Else whoever types there next would see no echo, and have it taken for the second line.
        """
        with suppress(SessionEnded, NotAllowed, TimeoutError):
            self._typist.send_nowait(b"\r")
            if self._typist.connected:
                async with asyncio.timeout(LETTING_GO_SECONDS):
                    await self._typist.flush()

    async def _settled(self) -> None:
        """Let a shell that is just starting say what it has to say."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING_SECONDS):
                while True:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(SETTLED_SECONDS):
                            await self._heard.wait()
                            continue
                    if self._heard_any or await self._shows_anything():
                        return

    async def _shows_anything(self) -> bool:
        """Whether there is text on the screen, as in a session that was there before."""
        view = await self._typist.view()
        return view is not None and any(text.strip() for text in view.screen().lines)

    async def _place(self) -> tuple[int, int]:
        """Where the cursor is."""
        view = await self._typist.view()
        return (view.top + view.emulator.y, view.emulator.x) if view is not None else (0, 0)

    async def _reading(self, shell: Shell, seconds: float) -> None:
        """Make sure that it is the shell's line editor that reads, as the terminal's own would cut the line.

        Raises ValueError where the shell has none.
        """
        if not shell.edits:
            raise ValueError(f"a command of more than {LONGEST_LINE} bytes can't be typed to this shell")
        word = secrets.token_hex(4)
        await self._typist.send(take(word))
        async with self._answering(seconds):
            await self._answer("K", word)

    async def _editor(self, shell: Shell) -> None:
        """Let the shell's line editor come, so that what is typed is not echoed twice.

        It tells by asking for bracketed paste, where it does that.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(EDITOR_SECONDS):
                while shell.edits and (view := await self._typist.view()) is not None:
                    if view.emulator.modes.bracketed_paste:
                        shell.pastes = True
                        return
                    if shell.pastes is False:
                        return
                    await self._heard.wait()
        if shell.pastes is None:
            shell.pastes = False
