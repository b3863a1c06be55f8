"""The lightest clients there are: in C where only reading counts, else a blocking socket and a bit of WebSocket."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
from urllib.parse import quote

BINARY, TEXT, CLOSE = 2, 1, 8
ACK_EVERY = 64 << 10
V1 = "Sec-WebSocket-Protocol: reconnectingpty.v1\r\n"


def upgrade(port: int, target: str, headers: str = "") -> str:
    """The request for a WebSocket."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    )


def terminal(session: str, command: str = "", more: str = "") -> str:
    """The address of a terminal of ours."""
    return f"/pty?reconnect={session}&width=80&height=24{more}" + (f"&command={quote(command)}" if command else "")


class Sink:
    """A process that reads whatever comes and keeps none of it."""

    def __init__(self, program: str, port: int, kind: str, request: str = "") -> None:
        self.process = subprocess.Popen(
            [program, str(port), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(request)
        self.process.stdin.close()
        if self.process.stdout.readline() != "greeted\n":
            raise OSError(f"{kind}: the server refused the connection")

    def drained(self) -> tuple[int, float]:
        """Wait for the end: bytes of output, and seconds from the first to the last."""
        assert self.process.stdout is not None
        count, seconds = self.process.stdout.read().split()
        self.process.stdout.close()
        self.process.wait()
        return int(count), float(seconds)


def masked(kind: int, payload: bytes) -> bytes:
    """A client's frame, under the mask of zeros, which changes nothing."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length)
    return bytes([0x80 | kind]) + size + b"\0\0\0\0" + payload


class Plain:
    """A bare socket: the pump's client."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(1 << 20)
        self.view = memoryview(self.buffer)

    def output(self) -> memoryview:
        """The next bytes; empty at the end."""
        return self.view[: self.socket.recv_into(self.buffer)]

    def type(self, data: bytes) -> None:
        """Send input."""
        self.socket.sendall(data)

    def close(self) -> None:
        """Leave."""
        self.socket.close()


class Frames(Plain):
    """A WebSocket. What is not terminal output is given to `told`."""

    def __init__(self, port: int, target: str, headers: str = "") -> None:
        super().__init__(port)
        self.start = self.end = 0
        self.socket.sendall(upgrade(port, target, headers).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        if not head.startswith(b"HTTP/1.1 101"):
            raise OSError(head.decode())

    def _need(self, count: int) -> None:
        while self.end - self.start < count:
            if self.start:
                left = self.end - self.start
                self.view[:left] = self.view[self.start : self.end]
                self.start, self.end = 0, left
            got = self.socket.recv_into(self.view[self.end :])
            if not got:
                raise EOFError
            self.end += got

    def frame(self) -> tuple[int, memoryview]:
        """The next frame's kind and payload. Raises EOFError."""
        self._need(2)
        kind, length, head = self.buffer[self.start] & 15, self.buffer[self.start + 1], 2
        if length == 126:
            self._need(4)
            length, head = struct.unpack_from(">H", self.buffer, self.start + 2)[0], 4
        elif length == 127:
            self._need(10)
            length, head = struct.unpack_from(">Q", self.buffer, self.start + 2)[0], 10
        self._need(head + length)
        payload = self.view[self.start + head : self.start + head + length]
        self.start += head + length
        return kind, payload


class Ours(Frames):
    """A client of reconnectingpty.v1, with acknowledgements."""

    def __init__(self, port: int, session: str = "", *, token: str, command: str = "", more: str = "") -> None:
        session = session or os.urandom(8).hex()
        super().__init__(port, terminal(session, command, more), f"Authorization: Bearer {token}\r\n{V1}")
        self.session = session
        self.hello: dict[str, object] = {}
        self.offset = self.acknowledged = self.picture = 0
        self.exited: dict[str, object] | None = None

    def output(self) -> memoryview:
        """The next output; empty at the end."""
        while True:
            try:
                kind, payload = self.frame()
            except (EOFError, ConnectionError):
                return self.view[:0]
            if kind == BINARY:
                drawn = min(self.picture, len(payload))
                self.picture -= drawn
                self.offset += len(payload) - drawn
                if self.offset - self.acknowledged >= ACK_EVERY:
                    self.acknowledged = self.offset
                    self.say(type="ack", offset=self.offset)
                return payload
            if kind == TEXT:
                self.told(json.loads(bytes(payload)))
            elif kind == CLOSE:
                return self.view[:0]

    def told(self, message: dict[str, object]) -> None:
        """Take a control message."""
        if message["type"] == "hello":
            self.hello = message
            self.offset = self.acknowledged = int(str(message["offset"]))
            self.picture = int(str(message["snapshot"]))
        elif message["type"] == "exit":
            self.exited = message

    def greet(self) -> None:
        """Wait for the hello, and for the whole of its picture."""
        while not self.hello:
            kind, payload = self.frame()
            if kind == TEXT:
                self.told(json.loads(bytes(payload)))
        while self.picture:
            self.output()

    def say(self, **message: object) -> None:
        """Send a control message."""
        self.socket.sendall(masked(TEXT, json.dumps(message).encode()))

    def type(self, data: bytes) -> None:
        """Send input."""
        self.socket.sendall(masked(BINARY, data))


class Terminado(Frames):
    """A client of terminado: JSON lists in text frames."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "/ws")

    def output(self) -> memoryview:
        """The next output, in its JSON: the decoding is the browser's, and left out; empty at the end."""
        while True:
            try:
                kind, payload = self.frame()
            except (EOFError, ConnectionError):
                return self.view[:0]
            if kind == TEXT and payload[2:8] == b"stdout":
                return payload
            if kind == CLOSE or payload[2:12] == b"disconnect":
                return self.view[:0]

    def type(self, data: bytes) -> None:
        """Send input."""
        self.socket.sendall(masked(TEXT, json.dumps(["stdin", data.decode()]).encode()))
