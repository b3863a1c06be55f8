"""One ssh process: started, its stderr read, signalled without mistaking another process for it, reaped.

Waits by pidfd, so that any number of them live in one event loop, without a thread or a SIGCHLD handler each.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from .errors import SshNotFound
from .policy import Exit

READ_AT_ONCE = 16 << 10
LEASH_SECONDS = 10.0
LAST_READS = 8
"""Reads after its end: more than the kernel's pipe holds, so that what more comes is somebody else's."""
TOLD = tuple(
    getattr(signal, name)
    for name in ("SIGPIPE", "SIGXFSZ", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM")
)
"""Signals that must mean to ssh what they mean by default: what we ignore or handle is not for it."""


def find_ssh(path: str | None, environment: Mapping[str, str]) -> str:
    """The program to run: `path` as it is, else `ssh` on PATH. Raises SshNotFound."""
    if path is not None:
        name = shutil.which(path, path=environment.get("PATH"))
        if name is None:
            raise SshNotFound(path, "Permission denied" if os.path.exists(path) else "No such file or directory")
        return name
    searched = environment.get("PATH", os.defpath)
    found = shutil.which("ssh", path=searched)
    if found is None:
        raise SshNotFound(f"ssh on {searched}")
    return found


class Child:
    """A running ssh.

    Invariant: until `exited` is done the pid is ours, and a zombie at most; no signal can reach anybody else.
    """

    __slots__ = ("_group", "_loop", "_pidfd", "_sink", "_stderr", "exited", "pid")

    def __init__(self, pid: int, stderr: int | None, sink: Callable[[bytes], None] | None, *, group: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self.pid = pid
        self.exited: asyncio.Future[Exit] = self._loop.create_future()
        self._group = group
        self._sink = sink
        self._stderr = stderr
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._on_exit)
        if stderr is not None:
            os.set_blocking(stderr, False)
            self._loop.add_reader(stderr, self._on_stderr)

    @classmethod
    def spawn(
        cls,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        terminal: bool,
        sink: Callable[[bytes], None] | None,
        leash: Sequence[str] = (),
    ) -> Child:
        """Start `argv`, whose first element is a path.

        With `terminal` it shares our standard streams and process group; else it gets a session of its own and nothing
        to read. `sink` is given what it writes to stderr; None leaves stderr ours. `leash`: see :func:`find_leash`.
        Raises OSError.
        """
        if leash and not os.access(argv[0], os.X_OK):
            # The leash would be started, and could only tell of it with an exit status.
            raise OSError(errno.EACCES if os.path.exists(argv[0]) else errno.ENOENT, "", argv[0])
        # Not in another thread, though it holds up the loop for a millisecond: a leash is tied to the thread that
        # spawns, and one of an executor may end at any time.
        pid, stderr = _start([*leash, *argv], dict(environment), terminal, sink is not None)
        try:
            return cls(pid, stderr, sink, group=not terminal)
        except OSError:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if stderr is not None:
                os.close(stderr)
            os.waitpid(pid, 0)
            raise

    # -- what it says

    def _on_stderr(self) -> bool:
        """Read once; whether there was anything."""
        if self._stderr is None:
            return False
        try:
            data = os.read(self._stderr, READ_AT_ONCE)
        except BlockingIOError:
            return False
        if not data:
            self._close_stderr()
        elif self._sink is not None:
            self._sink(data)
        return bool(data)

    def _close_stderr(self) -> None:
        if self._stderr is not None:
            self._loop.remove_reader(self._stderr)
            os.close(self._stderr)
            self._stderr = None

    def pause(self) -> None:
        """Read no more of its stderr until :meth:`resume`; it waits once the pipe is full."""
        if self._stderr is not None:
            self._loop.remove_reader(self._stderr)

    def resume(self) -> None:
        """Read again."""
        if self._stderr is not None:
            self._loop.add_reader(self._stderr, self._on_stderr)

    # -- its end

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        try:
            result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:  # somebody else in this process waits for every child
            result = None
        if self._group and result is not None:
            # What it left in its group (a ProxyCommand, the ssh under a script) has nobody to work for.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        os.close(self._pidfd)
        self._pidfd = -1
        # Its last words are in the pipe already; a process that it left behind may hold the pipe open for ever.
        for _ in range(LAST_READS):
            if not self._on_stderr():
                break
        self._close_stderr()
        if result is None:
            end = Exit()
        elif result.si_code == os.CLD_EXITED:
            end = Exit(code=result.si_status)
        else:
            end = Exit(signal=result.si_status)
        if not self.exited.done():
            self.exited.set_result(end)

    def signal(self, number: signal.Signals) -> None:
        """Signal it, and with it whatever it has started in a group of its own. No error when it has ended."""
        if self._pidfd < 0:
            return
        with suppress(ProcessLookupError, PermissionError):
            if self._group:
                os.killpg(self.pid, number)
            else:
                signal.pidfd_send_signal(self._pidfd, number)

    async def end_by_itself(self, seconds: float) -> Exit:
        """How it ended, if it did so in time, or else by KILL."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self.exited)
        except TimeoutError:
            pass
        finally:
            self.signal(signal.SIGKILL)
        return await asyncio.shield(self.exited)

    async def end(self, grace: float) -> Exit:
        """TERM, and KILL after `grace` seconds; how it ended. When cancelled, KILL at once."""
        self.signal(signal.SIGTERM)
        # One that was stopped would not see it.
        self.signal(signal.SIGCONT)
        return await self.end_by_itself(grace)


async def find_leash(environment: Mapping[str, str]) -> tuple[str, ...]:
    """A command to put before ssh, which has the kernel end it when we are killed; () where there is none.

    An ssh that nobody watches any more would hold its ports, the server's too, against the next one for ever.
    """
    setpriv = shutil.which("setpriv", path=environment.get("PATH"))
    if setpriv is None:
        return ()
    leash = (setpriv, "--pdeathsig", "TERM", "--")
    try:
        # There are others of that name that can't.
        tried = Child.spawn([*leash, "true"], environment=environment, terminal=False, sink=lambda _: None)
        return leash if (await tried.end_by_itself(LEASH_SECONDS)).code == 0 else ()
    except OSError:
        return ()


def _start(argv: list[str], environment: dict[str, str], terminal: bool, capture: bool) -> tuple[int, int | None]:
    """Fork and exec: the child's pid, and the reading end of its stderr."""
    actions: list[tuple[int, int, str, int, int] | tuple[int, int, int] | tuple[int, int]] = []
    ours: int | None = None
    theirs: int | None = None
    if not terminal:
        actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
        actions.append((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0))
    if capture:
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        actions.append((os.POSIX_SPAWN_DUP2, theirs, 2))
    try:
        # With p: a script without a first line that names its shell runs in sh, as execvp has it.
        pid = os.posix_spawnp(
            argv[0],
            argv,
            environment,
            file_actions=actions,
            setsid=not terminal,
            setsigmask=[],
            setsigdef=TOLD,
        )
    except OSError:
        if ours is not None:
            os.close(ours)
        raise
    finally:
        if theirs is not None:
            os.close(theirs)
    return pid, ours
