"""Lines for standard error that hold nobody up. A pipe that nobody reads, or a journal that hangs, stops its writer.

So a thread of its own writes them, and what it is behind by is bounded: what goes beyond is lost, and counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Final

MOST: Final = 1 << 20
"""Bytes that may wait for a reader."""
LAST_SECONDS: Final = 2.0
"""How long the end waits for the rest to be written."""


class Outlet(logging.Handler):
    """Writes to a descriptor, by a thread while it is `running`; before and after that, at once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._queue: SimpleQueue[tuple[bytes, Callable[[], None] | None] | None] = SimpleQueue()
        self._mutex = threading.Lock()
        self._waiting = 0
        self._lost = 0
        self._running = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """From here on nobody is held up; at the end what waits is written, if it is taken in time."""
        thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        thread.start()
        self._running = True
        try:
            yield
        finally:
            self._running = False
            self._queue.put(None)
            thread.join(LAST_SECONDS)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line of the log."""
        try:
            line = self._line(record)
        except Exception:  # noqa: BLE001 (as all handlers do)
            self.handleError(record)
        else:
            self.write(line)

    def write(self, data: bytes) -> None:
        """Write whole lines, or lose them."""
        if not self._running:
            self._put_out(data)
            return
        with self._mutex:
            if self._waiting + len(data) > MOST:
                self._lost += data.count(b"\n")
                return
            self._waiting += len(data)
        self._queue.put((data, None))

    def pass_on(self, data: bytes) -> asyncio.Future[None]:
        """Write any bytes and lose none: who gives more only when this is done has them wait for a reader."""
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(lambda: None if written.done() else written.set_result(None))

        with self._mutex:
            self._waiting += len(data)
        self._queue.put((data, tell))
        return written

    def _line(self, record: logging.LogRecord) -> bytes:
        return self.format(record).encode("utf-8", "backslashreplace") + b"\n"

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            data, tell = item
            self._put_out(data)
            with self._mutex:
                self._waiting -= len(data)
                lost = 0 if self._waiting else self._lost
                self._lost -= lost
            if tell is not None:
                tell()
            if lost:
                self._put_out(self._line(_loss(lost)))

    def _put_out(self, data: bytes) -> None:
        with suppress(OSError):  # nobody reads it any more, and it is no reason to end
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:  # somebody who shares it has made it so
                    select.select((), (self._descriptor,), ())


def _loss(lines: int) -> logging.LogRecord:
    text = "lines missing here, as nobody read them: %d"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (lines,), None)


def have_standard() -> None:
    """Put /dev/null in the place of a standard descriptor that is closed: else a socket would come there, and be
    written to as if it were a terminal. For a program's start.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
    # Python has None in their places then.
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 (for as long as the program runs)
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


standard_error: Final = Outlet(2 if sys.stderr is not None else -1)
"""This process's."""
