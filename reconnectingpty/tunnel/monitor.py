"""The heartbeat: a line that goes through the tunnel and has to come back the same, in time.

Anybody on this machine can connect to the port where it comes back, or to the one it goes into. What they send, or
what comes back late, is told apart by the line's random number, and dropped; it can neither fail a probe nor pass it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from types import TracebackType

from . import ports
from .errors import PortUnavailable
from .settings import Echo, Loop, Settings

GUESTS = 16
"""Connections to the returning port at a time; the oldest of more is shown out."""
RETRY = 0.25
"""Seconds before a connection that broke is tried again within one probe."""


class ProbeFailed(Exception):
    """The line did not come back; the message says what happened."""


def line(program: str, message: str) -> bytes:
    """A probe's line: host, program, pid, a random number, and the user's message."""
    number = secrets.randbelow(2**31)
    return f"{os.uname().nodename} {program} {os.getpid()} {number} {message}\r\n".encode()


class _Ear(asyncio.Protocol):
    """A connection on which the line may come back."""

    def __init__(self, monitor: Heartbeat) -> None:
        self._monitor = monitor
        self._heard = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._monitor.arrived(self)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._monitor.heard(self, bytes(self._heard))

    def connection_lost(self, exc: Exception | None) -> None:
        self._monitor.left(self)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Heartbeat:
    """Sends lines into ssh's local port, and hears them on another or on the same connection.

    An async context manager: the port above a loop's is bound from beginning to end.
    """

    def __init__(self, settings: Settings, program: str = "autossh") -> None:
        assert isinstance(settings.monitor, Loop | Echo)
        self._wanted = settings.monitor
        self._message = settings.message
        self._program = program
        self.monitor: Loop | Echo = settings.monitor
        """With the port that was chosen, where one was."""
        self._server: asyncio.Server | None = None
        self._ears: dict[_Ear, None] = {}
        self._port = settings.monitor.port or 0
        self._expected = b""
        self._back: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Heartbeat:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _open(self) -> None:
        bound: socket.socket
        match self._wanted:
            case Loop(port=None, far=far):
                port, bound = ports.choose()
                self.monitor = Loop(port, far or ports.choose_far(port))
                self._port = port
            case Loop(int(port)):
                bound = ports.bind(port + 1)
            case Echo():
                return
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Ear(self), sock=bound)
        except OSError as error:
            bound.close()
            raise PortUnavailable(port + 1, str(error)) from error

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for ear in list(self._ears):
            ear.close()

    async def choose_again(self) -> None:
        """Take another pair of ports, where they are ours to choose. Raises PortUnavailable."""
        if isinstance(self._wanted, Loop) and self._wanted.port is None:
            await self._close()
            await self._open()

    # -- what comes back

    def arrived(self, ear: _Ear) -> None:
        """Somebody has connected to the returning port."""
        if self._back is None:
            ear.close()
            return
        self._ears[ear] = None
        if len(self._ears) > GUESTS:
            oldest = next(iter(self._ears))
            self.left(oldest)
            oldest.close()

    def heard(self, ear: _Ear, data: bytes) -> None:
        """A connection has brought this so far."""
        if self._back is None or not self._expected.startswith(data):
            ear.close()
        elif data == self._expected and not self._back.done():
            self._back.set_result(None)

    def left(self, ear: _Ear) -> None:
        """A connection has ended."""
        self._ears.pop(ear, None)

    # -- a probe

    async def probe(self, timeout: float, *, patient: bool = False) -> float:
        """Send a line and wait for it; the seconds it took. Raises ProbeFailed.

        A connection that breaks is tried again until `timeout` seconds are over. One that is refused fails at once, as
        ssh should be listening, unless `patient`: ssh has just been started.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self._back = loop.create_future()
        self._expected = line(self._program, self._message)
        trouble = "timeout"
        try:
            async with asyncio.timeout(timeout):
                while True:
                    trouble = "timeout"
                    why = await self._send()
                    if why is None:
                        return loop.time() - begun
                    if why == "refused" and not patient:
                        raise ProbeFailed("ssh does not listen on the monitor's port")
                    trouble = why
                    await asyncio.sleep(RETRY)
        except TimeoutError:
            waited = f"no answer within {timeout:g} s"
            raise ProbeFailed(waited if trouble == "timeout" else f"{waited}: {trouble}") from None
        finally:
            self._back.cancel()
            self._back = None
            for ear in list(self._ears):
                ear.close()
            self._ears.clear()

    async def _send(self) -> str | None:
        """One connection's try; None when the line is back, else what went wrong."""
        assert self._back is not None
        loop = asyncio.get_running_loop()
        broken: asyncio.Future[None] = loop.create_future()
        voice = _Voice(self, broken, hears=isinstance(self.monitor, Echo))
        try:
            await loop.create_connection(lambda: voice, "127.0.0.1", self._port)
            assert voice.transport is not None
            voice.transport.write(self._expected)
            await asyncio.wait((self._back, broken), return_when=asyncio.FIRST_COMPLETED)
            return None if self._back.done() else "the connection through ssh broke"
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            return error.strerror or str(error)
        finally:
            broken.cancel()
            voice.close()


class _Voice(_Ear):
    """The connection into ssh's port. With an echo service the line comes back on it; in a loop it has to be silent."""

    def __init__(self, monitor: Heartbeat, broken: asyncio.Future[None], *, hears: bool) -> None:
        super().__init__(monitor)
        self._broken = broken
        self._hears = hears

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._hears:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._broken.done():
            self._broken.set_result(None)
