"""What a router is told: its nodes and its own ends, from arguments and a TOML file, each value checked.

No value holds a character that HAProxy's configuration gives a meaning to, so none can say more than it is for.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..access.proxies import Network
from ..values import Address, ConfigError, proxy, read_address, whole
from ..values import document as read_document
from .names import NODE, WHAT_A_NODE_IS

MAX_NODES = 256
MAX_SECONDS = 2_147_483
"""HAProxy counts milliseconds in 31 bits."""
MAX_THREADS = 64
MAX_CHECKS = 1000
_PATH = re.compile(r"/[A-Za-z0-9._/@+:-]{1,1000}")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class NodeAt:
    """A node and where the router reaches it. `drain`: it keeps its sessions and gets no new ones."""

    name: str
    address: Address
    drain: bool = False

    @property
    def by_name(self) -> bool:
        """Whether its host has to be looked up."""
        return not self.address.path and not re.fullmatch(r"[0-9.]+|.*:.*", self.address.host)

    @property
    def certified_as(self) -> str:
        """Which name its certificate must have: that of its host, or its own where the host is a bare address.

        HAProxy 2.6 doesn't look at the addresses in a certificate.
        """
        return self.address.host if self.by_name else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """A router's settings."""

    nodes: tuple[NodeAt, ...]
    bind: tuple[Address, ...] = (Address("127.0.0.1", 7680),)
    redirect: tuple[Address, ...] = ()
    """Where plain HTTP is sent on to HTTPS."""
    certificate: str = ""
    """A PEM file with the certificates and the key; `bind` speaks TLS then."""
    nodes_ca: str = ""
    """A PEM file with the authority of the nodes' certificates: the router speaks TLS to them. Not to Unix sockets."""
    nameservers: tuple[Address, ...] = ()
    """Where nodes' hosts are looked up again and again; without any, only at the start."""
    remove_headers: tuple[str, ...] = ()
    """Headers that clients may not send, such as that of --user-header."""
    trusted_proxies: tuple[Network | None, ...] = ()
    """Who before the router may say for whom it asks; None: whoever comes by a Unix socket."""
    metrics: Address | None = None
    control: str = ""
    """HAProxy's own socket, for `show stat` and `set server`."""
    user: str = ""
    group: str = ""
    threads: int = 0
    """0: as many as there are cores."""
    keep_seconds: int = 24 * 3600
    """How long a connection may outlive the reload of the process that holds it."""
    check_seconds: int = 2
    fall: int = 3
    rise: int = 2
    gone_seconds: int = 30
    """How long a node may be silent, as one that starts again is, before its sessions are said to be gone."""


def read(path: str, nodes: Sequence[str], drain: Sequence[str], **more: Any) -> Router:
    """The router of a file (`path` empty: none) and of arguments, which count more. Raises ConfigError."""
    document = _document(path) if path else {}
    found = _nodes(document.pop("nodes", {}))
    named = set()
    for text in nodes:
        name, equals, address = text.partition("=")
        if not equals:
            raise ConfigError(f"{text!r} must be NAME=HOST:PORT or NAME=unix:/PATH")
        if name in named:
            raise ConfigError(f"node {name[:64]!r} is given twice")
        named.add(name)
        found[name] = NodeAt(_node(name), _address(name, address))
    for name in drain:
        if name not in found:
            raise ConfigError(f"--drain: there is no node {name!r}")
        found[name] = NodeAt(name, found[name].address, drain=True)
    given = {name: value for name, value in more.items() if value not in (None, [])}
    values: dict[str, Any] = {name: _READ[name](name, value) for name, value in {**document, **given}.items()}
    router = Router(nodes=tuple(found.values()), **values)
    _check(router)
    return router


def _document(path: str) -> dict[str, Any]:
    document = {key.replace("-", "_"): value for key, value in read_document(path).items()}
    for key in document:
        if key not in _READ and key != "nodes":
            raise ConfigError(f"{path}: there is no setting {key!r}")
    return document


