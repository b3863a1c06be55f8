"""A request and its answer, as values: what the HTTP side gives to an application and takes from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """A request: header names in lower case, `query` decoded, `local` for a listener on loopback or a Unix socket."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    peer: str
    local: bool

    @property
    def upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    def first(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A value as JSON."""
        return cls(status, json.dumps(value).encode() + b"\n", "application/json", headers or {})

    @classmethod
    def error(
        cls, status: int, message: str, validations: list[dict[str, str]] | None = None, **headers: str
    ) -> Response:
        """What is wrong, in the form of every error here: `message`, and `validations` by field where there are any."""
        body: dict[str, Any] = {"message": message}
        if validations is not None:
            body["validations"] = validations
        return cls.json(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
