"""Who a request comes from, and what that one may do: the four roles in one place.

A visitor is made by the door (`door`) for each request and never changed; what an open connection rests on is asked
again when credentials change (`Door.why_not`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a visitor is here."""

    ADMIN = "admin"
    """Everything, with every session."""
    USER = "user"
    """Sessions of their own."""
    VIEWER = "viewer"
    """Looks at every session, and writes to none."""
    GUEST = "guest"
    """Came by a link to one session, and sees nothing else."""


class Access(StrEnum):
    """What a visitor may do with a session."""

    READ = "read"
    WRITE = "write"


class Owned(Protocol):
    """What of a session decides who may have it."""

    @property
    def id(self) -> str:
        """Its id, which a later session may have, too."""
        ...

    @property
    def created(self) -> float:
        """When it began; with the id it names this session and no later one."""
        ...

    @property
    def owner(self) -> str:
        """The name of who started it."""
        ...


ADMIN = "admin"
"""Who has the server's own token; no user's name."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link gives: access to one session until a time. Times are Unix times in seconds."""

    id: str
    session: str
    session_created: float
    access: Access
    created: float
    expires: float
    by: str
    """The name of who made it."""
    owner: str
    """Whose the session is."""
    key: str
    """Names the key that signed it."""

    def covers(self, session: Owned) -> bool:
        """Whether that is the session it was made for, and not a later one of the same id."""
        return session.id == self.session and session.created == self.session_created


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whose proof was accepted."""

    name: str
    role: Role
    via: str
    """The kind of proof: open, token, cookie, link, header, certificate, socket, agent stream."""
    credential: str = ""
    """Names the token it rests on, without telling it; empty where it rests on none."""
    login: str = ""
    """The id of the login that a cookie stands for."""
    began: float = 0.0
    """Unix time at which that login was made."""
    ticket: bool = False
    """Whether that proof was shown for a ticket, and this one came by the ticket."""
    grant: Grant | None = None
    """A guest's link."""
    expires: float | None = None
    """Unix time after which it is worth nothing."""
    key: str = ""
    """Names the key that signed the cookie."""
    authorities: frozenset[str] = frozenset()
    """Of a certificate: one of these vouched for it."""
    header: str = ""
    """Which one named this visitor."""
    proxy: str = ""
    """Who sent that header."""

    @property
    def who(self) -> str:
        """Names a party among all, whichever proof it comes by: a user, or the guests of one link."""
        return self.name if self.grant is None else f"link:{self.grant.id}"

    def access(self, session: Owned) -> Access | None:
        """What this visitor may do with a session; None: nothing, not even know of it."""
        match self.role:
            case Role.ADMIN:
                return Access.WRITE
            case Role.USER:
                return Access.WRITE if session.owner == self.name else None
            case Role.VIEWER:
                return Access.READ
            case Role.GUEST:
                return self.grant.access if self.grant is not None and self.grant.covers(session) else None

    @property
    def creates(self) -> bool:
        """Whether this visitor may start sessions, and make links to them."""
        return self.role in (Role.ADMIN, Role.USER)

    @property
    def writes(self) -> bool:
        """Whether there can be a session that this visitor writes to."""
        return self.creates or (self.grant is not None and self.grant.access is Access.WRITE)


OPEN = Visitor(ADMIN, Role.ADMIN, "open")
"""Everybody, where the server asks for no proof."""
