"""Links to a session: signed, expiring, revocable, and good for that one session alone.

A link counts while its signature is right, its record is here, and its time has not come. Where the keys are in a
file the records are beside it, so that links outlive the server like the sessions that GNU screen keeps.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from dataclasses import asdict
from pathlib import Path

from .keys import Keys
from .visitor import Access, Grant, Owned

MAX_LINKS = 10_000
MAX_PER_SESSION = 100
LEAST_SECONDS, MOST_SECONDS = 60, 30 * 86400
KIND = "link"

log = logging.getLogger(__name__)


class TooManyLinks(Exception):
    """The session, or the server, has as many links as it may have."""


class Links:
    """The links that count. `path`: where their records are kept; empty: nowhere."""

    def __init__(self, keys: Keys, path: str = "") -> None:
        self._keys = keys
        self._path = Path(path) if path else None
        self._grants: dict[str, Grant] = {}
        if self._path is not None:
            self._grants = {grant.id: grant for grant in _load(self._path)}

    def make(self, session: Owned, access: Access, seconds: float, by: str) -> tuple[Grant, str]:
        """A new link and its signed text, which is told this once. Raises TooManyLinks."""
        self._sweep()
        if len(self._grants) >= MAX_LINKS or len(self.of(session)) >= MAX_PER_SESSION:
            raise TooManyLinks(f"a session may have {MAX_PER_SESSION} links, and a server {MAX_LINKS}")
        now = time.time()
        grant = Grant(secrets.token_hex(8), session.id, session.created, access, now, now + seconds, by)
        self._grants[grant.id] = grant
        self._save()
        return grant, self._keys.sign(KIND, {"i": grant.id})

    def read(self, text: str) -> Grant | None:
        """The link of a signed text, if it still counts."""
        value = self._keys.read(KIND, text)
        return self.get(str(value.get("i"))) if value is not None else None

    def get(self, link_id: str) -> Grant | None:
        """The link of that id, if it still counts."""
        grant = self._grants.get(link_id)
        return grant if grant is not None and grant.expires > time.time() else None

    def of(self, session: Owned) -> list[Grant]:
        """The links to a session that still count."""
        now = time.time()
        return [grant for grant in self._grants.values() if grant.covers(session) and grant.expires > now]

    def revoke(self, link_id: str) -> None:
        """It counts no more."""
        if self._grants.pop(link_id, None) is not None:
            self._save()

    def forget(self, session: Owned) -> None:
        """The session has ended, and its links with it."""
        gone = [grant.id for grant in self._grants.values() if grant.covers(session)]
        for link_id in gone:
            del self._grants[link_id]
        if gone:
            self._save()

    def _sweep(self) -> None:
        now = time.time()
        self._grants = {key: grant for key, grant in self._grants.items() if grant.expires > now}

    def _save(self) -> None:
        if self._path is None:
            return
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.writelines(json.dumps(asdict(grant)) + "\n" for grant in self._grants.values())
            os.replace(draft, self._path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            log.error("the links could not be written down, they end with this server: %s", error.strerror)


def _load(path: Path) -> list[Grant]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        log.error("the links of before cannot be read: %s", error)
        return []
    grants = []
    for line in lines[:MAX_LINKS]:
        try:
            values = json.loads(line)
            grants.append(Grant(**values | {"access": Access(values["access"])}))
        except (ValueError, TypeError, KeyError):
            log.error("a link of before cannot be read, and is dropped")
    return [grant for grant in grants if grant.expires > time.time()]
