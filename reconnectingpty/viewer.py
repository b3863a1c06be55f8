"""What `attach()` makes of a connection: a cursor into the log, a window, a size, a role.

A viewer sends what its cursor has not read yet, as far as its client's acknowledgements allow, and hands what it
receives to its host. It holds no copy of any output and no queue of messages: of each kind of notice only the newest
is kept, so nothing a client does or leaves undone makes it grow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from enum import Enum
from typing import Any, ClassVar, Protocol

from .connection import Connection
from .errors import Disconnected, InputStalled, NotAllowed, ProtocolError, SessionClosed
from .output_log import LogReader, OutputLog
from .size import Size
from .wire.messages import (
    Closing,
    Exited,
    Hello,
    InputAck,
    Kill,
    OutputAck,
    Ping,
    Pong,
    Resize,
    Resync,
    ServerMessage,
    SizeChanged,
)

SLICE = 256 << 10
"""Bytes of output in one message, at most."""
INPUT_QUEUE = 256 << 10
"""Input bytes of one client that may wait for the program. A client that acknowledges never comes to this bound."""
LEFT_BEHIND = 1.0
"""Seconds that a program may take for the next of the input that a client has left behind."""
INPUT_ACK_DELAY = 0.05
"""Seconds. A key's acknowledgement can wait for the next one; its echo can't wait for the acknowledgement."""


class Outcome(Enum):
    """How an attach ended that did not end with an error."""

    LEFT = "left"
    EXITED = "exited"


class ClientInput:
    """How much input a client id has sent, over all of its connections, and how much of it the program has."""

    __slots__ = ("accepted", "attempt", "received", "told")

    def __init__(self) -> None:
        self.attempt = -1
        """The highest that was seen of those that a client counts its connections by."""
        self.received = 0
        self.accepted = 0
        self.told: Callable[[], None] | None = None
        """Called when `accepted` has grown: the client's present viewer, whichever connection the input came by."""

    def accept(self, count: int) -> None:
        """The program has taken `count` more bytes of it."""
        self.accepted += count
        if self.told is not None:
            self.told()

    @property
    def waiting(self) -> int:
        """Bytes received that the program has not taken."""
        return self.received - self.accepted


class Host(Protocol):
    """What a viewer needs of its session."""

    input_stall: float
    """Seconds, as in Options."""
    end: Exited | SessionClosed | None
    """Set when the log has all output that there will be."""

    @property
    def log(self) -> OutputLog:
        """The output that the viewer reads."""
        ...

    def input(self, viewer: Viewer, data: bytes) -> None:
        """Take what the client typed, and count it as received."""
        ...

    def claim(self, viewer: Viewer, size: Size | None) -> None:
        """Take the client's own size."""
        ...

    def kill(self, viewer: Viewer) -> None:
        """End the session, as the client asked."""
        ...

    def read_on(self) -> None:
        """A viewer's cursor has moved."""
        ...

    async def picture(self) -> bytes:
        """What draws the terminal as it is at the end of the log, in the same turn of the event loop as it returns."""
        ...

    def resynced(self) -> None:
        """A viewer fell off the log and is about to get a picture."""
        ...


