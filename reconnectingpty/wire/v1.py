"""The codec of `reconnectingpty.v1`'s control messages: JSON objects in text frames, both ways.

Pure: text in, values out. Each message is a class of `messages`; each field has a checker; unknown fields are ignored,
so that either side may learn new ones first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, cast

from ..errors import MessageTooLarge, ProtocolError
from .messages import (
    ClientMessage,
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
    Viewers,
)

SUBPROTOCOL = "reconnectingpty.v1"
MAX_CONTROL = 64 << 10
"""Bytes of one control message."""
MAX_OFFSET = (1 << 63) - 1
MAX_PING_ID = 64

SERVER_TYPES: dict[str, type[ServerMessage]] = {
    "hello": Hello,
    "resync": Resync,
    "size": SizeChanged,
    "ack": InputAck,
    "viewers": Viewers,
    "exit": Exited,
    "closing": Closing,
    "pong": Pong,
}
CLIENT_TYPES: dict[str, type[ClientMessage]] = {"resize": Resize, "ack": OutputAck, "ping": Ping, "kill": Kill}
_NAMES: dict[type, str] = {cls: name for table in (SERVER_TYPES, CLIENT_TYPES) for name, cls in table.items()}


def _integer(most: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if type(value) is int and 0 <= value <= most:
            return None
        return f"must be a whole number from 0 to {most}"

    return check


def _optional_integer(value: Any) -> str | None:
    return None if value is None or type(value) is int else "must be a whole number or null"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a string"


def _number(value: Any) -> str | None:
    return None if type(value) in (int, float) else "must be a number"


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _ping_id(value: Any) -> str | None:
    if type(value) is int and abs(value) <= MAX_OFFSET or isinstance(value, str) and len(value) <= MAX_PING_ID:
        return None
    return f"must be a whole number or a string of at most {MAX_PING_ID} characters"


_cells, _bytes = _integer(65535), _integer(MAX_OFFSET)
_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "rows": _cells,
    "cols": _cells,
    "offset": _bytes,
    "input_offset": _bytes,
    "snapshot": _bytes,
    "window": _bytes,
    "count": _bytes,
    "code": _optional_integer,
    "signal": _optional_integer,
    "created": _number,
    "readonly": _boolean,
    "id": _ping_id,
    "session": _text,
    "epoch": _text,
    "backend": _text,
    "reason": _text,
    "detail": _text,
}


def encode(message: ServerMessage | ClientMessage) -> str:
    """A message as the text of one frame."""
    body: dict[str, Any] = {"type": _NAMES[type(message)]}
    for field in fields(message):
        body[field.name] = getattr(message, field.name)
    return json.dumps(body, separators=(",", ":"))


def decode_client(text: str | bytes) -> ClientMessage:
    """What a client said. Raises ProtocolError, also for a type that there is not."""
    body = _object(text)
    message = _message(body, CLIENT_TYPES)
    if message is None:
        known = ", ".join(CLIENT_TYPES)
        raise ProtocolError(f"there is no message of type {str(body.get('type'))[:40]!r}; known are {known}")
    return cast("ClientMessage", message)


def decode_server(text: str | bytes) -> ServerMessage | None:
    """What a server said; None for a type that this client is too old to know. Raises ProtocolError."""
    return cast("ServerMessage | None", _message(_object(text), SERVER_TYPES))


def _object(text: str | bytes) -> dict[str, Any]:
    if len(text) > MAX_CONTROL:
        raise MessageTooLarge(MAX_CONTROL)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("a text frame must hold one JSON object") from None
    if not isinstance(body, dict):
        raise ProtocolError("a text frame must hold one JSON object")
    return body


def _message(body: dict[str, Any], types: Mapping[str, type[Any]]) -> object | None:
    name = body.get("type")
    cls = types.get(name) if isinstance(name, str) else None
    if cls is None:
        return None
    values = {}
    for field in fields(cls):
        if field.name not in body:
            raise ProtocolError(f"{name}: {field.name} is missing")
        wrong = _CHECKS[field.name](body[field.name])
        if wrong is not None:
            raise ProtocolError(f"{name}: {field.name} {wrong}")
        values[field.name] = body[field.name]
    return cast("object", cls(**values))
