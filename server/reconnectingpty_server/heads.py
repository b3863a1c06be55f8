"""The head of a request: what of it is refused, and what the rest says.

Refused is what others between a client and this server may read otherwise: where they and we differ on what is asked
for, what they hold back gets through. Pure; h11 has parsed it before, and the connection (`http`) sends the refusal.
"""

from __future__ import annotations

import re

import h11

MAX_HEAD = 16 << 10
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_DOUBTFUL = re.compile(rb"(?<!\r)\n|\n[ \t]")
_HIDDEN = re.compile(rb"%(?:2f|5c|00)|\\", re.IGNORECASE)
_TARGET = re.compile(r"(?:https?://[^/?#]+)?(/(?!/)[^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
"""A path with its query, alone or behind this server's address (RFC 9112, 3.2.1 and 3.2.2). What begins with two
slashes some take for a path, and others for an address with a path behind it; a fragment has no place in a request."""


def check_lines(data: bytes) -> None:
    """Refuse a head whose lines end without a carriage return, or go on in the next one, where that has come whole.

    Others take the one for a part of a header's value, and the other for a header of its own. Raises ValueError.
    """
    end = _END_OF_HEAD.search(data)
    if end is not None and _DOUBTFUL.search(data, 0, end.end()):
        raise ValueError("a line ends without a carriage return, or is folded")


def check(request: h11.Request) -> None:
    """Refuse what may be read otherwise, and a head that came at once but is too long.

    Raises ValueError, RemoteProtocolError.
    """
    names = {name for name, _ in request.headers}
    length = len(request.method) + len(request.target)
    if length + sum(len(name) + len(value) + 4 for name, value in request.headers) > MAX_HEAD:
        raise h11.RemoteProtocolError("the head is too long", error_status_hint=431)
    if {b"content-length", b"transfer-encoding"} <= names:
        raise ValueError("both Content-Length and Transfer-Encoding")
    if request.http_version not in (b"1.0", b"1.1"):
        raise ValueError("not HTTP/1.1")
    if _HIDDEN.search(request.target.partition(b"?")[0]):
        raise h11.RemoteProtocolError("there is nothing at a path that hides a separator", error_status_hint=404)
    path_and_query(request)


def path_and_query(request: h11.Request) -> tuple[str, str]:
    """What is asked for, not decoded. Raises ValueError."""
    found = _TARGET.fullmatch(request.target.decode("ascii"))
    if found is None:
        raise ValueError("the target must be a path, which begins with one slash, and may have a query")
    return found[1], found[2] or ""


def headers_of(request: h11.Request) -> dict[str, str]:
    """The headers by their names in lower case.

    Several lines of one name are one list (RFC 9110, 5.3; cookies: RFC 9113, 8.2.3). So what may be said only once says
    nothing that is known when it is said twice: nobody's line stands for another's.
    """
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key, text = name.decode("ascii"), value.decode("latin-1")
        headers[key] = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in headers else text
    if request.http_version != b"1.1":
        headers.pop("upgrade", None)
    return headers
