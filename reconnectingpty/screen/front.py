"""The screen client that stands for a session's process: takes input only as fast as the command does.

Screen drops what is typed faster than the program reads. So no more is on its way to the window than screen has room
for, until the runner there says that the command's terminal has taken it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ..process import Process, Trouble

UNDER_WAY = 2048
"""Bytes that may be on their way: half of what screen holds for a window, since keys can grow on their way."""
LONGEST_KEY = 8
"""Bytes."""
LOST = 1.0
"""Seconds after which what the runner has not seen, and is not holding either, will not come any more."""


def _first(data: memoryview, room: int) -> memoryview:
    """As much of it as there is room for, up to before a key's sequence that would be cut in two.

    Screen would take its halves for other keys.
    """
    if len(data) <= room:
        return data
    tail = bytes(data[max(room - LONGEST_KEY, 0) : room])
    at = tail.rfind(b"\x1b")
    return data[: room if at < 0 else room - len(tail) + at]


class Front(Process):
    """A screen client."""

    __slots__ = ("_held", "_lost", "_unaccepted", "_under_way", "_unsent")

    def __init__(self, pid: int, fd: int, epoch: str, output: Callable[[memoryview], None], trouble: Trouble) -> None:
        super().__init__(pid, fd, epoch, output, trouble)
        self._unsent: deque[memoryview] = deque()
        self._unaccepted: deque[tuple[int, Callable[[int], None]]] = deque()
        self._under_way = 0
        self._held = 0
        self._lost: asyncio.TimerHandle | None = None

    def write(self, data: bytes, accepted: Callable[[int], None]) -> None:
        """Take input; `accepted(n)` is called for each n bytes that the command's terminal has taken."""
        if self.exited.done() or self.fd < 0 or not data:
            return
        self.pending += len(data)
        self._unsent.append(memoryview(data))
        self._unaccepted.append((len(data), accepted))
        self._send()

    def _send(self) -> None:
        while self._unsent and self._under_way < UNDER_WAY:
            data = self._unsent.popleft()
            part = _first(data, UNDER_WAY - self._under_way)
            if not part:
                self._unsent.appendleft(data)
                break
            if len(part) < len(data):
                self._unsent.appendleft(data[len(part) :])
            self._under_way += len(part)
            # What the terminal here takes is pending still, until the command's has it.
            self.pending -= len(part)
            super().write(bytes(part), self._keep_pending)
        self._watch()

    def _keep_pending(self, count: int) -> None:
        self.pending += count

    def took(self, count: int, held: int) -> None:
        """The command's terminal has taken so much; the runner holds so much more for it."""
        if self.exited.done():
            return
        self._held = held
        count = min(count, self._under_way)
        self._under_way -= count
        self.pending -= count
        while count:
            size, accepted = self._unaccepted.popleft()
            part = min(size, count)
            count -= part
            if part < size:
                self._unaccepted.appendleft((size - part, accepted))
            accepted(part)
        self._send()

    def _watch(self) -> None:
        """Screen makes other keys of a few, and bytes that are no UTF-8 may vanish: wait for none that can't come."""
        if self._lost is not None:
            self._lost.cancel()
            self._lost = None
        if self._under_way and not self._held:
            self._lost = asyncio.get_running_loop().call_later(LOST, self._give_up)

    def _give_up(self) -> None:
        self._lost = None
        self.took(self._under_way, 0)

    def close(self) -> None:
        """Let go of it."""
        self._unsent.clear()
        self._unaccepted.clear()
        self._under_way = 0
        self._watch()
        super().close()
