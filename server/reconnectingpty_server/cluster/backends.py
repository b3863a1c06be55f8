"""The router's backends in HAProxy's words: the same nodes each time, asked and chosen for different ends.

Pure. `nodes` takes what starts or names a session, and knows who takes new ones. `any` takes what each node answers
alike, and knows who answers at all. `files` takes the page's parts. `life` takes nothing, and knows who is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..values import Address
from .router import NodeAt, Router

NODES = "nodes"
ANY = "any"
FILES = "files"
LIFE = "life"
PAUSES = 4
"""Between the checks that a silent node has to fail, one after the other, before it counts as gone."""


def section(title: str, *told: str) -> str:
    """A section of the configuration."""
    return "\n".join([title, *(f"    {line}" for line in told), ""])


def backends(router: Router) -> list[str]:
    """All of them, and who resolves their names."""
    found = [_nodes(router), _any(router), _files(router), _life(router)]
    return [*found, _resolvers(router.nameservers)] if router.nameservers else found


def _nodes(router: Router) -> str:
    return section(
        f"backend {NODES}",
        "balance leastconn",
        "use-server %[var(txn.node)] if { var(txn.node) -m found }",
        "option httpchk",
        "http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost",
        "# Anything but these is no node of ours.",
        "http-check expect rstatus ^(200|503)$ error-status L7STS",
        "# Not ready (full, draining, shutting down): nothing new for it, but its own sessions stay within reach.",
        "http-check expect status 200 error-status L7OKC",
        "# No on-marked-down: a check that fails must not cut a terminal that works.",
        _closely(router),
        # Weight 0 gets nothing new; what names the server gets there all the same.
        *_servers(router, "check", drained=" weight 0"),
    )


def _any(router: Router) -> str:
    return section(
        f"backend {ANY}",
        "# What starts no session, so that a node that takes none will do: the page, logins, the list of nodes.",
        "balance roundrobin",
        "option redispatch 1",
        _retries(router),
        *_ask_whether_it_lives(),
        _closely(router),
        *_servers(router, "check"),
    )


def _files(router: Router) -> str:
    return section(
        f"backend {FILES}",
        "# While versions differ from node to node, a part of the page may be missing on one and be on the next.",
        "balance roundrobin",
        "retry-on 404 conn-failure",
        "option redispatch 1",
        _retries(router),
        f"default-server {_at_start(router)}",
        *_servers(router, f"track {ANY}/{{node}}"),
    )


def _life(router: Router) -> str:
    return section(
        f"backend {LIFE}",
        "# Gets no requests: it is asked which nodes have been silent for so long that they are gone.",
        *_ask_whether_it_lives(),
        "# Short beside the pauses: a node is gone as soon where nothing answers as where its connections are refused.",
        "timeout connect 1s",
        "timeout check 1s",
        f"default-server inter {router.check_seconds}s fastinter {router.gone_seconds * 1000 // PAUSES}ms "
        f"fall {PAUSES + 1} rise 1 {_at_start(router)}",
        *_servers(router, "check"),
    )


def _ask_whether_it_lives() -> Iterable[str]:
    return "option httpchk", "http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host localhost"


def _closely(router: Router) -> str:
    """How a node is watched that is to take requests."""
    return (
        f"default-server inter {router.check_seconds}s fastinter 500ms downinter 1s fall {router.fall} "
        f"rise {router.rise} observe layer4 error-limit 2 on-error fastinter {_at_start(router)}"
    )


def _at_start(router: Router) -> str:
    """What to do about a host that can't be looked up.

    Without name servers nobody looks it up again. Then HAProxy shall not start, or keep the old process on a reload.
    """
    return "init-addr last,libc" + (",none" if router.nameservers else "")


def _retries(router: Router) -> str:
    return f"retries {max(2, min(len(router.nodes), 8))}"


def _servers(router: Router, more: str, drained: str = "") -> list[str]:
    return [_server(node, router, more.format(node=node.name)) + drained * node.drain for node in router.nodes]


def _server(node: NodeAt, router: Router, more: str) -> str:
    line = f"server {node.name} {f'unix@{node.address.path}' if node.address.path else node.address} {more}"
    if router.nodes_ca and not node.address.path:
        line += f" ssl verify required ca-file {router.nodes_ca} verifyhost {node.certified_as}"
    if router.nameservers and node.by_name:
        line += " resolvers dns"
    return line


def _resolvers(nameservers: Sequence[Address]) -> str:
    return section(
        "resolvers dns",
        *(f"nameserver dns{number} {address}" for number, address in enumerate(nameservers)),
        "accepted_payload_size 8192",
        "# A node that starts again may have another address.",
        "hold valid 5s",
    )
