"""Who did what, with which session, from where, when, and how it ended: JSON, a line each; nothing of any terminal.

A file is opened anew when it was moved away (logrotate needs to do no more). A disk that is full loses lines, which
the log says once, and hurts nobody.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from typing import TextIO

from reconnectingpty.outlet import standard_error

from ..values import ConfigError
from .visitor import Visitor

MAX_TEXT = 200
"""Characters of any one value."""

log = logging.getLogger(__name__)


class Audit:
    """The audit log. `path` empty: none; `-`: standard error."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._file: TextIO | None = None
        self._failed = False
        if path and path != "-":
            try:
                self._open()
            except OSError as error:
                raise ConfigError(f"--audit-log: cannot write {path}: {error.strerror}") from None

    def note(self, event: str, peer: str, visitor: Visitor | None = None, **more: str | float | None) -> None:
        """Write a line. `peer`: where it came from; `more`: plain values, the empty ones left out."""
        if not self._path:
            return
        entry: dict[str, str | float] = {"time": round(time.time(), 3), "event": event, "peer": peer}
        if visitor is not None:
            entry |= {"user": visitor.name, "role": str(visitor.role)}
            entry["via"] = "ticket" if visitor.ticket else visitor.via
            if visitor.grant is not None:
                entry["link"] = visitor.grant.id
        for name, value in more.items():
            if value is not None and value != "":
                entry[name] = value[:MAX_TEXT] if isinstance(value, str) else value
        self._write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Let the file go."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # it tries once more to write what it could not
                file.close()

    def _write(self, line: str) -> None:
        try:
            if self._path == "-":
                standard_error.write(line.encode())
                return
            if self._moved():
                self.close()
                self._open()
            assert self._file is not None
            self._file.write(line)
            self._file.flush()
            self._failed = False
        except OSError as error:
            self.close()
            if not self._failed:
                self._failed = True
                log.error("the audit log cannot be written, and lines are missing in it: %s", error.strerror)

    def _moved(self) -> bool:
        if self._file is None:
            return True
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True

    def _open(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="ascii")
