"""How the commands on a machine find the server on it: a file that only its user can read, with the link in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconnectingpty.client.address import links_folder


@contextmanager
def announced(link: str) -> Iterator[None]:
    """Leave a server's link for the commands, as long as the server runs. That it can't be left is no failure."""
    path = links_folder() / f"{os.getpid()}.link"
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
