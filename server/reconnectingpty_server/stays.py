"""A client's stay at a session as the audit log tells it: when it began, how it ended, and who ended the session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from reconnectingpty import Connection, Outcome, ReconnectingPTY, ReconnectingPTYError
from reconnectingpty.wire.messages import ClientMessage, Kill

from .access.audit import Audit
from .access.visitor import Access, Visitor


class Stay:
    """One stay, while it lasts. `outcome`: how it ended, where that was no error."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self.outcome: Outcome | None = None

    def overheard(self, connection: Connection) -> Connection:
        """The client's connection, where what it says counts: that it kills the session is noted."""
        return _Overheard(connection, partial(self._note, "kill"))


class _Overheard:
    """A connection; `killed` is called when its client asks for the session's end."""

    __slots__ = ("_killed", "_receive", "close", "gone", "name", "send")

    def __init__(self, connection: Connection, killed: Callable[[], None]) -> None:
        self.name = connection.name
        self.send, self.gone, self.close = connection.send, connection.gone, connection.close
        self._receive = connection.receive
        self._killed = killed

    async def receive(self) -> bytes | ClientMessage:
        """The next message."""
        message = await self._receive()
        if isinstance(message, Kill):
            self._killed()
        return message


@contextmanager
def noted(audit: Audit, session: ReconnectingPTY, peer: str, visitor: Visitor, access: Access) -> Iterator[Stay]:
    """A stay that begins now, and ends with the `with`."""
    began = asyncio.get_running_loop().time()
    stay = Stay(lambda event: audit.note(event, peer, visitor, session=session.id))
    audit.note("attach", peer, visitor, session=session.id, access=access)
    reason = "error"
    try:
        yield stay
        if stay.outcome is not None:
            reason = stay.outcome.name.lower()
    except ReconnectingPTYError as error:
        reason = str(error)
        raise
    finally:
        seconds = round(asyncio.get_running_loop().time() - began, 3)
        audit.note("detach", peer, visitor, session=session.id, reason=reason, seconds=seconds)
