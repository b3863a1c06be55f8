"""How the commands on a machine find the server on it: a file that only its user can read, with the link in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from reconnectingpty.client.address import links_folder


@contextmanager
def announcing() -> Iterator[Callable[[str], None]]:
    """What leaves a server's link for the commands, until the server ends. That it can't be left is no failure."""
    path = links_folder() / f"{os.getpid()}.link"
    draft = path.with_suffix(".new")
    began = time.time_ns()

    def announce(link: str) -> None:
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(link)
            os.utime(draft, ns=(began, began))  # the commands take the server that was started last
            os.replace(draft, path)

    try:
        yield announce
    finally:
        with suppress(OSError):
            path.unlink()
