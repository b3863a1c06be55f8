"""Who is there: this node, and the others as the router before them tells of them.

The nodes don't know each other. The router does, and says so in a header of each request for the list; whether the
client may see it is for the node that answers.
"""

from __future__ import annotations

import re

from .names import NODE
from .router import MAX_NODES

HEADER = "X-Reconnectingpty-Nodes"
_STATES = {"up": True, "down": False}


def told(header: str) -> dict[str, bool]:
    """The nodes that a router tells of, and whether each is up. What can't be is left out."""
    found = {}
    for part in re.split(r"\s+", header.strip())[:MAX_NODES]:
        name, _, state = part.partition("=")
        if NODE.fullmatch(name) and state in _STATES:
            found[name] = _STATES[state]
    return found
