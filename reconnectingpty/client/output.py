"""What came from the session, as a log of this client's own, and the readers of it.

Output and pictures lie in one log, in the order in which a terminal has to draw them; a picture that replaces what was
there before begins with a reset. Offsets in here are this log's own: `offset` converts them to the session's. Bounded:
the session is told of output as dealt with only as far as the readers and the model have come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..output_log import LogReader, OutputLog
from ..size import DEFAULT_SIZE, Size
from .pulse import Pulse
from .view import View

RESET = b"\x1bc"
SLICE = 64 << 10


class Output:
    """The log, and who holds it back."""

    def __init__(self, hold: int, on_read: Callable[[], None]) -> None:
        self._hold = hold
        self.on_read = on_read
        self.log = OutputLog(hold, DEFAULT_SIZE)
        self.changed = Pulse()
        self.done = False
        """Whether nothing more will come."""
        self._readers: set[OutputReader] = set()
        self._live_from = 0  # where the bytes begin that have an offset, in this log's own
        self._shift = 0
        self.drawn_at = 0
        """Where the last picture begins."""
        self.view: View | None = None
        """Who draws it, if anybody; `follow` keeps it near enough."""

    def allow(self, window: int) -> None:
        """Have room for so much more than may be held."""
        self.log.limit = max(self.log.limit, self._hold + 2 * window)

    def resize(self, size: Size) -> None:
        """From here on the terminal has this size."""
        self.log.resize(size)
        self.changed.beat()

    def draw(self, picture: bytes, offset: int) -> None:
        """Take a picture; live bytes from the session's `offset` on follow it."""
        if self.log.end:
            picture = RESET + picture
        self.drawn_at = self.log.end
        self.log.limit = max(self.log.limit, self._hold + len(picture))
        self.log.append(picture)
        self._live_from = self.log.end
        self._shift = offset - self.log.end
        self.changed.beat()

    def add(self, data: bytes) -> None:
        """Take output."""
        self.log.append(data)
        self.changed.beat()

    def finish(self) -> None:
        """Nothing more comes."""
        self.done = True
        self.changed.beat()

    def offset(self, at: int) -> int | None:
        """The session's offset of what lies at `at` in this log; None for a picture, and for what was before it."""
        return at + self._shift if at >= self._live_from else None

    @property
    def lag(self) -> int:
        """How much there is that the slowest reader has not read."""
        return self.log.end - min((reader.at for reader in self._readers), default=self.log.end)

    @property
    def dealt_with(self) -> int | None:
        """The session's offset up to which its output may be acknowledged."""
        at = self.log.end - max(self.lag - self._hold, 0)
        return self.offset(at)

    async def follow(self) -> None:
        """Let the view come so near that nothing of what it has not seen is forgotten."""
        while self.view is not None and self.view.lag > self._hold // 2:
            self.view.advance()
            await asyncio.sleep(0)

    def reader(self, at: int | None = None) -> OutputReader:
        """A reader from `at` on, by default from the oldest that is still there. To be closed."""
        reader = OutputReader(self, self.log.reader(self.log.start if at is None else at))
        self._readers.add(reader)
        return reader

    def leave(self, reader: OutputReader) -> None:
        """It reads no more, and holds nothing back."""
        self._readers.discard(reader)
        self.read_on()

    def read_on(self) -> None:
        """A reader has moved."""
        self.changed.beat()
        self.on_read()


class OutputReader:
    """Reads all output there is, in order. While it is open and behind, the session is held back, and nothing is lost.

    Only where the session's own log had to forget what this client had not seen yet comes a picture instead: the
    bytes that reset a terminal and draw it anew.
    """

    def __init__(self, output: Output, cursor: LogReader) -> None:
        self._output = output
        self._cursor = cursor

    @property
    def at(self) -> int:
        """Where it is, in the terminal's own log."""
        return self._cursor.offset

    @property
    def waiting(self) -> int:
        """Bytes that it could read at once."""
        return self._cursor.lag

    async def next(self, most: int = SLICE) -> bytes | Size:
        """The next at most `most` bytes, or the size that the terminal has from here on; `b""` at the very end."""
        while True:
            item = self.next_nowait(most)
            if item or self._output.done:
                return item
            await self._output.changed.wait()

    def next_nowait(self, most: int = SLICE) -> bytes | Size:
        """The same, without waiting: `b""` also where there is nothing just now."""
        cursor = self._cursor
        if cursor.overrun:
            # Nobody held it back: the server sent more than it may.
            cursor.skip_to(max(self._output.drawn_at, cursor.log.start))
        item = cursor.read(most)
        if item:
            self._output.read_on()
        return item

    async def read(self, most: int = SLICE) -> bytes:
        """The next at most `most` bytes; `b""` at the very end."""
        while isinstance(item := await self.next(most), Size):
            pass
        return item

    def close(self) -> None:
        """Hold nothing back any more."""
        self._output.leave(self)

    def __aiter__(self) -> OutputReader:
        return self

    async def __anext__(self) -> bytes:
        if data := await self.read():
            return data
        raise StopAsyncIteration

    def __enter__(self) -> OutputReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
