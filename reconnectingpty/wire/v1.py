"""The codec of `reconnectingpty.v1`'s control messages: JSON objects in text frames, both ways.

Pure: text in, values out. Each message is a class of `messages`; each field has a check; unknown fields are ignored,
so that either side may learn new ones first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from .values import MAX_CELLS, MAX_OFFSET, Check, load, or_null, seconds, text, truth, well_formed, whole

SUBPROTOCOL = "reconnectingpty.v1"
MAX_CONTROL = 64 << 10
"""Bytes of one control message."""
MAX_DETAIL = 4096
"""Characters of `detail`, the one field of no certain length; the rest is left off. Escaped, they fit MAX_CONTROL."""
MAX_PING_ID = 64
"""Characters of a ping's id, where that is a string."""

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

_TYPES: tuple[Mapping[str, type[Any]], ...] = (SERVER_TYPES, CLIENT_TYPES)
_NAMES: dict[type, str] = {cls: name for table in _TYPES for name, cls in table.items()}
_FIELDS: dict[type, tuple[str, ...]] = {cls: tuple(field.name for field in fields(cls)) for cls in _NAMES}
_NOT_AN_OBJECT = "a text frame must hold one JSON object, in UTF-8"


def _ping_id(value: Any) -> str | None:
    if type(value) is int and abs(value) <= MAX_OFFSET:
        return None
    if isinstance(value, str) and len(value) <= MAX_PING_ID:
        return text(value)
    return f"must be a whole number of 64 bits or a string of at most {MAX_PING_ID} characters"


_CHECKS: dict[str, Check] = {
    "rows": whole(MAX_CELLS),
    "cols": whole(MAX_CELLS),
    "offset": whole(MAX_OFFSET),
    "input_offset": whole(MAX_OFFSET),
    "snapshot": whole(MAX_OFFSET),
    "window": whole(MAX_OFFSET),
    "count": whole(MAX_OFFSET),
    "code": or_null(whole((1 << 31) - 1)),
    "signal": or_null(whole((1 << 31) - 1)),
    "created": seconds,
    "readonly": truth,
    "id": _ping_id,
    "session": text,
    "epoch": text,
    "backend": text,
    "reason": text,
    "detail": text,
}


def encode(message: ServerMessage | ClientMessage) -> str:
    """A message as the text of one frame: compact JSON in ASCII, `type` first.

    Raises MessageTooLarge for what the other side would refuse. `detail` is cut before that; a half of a surrogate
    pair, as the operating system's undecodable file names have them, is sent as U+FFFD.
    """
    body: dict[str, Any] = {"type": _NAMES[type(message)]}
    for name in _FIELDS[type(message)]:
        value = getattr(message, name)
        body[name] = well_formed(value) if isinstance(value, str) else value
    if isinstance(message, Closing):
        body["detail"] = body["detail"][:MAX_DETAIL]
    frame = json.dumps(body, separators=(",", ":"), allow_nan=False)
    if len(frame) > MAX_CONTROL:
        raise MessageTooLarge(MAX_CONTROL)
    return frame


def decode_client(frame: str | bytes) -> ClientMessage:
    """What a client said. Raises ProtocolError, also for a type that there is not, and MessageTooLarge."""
    name, body = _object(frame)
    cls = CLIENT_TYPES.get(name)
    if cls is None:
        raise ProtocolError(f"there is no message of type {name[:40]!a}; a client's are {', '.join(CLIENT_TYPES)}")
    return cast("ClientMessage", _message(name, cls, body))


def decode_server(frame: str | bytes) -> ServerMessage | None:
    """What a server said; None for a type that this client is too old to know. Raises as decode_client does."""
    name, body = _object(frame)
    cls = SERVER_TYPES.get(name)
    return None if cls is None else cast("ServerMessage", _message(name, cls, body))


def _object(frame: str | bytes) -> tuple[str, dict[str, Any]]:
    """The type and the fields of a frame's object."""
    given = load(_bounded(frame), _NOT_AN_OBJECT)
    if not isinstance(given, tuple):
        raise ProtocolError(_NOT_AN_OBJECT)
    body: dict[str, Any] = {}
    for name, value in given:
        if name in body and (name == "type" or name in _CHECKS):
            raise ProtocolError(f"{name} may be given once only")
        body[name] = value
    kind = body.get("type")
    if not isinstance(kind, str):
        raise ProtocolError(f"type {'must be a string' if 'type' in body else 'is missing'}")
    return kind, body


def _bounded(frame: str | bytes) -> str:
    """A frame of permitted length, as text."""
    if len(frame) > MAX_CONTROL:
        raise MessageTooLarge(MAX_CONTROL)
    try:
        data = frame.encode() if isinstance(frame, str) else frame
        if len(data) <= MAX_CONTROL:
            return data.decode()
    except UnicodeError:
        pass  # whose error holds the frame
    else:
        raise MessageTooLarge(MAX_CONTROL)
    raise ProtocolError(_NOT_AN_OBJECT)


def _message(name: str, cls: type, body: Mapping[str, Any]) -> object:
    values = {}
    for field in _FIELDS[cls]:
        wrong = _CHECKS[field](body[field]) if field in body else "is missing"
        if wrong is not None:
            raise ProtocolError(f"{name}: {field} {wrong}")
        values[field] = body[field]
    return cast("object", cls(**values))
