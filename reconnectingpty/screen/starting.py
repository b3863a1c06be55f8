"""How a session's processes are started: what is written down for the runner, and the screen client's command line."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..account import current_account
from ..environment import child_environment, command_line, working_directory
from ..errors import StartFailed
from ..limits import Confinement
from ..options import Options
from ..process import Trouble
from ..size import Size
from . import runner, setup
from .directory import Record, SessionDirectory, home, spec_of, terminfo
from .front import Front


def write_down(
    record: Record, command: str | Sequence[str], options: Options, confinement: Confinement
) -> SessionDirectory:
    """The directory of a session whose window will run `command`. Blocks for some milliseconds.

    Raises StartFailed, OptionError.
    """
    account = current_account()
    base = os.environ if options.environment is None else options.environment
    environment = child_environment(base, session=record.id, epoch=record.epoch, user=account, keep=options.keep)
    argv = command_line(command, account)
    path = shutil.which(argv[0], path=environment.get("PATH"))
    if path is None:
        raise StartFailed(f"cannot start {argv[0]!r}: there is no such program")
    cwd = working_directory(options.cwd, account)
    try:
        environment = setup.inner_environment(environment, terminfo())
        return SessionDirectory.make(record, options.scrollback, spec_of(cwd, path, argv, environment, confinement))
    except OSError as error:
        raise StartFailed(f"cannot keep a session in {home()}: {error}", error_type="screen_spawn") from None


def runner_command(directory: Path) -> list[str]:
    """What screen runs in its window."""
    return [sys.executable or "python3", "-I", "-S", runner.__file__, str(directory)]


async def screen_client(
    directory: SessionDirectory,
    arguments: Sequence[str],
    size: Size,
    output: Callable[[memoryview], None],
    trouble: Trouble,
) -> Front:
    """A screen client with these arguments, on a terminal of this size. Raises StartFailed."""
    try:
        front = await Front.spawn(
            [setup.PROGRAM, "-c", str(directory.screenrc), "-U", "-q", *arguments],
            environment=setup.outer_environment(directory.path),
            cwd="/",
            size=size,
            epoch="",
            output=output,
            trouble=trouble,
        )
    except StartFailed as error:
        raise StartFailed(f"cannot start GNU screen: {error}", error_type="screen_spawn") from None
    assert isinstance(front, Front)
    return front
