"""What the query of a terminal's address says: which session, what size, and where a client's output stopped.

Pure. Everything wrong is told at once, field by field, so that a client need not try again for each. Parameters that
are not known are ignored, and an empty one says nothing, as with Coder's server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from ..errors import ReconnectingPTYError
from ..size import Size
from .values import MAX_CELLS, MAX_OFFSET, well_formed

NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,64}")
"""A session id or a client id. A UUID is one, too. No leading dot: it may become part of a file's name."""
DEFAULT_CELLS = 80
"""Coder's default for both width and height."""
MAX_COMMAND = 64 << 10
"""Bytes of a command, in UTF-8."""
MAX_CONTAINER = 256
MAX_BACKEND = 32
"""Characters."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""But for tab and line feed: a command may be a script of several lines."""
_EPOCH = re.compile(r"[0-9A-Fa-f]{1,64}")


class FieldError(NamedTuple):
    """What is wrong with one parameter."""

    field: str
    detail: str


class InvalidQuery(ReconnectingPTYError, ValueError):
    """Parameters that can't be; `validations` has one entry for each."""

    def __init__(self, validations: Sequence[FieldError]) -> None:
        """All that is wrong, in the order of the parameters."""
        super().__init__("; ".join(f"{error.field}: {error.detail}" for error in validations))
        self.validations = list(validations)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachRequest:
    """What a client asks for. `rows` or `cols` 0: it knows no size."""

    session: str
    rows: int = DEFAULT_CELLS
    cols: int = DEFAULT_CELLS
    client: str | None = None
    attempt: int | None = None
    """Grows with each connection of a client, so that one that comes late is known to be old."""
    epoch: str | None = None
    offset: int | None = None
    readonly: bool = False
    attach_only: bool = False
    answers: bool = True
    """Whether a terminal is there that answers what programs ask of theirs."""
    command: str = ""
    container: str = ""
    container_user: str = ""
    backend_type: str = ""

    @property
    def size(self) -> Size | None:
        """The terminal's size that is asked for; None where the client knows none."""
        return Size.bounded(self.rows, self.cols)


class _Wrong(ValueError):
    pass


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise _Wrong("must be 1 to 64 of the characters A-Z a-z 0-9 . _ - and not begin with a dot")
    return text


def _cells(text: str) -> int:
    return _integer(text, MAX_CELLS)


def _offset(text: str) -> int:
    return _integer(text, MAX_OFFSET)


def _integer(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= most):
        raise _Wrong(f"must be a whole number from 0 to {most}")
    return int(text)


def _epoch(text: str) -> str:
    if not _EPOCH.fullmatch(text):
        raise _Wrong("must be 1 to 64 hexadecimal digits")
    return text.lower()


def _flag(text: str) -> bool:
    if text not in ("0", "1", "true", "false"):
        raise _Wrong("must be 1 or 0")
    return text in ("1", "true")


def _command(text: str) -> str:
    if well_formed(text) != text:
        raise _Wrong("must be Unicode text")
    if len(text.encode()) > MAX_COMMAND:
        raise _Wrong(f"must have at most {MAX_COMMAND} bytes")
    if _CONTROL.search(text):
        raise _Wrong("must not hold control characters other than tabs and line feeds")
    return text


def _container(text: str) -> str:
    return _short(text, MAX_CONTAINER)


def _backend(text: str) -> str:
    return _short(text, MAX_BACKEND)


def _short(text: str, most: int) -> str:
    if len(text) > most or not text.isprintable():
        raise _Wrong(f"must be at most {most} printable characters")
    return text


_PARAMETERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "reconnect": ("session", _name),
    "height": ("rows", _cells),
    "width": ("cols", _cells),
    "client": ("client", _name),
    "attempt": ("attempt", _offset),
    "epoch": ("epoch", _epoch),
    "offset": ("offset", _offset),
    "readonly": ("readonly", _flag),
    "attach_only": ("attach_only", _flag),
    "answers": ("answers", _flag),
    "command": ("command", _command),
    "container": ("container", _container),
    "container_user": ("container_user", _container),
    "backend_type": ("backend_type", _backend),
}
"""Each parameter: the field it fills, and what reads it."""


def parse_query(parameters: Mapping[str, Sequence[str]]) -> AttachRequest:
    """The request in a query's parameters, each with all its values, as `urllib.parse.parse_qs` gives them.

    Raises InvalidQuery.
    """
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, (field, read) in _PARAMETERS.items():
        given = parameters.get(name, ())
        if len(given) > 1:
            errors.append(FieldError(name, "may be given once only"))
        elif given and given[0]:
            try:
                values[field] = read(given[0])
            except _Wrong as error:
                errors.append(FieldError(name, str(error)))
        elif name == "reconnect":
            errors.append(FieldError(name, "is required: the session's id"))
    if errors:
        raise InvalidQuery(errors)
    return AttachRequest(**values)


def build_query(request: AttachRequest) -> str:
    """The query that `parse_query` reads as `request`: session and size always, the rest where it says something."""
    plain = AttachRequest(session=request.session)
    pairs = []
    for name, (field, _) in _PARAMETERS.items():
        value = getattr(request, field)
        if value != getattr(plain, field) or field in ("session", "rows", "cols"):
            pairs.append((name, well_formed(str(int(value) if isinstance(value, bool) else value))))
    return urlencode(pairs)
