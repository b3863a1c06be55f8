"""What was typed, until the session has it. Pure: it says what to send, and is told what arrived.

Each byte of input has an offset, counted by the session for this client over all its connections.
"""

from __future__ import annotations

from collections.abc import Iterator

FRAME = 16 << 10
"""Small enough that an acknowledgement does not wait long behind a paste."""


class Typed:
    """Input from `start` on, of which everything below `sent` is under way over this connection."""

    __slots__ = ("_data", "_sent", "start")

    def __init__(self) -> None:
        self._data = bytearray()
        self._sent = 0  # of `_data`
        self.start = 0

    def __len__(self) -> int:
        return len(self._data)

    @property
    def end(self) -> int:
        """The input offset of what will be typed next."""
        return self.start + len(self._data)

    def push(self, data: bytes) -> None:
        """Take more."""
        self._data += data

    def acknowledge(self, offset: int) -> None:
        """The session has everything below `offset`."""
        known = min(max(offset - self.start, 0), len(self._data))
        del self._data[:known]
        self._sent = max(self._sent - known, 0)
        self.start = max(self.start, offset)

    def begin(self, offset: int) -> None:
        """The first connection: what was typed before it is for this shell, and nothing of it is there yet."""
        self.start = offset
        self._sent = 0

    def resume(self, offset: int) -> None:
        """A new connection to the same shell, which has everything below `offset`: the rest is to be sent again."""
        if offset < self.start:
            # The session has forgotten this client and counts anew. Whether it got what was under way nobody knows;
            # running a line twice would be worse than losing one.
            del self._data[: self._sent]
            self.start = offset
        self.acknowledge(offset)
        self._sent = 0

    def take(self, window: int) -> Iterator[bytes]:
        """What may be sent now, with at most `window` bytes under way; it counts as sent."""
        while self._sent < min(len(self._data), window):
            part = bytes(self._data[self._sent : min(self._sent + FRAME, window)])
            self._sent += len(part)
            yield part
