"""What runs in a session's window: has the command on a terminal of its own, and passes on what goes in and out.

A program of its own, run by GNU screen as `python -I -S runner.py DIRECTORY`. Screen keeps exit statuses to itself,
drops what is typed faster than the program reads, and tells its viewers that it is terminating. So this tells the
server how the command ended and how much input it has taken, and keeps the window until all output is through.
Imports no module that is written in Python, for a start in milliseconds.
"""

import _signal  # type: ignore[import-not-found]  # what `signal` wraps, without its enums, which take the longest
import posix
import resource
import select
import sys
import termios

MARK = b"\x1b[0;0;0;0m"
"""Ends the output. A reset of the pen, so that whoever shows it shows nothing, in a form that screen never writes."""
_PASSED_ON = b"\x1b\\\x1bP" + MARK + b"\x1b\\"
"""An end to any string that the command left open, and the mark as a DCS string, which screen passes on as it is."""
CHUNK = 1 << 14
OUTPUT_AFTER_EXIT = 256 << 10
"""Bytes; several times what the kernel's PTY buffers hold, so that the rest is a background child's own."""
QUIET = 50
"""Milliseconds without output after which an ended command has no more on its way, while others keep its terminal."""
RETRY = 50
"""Milliseconds after which a server that was too busy to be told is told again."""
RECENT = 256 << 10
"""Bytes of output that are kept for a server that takes the session over."""
LOOK = 2000
"""Milliseconds between two looks for a server, when the command has ended."""
_READ, _WRITE, _GONE = select.POLLIN, select.POLLOUT, select.POLLHUP | select.POLLERR
_TOLD, _BUSY, _NOBODY = range(3)


def main(directory: str) -> None:
    """Run the command that the directory's `spec` says."""
    with open(directory + "/spec", "rb") as file:
        cgroup, rlimits, cwd, path, count, *rest = file.read().split(b"\0")
    posix.unlink(directory + "/spec")
    argv = rest[: int(count)]
    environment = dict(entry.split(b"=", 1) for entry in rest[int(count) :])
    master, slave = posix.openpty()
    _signal.signal(_signal.SIGWINCH, lambda *_: _copy_size(directory, master))
    _copy_size(directory, master)
    _signal.signal(_signal.SIGUSR1, _signal.SIG_IGN)
    termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
    _make_raw(0)
    heard, said = posix.pipe()
    child = posix.fork()
    if not child:
        _become(said, slave, cgroup, rlimits, cwd, path, argv, environment)
    posix.close(said)
    posix.close(slave)
    error = posix.read(heard, 16)
    posix.close(heard)
    pids = b"%d %d %d" % (posix.getppid(), posix.getpid(), child)
    if error:
        _tell(directory, b"failed " + pids + b" " + error)
    else:
        _leave(directory, "pids", pids)
        _tell(directory, b"started " + pids)
        _Relay(directory, master, child).run()
        _write_all(_PASSED_ON)
    # The server ends the window when it has all output. One that is gone ends it by that.
    while _tell(directory, b"") != _NOBODY and not _wait(LOOK, (0, 0)):
        pass


class _Relay:
    """Between the window's terminal, which is raw, and the command's own. Neither way waits for the other."""

    def __init__(self, directory: str, master: int, child: int) -> None:
        self.directory = directory
        self.master = master
        self.child = child
        self.exit = posix.pidfd_open(child)
        self.ended = False
        self.closed = False
        """Nobody has the command's terminal open any more, and all that was written there is read."""
        self.typed = b""
        """Input that the command's terminal has no room for yet."""
        self.untold = 0
        """Bytes of input taken that the server has not been told of."""
        self.shown = b""
        """Output that the window has no room for yet."""
        self.after = 0
        """Bytes of output since the command's end."""
        self.recent: list[bytes] = []
        self.kept = 0
        _signal.signal(_signal.SIGUSR1, lambda *_: self._leave_recent())
        for fd in (0, 1, master):
            posix.set_blocking(fd, False)

    def run(self) -> None:
        """Return when the command has ended and its output is passed on. Ends this program when the window is gone."""
        while True:
            ready = self._wait()
            if (ready.get(0, 0) | ready.get(1, 0)) & _GONE:
                sys.exit()
            if self.exit in ready:
                self._end()
            self._pass_in(ready.get(0, 0))
            self._pass_out(self.master in ready)
            if self.ended and not self.shown and (self.closed or not ready or self.after > OUTPUT_AFTER_EXIT):
                return

    def _wait(self) -> dict[int, int]:
        """What each descriptor is ready for; nothing after a time in which nothing more is to be expected."""
        window_in = 0 if self.typed or self.ended else _READ
        wanted = [(0, window_in), (1, _WRITE if self.shown else 0)]
        if not self.ended:
            wanted.append((self.exit, _READ))
        inner = (0 if self.shown else _READ) | (_WRITE if self.typed else 0)
        # A terminal that nobody has open is always ready, to say so.
        if inner and not self.closed:
            wanted.append((self.master, inner))
        timeout = RETRY if self.untold else QUIET if self.ended and not self.shown else None
        return _wait(timeout, *wanted)

    def _end(self) -> None:
        self.ended = True
        result = posix.waitid(posix.P_PID, self.child, posix.WEXITED)
        assert result is not None
        ended = b"%d %d" % (result.si_code == posix.CLD_EXITED, result.si_status)
        _leave(self.directory, "ended", ended)
        _tell(self.directory, b"ended " + ended)

    def _pass_in(self, ready: int) -> None:
        if ready & _READ:
            self.typed += _read(0) or b""
        if self.typed:
            taken = len(self.typed) if self.closed or self.ended else _write(self.master, self.typed)
            self.typed = self.typed[taken:]
            self.untold += taken
        if self.untold and _tell(self.directory, b"took %d %d" % (self.untold, len(self.typed))) != _BUSY:
            self.untold = 0

    def _pass_out(self, ready: bool) -> None:
        if ready and not self.shown:
            data = _read(self.master)
            self.closed = data is None
            self.shown = data or b""
            self.after += len(self.shown) if self.ended else 0
            self._keep(self.shown)
        if self.shown:
            self.shown = self.shown[_write(1, self.shown) :]

    def _keep(self, data: bytes) -> None:
        self.recent.append(data)
        self.kept += len(data)
        if self.kept > 2 * RECENT or len(self.recent) > RECENT // 256:
            self.recent = [b"".join(self.recent)[-RECENT:]]
            self.kept = len(self.recent[0])

    def _leave_recent(self) -> None:
        """Leave the latest output for a server that asks for it, and tell it that, and the window's size."""
        _leave(self.directory, "recent", b"".join(self.recent)[-RECENT:])
        _copy_size(self.directory, self.master)
        _tell(self.directory, b"kept")


