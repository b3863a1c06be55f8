"""The door: what proof a request carries, and whose it is.

Proofs, in the order in which they are looked at: a link's cookie where the request names the link, and then nothing
else; the server's or a user's token; a login's cookie; a client's certificate; a header of a trusted proxy; the user at
the other end of a Unix socket. Before all but the first a ticket, where a terminal is asked for, and nowhere else. No
token is kept in a form that a log line or an answer could hold.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from ..exchange import Request
from .admission import expired
from .keys import Keys
from .links import Links
from .logouts import Logouts
from .proxies import Proxies
from .throttle import Throttle, bucket_of
from .tickets import Tickets
from .users import User, Users, digest
from .visitor import ADMIN, OPEN, Grant, Role, Visitor

COOKIE = "reconnectingpty"
LOGIN_SECONDS = 12 * 3600
LOGIN, GUEST = "login", "guest"
MAX_GOOD = 4096


class Throttled(Exception):
    """Too many tries from there; `seconds` until the next may be made."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong tokens from this address; try again later")
        self.seconds = seconds


class Door:
    """Knows visitors by their proofs. `token` None: everybody may come in (then only from this machine)."""

    def __init__(
        self, token: str | None, keys: Keys, links: Links, tickets: Tickets, failures: Throttle,
        on_failure: Callable[[Request], None] = lambda request: None,
    ) -> None:  # fmt: skip
        self.keys = keys
        self.links = links
        self.tickets = tickets
        self.failures = failures
        self.users = Users()
        self.authorities: frozenset[str] = frozenset()  # digests of those that may vouch for clients
        self.proxies = Proxies()
        self.user_header = ""
        self.trust_unix_users = False
        self._on_failure = on_failure
        self._logouts = Logouts()
        self._good: OrderedDict[tuple[str, str], None] = OrderedDict()  # right tokens by address: never throttled
        self.change_token(token)

    def change_token(self, token: str | None) -> None:
        """Let in by another token from now on, or everybody; what rests on the old one ends with the next review."""
        self._admin = None if token is None else User(ADMIN, Role.ADMIN, digest(token))

    @property
    def open(self) -> bool:
        """Whether everybody may come in."""
        return self._admin is None

    # -- who it is

    def visitor(self, request: Request) -> Visitor | None:
        """Who a request comes from; None: nobody known. Raises Throttled."""
        link = request.first("link")
        if link is not None:
            return self._guest(request, link)
        if self.open:
            return OPEN
        for token in (_bearer(request), request.first("token")):
            visitor = self.of_token(token, request) if token else None
            if visitor is not None:
                return visitor
        return (
            self._by_cookie(request)
            or self._by_certificate(request)
            or self._by_header(request)
            or self._by_socket(request)
        )

    def by_ticket(self, request: Request) -> Visitor | None:
        """Whose ticket a request for a terminal carries; None: it carries none that counts, or it names a link."""
        ticket = request.first("ticket")
        visitor = self.tickets.look(ticket) if ticket and "link" not in request.query else None
        return self._good_still(visitor) if visitor is not None else None

    def of_token(self, token: str, request: Request) -> Visitor | None:
        """Whose token that is. Raises Throttled where its address has had too many wrong ones.

        A token that was right from there before is let in all the same: a guesser beside it must not lock it out.
        """
        address = bucket_of(request.address)
        tried = (address, digest(token))
        wait = 0.0 if tried in self._good else self.failures.wait(address)
        if wait:
            raise Throttled(wait)
        user = self._admin
        if user is None or not hmac.compare_digest(digest(token), user.proof):
            user = self.users.of_token(token)
        if user is None:
            self._good.pop(tried, None)
            self.failures.take(address)
            self._on_failure(request)
            return None
        self._good[tried] = None
        if len(self._good) > MAX_GOOD:
            self._good.popitem(last=False)
        return _as_visitor(user, "token")

    def why_not(self, visitor: Visitor) -> str | None:
        """Why what was let in as `visitor` must end now; None: it need not."""
        if visitor.expires is not None and visitor.expires <= time.time():
            return expired(visitor)
        if visitor.key and visitor.key not in self.keys:
            return "the key that signed the cookie was taken away; log in again"
        if self._logouts.ended(visitor):
            return "logged out"
        if visitor.grant is not None:
            return self._why_no_link(visitor.grant)
        if visitor.via == OPEN.via:
            return None if self.open else "this server asks for a token now"
        return None if self.open else self._why_no_way(visitor) or self._why_no_user(visitor)

    def _why_no_link(self, grant: Grant) -> str | None:
        if self.links.get(grant.id) is None:
            return "this link was revoked"
        if grant.key not in self.keys:
            return "the key that signed this link was taken away"
        maker = self._user(grant.by)
        shares = self.open or (
            maker is not None and (maker.role is Role.ADMIN or (maker.role is Role.USER and maker.name == grant.owner))
        )
        return None if shares else "who made this link may not share this session any more"

    def _why_no_way(self, visitor: Visitor) -> str | None:
        match visitor.via:
            case "certificate" if not visitor.authorities <= self.authorities:
                return "no certificate of that authority counts any more"
            case "header" if visitor.header != self.user_header or not self.proxies.trust(visitor.proxy):
                return "the word of that proxy counts no more"
            case "socket" if not self.trust_unix_users:
                return "this server asks for a token now"
        return None

    def _why_no_user(self, visitor: Visitor) -> str | None:
        user = self._user(visitor.name)
        if visitor.credential and (user is None or user.credential != visitor.credential):
            return "the token was changed; log in again"
        if user is None:
            return "there is no such user any more"
        return None if user.role is visitor.role else "the user has another role now; log in again"

    def _user(self, name: str) -> User | None:
        return self._admin if name == ADMIN and self._admin is not None else self.users.named(name)

    def _known(self, name: str, via: str) -> Visitor | None:
        user = self.users.named(name)
        return replace(_as_visitor(user, via), credential="") if user is not None else None

    def _good_still(self, visitor: Visitor) -> Visitor | None:
        return visitor if self.why_not(visitor) is None else None

    # -- links

    def guest(self, text: str) -> Visitor | None:
        """Who comes by the signed text of a link; None where that counts no more."""
        grant = self.links.read(text)
        return self._good_still(_as_guest(grant)) if grant is not None else None

    def _guest(self, request: Request, link: str) -> Visitor | None:
        grant = self.links.get(link)
        if grant is None:
            return None
        found = (self._of_guest(grant, value) for value in request.cookies(cookie_name(request, link)))
        return next((guest for guest in found if guest is not None), None)

    def _of_guest(self, grant: Grant, text: str) -> Visitor | None:
        signed = self.keys.read(GUEST, text)
        if signed is None or signed.value.get("l") != grant.id:
            return None
        guest = replace(_as_guest(grant), login=signed.value["i"], began=signed.value["b"], key=signed.key)
        return self._good_still(guest)

    def guest_cookie(self, request: Request, grant: Grant) -> str:
        """The header that lets a browser use the link from now on."""
        now = time.time()
        value = {"l": grant.id, "i": secrets.token_hex(8), "b": now}
        seconds = max(1, int(grant.expires - now))
        return _cookie(request, cookie_name(request, grant.id), self.keys.sign(GUEST, value), seconds)

    # -- logins

    def login_cookie(self, request: Request, visitor: Visitor) -> str:
        """The header that logs a browser in; no token is in it."""
        value = {
            "n": visitor.name, "c": visitor.credential, "i": secrets.token_hex(8),
            "e": time.time() + LOGIN_SECONDS,
        }  # fmt: skip
        return _cookie(request, cookie_name(request), self.keys.sign(LOGIN, value), LOGIN_SECONDS)

    def log_out(self, request: Request, visitor: Visitor) -> str:
        """End the login that a request was made with, wherever it is in use; the header that clears its cookie."""
        if visitor.login and visitor.expires is not None:
            self._logouts.end(visitor, visitor.expires)
        name = cookie_name(request, visitor.grant.id if visitor.grant is not None else "")
        return _cookie(request, name, "", 0)

    def _by_cookie(self, request: Request) -> Visitor | None:
        """Whose login the cookies say; where they say two, one was planted, and none counts."""
        found = {self._of_login(value) for value in request.cookies(cookie_name(request))} - {None}
        return found.pop() if len(found) == 1 else None

    def _of_login(self, text: str) -> Visitor | None:
        signed = self.keys.read(LOGIN, text)
        if signed is None:
            return None
        value = signed.value
        user = self._user(value["n"])
        if user is None:
            return None
        expires = float(value["e"])
        visitor = Visitor(
            user.name, user.role, "cookie",
            credential=value["c"], login=value["i"], began=expires - LOGIN_SECONDS, expires=expires, key=signed.key,
        )  # fmt: skip
        return self._good_still(visitor)

    # -- other proofs

    def _by_certificate(self, request: Request) -> Visitor | None:
        shown = request.certificate
        visitor = self._known(shown.name, "certificate") if shown is not None else None
        if shown is None or visitor is None:
            return None
        return self._good_still(replace(visitor, authorities=shown.authorities))

    def _by_header(self, request: Request) -> Visitor | None:
        if not self.user_header or not request.proxy:
            return None
        visitor = self._known(request.headers.get(self.user_header, ""), "header")
        return replace(visitor, header=self.user_header, proxy=request.proxy) if visitor is not None else None

    def _by_socket(self, request: Request) -> Visitor | None:
        if not self.trust_unix_users or request.uid is None or request.proxy:
            return None
        if request.uid in (0, os.geteuid()):
            return Visitor(ADMIN, Role.ADMIN, "socket")
        return self._known(_name_of(request.uid), "socket")


def _as_visitor(user: User, via: str) -> Visitor:
    return Visitor(user.name, user.role, via, credential=user.credential)


def _as_guest(grant: Grant) -> Visitor:
    return Visitor(f"guest of {grant.by}", Role.GUEST, "link", grant=grant, expires=grant.expires)


def _name_of(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def cookie_name(request: Request, link: str = "") -> str:
    """What the cookie is called. By the port, since browsers share cookies among all ports of a host; over TLS with
    the prefix that keeps other hosts of the domain from planting one (RFC 6265bis, 4.1.3.2).
    """
    _, colon, port = request.headers.get("host", "").rpartition(":")
    own = f"{COOKIE}-{port}" if colon and port.isascii() and port.isdigit() else COOKIE
    return ("__Host-" if request.secure else "") + own + (f"_{link}" if link else "")


def _cookie(request: Request, name: str, value: str, seconds: int) -> str:
    secure = "; Secure" if request.secure else ""
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
