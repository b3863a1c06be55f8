"""What a session is called where there are several nodes: `<node>.<name>`, so that its id alone says where it lives.

Pure. An id tells a router where to go and gives nobody a right: whoever knows one has to be let in like anybody else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from reconnectingpty import ReconnectingPTYError
from reconnectingpty.wire.address import NAME, FieldError, InvalidQuery

NODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")
"""A node's name: a label of DNS, and short enough that a UUID behind it still makes an id."""
PREFIX = "/node/"
"""`/node/<node>/<path>` is that path of that node, whichever node or router is asked."""
WHAT_A_NODE_IS = "must be 1 to 24 of the characters a-z 0-9 - and neither begin nor end with a hyphen"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
RANDOM_LENGTH = 24
"""Some 142 bits."""


class Elsewhere(ReconnectingPTYError):
    """A session, or a path, of another node."""

    def __init__(self, what: str, node: str, here: str) -> None:
        """`what` is on `node`, and this is `here`; empty for a server without a name."""
        this = f"this is node {here!r}" if here else "this server has no name (--node)"
        super().__init__(f"{what} is on node {node[:24]!r}, and {this}: ask that node, or the router before them")


@dataclass(frozen=True, slots=True)
class Node:
    """This server among others. `name` empty: it stands alone, and an id is whatever a client makes of it."""

    name: str = ""

    @property
    def prefix(self) -> str:
        """What stands before a path that is meant for this node."""
        return f"{PREFIX}{self.name}" if self.name else ""

    def mint(self) -> str:
        """An id for a new session, which nobody guesses."""
        name = "".join(secrets.choice(LETTERS) for _ in range(RANDOM_LENGTH))
        return f"{self.name}.{name}" if self.name else name

    def own(self, session: str, lives: Callable[[str], object] = lambda _: False) -> str:
        """The whole id of a session that a client may have called by its name alone.

        One that lives under just that id, since before this node had its name, keeps it. Raises Elsewhere for another
        node's session, and InvalidQuery for a name that is none, or too long to carry the node's.
        """
        if not self.name or lives(session):
            return session
        node, dot, name = session.partition(".")
        if not dot:
            whole = f"{self.name}.{session}"
            if NAME.fullmatch(session) and not NAME.fullmatch(whole):
                most = 64 - len(self.name) - 1
                raise InvalidQuery([FieldError("reconnect", f"must have at most {most} characters on this node")])
            return whole
        if node != self.name:
            raise Elsewhere("that session", node, self.name)
        if not name:
            raise InvalidQuery([FieldError("reconnect", "must have a name after that of the node")])
        return name if lives(name) else session
