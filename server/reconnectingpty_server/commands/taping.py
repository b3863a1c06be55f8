"""A recording that a client makes of what it is shown; the server's own are `reconnectingpty.recording`."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import BinaryIO

from reconnectingpty.asciicast import Encoder
from reconnectingpty.client import Event, Exited, Resynced, Terminal
from reconnectingpty.size import Size

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def tape(terminal: Terminal, file: BinaryIO, seconds: float | None) -> None:
    """Record until the session ends, a signal tells to stop, or so many seconds are over. Raises OSError."""
    loop, encoder = asyncio.get_running_loop(), Encoder()
    hello = terminal.hello
    size = Size(hello.rows, hello.cols) if hello is not None else terminal.size
    title = f"session {terminal.session}"
    file.write(encoder.header(loop.time(), size, time.time(), type="xterm-256color", title=title))
    missed: list[int] = []

    def happened(event: Event) -> None:
        if isinstance(event, Resynced):
            missed.append(event.missed)

    terminal.on_event = happened
    stop = asyncio.Event()
    for number in _STOPS:
        loop.add_signal_handler(number, stop.set)
    writing = asyncio.create_task(_write(terminal, file, encoder, missed, size))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((writing, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for number in _STOPS:
            loop.remove_signal_handler(number)
        writing.cancel()
        stopping.cancel()
        await asyncio.wait((writing, stopping))
    if not writing.cancelled():
        writing.result()


async def _write(terminal: Terminal, file: BinaryIO, encoder: Encoder, missed: list[int], size: Size) -> None:
    loop = asyncio.get_running_loop()
    with terminal.reader() as reader:
        while item := await reader.next():
            now = loop.time()
            if isinstance(item, Size):
                if item != size:
                    size = item
                    file.write(encoder.resize(now, item))
                continue
            while missed:
                encoder.break_off()
                file.write(encoder.marker(now, f"{missed.pop(0)} bytes of output are missing here"))
            file.write(encoder.output(now, item))
            if not reader.waiting:
                file.flush()
    end = await terminal.wait_closed()
    if isinstance(end, Exited):
        file.write(encoder.exit(loop.time(), end.status))
    else:
        file.write(encoder.marker(loop.time(), str(end)))