class Viewer:
    """One attached client."""

    __slots__ = (
        "_acknowledged",
        "_connection",
        "_finished",
        "_gone",
        "_host",
        "_input_timer",
        "_input_told",
        "_live_from",
        "_notices",
        "_stop",
        "_taken",
        "_tasks",
        "_wake",
        "active",
        "answers",
        "client",
        "input",
        "is_terminal",
        "name",
        "paces",
        "reader",
        "readonly",
        "size",
        "window",
    )

    def __init__(
        self, host: Host, connection: Connection, name: str, *, client: str | None, readonly: bool, window: int | None
    ) -> None:
        self._host = host
        self._connection = connection
        self.name = name
        self.client = client
        self.readonly = readonly
        self.window = window
        self.size: Size | None = None
        self.active = 0
        """Grows with each thing the client did; the size policy `latest` compares it."""
        self.paces = True
        """Whether the program waits for it, where nobody is further."""
        self.is_terminal = True
        """Whether what it sends may be a terminal's answers; else all of it is input."""
        self.input = ClientInput()
        self.reader: LogReader | None = None
        """None until the client has been greeted."""
        self._acknowledged = 0
        self._live_from = 0
        self._notices: dict[type, ServerMessage] = {}
        self._wake: asyncio.Future[None] | None = None
        self._taken: asyncio.Future[None] | None = None
        self._input_told = 0
        self._input_timer: asyncio.TimerHandle | None = None
        self._stop: BaseException | None = None
        self._tasks: tuple[asyncio.Task[Outcome], ...] = ()
        self._finished = False
        self._gone: asyncio.Future[None] | None = None

    # -- what the host calls

    def wake(self) -> None:
        """There is something new: output, a change of size, the end."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def notify(self, message: ServerMessage) -> None:
        """Tell the client soon; a newer message of the same kind replaces one not sent yet."""
        self._notices[type(message)] = message
        self.wake()

    def _accepted(self) -> None:
        """The program has taken more of this client's input."""
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)
        if self.window is None:
            return
        if self.input.accepted - self._input_told >= self.window // 4:
            self._acknowledge_input()
        elif self._input_timer is None:
            self._input_timer = asyncio.get_running_loop().call_later(INPUT_ACK_DELAY, self._acknowledge_input)

    def _acknowledge_input(self) -> None:
        if self._input_timer is not None:
            self._input_timer.cancel()
            self._input_timer = None
        self._input_told = self.input.accepted
        self.notify(InputAck(self.input.accepted))

    def stop(self, error: BaseException) -> None:
        """End this viewer with `error`; its connection is left to whoever attached it."""
        self._stop = self._stop or error
        for task in self._tasks:
            task.cancel()

    def cut(self, error: BaseException) -> None:
        """End this viewer, and its connection at once."""
        self.stop(error)
        self._connection.close()

    def finish(self) -> None:
        """Its attach has come to an end."""
        self._finished = True
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    async def gone(self) -> None:
        """Return when its attach has come to an end."""
        if self._finished:
            return
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._gone)

    @property
    def progress(self) -> tuple[int, int]:
        """Grows while the client takes output."""
        return (self.reader.offset if self.reader is not None else 0, self._acknowledged)

    @property
    def live(self) -> bool:
        """Whether its terminal has processed all that was written before it came, and answers to that have come."""
        return self.reader is not None and self._acknowledged >= self._live_from

    def inspect(self) -> dict[str, Any]:
        """What an operator may want to know of it; see `ReconnectingPTY.inspect`."""
        reader = self.reader
        return {
            "name": self.name,
            "client": self.client,
            "readonly": self.readonly,
            "size": None if self.size is None else [self.size.rows, self.size.cols],
            "live": self.live,
            "offset": None if reader is None else reader.offset,
            "lag": None if reader is None else reader.lag,
            "overrun": reader is not None and reader.overrun,
            "window": self.window,
            "unacknowledged": None if reader is None or self.window is None else reader.offset - self._acknowledged,
            "notices_waiting": sorted(kind.__name__ for kind in self._notices),
            "input_waiting": self.input.waiting,
            "tasks": ["done" if task.done() else "running" for task in self._tasks],
        }

    # -- its life

    async def run(self, hello: Hello, picture: bytes, reader: LogReader, live_from: int) -> Outcome:
        """Greet the client and serve it until it leaves or the session ends.

        What lies before the offset `live_from` was written before it came.

        Raises the SessionClosed that ended the session, or what made this viewer impossible.
        """
        if self._stop is not None:
            raise self._stop
        self._acknowledged = reader.offset
        self._live_from = live_from
        self.reader = reader
        self.input.told = self._accepted
        tasks = self._tasks = (
            asyncio.create_task(self._receive()),
            asyncio.create_task(self._send(hello, picture)),
        )
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks = ()
            self.input.told = None
            if self._input_timer is not None:
                self._input_timer.cancel()
        try:
            return self._outcome(results)
        finally:
            # An error that is raised from here would hold this frame, this frame it, and both the session.
            del results, tasks, task

    def _outcome(self, results: Sequence[Outcome | BaseException]) -> Outcome:
        """What the two tasks came to: what stopped the viewer, else the session's end, else the client's leaving."""
        ended = [result for result in results if not isinstance(result, asyncio.CancelledError)]
        error: BaseException | Outcome | None = None
        try:
            for error in (self._stop, *ended):
                if isinstance(error, BaseException) and not isinstance(error, Disconnected):
                    raise error
            return Outcome.EXITED if Outcome.EXITED in ended else Outcome.LEFT
        finally:
            del results, ended, error

    async def _send(self, hello: Hello, picture: bytes) -> Outcome:
        send = self._connection.send
        await send(hello)
        await self._send_picture(picture)
        while True:
            while self._notices:
                await send(self._notices.pop(next(iter(self._notices))))
            reader = self.reader
            assert reader is not None
            if reader.overrun:
                await self._resync(reader)
                continue
            item = reader.read(SLICE if self.window is None else min(SLICE, self._room(reader, self.window)))
            if isinstance(item, Size):
                await send(SizeChanged(item.rows, item.cols))
            elif item:
                self._host.read_on()
                await send(item)
            elif self._host.end is not None and reader.at_end:
                return await self._tell_end(self._host.end)
            else:
                await self._something_new()

    def _room(self, reader: LogReader, window: int) -> int:
        return self._acknowledged + window - reader.offset

    async def _send_picture(self, picture: bytes) -> None:
        for start in range(0, len(picture), SLICE):
            await self._connection.send(picture[start : start + SLICE])

    async def _resync(self, reader: LogReader) -> None:
        self._host.resynced()
        picture = await self._host.picture()
        reader.skip_to(self._host.log.end)
        self._acknowledged = reader.offset
        size = self._host.log.size
        await self._connection.send(SizeChanged(size.rows, size.cols))
        await self._connection.send(Resync(reader.offset, len(picture)))
        await self._send_picture(picture)

    async def _tell_end(self, end: Exited | SessionClosed) -> Outcome:
        if isinstance(end, Exited):
            await self._connection.send(end)
            return Outcome.EXITED
        await self._connection.send(Closing(end.reason, str(end)))
        raise copy(end)

    async def _something_new(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    async def _receive(self) -> Outcome:
        bound = max(INPUT_QUEUE, self.window or 0)
        while True:
            message = await self._connection.receive()
            if not isinstance(message, bytes):
                self._OBEY[type(message)](self, message)
            elif self.readonly:
                raise NotAllowed("this connection is read-only")
            else:
                self._host.input(self, message)
                if self.input.waiting > bound:
                    await self._until_taken(bound // 2)

    async def _until_taken(self, bound: int) -> None:
        """Receive no more until at most `bound` bytes of input wait.

        Raises InputStalled where nothing moves, and Disconnected where, besides, nobody is there to wait any more.
        """
        gone = asyncio.ensure_future(self._connection.gone())
        try:
            while self.input.waiting > bound:
                self._taken = asyncio.get_running_loop().create_future()
                if not gone.done():
                    await asyncio.wait(
                        (self._taken, gone), timeout=self._host.input_stall, return_when=asyncio.FIRST_COMPLETED
                    )
                if not self._taken.done() and gone.done():
                    # What it sent before it left still has its way, as long as the program takes it.
                    await asyncio.wait((self._taken,), timeout=min(LEFT_BEHIND, self._host.input_stall))
                if not self._taken.done():
                    raise Disconnected(self.name) if gone.done() else InputStalled(self._host.input_stall)
        finally:
            self._taken = None
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)

    def _on_resize(self, message: Resize) -> None:
        self._host.claim(self, Size.bounded(message.rows, message.cols))

    def _on_ack(self, message: OutputAck) -> None:
        if self.reader is None or message.offset > self.reader.offset:
            raise ProtocolError(f"output up to {message.offset} was acknowledged, which was never sent", code=1008)
        if message.offset > self._acknowledged:
            self._acknowledged = message.offset
            self.wake()

    def _on_ping(self, message: Ping) -> None:
        self.notify(Pong(message.id))

    def _on_kill(self, message: Kill) -> None:
        if self.readonly:
            raise NotAllowed("this connection is read-only")
        self._host.kill(self)

    _OBEY: ClassVar[dict[type, Callable[[Viewer, Any], None]]] = {
        Resize: _on_resize,
        OutputAck: _on_ack,
        Ping: _on_ping,
        Kill: _on_kill,
    }
