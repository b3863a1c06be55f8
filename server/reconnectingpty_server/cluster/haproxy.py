"""HAProxy's configuration for a router: settings in, text out.

Pure. The idea of it: one backend holds every node, so that `leastconn` counts the terminals of each; a request for a
session names its server there by what stands before the dot; and whatever HAProxy would do with it where that server
is down (it would take another one) is refused before. What has nothing to do with sessions goes to any node that
answers. Each line that is not plain has its reason beside it, for whoever reads the file that comes out.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..values import Address
from .answers import AWAY, ERRORS, GONE, HIDDEN, NAMELESS, NOTHING, PER_NODE, UNKNOWN, answer, error, refuse
from .arrival import QUERY, SESSIONS
from .backends import ANY, FILES, LIFE, NODES, backends, section
from .listing import HEADER
from .names import PREFIX
from .router import Router

ANYBODYS = ("/api/login", "/api/logout", "/api/whoami", "/api/node", "/api/nodes")
"""What any node answers for all of them. The rest of the interface is about one node, and has to name it."""
MINTS = "/api/node"
"""Where an id for a new session comes from, and so the node that the session will be on."""
HTTPS = 443
WORDS = 48
"""Names on one line; HAProxy reads 64 words of each."""
CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)
ADDED = 1024 - 256
"""Bytes that HAProxy keeps free by itself for what is added to a request's head, and we need some for the client."""
LOG = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %ac/%fc/%bc/%sc/%rc %HM %HP"


def configuration(router: Router) -> str:
    """The whole configuration file."""
    parts = [_HEAD, _global(router), _DEFAULTS, _frontend(router), *backends(router)]
    if router.redirect:
        parts.append(_redirect(router))
    if router.metrics is not None:
        parts.append(_metrics(router.metrics, router))
    return "\n".join(parts)


_HEAD = """\
# Made by `reconnectingpty haproxy-config`: change its settings, not this file.
# Start:   haproxy -W -f FILE   (systemd: haproxy -Ws -f FILE)
# Reload:  kill -USR2 of the master process; connections that are open stay with the old process until they end.
"""


_ROOM_FOR_NAMES = ("# Room for the header that names all nodes.", "tune.bufsize 32768", "tune.maxrewrite 16384")


