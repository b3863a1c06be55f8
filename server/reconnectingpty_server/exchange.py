"""A request and its answer, as values: what the HTTP side gives to an application and takes from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MAX_COOKIES = 8


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client's certificate, which was verified."""

    name: str
    """Its common name."""
    authorities: frozenset[str]
    """Digests: one of these authorities vouched for it."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request: header names in lower case, `query` decoded, `local` for a listener on loopback or a Unix socket.

    `peer` is `address:port`, `unix`, or the address that a trusted proxy names.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    peer: str
    local: bool
    secure: bool = False
    """Whether it came over TLS, here or at a trusted proxy."""
    proxy: str = ""
    """The trusted proxy that passed it on, whose headers can be believed; empty where none did."""
    certificate: Certificate | None = None
    uid: int | None = None
    """The user at the other end of a Unix socket."""

    @property
    def address(self) -> str:
        """The peer without its port."""
        if self.peer.startswith("["):
            return self.peer[1:].partition("]")[0]
        return self.peer.partition(":")[0] if self.peer.count(":") == 1 else self.peer

    def cookies(self, name: str) -> list[str]:
        """The values of the cookies of that name; more than a few are not looked at."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return [value for key, _, value in pairs if key == name][:MAX_COOKIES]

    @property
    def upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    def fields(self, *known: str) -> dict[str, Any]:
        """The JSON object that is its body, which may have these fields and no others. Raises Refused."""
        try:
            body = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Refused(Response.error(400, "the body must be a JSON object"))
        unknown = [{"field": name[:64], "detail": "is not known here"} for name in body if name not in known]
        if unknown:
            raise Refused(Response.error(400, "the body has fields that are not known here", unknown[:8]))
        return body

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
    refusal: str = ""
    """Why a request is turned away, where its status alone doesn't say so: one of the reasons that are counted."""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A value as JSON."""
        return cls(status, json.dumps(value).encode() + b"\n", "application/json", headers or {})

    @classmethod
    def error(
        cls,
        status: int,
        message: str,
        validations: list[dict[str, str]] | None = None,
        *,
        refusal: str = "",
        **headers: str,
    ) -> Response:
        """What is wrong, in the form of every error here: `message`, and `validations` by field where there are any."""
        body: dict[str, Any] = {"message": message}
        if validations is not None:
            body["validations"] = validations
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(cls.json(body, status, named), refusal=refusal)


class Refused(Exception):
    """A request gets an error for its answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def invalid(field: str, detail: str) -> Refused:
    """One field is wrong."""
    return Refused(Response.error(400, f"{field} {detail}", [{"field": field, "detail": detail}]))
