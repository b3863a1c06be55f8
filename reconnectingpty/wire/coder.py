"""The codecs of Coder's streams: the length-prefixed init, and the concatenated JSON requests after it.

Pure, and fed in any chunking. Names match in any case and unknown fields are ignored, as Coder's agent does; unlike
there, every value has a bound, and an init may arrive byte by byte.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

from ..errors import MessageTooLarge, ProtocolError
from ..size import Size
from .address import NAME
from .messages import Resize

MAX_REQUEST = 1 << 20
"""Bytes of one JSON value."""
MAX_CELLS = 65535
_LENGTH = struct.Struct("<H")
_SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Init:
    """What a client of the agent stream asks for, first."""

    session: str
    rows: int
    cols: int
    command: str
    container: str
    container_user: str
    backend_type: str


def encode_init(init: Init) -> bytes:
    """An init as the agent stream begins with it. Raises MessageTooLarge beyond what two bytes of length can say."""
    body = json.dumps(
        {
            "ID": init.session,
            "Height": init.rows,
            "Width": init.cols,
            "Command": init.command,
            "Container": init.container,
            "ContainerUser": init.container_user,
            "BackendType": init.backend_type,
        }
    ).encode()
    if len(body) > 0xFFFF:
        raise MessageTooLarge(0xFFFF)
    return _LENGTH.pack(len(body)) + body


class InitDecoder:
    """Puts an init together from whatever pieces it comes in."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.init: Init | None = None

    def feed(self, data: bytes) -> bytes:
        """Take more of the stream; what follows the init is returned once `init` is there. Raises ProtocolError."""
        self._data += data
        if len(self._data) < _LENGTH.size:
            return b""
        end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
        if len(self._data) < end:
            return b""
        self.init = _init(bytes(self._data[_LENGTH.size : end]))
        return bytes(self._data[end:])


def _init(body: bytes) -> Init:
    # No error here may carry the body: commands hold secrets, and errors are logged.
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolError("the init is not JSON") from None
    fields = _folded(given, "the init")
    session = _text(fields, "id") or "00000000-0000-0000-0000-000000000000"
    if not NAME.fullmatch(session):
        raise ProtocolError("the init's ID must be a UUID, or 1 to 64 of A-Z a-z 0-9 . _ - without a leading dot")
    return Init(
        session=session,
        rows=_cells(fields, "height"),
        cols=_cells(fields, "width"),
        command=_text(fields, "command"),
        container=_text(fields, "container"),
        container_user=_text(fields, "containeruser"),
        backend_type=_text(fields, "backendtype"),
    )


def encode_request(data: str | None = None, size: Size | None = None) -> bytes:
    """One request of a client: typed text, a new size, or both."""
    body: dict[str, object] = {}
    if data is not None:
        body["data"] = data
    if size is not None:
        body |= {"height": size.rows, "width": size.cols}
    return json.dumps(body).encode()


class RequestDecoder:
    """Finds JSON values in a stream and reads them as requests.

    It looks at each byte once: it only follows braces, brackets and strings, and leaves the rest to the JSON decoder
    when a value is whole. Never holds more than `limit` bytes.
    """

    def __init__(self, limit: int = MAX_REQUEST) -> None:
        self._limit = limit
        self._value = bytearray()
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, data: bytes) -> list[bytes | Resize]:
        """The input and resizes of every request completed by `data`. Raises ProtocolError, MessageTooLarge."""
        messages: list[bytes | Resize] = []
        position = 0
        while position < len(data):
            if not self._value:
                position += len(data) - position - len(data[position:].lstrip(_SPACE))
                if position == len(data):
                    break
                if data[position : position + 1] not in (b"{", b"n"):
                    raise ProtocolError("a request must be a JSON object")
            end = self._end_of_value(data, position)
            self._value += data[position:end]
            if len(self._value) > self._limit:
                raise MessageTooLarge(self._limit)
            position = end
            if self._complete():
                value, self._value = bytes(self._value), bytearray()
                messages += _request(value)
        return messages

    def _complete(self) -> bool:
        if self._value[:1] == b"n":
            return len(self._value) == len(b"null")
        return self._depth == 0

    def _end_of_value(self, data: bytes, position: int) -> int:
        """Where the value that `position` is in ends; the end of `data` where it doesn't end there."""
        if self._value[:1] == b"n" or (not self._value and data[position : position + 1] == b"n"):
            return min(len(data), position + len(b"null") - len(self._value))
        while position < len(data):
            if self._in_string:
                position = self._through_string(data, position)
                continue
            byte = data[position]
            position += 1
            if byte == 0x22:
                self._in_string = True
            elif byte in b"{[":
                self._depth += 1
            elif byte in b"}]":
                self._depth -= 1
                if self._depth <= 0:
                    return position
        return position

    def _through_string(self, data: bytes, position: int) -> int:
        if self._escaped:
            self._escaped = False
            return position + 1
        quote, escape = data.find(b'"', position), data.find(b"\\", position)
        if escape >= 0 and (quote < 0 or escape < quote):
            self._escaped = True
            return escape + 1
        if quote < 0:
            return len(data)
        self._in_string = False
        return quote + 1


def _request(value: bytes) -> list[bytes | Resize]:
    try:
        given = json.loads(value.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise ProtocolError("a request must be a JSON object") from None
    if given is None:
        return []
    fields = _folded(given, "a request")
    data, rows, cols = _text(fields, "data"), _cells(fields, "height"), _cells(fields, "width")
    messages: list[bytes | Resize] = []
    if data:
        # Half of a surrogate pair is U+FFFD, as for Go's decoder.
        messages.append(data.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())
    if rows and cols:
        messages.append(Resize(rows, cols))
    return messages


def _folded(given: Any, what: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ProtocolError(f"{what} must be a JSON object")
    return {name.lower(): value for name, value in given.items() if value is not None}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ProtocolError(f"{name} must be a string")
    return value


def _cells(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    if type(value) is not int or not 0 <= value <= MAX_CELLS:
        raise ProtocolError(f"{name} must be a whole number from 0 to {MAX_CELLS}")
    return value
