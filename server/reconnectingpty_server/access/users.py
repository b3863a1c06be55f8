"""The users of a server: names, roles, and digests of their tokens, in a file that a person can read and edit.

    # name   role     proof
    alice    user     sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    carol    viewer   -

A plain digest serves because tokens are made here, with 192 random bits; a person never chooses one. `-`: no token;
such a user comes by a proxy's header, a certificate, or a Unix socket.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from ..values import ConfigError
from .visitor import ADMIN, Role

MAX_USERS = 10_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_ROLES = (Role.ADMIN, Role.USER, Role.VIEWER)


def digest(token: str) -> str:
    """What stands for a token in memory and in files."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class User:
    """One user. `proof`: the digest of a token; empty for none."""

    name: str
    role: Role
    proof: str = ""

    @property
    def credential(self) -> str:
        """Changes with the token; tells nothing of it."""
        return hashlib.sha256(f"credential {self.proof}".encode()).hexdigest()[:16] if self.proof else ""


class Users:
    """The users of a file by name and by token."""

    def __init__(self, users: list[User] | None = None) -> None:
        self._by_name = {user.name: user for user in users or []}
        self._by_proof = {user.proof: user for user in users or [] if user.proof}

    def named(self, name: str) -> User | None:
        """The user of that name."""
        return self._by_name.get(name)

    def of_token(self, token: str) -> User | None:
        """Whose token that is. Looked up by its digest, so the time it takes tells nothing of any token."""
        proof = digest(token)
        user = self._by_proof.get(proof)
        return user if user is not None and hmac.compare_digest(user.proof, proof) else None


def read(path: str) -> Users:
    """The users in a file. Raises ConfigError."""
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--users-file: cannot read {path}: {getattr(error, 'strerror', error)}") from None
    users: list[User] = []
    names: set[str] = set()
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            user = _user(words)
            if user.name in names:
                raise ConfigError(f"{user.name} is there twice")
            if len(users) >= MAX_USERS:
                raise ConfigError(f"a file may have at most {MAX_USERS} users")
        except ConfigError as error:
            raise ConfigError(f"--users-file: {path}, line {number}: {error}") from None
        names.add(user.name)
        users.append(user)
    return Users(users)


def _user(words: list[str]) -> User:
    if len(words) != 3:
        raise ConfigError("must be a name, a role and a proof (`sha256:...` or `-`)")
    name, role, proof = words
    if not NAME.fullmatch(name):
        raise ConfigError("a name must be 1 to 64 of A-Z a-z 0-9 . _ @ - and begin with a letter or digit")
    if name == ADMIN:
        raise ConfigError(f"{ADMIN} is whoever has the server's own token; a user needs another name")
    if role not in _ROLES:
        raise ConfigError(f"the role must be one of {', '.join(_ROLES)}")
    if proof == "-":
        return User(name, Role(role))
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", proof)
    if match is None:
        raise ConfigError(
            "the proof must be `-` or `sha256:` and 64 hexadecimal digits; `reconnectingpty user` makes it"
        )
    return User(name, Role(role), match[1])


def add(path: str, name: str, role: str) -> str:
    """Put a user into a file, or give one a new role and token; that token. Raises ConfigError."""
    token = secrets.token_urlsafe(24)
    line = f"{name} {role} sha256:{digest(token)}"
    _user([name, role, f"sha256:{digest(token)}"])
    file = Path(os.path.realpath(path))
    if file.exists():
        read(path)
    lines = file.read_text().splitlines() if file.exists() else ["# name role proof"]
    kept = [other for other in lines if other.partition("#")[0].split()[:1] != [name]]
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            if file.exists():
                _like(descriptor, file.stat())
            out.write("\n".join([*kept, line]) + "\n")
        os.replace(draft, file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"--users-file: cannot write {path}: {error.strerror}") from None
    return token


def _like(descriptor: int, old: os.stat_result) -> None:
    """Give a new file the owner and mode of the one that it will replace: whose server reads it may be another user."""
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
