"""What runs in a session's window: starts the command, tells the server how it went, and waits to be let go.

A program of its own, run by GNU screen as `python -I -S runner.py DIRECTORY`. It is what makes exit statuses known,
which screen keeps to itself, and what keeps screen from writing "[screen is terminating]" to anybody: the window stays
until the server has taken all output. Imports nothing that is not built into the interpreter, for a start in
milliseconds.
"""

import _signal  # type: ignore[import-not-found]  # what `signal` wraps, without its enums, which take the longest
import posix
import sys
import time

MARK = b"\x1b[0;0;0;0m"
"""Ends the output. A reset of the pen, so that whoever shows it shows nothing, in a form that screen never writes."""
_PASSED_ON = b"\x1b\\\x1bP" + MARK + b"\x1b\\"
"""An end to any string that the command left open, and the mark as a DCS string, which screen passes on as it is."""
LOOK = 2.0
"""Seconds between two looks for a server, when the command has ended."""
_KEPT = (_signal.SIGINT, _signal.SIGQUIT, _signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU, _signal.SIGTERM)
"""Meant for the command, which is in the same process group."""


def main(directory: str) -> None:
    """Run the command that the directory's `spec` says."""
    spec = directory + "/spec"
    cwd, path, count, *rest = _read(spec).split(b"\0")
    posix.unlink(spec)
    argv = rest[: int(count)]
    environment = dict(entry.split(b"=", 1) for entry in rest[int(count) :])
    for number in _KEPT:
        _signal.signal(number, _signal.SIG_IGN)
    heard, said = posix.pipe()
    child = posix.fork()
    if not child:
        _run(said, cwd, path, argv, environment)
    posix.close(said)
    error = posix.read(heard, 16)
    posix.close(heard)
    pids = b"%d %d %d" % (posix.getppid(), posix.getpid(), child)
    if error:
        _tell(directory, b"failed " + pids + b" " + error)
        _stay(directory)
        return
    _signal.signal(_signal.SIGHUP, lambda *_: _hang_up(child))
    _write(directory, "pids", pids)
    _tell(directory, b"started " + pids)
    result = posix.waitid(posix.P_PID, child, posix.WEXITED)
    assert result is not None
    ended = b"%d %d" % (result.si_code == posix.CLD_EXITED, result.si_status)
    _signal.signal(_signal.SIGHUP, _signal.SIG_IGN)
    _write(directory, "ended", ended)
    if _tell(directory, b"ended " + ended):
        posix.write(1, _PASSED_ON)
        _stay(directory)


def _stay(directory: str) -> None:
    """Keep the window until the server ends it, or is gone."""
    while _tell(directory, b""):
        time.sleep(LOOK)


def _run(said: int, cwd: bytes, path: bytes, argv: list[bytes], environment: dict[bytes, bytes]) -> None:
    """Become the command; does not return."""
    try:
        for number in (*_KEPT, _signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGHUP):
            _signal.signal(number, _signal.SIG_DFL)
        posix.chdir(cwd)
        posix.execve(path, argv, environment)
    except OSError as error:
        posix.write(said, str(error.errno).encode())
    finally:
        posix._exit(127)


def _hang_up(child: int) -> None:
    """Pass a hang-up on where the terminal has gone; from the server the command gets its own."""
    try:
        posix.tcgetpgrp(0)
    except OSError:
        posix.kill(child, _signal.SIGHUP)
        posix.kill(child, _signal.SIGCONT)


def _tell(directory: str, line: bytes) -> bool:
    """Tell the server, where there is one (fifo(7): opening to write fails where nobody reads)."""
    try:
        fd = posix.open(directory + "/events", posix.O_WRONLY | posix.O_NONBLOCK)
    except OSError:
        return False
    if line:
        posix.write(fd, line + b"\n")
    posix.close(fd)
    return True


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(directory: str, name: str, data: bytes) -> None:
    """Leave a file that is there whole or not at all."""
    fd = posix.open(f"{directory}/.{name}", posix.O_WRONLY | posix.O_CREAT, 0o600)
    posix.write(fd, data)
    posix.close(fd)
    posix.rename(f"{directory}/.{name}", f"{directory}/{name}")


if __name__ == "__main__":
    main(sys.argv[1])
