"""A command on a PTY: spawn, read, write, resize, exit status, end.

Output goes to one callback as it comes; input is taken in order and waits, bounded by its sender, while the program
does not read. Nobody here knows of sessions or viewers.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import signal
import struct
import termios
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from .account import Account
from .errors import StartFailed
from .forking import discard, start
from .leftovers import Mark, send, sweeper
from .limits import UNCONFINED, Confinement
from .size import Size

READ_AT_ONCE = 128 << 10
"""What one wake-up takes from the PTY at most, so that a flood leaves room for other sessions' keys."""
READ_SECONDS = 0.003
"""And how long it may take about that: reading a PTY waits for the kernel to process what lies there, which for very
short lines takes it ten times as long as for ordinary ones."""
TYPING_SECONDS = 1.0
"""How long after a key somebody is still typing. Then each PTY is read once in a turn of the event loop, since an echo,
in whatever session, waits for two or three turns."""
_typed_at = float("-inf")
_BUFFER = memoryview(bytearray(READ_AT_ONCE))
"""Where output lies between the PTY and whoever takes it, in the same turn of the event loop: one for all processes."""
QUIET_AFTER_EXIT = 0.05
"""Seconds. Output of a process that has ended is on its way through the kernel for a moment; while a background
child keeps the terminal open no end of file tells that all of it has come."""
OUTPUT_AFTER_EXIT = 256 << 10
"""Bytes; several times what the kernel's PTY buffers hold, so that the rest is a background child's own."""


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: by itself with `code`, or by `signal`; both None where nobody can know."""

    code: int | None = None
    signal: int | None = None

    @property
    def shell(self) -> int:
        """As a shell's `$?` has it: the code, or 128 and the signal's number; 1 where nobody can know."""
        if self.code is not None:
            return self.code
        return 1 if self.signal is None else 128 + self.signal


Trouble = Callable[[str, OSError], None]
"""Told of an error that no ordinary end explains, under the type that it is counted by."""


class _Input:
    """Input of one origin that the program has not read yet, and whom to tell when it has."""

    __slots__ = ("accepted", "data")

    def __init__(self, data: bytearray, accepted: Callable[[int], None]) -> None:
        self.data = data
        self.accepted = accepted


class Process:
    """A child process with a controlling terminal of its own.

    Invariant: `fd` and the pidfd are open until :meth:`close`, and the child stays a zombie until then, so that its
    pid means no other process. `exited` is set when it ends, `drained` when all its output has been handed on.
    """

    __slots__ = (
        "_after_exit",
        "_eof",
        "_input",
        "_loop",
        "_output",
        "_pidfd",
        "_quiet",
        "_reading",
        "_trouble",
        "_wanted",
        "_writing",
        "at_once",
        "drained",
        "epoch",
        "exited",
        "fd",
        "pending",
        "pid",
    )

    def __init__(self, pid: int, fd: int, epoch: str, output: Callable[[memoryview], None], trouble: Trouble) -> None:
        self._loop = asyncio.get_running_loop()
        self.pid = pid
        self.fd = fd
        self.epoch = epoch
        self.at_once = READ_AT_ONCE
        """Bytes that one wake-up takes at most; a session whose output's rate is capped takes fewer."""
        self.pending = 0
        """Input bytes taken and not yet written."""
        self.exited: asyncio.Future[ExitStatus] = self._loop.create_future()
        self.drained: asyncio.Future[None] = self._loop.create_future()
        self._output = output
        self._trouble = trouble
        self._input: deque[_Input] | None = None  # an empty deque would take 760 bytes
        self._reading = self._writing = self._eof = False
        self._wanted = True
        self._after_exit = 0
        self._quiet: asyncio.TimerHandle | None = None
        os.set_blocking(fd, False)
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._set_reading()

    @classmethod
    async def spawn(
        cls,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: str,
        size: Size,
        epoch: str,
        output: Callable[[memoryview], None],
        trouble: Trouble,
        account: Account | None = None,
        confinement: Confinement = UNCONFINED,
    ) -> Process:
        """Start `argv` in `cwd` on a new PTY that has `size` before the program runs. Raises StartFailed.

        As the user `account` where that is another one, and within `confinement`.

        `output` is given what the program writes, for as long as the call lasts; `trouble` what should not happen.
        """
        loop = asyncio.get_running_loop()
        # A cancelled caller must not leave a child that nobody owns.
        started = loop.run_in_executor(None, start, list(argv), dict(environment), cwd, size, account, confinement)
        try:
            pid, fd = await asyncio.shield(started)
        except asyncio.CancelledError:
            started.add_done_callback(discard)
            raise
        try:
            return cls(pid, fd, epoch, output, trouble)
        except OSError as error:
            discard(started)
            raise StartFailed(f"cannot watch {argv[0]!r}: {error}", error_type="spawn") from error

    # -- output

    def pause(self) -> None:
        """Read no more until :meth:`resume`; the program waits once the kernel's buffer is full."""
        self._wanted = False
        self._set_reading()

    def resume(self) -> None:
        """Read again."""
        self._wanted = True
        self._set_reading()

    def _set_reading(self) -> None:
        reading = self._wanted and not self._eof
        if reading == self._reading:
            return
        self._reading = reading
        if reading:
            self._loop.add_reader(self.fd, self._on_readable)
            if self._exit_seen:
                self._wait_for_quiet()
        else:
            self._loop.remove_reader(self.fd)

    def _on_readable(self) -> None:
        taken = 0
        try:
            now = perf_counter()
            until = now if now < _typed_at + TYPING_SECONDS else now + READ_SECONDS
            while taken < self.at_once:
                count = os.readv(self.fd, (_BUFFER[taken : self.at_once],))
                if not count:
                    self._eof = True
                    break
                taken += count
                if perf_counter() >= until:
                    break
        except BlockingIOError:
            pass
        except OSError as error:
            self._broke("output_reader", error)
            self._eof = True
        if taken:
            if self._exit_seen:
                self._after_exit += taken
            self._output(_BUFFER[:taken])
        if self._eof:
            self._set_reading()
        if self._exit_seen:
            self._wait_for_quiet()

    def _broke(self, what: str, error: OSError) -> None:
        """The terminal can't be used any more; EIO is how Linux says that nobody has its other side open (tty(4))."""
        if error.errno != errno.EIO:
            self._trouble(what, error)

    # -- the end of the process

    @property
    def _exit_seen(self) -> bool:
        return self.exited.done()

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        try:
            # WNOWAIT: the zombie keeps the pid from meaning another process until close().
            result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:  # somebody else in this process has waited for every child
            result = None
        self._set_exited(result)
        self._drop_input()
        self._wait_for_quiet()

    def _set_exited(self, result: os.waitid_result | None) -> None:
        if result is None:
            status = ExitStatus()
        elif result.si_code == os.CLD_EXITED:
            status = ExitStatus(code=result.si_status)
        else:
            status = ExitStatus(signal=result.si_status)
        if not self.exited.done():
            self.exited.set_result(status)

    def _wait_for_quiet(self) -> None:
        """The process has ended: decide whether its output has, too."""
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        if self._eof or self._after_exit > OUTPUT_AFTER_EXIT:
            self._set_drained()
        elif self._reading:
            self._quiet = self._loop.call_later(QUIET_AFTER_EXIT, self._on_quiet)

    def _on_quiet(self) -> None:
        """Nothing has come for a while, which on a busy machine may be the kernel's delay. To read has it process what
        lies there, and tells whether the terminal is closed, too (n_tty_read in Linux's drivers/tty/n_tty.c).
        """
        before = self._after_exit
        self._on_readable()
        if self._after_exit == before:
            self._set_drained()
            if self._quiet is not None:
                self._quiet.cancel()
                self._quiet = None

    def _set_drained(self) -> None:
        if not self.drained.done():
            self.drained.set_result(None)

    # -- input

    def write(self, data: bytes, accepted: Callable[[int], None]) -> None:
        """Take input; `accepted(n)` is called for each n bytes that the terminal has taken.

        What the terminal can't take yet is kept, in order, without a bound of its own: whoever writes looks at
        `pending` and at what was accepted, and stops in time. Calls with one `accepted` in a row take the room of
        their bytes alone.
        """
        global _typed_at
        if self._exit_seen or self.fd < 0 or not data:
            return
        _typed_at = perf_counter()
        self.pending += len(data)
        if self._input is None:
            self._input = deque()
        if self._input and self._input[-1].accepted == accepted:
            self._input[-1].data += data
        else:
            self._input.append(_Input(bytearray(data), accepted))
        if not self._writing:
            self._on_writable()

    def _on_writable(self) -> None:
        try:
            while self._input:
                head = self._input[0]
                written = os.write(self.fd, head.data)
                self.pending -= written
                del head.data[:written]
                if not head.data:
                    self._input.popleft()
                head.accepted(written)
        except BlockingIOError:
            pass
        except OSError as error:
            self._broke("input_writer", error)
            self._drop_input()
        if not self._input:
            self._input = None
        self._set_writing(self._input is not None)

    def _set_writing(self, writing: bool) -> None:
        if writing != self._writing:
            self._writing = writing
            if writing:
                self._loop.add_writer(self.fd, self._on_writable)
            else:
                self._loop.remove_writer(self.fd)

    def _drop_input(self) -> None:
        self._input = None
        self.pending = 0
        self._set_writing(False)

    # -- the rest

    def resize(self, size: Size) -> None:
        """Give the terminal another size; its foreground programs get SIGWINCH. Raises OSError."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.cols, 0, 0))

    @property
    def foreground_group(self) -> int | None:
        """The process group that has the terminal now."""
        try:
            group = os.tcgetpgrp(self.fd)
        except OSError:
            return None
        return group if group > 0 else None

    @property
    def cwd(self) -> str | None:
        """Where the process is now."""
        with suppress(OSError):
            return os.readlink(f"/proc/{self.pid}/cwd")
        return None

    async def end(self, grace: float, hurry: asyncio.Future[None] | None = None) -> None:
        """Hang up: HUP, TERM, KILL, `grace` seconds apart, to every process of the session, until none is left.

        KILL as soon as `hurry` is done.
        """
        mark = Mark(self.pid, self.epoch)
        hurried = () if hurry is None else (hurry,)
        try:
            gently = asyncio.create_task(sweeper().end(mark, grace))
            try:
                await asyncio.wait((gently, *hurried), return_when=asyncio.FIRST_COMPLETED)
            finally:
                gently.cancel()
                await asyncio.wait((gently,))
            if gently.cancelled():
                await sweeper().kill(mark)
            else:
                gently.result()
        except OSError as error:
            # What hides can't be found; what does not still gets its grace.
            self._trouble("end", error)
            for number in (signal.SIGHUP, signal.SIGTERM):
                self._signal(number)
                await asyncio.wait((self.exited, *hurried), timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the process and the groups it leads or shows, at once. What hides elsewhere needs :meth:`end`."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self._exit_seen:
            # The process before what it shows: a shell that saw that die would tell of it, or exit by itself.
            send((-group for group in dict.fromkeys((self.pid, self.foreground_group or self.pid))), number)

    def close(self) -> None:
        """Let go of the PTY and reap the child, which is killed where it still runs."""
        if self.fd < 0:
            return
        self.kill()
        if self._quiet is not None:
            self._quiet.cancel()
        self._eof = True
        self._set_reading()
        self._drop_input()
        self._set_drained()
        self._loop.remove_reader(self._pidfd)
        # A loop may have made it non-blocking, and then one that was killed just now would not be waited for.
        os.set_blocking(self._pidfd, True)
        result = None
        with suppress(ChildProcessError):
            result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        # Who waits for it, or takes its output, would be held on to by it.
        self._set_exited(result)
        self._output, self._trouble = lambda _: None, lambda *_: None
        os.close(self._pidfd)
        os.close(self.fd)
        self.fd = -1
