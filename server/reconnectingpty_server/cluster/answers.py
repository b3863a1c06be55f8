"""What the router answers by itself, in HAProxy's words: JSON errors like those of the nodes."""

from __future__ import annotations

import json

from .names import PREFIX

AWAY = "node %[var(txn.node)] does not answer now; try again in a moment"
GONE = "node %[var(txn.node)] does not answer any more, and its sessions are gone with it"
UNKNOWN = "there is no node of that name"
NOTHING = "there is nothing here"
HIDDEN = "the target must be a path, which begins with one slash"
NAMELESS = (
    "that session id names no node; here it must be <node>.<name>: "
    f"GET /api/node gives a new one, {PREFIX}<node>/... asks a node"
)
PER_NODE = f"each node has its own: {PREFIX}<node>/... asks one, GET /api/nodes names them"
ERRORS = {
    500: "the router failed",
    502: "what the node answered could not be read; try again",
    503: "no node takes that now; try again in a moment",
    504: "the node took too long; try again",
}
"""Not 400 and 408: HAProxy refuses what it can't read, or what does not come, before it looks at these."""
RETRY_AFTER = 2


def error(status: int, message: str) -> str:
    """The line for what HAProxy itself finds wrong."""
    return f"http-error status {status} {_body(message)}{_retry(status)}"


def _retry(status: int) -> str:
    return f" hdr Retry-After {RETRY_AFTER}" if status in (503, 504) else ""


def _body(message: str, kind: str = "string") -> str:
    """A JSON error as HAProxy is told it; what stands in single quotes has no meaning but its own."""
    text = json.dumps({"message": message})
    assert "'" not in text
    return f"content-type application/json {kind} '{text}' hdr Cache-Control no-store"


def refuse(status: int, message: str, condition: str, kind: str = "string") -> str:
    """The line for what is wrong by our rules. `kind` lf-string: the message has HAProxy's variables in it."""
    return f"http-request return status {status} {_body(message, kind)}{_retry(status)} if {condition}"


def answer(status: str, condition: str) -> str:
    """The line for what the router knows about itself."""
    return (
        f"http-request return status 200 content-type application/json string '{json.dumps({'status': status})}' "
        f"if {condition}"
    )
