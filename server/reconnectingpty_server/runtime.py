"""How the commands on a machine find the server on it: a file that only its user can read, with the link in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def folder() -> Path:
    """Where the links of this user's servers are."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "reconnectingpty" if base else Path.home() / ".local" / "state" / "reconnectingpty"


@contextmanager
def announced(link: str) -> Iterator[None]:
    """Leave a server's link for the commands, as long as the server runs. That it can't be left is no failure."""
    path = folder() / f"{os.getpid()}.link"
    if link:
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(link)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def links() -> list[str]:
    """The links of the servers that run, the newest first."""
    found = []
    with suppress(OSError):
        for path in sorted(folder().glob("*.link"), key=lambda path: path.stat().st_mtime, reverse=True):
            if path.stem.isdigit() and Path(f"/proc/{path.stem}").exists():
                found.append(path.read_text())
    return found
