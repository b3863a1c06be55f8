"""The reception of a server: the door with all that it rests on, made of the settings, and renewed on reload."""

from __future__ import annotations

import logging
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..config import Config, read_token
from ..exchange import Refused, Request, Response
from . import tls, users
from .admission import Admissions
from .audit import Audit
from .door import Door, Throttled
from .keys import Keys
from .links import Links
from .origin import Origins
from .proxies import Proxies
from .throttle import Throttle, bucket_of
from .tickets import Tickets
from .users import Users
from .visitor import Visitor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Proofs:
    """What proofs are held against, as the settings and their files have it: checked, before any of it counts."""

    token: str | None
    users: Users
    keys: list[str]
    tls: tls.Context | None


class Reception:
    """Lets requests in, or refuses them with an answer that says what to do. Raises ConfigError when made."""

    def __init__(self, config: Config) -> None:
        self._own_token = secrets.token_urlsafe(24)
        self.token: str | None = self._own_token
        self.audit = Audit(config.audit_log)
        self.admissions = Admissions()
        self.tickets = Tickets()
        self._attaches = Throttle(config.limit_attaches)
        self._creations = Throttle(config.limit_creations)
        keys = Keys(config.key_file)
        self.links = Links(keys, f"{config.key_file}.links" if config.key_file else "")
        failures = Throttle(config.limit_logins)
        self.door = Door(self.token, keys, self.links, self.tickets, failures, self._failed)
        self.take(config, self.read(config))

    def read(self, config: Config) -> Proofs:
        """What these settings and their files say now; none of it counts yet. Raises ConfigError."""
        return Proofs(
            self._token(config),
            users.read(config.users_file) if config.users_file else Users(),
            self.door.keys.fresh(),
            tls.read(config) if config.tls_cert else None,
        )

    def _token(self, config: Config) -> str | None:
        if config.no_auth:
            return None
        return config.token or (read_token(config.token_file) if config.token_file else self._own_token)

    def take(self, config: Config, proofs: Proofs) -> None:
        """Have these count from now on; what rests on a proof that is gone ends."""
        if proofs.token == self._own_token != self.token:
            log.warning("the settings have no token any more; the link that commands on this machine find has one")
        self.token = proofs.token
        self._tls = proofs.tls
        self.door.change_token(proofs.token)
        self.door.users = proofs.users
        self.door.keys.take(proofs.keys)
        self.door.authorities = proofs.tls.authorities if proofs.tls is not None else frozenset()
        self.door.user_header = config.user_header
        self.door.proxies = Proxies(config.trusted_proxy)
        self.door.trust_unix_users = config.unix_users
        self._origins = Origins(config.origin)
        for throttle, rate in (
            (self.door.failures, config.limit_logins),
            (self._attaches, config.limit_attaches),
            (self._creations, config.limit_creations),
        ):
            throttle.rate = rate
        self.review()

    def tls(self) -> ssl.SSLContext:
        """What a connection that begins now speaks TLS with."""
        assert self._tls is not None
        return self._tls

    def review(self) -> None:
        """End what is open on a proof that counts no more."""
        self.admissions.review(self.door.why_not)

    # -- requests

    def seen(self, request: Request) -> Request:
        """The request as its client made it. Raises Refused for one under a name that can't be ours."""
        request = self.door.proxies.seen(request)
        if not self._origins.known(request.headers, local=request.local):
            raise Refused(Response.error(403, "this server does not go by that host name; --origin allows it"))
        return request

    def from_here(self, request: Request) -> bool:
        """Whether no page of another site is behind it."""
        return self._origins.same(request.headers)

    def visitor(self, request: Request) -> Visitor:
        """Who it is. Raises Refused."""
        with self.slowed():
            visitor = self.door.visitor(request)
        if visitor is not None:
            return visitor
        if "link" in request.query:
            raise Refused(Response.error(401, "this link has expired or was revoked"))
        raise Refused(Response.error(401, "log in with this server's token", WWW_Authenticate="Bearer"))

    @contextmanager
    def slowed(self) -> Iterator[None]:
        """Refuse who has tried too many wrong tokens."""
        try:
            yield
        except Throttled as error:
            raise Refused(_too_many(str(error), error.seconds, "guessing")) from None

    def count_attach(self, request: Request) -> None:
        """A terminal is opened. Raises Refused where that were too many."""
        wait = self._attaches.take(bucket_of(request.address))
        if wait:
            raise Refused(_too_many("too many terminals opened from this address; try again later", wait))

    def count_creation(self, request: Request, visitor: Visitor) -> None:
        """A session is started. Raises Refused where that were too many."""
        wait = self._creations.take(f"{visitor.name} {bucket_of(request.address)}")
        if wait:
            raise Refused(_too_many("too many sessions started; try again later", wait))

    def _failed(self, request: Request) -> None:
        self.audit.note("wrong token", request.peer, path=request.path)

    def close(self) -> None:
        """Let the files go."""
        self.audit.close()


def _too_many(message: str, seconds: float, refusal: str = "") -> Response:
    return Response.error(429, message, refusal=refusal, Retry_After=str(int(seconds) + 1))
