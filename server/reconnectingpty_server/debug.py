"""What /debug/sessions shows an operator: each session's log and who reads it how far, what waits, what runs.

Never a byte of any terminal, and never a secret. Its form follows the program's inside and may change with it.
"""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from typing import TYPE_CHECKING, Any

from .access.visitor import Visitor
from .exchange import Request, Response

if TYPE_CHECKING:
    from .server import Server

MOST = 200
"""Sessions in one answer, those furthest behind first; `?session=` has any."""


async def sessions(server: Server, request: Request, rest: tuple[str, ...], visitor: Visitor) -> Response:
    """All sessions, or the one that `session` names, from the inside."""
    wanted = request.first("session")
    chosen = [session for session in server.sessions if wanted in (None, session.id)]
    if wanted and not chosen:
        return Response.error(404, f"there is no session {wanted[:64]!r}")
    seen = sorted((session.inspect() for session in chosen), key=_behind, reverse=True)
    return Response.json(
        {
            "sessions": seen[:MOST],
            "left_out": max(0, len(seen) - MOST),
            "ending": server.sessions.ending,
            "not_ready": server.readiness.failing(),
            "loop": {"worst_lag": round(server.lag.worst, 4), "tasks": _tasks()},
            "descriptors": {"free": server.descriptors.free, "limit": server.descriptors.limit},
            "connections": {
                "handshakes": len(server.handshakes),
                "http": len(server.connections),
                "lingering": len(server.lingering),
                "terminals": server.conn_count(),
            },
            "tunnels": [tunnel.state() for tunnel in server.tunnels],
            "collections": [generation["collections"] for generation in gc.get_stats()],
        }
    )


def _behind(session: dict[str, Any]) -> int:
    """By how much the session's furthest reader is behind."""
    lags: list[int] = [session["model"]["lag"], *(viewer["lag"] or 0 for viewer in session["viewers"])]
    return max(lags)


def _tasks() -> dict[str, int]:
    """How many tasks run which coroutine, the most frequent first."""
    names = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    return dict(names.most_common(50))