def _nodes(table: Any) -> dict[str, NodeAt]:
    if not isinstance(table, dict):
        raise ConfigError("nodes: must be a table")
    found = {}
    for name, value in table.items():
        if not isinstance(value, dict):
            value = {"address": value}
        if set(value) - {"address", "drain"} or not isinstance(value.get("drain", False), bool):
            raise ConfigError(f"node {name!r}: must be an address, or a table of `address` and `drain` (true or false)")
        found[name] = NodeAt(_node(name), _address(name, value.get("address")), value.get("drain", False))
    return found


def _node(name: str) -> str:
    if not NODE.fullmatch(name):
        raise ConfigError(f"node {name[:64]!r}: {WHAT_A_NODE_IS}")
    return name


def _address(name: str, value: Any) -> Address:
    try:
        address = read_address(str(value))
    except ConfigError as error:
        raise ConfigError(f"{name}: {str(value)[:200]!r} {error}") from None
    if not (_PATH.fullmatch(address.path) if address.path else _HOST.fullmatch(address.host)):
        raise ConfigError(f"{name}: {str(value)[:200]!r} has characters that can't be there")
    if not address.path and address.port == 0:
        raise ConfigError(f"{name}: {str(value)[:200]!r} must have a port from 1 to 65535")
    return address


def _addresses(name: str, value: Any) -> tuple[Address, ...]:
    return tuple(_address(name, one) for one in (value if isinstance(value, list | tuple) else [value]))


def _nameservers(name: str, value: Any) -> tuple[Address, ...]:
    addresses = _addresses(name, value)
    for address in addresses:
        try:
            ipaddress.ip_address(address.host)  # empty for a Unix socket
        except ValueError:
            raise ConfigError(f"{name}: '{address}' must be a bare address and a port, as 10.0.0.2:53") from None
    return addresses


def _proxies(name: str, value: Any) -> tuple[Network | None, ...]:
    try:
        return tuple(proxy(str(one)) for one in (value if isinstance(value, list | tuple) else [value]))
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None


def _path(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise ConfigError(f"{name}: must be an absolute path of plain characters")
    return value


def _headers(name: str, value: Any) -> tuple[str, ...]:
    headers = tuple(value if isinstance(value, list | tuple) else [value])
    if not all(isinstance(header, str) and _HEADER.fullmatch(header) for header in headers):
        raise ConfigError(f"{name}: must be headers' names")
    return headers


def _account(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _USER.fullmatch(value):
        raise ConfigError(f"{name}: must be the name of a user or group")
    return value


def _number(most: int) -> Callable[[str, Any], int]:
    read = whole(1, most)

    def number(name: str, value: Any) -> int:
        try:
            return read(str(value))
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None

    return number


_READ = {
    "bind": _addresses,
    "redirect": _addresses,
    "certificate": _path,
    "nodes_ca": _path,
    "nameservers": _nameservers,
    "remove_headers": _headers,
    "trusted_proxies": _proxies,
    "metrics": _address,
    "control": _path,
    "user": _account,
    "group": _account,
    "threads": _number(MAX_THREADS),
    "keep_seconds": _number(MAX_SECONDS),
    "check_seconds": _number(MAX_SECONDS),
    "fall": _number(MAX_CHECKS),
    "rise": _number(MAX_CHECKS),
    "gone_seconds": _number(MAX_SECONDS),
}
assert set(_READ) | {"nodes"} == {one.name for one in fields(Router)}


def _check(router: Router) -> None:
    """What only several settings together can get wrong."""
    if not router.nodes:
        raise ConfigError("there are no nodes: NAME=HOST:PORT, or [nodes] in the file")
    if len(router.nodes) > MAX_NODES:
        raise ConfigError(f"a router may have at most {MAX_NODES} nodes")
    taken: dict[Address, str] = {}
    for node in router.nodes:
        if node.address in taken:
            raise ConfigError(f"nodes {taken[node.address]!r} and {node.name!r} have one address")
        taken[node.address] = node.name
    if router.redirect and not router.certificate:
        raise ConfigError("redirect: there is no certificate, and so no HTTPS to send anybody to")
    if router.redirect and all(address.path for address in router.bind):
        raise ConfigError("redirect: no `bind` speaks HTTPS, as a Unix socket does not")
    if all(node.drain for node in router.nodes):
        raise ConfigError("every node is draining, so none would get new sessions")
