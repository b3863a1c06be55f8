"""The close codes of a WebSocket, which of them a client comes back from, and reasons that fit in a close frame."""

from __future__ import annotations

from enum import IntEnum

MAX_REASON = 123
"""Bytes: a control frame's 125 (RFC 6455, 5.5) less the two of the code."""


class CloseCode(IntEnum):
    """RFC 6455's codes that are used here, and ours from 4000 on."""

    ENDED = 1000
    GOING_AWAY = 1001
    WRONG_FRAME = 1003
    ABNORMAL = 1006
    BAD_DATA = 1007
    NOT_ALLOWED = 1008
    TOO_LARGE = 1009
    INTERNAL = 1011
    RESTART = 1012
    IDLE_TIMEOUT = 4000
    KILLED = 4001
    NO_SUCH_SESSION = 4004


RECONNECT = frozenset({CloseCode.GOING_AWAY, CloseCode.ABNORMAL, CloseCode.INTERNAL, CloseCode.RESTART})
"""The codes after which a client tries again by itself."""


def close_reason(text: str) -> str:
    """`text`, cut at a character's end to what a close frame holds."""
    return text.encode("utf-8", "replace")[:MAX_REASON].decode("utf-8", "ignore")
