"""The command `attach`: this terminal on a session, with reconnecting.

It speaks `reconnectingpty.v1`: continues at its offset after a break, sends again what was not acknowledged, and
passes the exit status on. The terminal's modes are put back whatever happens.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from reconnectingpty.wire import v1
from reconnectingpty.wire.address import AttachRequest, build_query
from reconnectingpty.wire.close import RECONNECT, CloseCode
from reconnectingpty.wire.messages import Closing, Exited, Hello, InputAck, OutputAck, Resize, Resync

from .remote import Remote, RemoteError

FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
ACK_SECONDS = 0.05
"""When no more comes, the last of the output is acknowledged, too."""
LEAVE = b"~."
TERMINAL_RESET = b"\x1bc"


class Ended(Exception):
    """The session is over: what to tell, and the exit status."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


class Attached:
    """One person's attachment to a session, over as many connections as it takes."""

    def __init__(self, remote: Remote, request: AttachRequest) -> None:
        self._remote = remote
        self._request = request
        self._epoch: str | None = None
        self._offset = 0
        self._acknowledged = 0
        self._picture = 0
        self._window = 1
        self._unsent = bytearray()  # input that the session has not acknowledged, from `_input_offset` on
        self._input_offset = 0
        self._sent = 0  # how much of it has gone out over this connection
        self._more = asyncio.Event()
        self._ack_timer: asyncio.TimerHandle | None = None

    def type(self, data: bytes) -> None:
        """Send input, now or when there is a connection again."""
        self._unsent += data
        self._more.set()

    def resized(self) -> None:
        """This terminal has another size."""
        self._more.set()

    async def run(self) -> None:
        """Until the session ends or its person leaves. Raises Ended, RemoteError."""
        wait = FIRST_WAIT
        while True:
            try:
                async with self._connect() as socket:
                    wait = FIRST_WAIT
                    await self._talk(socket)
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd is not None else 1006
                never_greeted = self._epoch is None and code == CloseCode.INTERNAL  # it could not be started
                if code not in RECONNECT or never_greeted:
                    raise Ended(1 if code != 1000 else 0, error.rcvd.reason if error.rcvd is not None else "") from None
            except InvalidStatus as error:
                if error.response.status_code not in (502, 503, 504):
                    raise RemoteError(f"the server answered {error.response.status_code}") from None
            except (OSError, InvalidHandshake, TimeoutError) as error:
                if self._epoch is None:
                    raise RemoteError(f"cannot reach the server: {error}") from None
            _tell("connection lost; trying again, ~. leaves")
            await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 (so that clients don't come back all at once)
            wait = min(wait * 2, LONGEST_WAIT)

    def _connect(self) -> connect:
        size = shutil.get_terminal_size()
        request = AttachRequest(
            session=self._request.session,
            rows=size.lines,
            cols=size.columns,
            client=self._request.client,
            epoch=self._epoch,
            offset=self._offset if self._epoch else None,
            readonly=self._request.readonly,
            command=self._request.command,
        )
        url = self._remote.websocket(build_query(request))
        make = unix_connect if self._remote.path else connect
        extra = {"path": self._remote.path, "uri": url} if self._remote.path else {"uri": url}
        return make(
            **extra,  # type: ignore[arg-type]
            subprotocols=[v1.SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers=self._remote.headers,
            compression=None,
            max_size=None,
            proxy=None,
            user_agent_header=None,
        )

    async def _talk(self, socket: ClientConnection) -> None:
        await self._hear(socket, await socket.recv())
        sending = asyncio.create_task(self._send(socket))
        try:
            while True:
                await self._hear(socket, await socket.recv())
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _hear(self, socket: ClientConnection, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            await self._show(socket, frame)
            return
        message = v1.decode_server(frame)
        if isinstance(message, Hello):
            self._greeted(message)
        elif isinstance(message, Resync):
            self._draw_anew(message.offset, message.snapshot)
        elif isinstance(message, InputAck):
            self._forget(message.input_offset)
        elif isinstance(message, Exited):
            raise Ended(message.code if message.code is not None else 128 + (message.signal or 0))
        elif isinstance(message, Closing):
            raise Ended(1, f"session closed: {message.detail}")

    def _greeted(self, hello: Hello) -> None:
        self._window = max(hello.window, 4)
        if hello.epoch != self._epoch:
            if self._epoch is not None:
                self._unsent.clear()  # that was typed into another shell
            self._input_offset = hello.input_offset
            self._epoch = hello.epoch
        else:
            self._forget(hello.input_offset)
        self._sent = 0
        self._more.set()
        if hello.snapshot or hello.offset != self._offset:
            self._draw_anew(hello.offset, hello.snapshot)
        self._acknowledged = hello.offset

    def _draw_anew(self, offset: int, picture: int) -> None:
        if self._offset:
            _write(TERMINAL_RESET)
        self._offset = self._acknowledged = offset
        self._picture = picture

    def _forget(self, offset: int) -> None:
        known = max(offset - self._input_offset, 0)
        del self._unsent[:known]
        self._input_offset = max(offset, self._input_offset)
        self._sent = max(self._sent - known, 0)

    async def _show(self, socket: ClientConnection, data: bytes) -> None:
        _write(data)
        drawn = min(self._picture, len(data))
        self._picture -= drawn
        self._offset += len(data) - drawn
        if self._offset - self._acknowledged >= self._window // 4:
            await self._acknowledge(socket)
        elif self._ack_timer is None:
            self._ack_timer = asyncio.get_running_loop().call_later(ACK_SECONDS, self._ack_is_due)

    def _ack_is_due(self) -> None:
        self._ack_timer = None
        self._more.set()

    async def _acknowledge(self, socket: ClientConnection) -> None:
        if self._offset > self._acknowledged:
            self._acknowledged = self._offset
            await socket.send(v1.encode(OutputAck(self._offset)))

    async def _send(self, socket: ClientConnection) -> None:
        last = None
        while True:
            size = shutil.get_terminal_size()
            if size != last:
                last = size
                await socket.send(v1.encode(Resize(size.lines, size.columns)))
            while self._sent < min(len(self._unsent), self._window):
                part = bytes(self._unsent[self._sent : min(self._sent + 16384, self._window)])
                self._sent += len(part)
                await socket.send(part)
            if self._ack_timer is None:
                await self._acknowledge(socket)
            self._more.clear()
            await self._more.wait()


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _tell(text: str) -> None:
    sys.stderr.write(f"\r\n[reconnectingpty: {text}]\r\n")
    sys.stderr.flush()


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Standard input without line editing and signals, if it is a terminal; as it was afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Keys:
    """Finds `~.` at the start of a line, as ssh does; everything else goes through."""

    def __init__(self) -> None:
        self._fresh = True
        self._tilde = False

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What to send, and whether its person wants to leave."""
        out = bytearray()
        for byte in data:
            if self._tilde:
                self._tilde = False
                if byte == LEAVE[1]:
                    return bytes(out), True
                if byte != LEAVE[0]:
                    out.append(LEAVE[0])
            elif self._fresh and byte == LEAVE[0]:
                self._tilde = True
                continue
            out.append(byte)
            self._fresh = byte in b"\r\n"
        return bytes(out), False


async def _main(remote: Remote, request: AttachRequest) -> int:
    attached, keys, left = Attached(remote, request), Keys(), asyncio.Event()
    loop, interactive = asyncio.get_running_loop(), sys.stdin.isatty()

    def readable() -> None:
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            loop.remove_reader(sys.stdin.fileno())
            attached.type(b"\x04")
            return
        typed, leave = keys.feed(data) if interactive else (data, False)
        attached.type(typed)
        if leave:
            left.set()

    try:
        loop.add_reader(sys.stdin.fileno(), readable)
    except PermissionError:  # a plain file is always readable, and can't be waited for
        attached.type(sys.stdin.buffer.read() + b"\x04")
    loop.add_signal_handler(signal.SIGWINCH, attached.resized)
    told: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        told.append(number)
        left.set()

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    running, leaving = asyncio.create_task(attached.run()), asyncio.create_task(left.wait())
    try:
        await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
        if told:
            return 128 + told[0]
        if leaving.done():
            _tell("left; the session goes on")
            return 0
        await running
    except Ended as end:
        if str(end):
            _tell(str(end))
        return end.status
    finally:
        for task in (running, leaving):
            task.cancel()
        await asyncio.gather(running, leaving, return_exceptions=True)
        loop.remove_reader(sys.stdin.fileno())
    return 0


def run(remote: Remote, session: str, command: str, *, readonly: bool) -> int:
    """Attach this terminal; the exit status. Raises RemoteError."""
    request = AttachRequest(session=session, client=secrets.token_hex(8), command=command, readonly=readonly)
    with raw_terminal():
        return asyncio.run(_main(remote, request))
