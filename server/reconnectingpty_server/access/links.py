"""Links to a session: signed, expiring, revocable, and good for that one session alone.

A link counts while its signature is right, its record is here, and its time has not come. Where the keys are in a
file the records are beside it, so that links outlive the server like the sessions that GNU screen keeps. Servers that
share the file share the records' file, too: each puts in and takes out its own, and leaves those of others.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
        self._grants: dict[str, Grant] = _load(self._path) if self._path is not None else {}
        self._made: set[str] = set()  # here, and not by another server or an earlier one
        self._gone: set[str] = set()  # those whose records may still be in the file

    def make(self, session: Owned, access: Access, seconds: float, by: str) -> tuple[Grant, str]:
        """A new link and its signed text, which is told this once. Raises TooManyLinks."""
        self._sweep()
        if len(self._grants) >= MAX_LINKS or len(self.of(session)) >= MAX_PER_SESSION:
            raise TooManyLinks(f"a session may have {MAX_PER_SESSION} links, and a server {MAX_LINKS}")
        now = time.time()
        grant = Grant(
            secrets.token_hex(8), session.id, session.created, access, now, now + seconds,
            by, session.owner, self._keys.signing,
        )  # fmt: skip
        self._grants[grant.id] = grant
        self._made.add(grant.id)
        self._save()
        return grant, self._keys.sign(KIND, {"i": grant.id})

    def read(self, text: str) -> Grant | None:
        """The link of a signed text, if it still counts."""
        signed = self._keys.read(KIND, text)
        return self.get(str(signed.value.get("i"))) if signed is not None else None

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
        self._drop([link_id] if link_id in self._grants else [])

    def forget(self, session: Owned) -> None:
        """The session has ended, and its links with it."""
        self._drop([grant.id for grant in self._grants.values() if grant.covers(session)])

    def _drop(self, gone: list[str]) -> None:
        for link_id in gone:
            del self._grants[link_id]
        self._made.difference_update(gone)
        if gone and self._path is not None:
            self._gone.update(gone)
            self._save()

    def _sweep(self) -> None:
        now = time.time()
        self._grants = {key: grant for key, grant in self._grants.items() if grant.expires > now}
        self._made &= self._grants.keys()

    def _save(self) -> None:
        """Bring the file up to date. What could not be written is tried again with the next change."""
        if self._path is None:
            return
        try:
            with _locked(self._path):
                there = {key: grant for key, grant in _load(self._path).items() if key not in self._gone}
                _write(self._path, there | {key: self._grants[key] for key in self._made})
            self._gone.clear()
        except OSError as error:
            log.error(
                "the links could not be written down: new ones end with this server, and those that were revoked may "
                "count with the next: %s",
                error.strerror,
            )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other servers from the file until this one has written it. Raises OSError."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, grants: dict[str, Grant]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.writelines(json.dumps(asdict(grant)) + "\n" for grant in grants.values())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _load(path: Path) -> dict[str, Grant]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        log.error("the links of before cannot be read: %s", error)
        return {}
    grants = []
    for line in lines:
        try:
            grants.append(_grant(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            log.error("a link of before cannot be read, and is dropped")
    now = time.time()
    return {grant.id: grant for grant in grants if grant.expires > now}


def _grant(values: Any) -> Grant:
    """A link of its record. Raises ValueError, TypeError, KeyError."""
    grant = Grant(**values | {"access": Access(values["access"])})
    texts = (grant.id, grant.session, grant.by, grant.owner, grant.key)
    times = (grant.session_created, grant.created, grant.expires)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(at, int | float) for at in times):
        raise TypeError("not what a link's record has")
    return grant
