"""What the shells in a terminal say of themselves, by the marks in all that comes, before anybody can read it.

Keeps what is known of each shell, and tells those who wait: the command that was typed, and whoever has asked a shell
something. It types nothing, and waits for nothing; `commands` is built on top of it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .errors import OutputLost, SessionEnded
from .integration import MarkScanner, ShellMark
from .job import Job
from .pulse import Pulse
from .shell import Shell

MAX_SHELLS = 16
"""Shells that are remembered, each started from within another one."""


class Listening:
    """What is known of the shells, and who waits for what they say: a job for its end, others for an answer."""

    def __init__(self) -> None:
        self._scanner = MarkScanner()
        self._shells: dict[str, Shell] = {}
        self._shell: Shell | None = None
        self._answers: dict[tuple[str, str], asyncio.Future[ShellMark]] = {}
        """Who waits for a mark: of a kind, with a nonce or a shell's name."""
        self._job: Job | None = None
        self._marked = Pulse()
        self._heard = Pulse()
        self._heard_any = False

    @property
    def shell(self) -> Shell | None:
        """The shell that printed the last mark."""
        return self._shell

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
            refuse(job.status, error)
        for answer in self._answers.values():
            refuse(answer, error)
        self._marked.beat()

    def _take(self, mark: ShellMark) -> None:
        if mark.kind in "HR" and mark.words:
            self._answered(mark, mark.words[0])
            return
        shell = self._shells.get(mark.values.get("aid", ""))
        if shell is None:
            return
        job = self._job if self._job is not None and self._job.shell.aid == shell.aid else None
        own = job is not None and mark.values.get("i") == job.word
        if mark.kind == "C":
            shell.busy = True
            if job is not None and own:
                job.begin()
            elif job is not None:
                job.other_began = True
        elif mark.kind == "E":
            if job is not None and own:
                job.finish()
        elif mark.kind == "K":
            self._answered(mark, mark.values.get("i", ""))
        elif mark.kind == "P":
            shell.busy = True
            if job is not None and not job.begun:  # else an old one, shown again
                self._end(job, None)
        elif mark.kind == "D":
            self._prompted(shell, mark, job, own=own)
        self._marked.beat()

    def _answered(self, mark: ShellMark, name: str) -> None:
        """A shell has said what it was asked. Its first prompt may come with the same frame, so it is known at once."""
        answer = self._answers.get((mark.kind, name))
        if answer is None or answer.done():
            return
        if mark.kind == "R":
            values = mark.values
            shell = Shell(values.get("kind", ""), values.get("aid", ""), values.get("p", ""))
            shell.edits = bool(values.get("edits"))
            self._shell = None  # until its prompt comes
            self._shells.pop(shell.aid, None)
            self._shells[shell.aid] = shell
            if len(self._shells) > MAX_SHELLS:
                del self._shells[next(iter(self._shells))]
        answer.set_result(mark)

    def _prompted(self, shell: Shell, mark: ShellMark, job: Job | None, *, own: bool) -> None:
        """A shell is ready for a command, if this is a mark of its own."""
        try:
            status, number = int(mark.words[0]), int(mark.values["n"])
        except (KeyError, IndexError, ValueError):
            return
        if mark.values.get("p") != shell.pid or number <= shell.number:
            return  # an old one, shown again; or a copy of this shell's prompt
        shell.number, shell.busy = number, False
        self._shell = shell
        if job is not None and own:
            self._end(job, status)
        elif job is not None:
            job.other(status)
        self._answered(mark, shell.aid)

    def _end(self, job: Job, status: int | None) -> None:
        job.end(status)
        self._job = None


def refuse(future: asyncio.Future[Any], error: Exception) -> None:
    """Have whoever awaits it see an error."""
    if not future.done():
        future.set_exception(error)
        future.exception()  # where nobody waits any more, it is no news
