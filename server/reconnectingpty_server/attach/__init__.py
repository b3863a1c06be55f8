"""The command `attach`: this terminal, or what is piped, on a session, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace

from reconnectingpty.client import Backoff, Closed, ConnectFailed, Exited, SessionEnded, Settings, Terminal
from reconnectingpty.size import Size
from reconnectingpty.wire.address import AttachRequest

from ..logs import clean
from ..remote import Remote, RemoteError
from .attachment import Attachment, End, Left

LONGEST_WAIT = 10.0
"""Seconds between two attempts; a person is waiting."""
HOLD = 128 << 10
"""Bytes that may wait for this terminal: what is typed meanwhile shows an effect behind them."""
INPUT_WAITING = 256 << 10
"""Bytes of input that may wait for the session before no more is read."""


def run(remote: Remote, asked: AttachRequest, escape: bytes | None) -> int:
    """Attach this process's terminal, as `asked`; the exit status. Raises RemoteError."""

    def make(size: Size | None, again: bool) -> Terminal:
        settings = Settings(
            backoff=Backoff(longest=LONGEST_WAIT),
            hold=HOLD,
            input_limit=INPUT_WAITING,
            scrollback=None,  # the screen is drawn by the terminal itself
            patience=LONGEST_WAIT if again else 0.0,
        )
        rows, cols = (size.rows, size.cols) if size is not None else (0, 0)
        return Terminal(remote, replace(asked, rows=rows, cols=cols, attach_only=again or asked.attach_only), settings)

    try:
        end = asyncio.run(_attached(make, escape))
    except ConnectFailed as error:
        raise RemoteError(str(error)) from None
    except SessionEnded as error:
        end = error.end
    words, status = _told(end)
    if words:
        _tell(words)
    return status


async def _attached(make: Callable[[Size | None, bool], Terminal], escape: bytes | None) -> End:
    return await Attachment(make, escape, _tell).run()


def _told(end: End) -> tuple[str, int]:
    match end:
        case Left(status, text):
            return text, status
        case Exited():
            return "", end.status
        case Closed():
            return f"session closed: {end}", 1


def _tell(text: str) -> None:
    sys.stderr.write(f"[reconnectingpty: {clean(text)}]\r\n")
    sys.stderr.flush()