def _become(
    said: int,
    slave: int,
    cgroup: bytes,
    rlimits: bytes,
    cwd: bytes,
    path: bytes,
    argv: list[bytes],
    environment: dict[bytes, bytes],
) -> None:
    """Be the command; does not return."""
    try:
        if cgroup:
            posix.write(posix.open(cgroup, posix.O_WRONLY | posix.O_CLOEXEC), b"0")
        for word in rlimits.split():
            number, value = map(int, word.split(b":"))
            resource.setrlimit(number, (value, value))
        posix.login_tty(slave)
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGUSR1):  # ignored here, by Python or by main()
            _signal.signal(number, _signal.SIG_DFL)
        posix.chdir(cwd)
        posix.execve(path, argv, environment)
    except OSError as error:
        posix.write(said, str(error.errno).encode())
    finally:
        posix._exit(127)


def _make_raw(fd: int) -> None:
    """Let every byte through as it is (cfmakeraw(3))."""
    modes = termios.tcgetattr(fd)
    modes[0] &= ~(termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.IXON)
    modes[0] &= ~(termios.INLCR | termios.IGNCR | termios.ICRNL)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(fd, termios.TCSANOW, modes)


def _copy_size(directory: str, master: int) -> None:
    """Give the command's terminal the window's size, and tell the server."""
    size = termios.tcgetwinsize(0)
    termios.tcsetwinsize(master, size)
    _tell(directory, b"size %d %d" % tuple(size))


def _wait(milliseconds: int | None, *wanted: tuple[int, int]) -> dict[int, int]:
    poll = select.poll()
    for fd, events in wanted:
        poll.register(fd, events)
    return dict(poll.poll(milliseconds))


def _read(fd: int) -> bytes | None:
    """What there is; None where nobody has the other side open (tty(4))."""
    try:
        return posix.read(fd, CHUNK)
    except BlockingIOError:
        return b""
    except OSError:
        return None


def _write(fd: int, data: bytes) -> int:
    """How much of it could be written; all where nobody is there to have it."""
    try:
        return posix.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError:
        return len(data)


def _write_all(data: bytes) -> None:
    while data and not _wait(None, (1, _WRITE)).get(1, 0) & _GONE:
        data = data[_write(1, data) :]


def _tell(directory: str, line: bytes) -> int:
    """Tell the server, where there is one (fifo(7): opening to write fails where nobody reads)."""
    try:
        fd = posix.open(directory + "/events", posix.O_WRONLY | posix.O_NONBLOCK)
    except OSError:
        return _NOBODY
    try:
        if line:
            posix.write(fd, line + b"\n")
    except BlockingIOError:
        return _BUSY
    finally:
        posix.close(fd)
    return _TOLD


def _leave(directory: str, name: str, data: bytes) -> None:
    """Leave a file that is there whole or not at all."""
    fd = posix.open(f"{directory}/.{name}", posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o600)
    while data:
        data = data[posix.write(fd, data) :]
    posix.close(fd)
    posix.rename(f"{directory}/.{name}", f"{directory}/{name}")


if __name__ == "__main__":
    main(sys.argv[1])
