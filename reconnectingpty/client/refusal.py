"""What a server says of a request that it refuses. Knows no socket; used by the client and by the commands."""

from __future__ import annotations

import json


def refusal(body: bytes) -> str:
    """The message, and what is wrong with each field that it says nothing of; "" where there is no message."""
    try:
        told = json.loads(body)
        message = str(told["message"])
        wrong = [f"{one['field']} {one['detail']}" for one in told.get("validations") or ()]
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    more = "; ".join(one for one in wrong if one not in message)
    return f"{message.rstrip('.')}: {more}" if more else message
