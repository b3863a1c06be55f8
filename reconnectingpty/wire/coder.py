"""The codecs of Coder's streams: the length-prefixed init, and the concatenated JSON requests after it.

Pure, and fed in any chunking. Names match in any case, the last of several wins, null means nothing said, and unknown
fields are ignored, as in Coder's agent (Go's encoding/json); unlike there, every value has a bound, and an init may
arrive byte by byte.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import MessageTooLarge, ProtocolError
from ..size import Size
from .address import NAME
from .messages import Resize
from .scanner import ValueScanner
from .values import MAX_CELLS, Check, from_utf8, load, string, well_formed, whole

NIL_SESSION = "00000000-0000-0000-0000-000000000000"
"""The session of an init that names none."""
MAX_REQUEST = 1 << 20
"""Bytes of one request."""
MAX_INIT = 0xFFFF
_LENGTH = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Init:
    """What a client of the agent stream asks for, first. `rows` or `cols` 0: it knows no size."""

    session: str
    rows: int = 0
    cols: int = 0
    command: str = ""
    container: str = ""
    container_user: str = ""
    backend_type: str = ""

    @property
    def size(self) -> Size | None:
        """The terminal's size that is asked for; None where none is known."""
        return Size.bounded(self.rows, self.cols)


def _name(value: Any) -> str | None:
    if isinstance(value, str) and NAME.fullmatch(value):
        return None
    return "must be a UUID, or 1 to 64 of the characters A-Z a-z 0-9 . _ - and not begin with a dot"


def _argument(value: Any) -> str | None:
    return string(value) or ("must not hold a NUL character" if "\0" in value else None)


_INIT: dict[str, tuple[str, Check]] = {
    "ID": ("session", _name),
    "Height": ("rows", whole(MAX_CELLS)),
    "Width": ("cols", whole(MAX_CELLS)),
    "Command": ("command", _argument),
    "Container": ("container", _argument),
    "ContainerUser": ("container_user", _argument),
    "BackendType": ("backend_type", _argument),
}
"""Each member of an init: the field it fills, and its check. The names are those of Go's AgentReconnectingPTYInit."""
_INIT_CHECKS = {name: check for name, (_, check) in _INIT.items()}
_REQUEST_CHECKS: dict[str, Check] = {"data": string, "height": whole(MAX_CELLS), "width": whole(MAX_CELLS)}


def encode_init(init: Init) -> bytes:
    """An init as the agent stream begins with it. Raises MessageTooLarge beyond what two bytes of length can say."""
    body = _encode({name: getattr(init, field) for name, (field, _) in _INIT.items()})
    if len(body) > MAX_INIT:
        raise MessageTooLarge(MAX_INIT)
    return _LENGTH.pack(len(body)) + body


class InitDecoder:
    """Puts an init together from whatever pieces it comes in; `init` is None until it is whole."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._data = bytearray()
        self.init: Init | None = None

    def feed(self, data: bytes) -> bytes:
        """Take more of the stream, and return what lies behind the init: nothing as long as `init` is None.

        Raises ProtocolError, whose message names what is wrong and never quotes the init.
        """
        if self.init is not None:
            return data
        self._data += data
        if len(self._data) < _LENGTH.size:
            return b""
        end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
        if len(self._data) < end:
            return b""
        body, rest = self._data[_LENGTH.size : end], bytes(self._data[end:])
        self._data.clear()
        self.init = _init(body)
        return rest


def _init(body: bytearray) -> Init:
    given = load(from_utf8(body), "the init must be a JSON object")
    members = _members(given, "the init", _INIT_CHECKS)
    values = {_INIT[name][0]: well_formed(v) if isinstance(v, str) else v for name, v in members.items()}
    return Init(**{"session": NIL_SESSION} | values)


def encode_request(data: str | None = None, size: Size | None = None) -> bytes:
    """One request of a client: typed text, a new size, or both. Raises MessageTooLarge beyond MAX_REQUEST."""
    body: dict[str, Any] = {} if data is None else {"data": data}
    if size is not None:
        body |= {"height": size.rows, "width": size.cols}
    request = _encode(body)
    if len(request) > MAX_REQUEST:
        raise MessageTooLarge(MAX_REQUEST)
    return request


class RequestDecoder:
    """Reads a stream of JSON objects as requests; holds at most `limit` bytes, those of one unfinished object."""

    def __init__(self, limit: int = MAX_REQUEST) -> None:
        """`limit`: bytes of one object."""
        self._scanner = ValueScanner(limit)
        self._error: ProtocolError | None = None

    def feed(self, data: bytes) -> list[bytes | Resize]:
        """The input and resizes of every request that ends in `data`, in order.

        Raises ProtocolError or MessageTooLarge, after which the stream can't be read on. Where good requests came
        before the bad one in the same `data`, they are returned first and the next call raises, so that what is
        understood does not depend on the chunking; a call with `b""` asks for that at once.
        """
        if self._error is not None:
            raise self._error
        messages: list[bytes | Resize] = []
        try:
            for value in self._scanner.feed(data):
                messages += _request(value)
        except ProtocolError as error:
            self._error = error
            if not messages:
                raise
        return messages


def _request(value: bytes) -> Iterator[bytes | Resize]:
    given = load(from_utf8(value), "a request must be a JSON object")
    if given is None:
        return
    members = _members(given, "a request", _REQUEST_CHECKS)
    if members.get("data"):
        yield well_formed(members["data"]).encode()
    rows, cols = members.get("height", 0), members.get("width", 0)
    if rows and cols:
        yield Resize(rows, cols)


def _encode(body: Mapping[str, Any]) -> bytes:
    return well_formed(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


def _members(given: Any, what: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The known members of an object, by their names in `checks`. Raises ProtocolError for one of a wrong type."""
    if not isinstance(given, tuple):
        raise ProtocolError(f"{what} must be a JSON object")
    folded = {name.lower(): name for name in checks}
    members = {}
    for given_name, value in given:
        name = folded.get(given_name.lower())
        if name is None or value is None:
            continue
        wrong = checks[name](value)
        if wrong is not None:
            raise ProtocolError(f"{what}: {name} {wrong}")
        members[name] = value
    return members
