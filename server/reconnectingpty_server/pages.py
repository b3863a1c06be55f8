"""The page and its parts, as they were built into the package: served with hashes as names, so cached for ever."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable

from .exchange import Request, Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SECURITY = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
MISSING = b"""<!doctype html><html lang="en"><title>reconnectingpty</title>
<p>This installation has no page: it was built without Node.
The server itself works: <code>reconnectingpty attach</code>.</p>
"""


class Pages:
    """The files of the page by their paths, read once."""

    def __init__(self, root: Traversable | None = None) -> None:
        root = root or files(__package__).joinpath("page")
        self._responses = {
            path: _response(path, content) for path, content in (_walk(root, "/") if root.is_dir() else ())
        }
        index = self._responses.get("/index.html")
        self._responses["/"] = index or Response(200, MISSING, "text/html; charset=utf-8", SECURITY)
        self._packed = {path: _packed(one) for path, one in self._responses.items() if len(one.body) > 1024}

    def answer(self, request: Request) -> Response | None:
        """The file at a request's path; None where there is none."""
        response = self._responses.get(request.path)
        if "gzip" in request.headers.get("accept-encoding", ""):
            response = self._packed.get(request.path, response)
        if response is not None and request.headers.get("if-none-match") == response.headers.get("etag", ""):
            return Response(304, b"", response.content_type, response.headers)
        return response


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        elif not entry.name.startswith("."):
            yield f"{path}{entry.name}", entry.read_bytes()


def _response(path: str, content: bytes) -> Response:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith("javascript"):
        kind += "; charset=utf-8"
    hashed = path.startswith("/assets/")
    headers = SECURITY | {
        "etag": f'"{hashlib.sha256(content).hexdigest()[:16]}"',
        "cache-control": "public, max-age=31536000, immutable" if hashed else "no-cache",
    }
    return Response(200, content, kind, headers)


def _packed(response: Response) -> Response:
    headers = dict(response.headers) | {"content-encoding": "gzip", "vary": "accept-encoding"}
    return replace(response, body=gzip.compress(response.body, mtime=0), headers=headers)
