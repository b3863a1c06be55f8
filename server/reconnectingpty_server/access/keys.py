"""The keys that logins and links are signed with: out of a file, or of this process alone.

A file has a key a line: the first one signs, all are accepted. A new key on top, and a reload, rotate them; what the
last line signed is worth nothing once that line is gone. Nodes that share the file accept each other's logins.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from ..values import ConfigError

MAX_SIGNED = 2048
"""Characters of a signed text; longer ones are not looked at."""
MAX_KEYS = 16


class Signed(NamedTuple):
    """What was signed, and the name of the key that did it, which tells nothing of the key."""

    value: dict[str, Any]
    key: str


class Keys:
    """Signs small values as text, and reads them back. `path` empty: by a key of its own."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._keys: dict[str, str] = {}  # by their names; the first one signs
        self.take(self.fresh())

    def fresh(self) -> list[str]:
        """The keys that there are now; a file is made first if there is none. Raises ConfigError."""
        if self._path:
            return _read(Path(self._path))
        return list(self._keys.values()) or [secrets.token_urlsafe(32)]

    def take(self, keys: list[str]) -> None:
        """Sign and read by these from now on."""
        self._keys = {hashlib.sha256(f"name of {key}".encode()).hexdigest()[:16]: key for key in keys}

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    @property
    def signing(self) -> str:
        """The name of the key that signs."""
        return next(iter(self._keys))

    def sign(self, kind: str, value: dict[str, Any]) -> str:
        """`value` as URL-safe text that nobody else can make; a text of one `kind` is none of another."""
        return str(_serializer(self._keys[self.signing], kind).dumps(value))

    def read(self, kind: str, text: str) -> Signed | None:
        """What a text says that was signed here as that kind, else None."""
        if len(text) > MAX_SIGNED:
            return None
        for name, key in self._keys.items():
            with suppress(BadData, UnicodeError):  # a text may hold what is no character
                value = _serializer(key, kind).loads(text)
                return Signed(value, name) if isinstance(value, dict) else None
        return None


def _serializer(key: str, kind: str) -> URLSafeSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(key, salt=f"reconnectingpty.{kind}", signer_kwargs=options)


def _read(path: Path) -> list[str]:
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"--key-file: others than its owner may read or write {path}; chmod 600 mends it")
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--key-file: cannot use {path}: {getattr(error, 'strerror', error)}") from None
    keys = [line for line in lines if line and not line.startswith("#")]
    if not 0 < len(keys) <= MAX_KEYS or not all(re.fullmatch(r"[\x21-\x7e]{32,256}", key) for key in keys):
        raise ConfigError(
            f"--key-file: {path} must hold 1 to {MAX_KEYS} lines, each a key of 32 to 256 printable characters"
        )
    return keys


def _make(path: Path) -> None:
    # Whole or not at all, for nodes that start at the same time.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
