"""Log lines: for people, or as JSON. Never a byte of input, never a token; and nothing in them can forge a line."""

from __future__ import annotations

import json
import logging
import sys
import time
import unicodedata

from reconnectingpty.outlet import standard_error


def clean(text: str) -> str:
    """`text` with control and formatting characters escaped, so that it can't end a line or drive a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if unicodedata.category(c)[0] not in "CZ" or c == " " else ascii(c)[1:-1] for c in text)


def complain(text: object) -> None:
    """Tell the person at a command what is wrong. Servers have a say in that."""
    print(f"reconnectingpty: {clean(str(text))}", file=sys.stderr)


class Human(logging.Formatter):
    """`12:00:00 info    what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback, if there is one, on its own lines below."""
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{moment} {record.levelname.lower():7} {clean(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The fields `time` (Unix), `level`, `logger`, `message`, and `exception` where there is one."""
        body: dict[str, object] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return json.dumps(body)


def set_up(form: str, level: str) -> None:
    """Send this process's log lines to standard error."""
    standard_error.setFormatter(Json() if form == "json" else Human())
    root = logging.getLogger()
    root.handlers[:] = [standard_error]
    root.setLevel(level.upper())
    # That a client went away in the middle of a frame is no news.
    logging.getLogger("websockets").setLevel(logging.ERROR)