def _global(router: Router) -> str:
    lines = [
        "master-worker",
        *(_ROOM_FOR_NAMES if _many(router) else []),
        "# How long the connections of an old process may go on after a reload.",
        f"hard-stop-after {router.keep_seconds}s",
        "log stdout format raw local0 info",
    ]
    if router.control:
        # Reloading, the new process is handed the listeners, so that no connection is refused meanwhile.
        lines.append(f"stats socket {router.control} mode 600 level admin expose-fd listeners")
    if router.user:
        lines.append(f"user {router.user}")
    if router.group:
        lines.append(f"group {router.group}")
    if router.threads:
        lines.append(f"nbthread {router.threads}")
    if router.certificate:
        lines += [
            f"ssl-default-bind-ciphers {CIPHERS}",
            "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        ]
    return section("global", *lines)


_DEFAULTS = section(
    "defaults",
    "mode http",
    "log global",
    "# Without the query, which may hold a token.",
    f'log-format "{LOG}"',
    "option dontlognull",
    "timeout connect 3s",
    "timeout client 60s",
    "timeout http-request 10s",
    "timeout http-keep-alive 60s",
    "# Ending a session waits for its grace.",
    "timeout server 35s",
    "timeout queue 5s",
    "timeout check 3s",
    "# A terminal may be silent for long. The nodes ping their clients, and who has vanished is noticed by keepalive.",
    "timeout tunnel 24h",
    "timeout client-fin 10s",
    "timeout server-fin 10s",
    "option clitcpka",
    "clitcpka-idle 30s",
    "clitcpka-intvl 10s",
    "clitcpka-cnt 3",
    "option srvtcpka",
    "srvtcpka-idle 30s",
    "srvtcpka-intvl 10s",
    "srvtcpka-cnt 3",
    "option http-no-delay",
    "# Never another node for a session whose own could not be reached.",
    "no option redispatch",
    "retries 2",
    *(error(status, message) for status, message in ERRORS.items()),
)


def _bind(address: Address, router: Router, *, tls: bool) -> str:
    if address.path:
        return f"bind unix@{address.path} mode 660"
    # HTTP/1.1 alone: over HTTP/2 all terminals of a browser would share one connection, and wait for each other.
    secure = f" ssl crt {router.certificate} alpn http/1.1" if tls and router.certificate else ""
    return f"bind {address} tcp-ut 120s{secure}"


def _frontend(router: Router) -> str:
    names = [node.name for node in router.nodes]
    session_field = SESSIONS.count("/") + 1
    return section(
        "frontend terminals",
        *(_bind(address, router, tls=True) for address in router.bind),
        *_told_of_the_client(router),
        *(f"http-request del-header {name}" for name in (HEADER, *router.remove_headers)),
        *(['http-response set-header Strict-Transport-Security "max-age=31536000"'] if router.certificate else []),
        "# Which part of another target is the path, a node might see differently.",
        refuse(400, HIDDEN, "{ path_beg // } or !{ path_beg / }"),
        "# Where a request has its session's id, and the node in it.",
        "acl is_terminal path /pty",
        "acl is_terminal path_reg ^/api/v2/workspaceagents/[^/]*/pty$",
        f"http-request set-var(txn.id) url_param({QUERY}),url_dec if is_terminal",
        f"http-request set-var(txn.id) path,field({session_field},/),url_dec if {{ path_beg {SESSIONS} }}",
        "http-request set-var(txn.node) var(txn.id),field(1,.) if { var(txn.id) -m sub . }",
        f"http-request set-var(txn.node) path,field(3,/) if {{ path_beg {PREFIX} }}",
        "acl to_a_node var(txn.node) -m found",
        *(f"acl known var(txn.node) -m str {' '.join(some)}" for some in _by(WORDS, names)),
        refuse(404, UNKNOWN, "to_a_node !known"),
        refuse(404, NAMELESS, "!to_a_node { var(txn.id) -m len gt 0 }"),
        f"acl for_any path {' '.join(ANYBODYS)}",
        f"acl to_start path {SESSIONS.rstrip('/')}",
        refuse(404, PER_NODE, "!to_a_node { path /metrics } or !to_a_node { path_beg /debug/ }"),
        refuse(404, PER_NODE, "!to_a_node { path_beg /api/ } !for_any !is_terminal !to_start"),
        refuse(404, PER_NODE, "!to_a_node to_start !METH_POST"),
        "# A node would decode what the router has not read.",
        refuse(404, NOTHING, "!to_a_node { path -m sub % }"),
        "# A node that is down: not another one in its place. It may only be starting again; after a while it is gone.",
        *(
            f"http-request set-var(txn.{state}) srv_is_up({backend}/{name}) if {{ var(txn.node) -m str {name} }}"
            for state, backend in (("up", NODES), ("alive", LIFE))
            for name in names
        ),
        refuse(410, GONE, "to_a_node !{ var(txn.up) -m bool } !{ var(txn.alive) -m bool }", "lf-string"),
        refuse(503, AWAY, "to_a_node !{ var(txn.up) -m bool }", "lf-string"),
        *_told_of_nodes(names),
        "# The router is as alive as it answers, and ready while it reaches a node: a full one has sessions, too.",
        answer("ok", "{ path /healthz }"),
        refuse(503, ERRORS[503], f"{{ path /readyz }} {{ nbsrv({ANY}) lt 1 }}"),
        answer("ready", "{ path /readyz }"),
        "# What names a session, or starts one; all else any node answers.",
        f"use_backend {NODES} if to_a_node or is_terminal or to_start or {{ path {MINTS} }}",
        f"use_backend {FILES} if {{ path_beg /assets/ }} {{ method GET HEAD }}",
        f"default_backend {ANY}",
    )


def _told_of_the_client(router: Router) -> list[str]:
    networks = [str(network) for network in router.trusted_proxies if network is not None]
    behind = [f"{{ src {' '.join(some)} }}" for some in _by(WORDS, networks)]
    if None in router.trusted_proxies:
        behind.append("!{ src -m found }")
    kept = [
        "# A proxy that may say for whom it asks; of several lines the last one counts.",
        *(f"http-request set-var(txn.proxied) bool(true) if {condition}" for condition in behind),
        "acl proxied var(txn.proxied) -m bool",
        "acl hops req.fhdr(X-Forwarded-For) -m found",
        "http-request set-var(txn.scheme) req.fhdr(X-Forwarded-Proto) if proxied",
        "http-request set-var(txn.hops) req.fhdr(X-Forwarded-For) if proxied",
        'http-request set-var-fmt(txn.hops) "%[var(txn.hops)], " if proxied hops { src -m found }',
    ]
    return [
        *(kept if behind else []),
        "# What the nodes are told of the client, which can say nothing of that itself.",
        "http-request del-header Forwarded",
        "http-request del-header X-Real-IP",
        "http-request del-header X-Forwarded-Host",
        f"http-request set-header X-Forwarded-For {'%[var(txn.hops)]' if behind else ''}%[src]",
        "http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
        *(
            ["http-request set-header X-Forwarded-Proto %[var(txn.scheme)] if { var(txn.scheme) -m found }"]
            * bool(behind)
        ),
    ]


def _by(count: int, names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + count] for start in range(0, len(names), count)]


def _many(router: Router) -> bool:
    """Whether the header that names them may not find room in a buffer as it is."""
    return sum(len(node.name) + len("=down ") for node in router.nodes) > ADDED


def _told_of_nodes(names: Sequence[str]) -> list[str]:
    """The router knows its nodes, and the node that is asked knows who may know them."""
    states = " ".join(f"{name}=%[srv_is_up({NODES}/{name}),iif(up,down)]" for name in names)
    return [f'http-request set-header {HEADER} "{states}" if {{ path /api/nodes }}']


def _redirect(router: Router) -> str:
    port = next(address.port for address in router.bind if not address.path)
    there = "" if port == HTTPS else f":{port}"
    return section(
        "frontend plain",
        *(_bind(address, router, tls=False) for address in router.redirect),
        f"http-request redirect location https://%[req.hdr(host),host_only]{there}%[pathq] code 308",
    )


def _metrics(address: Address, router: Router) -> str:
    return section(
        "frontend metrics",
        _bind(address, router, tls=False),
        "http-request set-log-level silent",
        "http-request use-service prometheus-exporter if { path /metrics }",
        "http-request return status 200 content-type text/plain string ok if { path /healthz }",
        "http-request return status 404",
    )
