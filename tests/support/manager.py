"""systemd, as far as a service sees it: the socket that it is told by."""

from __future__ import annotations

import queue
import socket
import threading
from pathlib import Path

from .attached import PATIENCE


class Manager:
    """Hears what services say, all of it at once, as systemd does."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listening = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        while message := self._socket.recv(4096):
            self._heard.put(message.decode())

    def next(self, wanted: str) -> str:
        """The next message that holds this."""
        while True:
            try:
                message = self._heard.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"never: {wanted}") from None
            if wanted in message:
                return message

    def __enter__(self) -> Manager:
        self._listening.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.path)
        self._listening.join()
        self._socket.close()
