"""How GNU screen is set up for us: its configuration, the terminal it thinks it writes to, the one it shows inside.

Its writing end is a terminal that we model, and that xterm.js draws; so most of what it could do for a person at a
terminal is turned off, and nothing of the machine's or the user's configuration counts.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from functools import cache
from pathlib import Path

from ..environment import TERM
from ..errors import StartFailed

PROGRAM = "screen"
TRUECOLOUR_SINCE = (5, 0)
MAX_HISTORY = 100_000
"""Lines that a daemon may keep; it keeps them uncompressed."""

OUTER: dict[str, str] = {
    "ti": "no alternate screen around it all: what scrolls off goes to the scrollback, which the mouse wheel shows",
    "te": "the same, on leaving",
    "is": "no reset at the beginning: the terminal is fresh",
    "rs": "the same",
    "hs": "no status line",
    "ts": "the same",
    "fs": "the same",
    "ds": "the same",
    "vs": "the cursor is shown as it was",
    "le": "back to the first column by a carriage return, as programs write it, for those who read lines",
    "bs": "the same",
    "ks": "the arrow keys send what they always send, and screen makes of it what the program has asked for",
    "ke": "the same",
} | dict.fromkeys(
    ["kH", "kD", "kI", "kP", "kN", *(f"k{n}" for n in range(1, 10)), "k;", "F1", "F2"],
    "a key that goes through as it is",
)
"""Capabilities (termcap(5)) that the terminal around screen is not to have, and why."""

REPLACED: dict[str, str] = {
    # Screen takes SGR 3 for standout, as terminals before italics did; so standout has to come out as SGR 3 again.
    "so": r"\E[3m",
    "se": r"\E[23m",
    "ve": r"\E[?25h",
    "ku": r"\E[A",
    "kd": r"\E[B",
    "kr": r"\E[C",
    "kl": r"\E[D",
    "kh": r"\E[H",
    "@7": r"\E[F",
}
"""Capabilities that it has in another form than xterm."""

SETTINGS = (
    "startup_message off",
    # No message takes its time before what comes after it.
    "msgwait 0",
    "msgminwait 0",
    "vbell off",
    "deflogin off",
    "defflow off",
    "defutf8 on",
    "defbce on",
    "altscreen on",
    "autodetach on",
    "hardstatus off",
    # No key is screen's own, so that nobody hits it by accident.
    "escape ''",
    # A lone ESC is that key, not the beginning of another.
    "maptimeout 0",
    # What xterm sends in the mode in which programs look for these keys.
    r"bindkey -k kh stuff \033OH",
    r"bindkey -k @7 stuff \033OF",
    f"term {TERM}",
)


def configuration(history: int) -> str:
    """The text of a session's screenrc; `history`: lines above the screen that the daemon keeps."""
    capabilities = ":".join([*(f"{name}@" for name in OUTER), *(f"{name}={text}" for name, text in REPLACED.items())])
    lines = [*SETTINGS, f"defscrollback {min(history, MAX_HISTORY)}", f"termcapinfo * '{capabilities}'"]
    if has_truecolour():
        lines.append("truecolor on")
    return "\n".join(lines) + "\n"


def outer_environment(sockets: Path) -> dict[str, str]:
    """What screen itself finds around it. The command gets an environment of its own, from the runner."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "TERM": TERM,
        "LC_ALL": "C.UTF-8",
        "SHELL": "/bin/sh",
        "SCREENDIR": str(sockets),
        # Read before our own, and different on each distribution.
        "SYSSCREENRC": "/dev/null",
    }


def inner_environment(environment: dict[str, str], terminfo: Path | None) -> dict[str, str]:
    """The command's environment, with what the terminal that screen shows can't do taken back."""
    environment = dict(environment)
    if not has_truecolour():
        environment.pop("COLORTERM", None)
    if terminfo is not None:
        environment.setdefault("TERMINFO", str(terminfo))
    return environment


def knows_this_user() -> bool:
    """Whether screen runs for this account, which needs a name; `nobody` is whom its access lists allow nothing."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name != "nobody"
    except KeyError:
        return False


@cache
def version() -> tuple[int, ...]:
    """The numbers of the installed version; it takes milliseconds the first time. Raises StartFailed."""
    try:
        done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartFailed(f"cannot start GNU screen: {error}", error_type="screen_spawn") from None
    found = re.search(r"version (\d+)\.(\d+)", done.stdout)
    if found is None:
        raise StartFailed(f"{PROGRAM} --version says {done.stdout!r}", error_type="screen_spawn")
    return int(found[1]), int(found[2])


def has_truecolour() -> bool:
    """Whether colours of 24 bits go through; older versions take them for other attributes."""
    return version() >= TRUECOLOUR_SINCE


def make_terminfo(directory: Path) -> bool:
    """Describe the terminal inside, in a terminfo database of our own; False where ncurses's `tic` is missing.

    It is xterm but for what screen doesn't do, repeating a character above all, without which frames get holes.
    """
    entry = f"{TERM}|xterm in GNU screen,\n\trep@, smxx@, rmxx@, use={TERM},\n"
    command = ["tic", "-x", "-o", str(directory), "-"]
    try:
        done = subprocess.run(command, input=entry, text=True, capture_output=True, check=False, timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
