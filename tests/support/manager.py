"""systemd, as far as a service sees it: the socket that it is told by."""

from __future__ import annotations

import select
import socket
from pathlib import Path

from .attached import PATIENCE


class Manager:
    """Hears what services say."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)

    def next(self, wanted: str) -> str:
        """The next message that holds this."""
        while True:
            assert select.select([self._socket], [], [], PATIENCE)[0], f"never: {wanted}"
            message = self._socket.recv(4096).decode()
            if wanted in message:
                return message

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
