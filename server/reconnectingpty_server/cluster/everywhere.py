"""The sessions of all nodes, asked of one after the other by the router before them, or of a server that is alone."""

from __future__ import annotations

from typing import Any

from ..remote import Remote, RemoteError
from .names import PREFIX


def sessions(remote: Remote) -> tuple[list[dict[str, Any]], list[str]]:
    """All sessions that can be listed, and the nodes that do not answer. Raises RemoteError."""
    nodes = remote.json("/api/nodes")["nodes"]
    if not nodes:
        return remote.json("/api/sessions")["sessions"], []
    found: list[dict[str, Any]] = []
    silent = []
    for node in nodes:
        try:
            if node["up"]:
                found += remote.json(f"{PREFIX}{node['node']}/api/sessions")["sessions"]
            else:
                silent.append(node["node"])
        except RemoteError:  # it went away meanwhile
            silent.append(node["node"])
    return found, silent
