"""Sessions wherever they are: listed and started by the router before the nodes, or by a server that is alone."""

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


def start(remote: Remote, fields: dict[str, Any]) -> dict[str, Any]:
    """A new session, on the node that its id names, if it has one that names one. Raises RemoteError."""
    node, dot, _ = str(fields.get("id", "")).partition(".")
    named = dot and any(one["node"] == node for one in remote.json("/api/nodes")["nodes"])
    told: dict[str, Any] = remote.post(f"{PREFIX}{node}/api/sessions" if named else "/api/sessions", fields)
    return told
