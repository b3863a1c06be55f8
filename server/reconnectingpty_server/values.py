"""How the values of settings are read: text in, a value out, or one sentence that says what it must be."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .access import proxies
from .access.throttle import Rate
from .cluster.names import NODE, WHAT_A_NODE_IS


class ConfigError(Exception):
    """A setting that can't be; the message is one line for the user."""


class Address(NamedTuple):
    """Where to listen: a TCP host and port, or a Unix socket's path."""

    host: str
    port: int
    path: str = ""

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str) -> Address:
    """An address as a person writes it. Raises ConfigError."""
    if text.startswith("unix:"):
        if len(text) > len("unix:"):
            return Address("", 0, text.removeprefix("unix:"))
    elif (match := re.fullmatch(r"(?:\[([0-9a-fA-F:.%]+)\]|([^:\[\]/]*)):(\d{1,5})", text)) and int(match[3]) < 65536:
        return Address(match[1] or match[2] or "0.0.0.0", int(match[3]))  # noqa: S104 (what ":port" means)
    raise ConfigError("must be host:port, [v6]:port or unix:/path")


def seconds(text: str) -> float | None:
    """Seconds, or `never`."""
    if text == "never":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ConfigError("must be a number of seconds above 0, or never")
    return seconds


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text) or not least <= int(text) <= most:
            raise ConfigError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def size(least: int) -> Callable[[str], int]:
    """A number of bytes, with K, M, G or T of 1024."""

    def read(text: str) -> int:
        match = re.fullmatch(r"(\d{1,15})([KMGT]?)(?:i?B)?", text, re.IGNORECASE)
        count = int(match[1]) << 10 * " KMGT".index(match[2].upper() or " ") if match is not None else -1
        if count < least:
            raise ConfigError(f"must be a number of bytes, as 500M or 2G, of at least {least}")
        return count

    return read


def cpus(text: str) -> float:
    """A number of CPUs."""
    try:
        cpus = float(text)
    except ValueError:
        cpus = 0.0
    if not 0.01 <= cpus <= 4096:
        raise ConfigError("must be a number of CPUs from 0.01 on, as 0.5 or 2")
    return cpus


def variable(text: str) -> str:
    """The name of an environment variable, or its beginning and `*`."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\*?", text):
        raise ConfigError("must be the name of a variable, or how names begin and then *")
    return text


def one_of(*names: str) -> Callable[[str], str]:
    """One of these names."""

    def read(text: str) -> str:
        if text not in names:
            raise ConfigError(f"must be one of {', '.join(names)}")
        return text

    return read


def flag(text: str) -> bool:
    """Yes or no."""
    values = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
        "": False,
    }
    if text.lower() not in values:
        raise ConfigError("must be true or false")
    return values[text.lower()]


def metrics_prefix(text: str) -> str:
    """What the names of metrics may begin with."""
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*|", text):
        raise ConfigError("must be a Prometheus name: letters, digits and _, not beginning with a digit")
    return text


def host(text: str) -> str:
    """A host, with its port or without, or the beginning of its URL."""
    host = re.sub(r"^https?://", "", text).rstrip("/").lower()
    if not re.fullmatch(r"[a-z0-9.:\[\]_-]+", host):
        raise ConfigError("must be a host, or host:port")
    return host


def node(text: str) -> str:
    """The name of a node."""
    if not NODE.fullmatch(text):
        raise ConfigError(WHAT_A_NODE_IS)
    return text


def token(text: str) -> str:
    """A token that a header can carry."""
    if not re.fullmatch(r"[\x21-\x7e]{8,256}", text):
        raise ConfigError("must be 8 to 256 printable ASCII characters without blanks")
    return text


def proxy(text: str) -> proxies.Network | None:
    """An address or a network; None for `unix`."""
    try:
        return proxies.parse(text)
    except ValueError:
        raise ConfigError("must be an address, a network such as 10.0.0.0/8, or unix") from None


def header(text: str) -> str:
    """The name of a header, in lower case."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}|", text):
        raise ConfigError("must be a header's name")
    return text.lower()


def rate(text: str) -> Rate:
    """So many a number of seconds; `off`."""
    try:
        return Rate.parse(text)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def document(path: str) -> dict[str, Any]:
    """What a TOML file of settings has. Raises ConfigError."""
    try:
        return tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
