"""Requests that might mean one thing to the router and another to a node: none reaches a session that it should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.serving import TOKEN, Told
from .routing import HAProxy, cluster

UUID = "550e8400-e29b-41d4-a716-446655440000"

REFUSED = [
    # Two ids, of which each end might take another.
    "/pty?reconnect=a.x&reconnect=b.x",
    "/pty?reconnect=b.x&reconnect=a.x",
    "/pty?reconnect=a.x&reconnect=x",
    "/pty?reconnect=a.x&%72econnect=b.x",
    "/pty?%72econnect=b.x&reconnect=a.x",
    "/pty?reconnect=a.x;reconnect=b.x",
    # Ids that look like something else, before or after decoding.
    "/pty?reconnect=a%2Eb.x%00",
    "/pty?reconnect=a%00.x",
    "/pty?reconnect=.a.x",
    "/pty?reconnect=a.",
    "/pty?reconnect=",
    "/pty?reconnect=%61%252Ex",
    "/pty?reconnect=a.x%20b",
    "/pty?reconnect=a.x%0d%0aX-Evil:1",
    "/pty?reconnect=A.x",
    f"/pty?reconnect={'a' * 70}",
    "/pty?Reconnect=b.x",
    "/pty",
    # Paths that are another after decoding or tidying up.
    "/%70ty?reconnect=b.x",
    "/pty/?reconnect=b.x",
    "//pty?reconnect=b.x",
    "/./pty?reconnect=b.x",
    "/node/a/../b/pty?reconnect=b.x",
    "/node/a/node/b/pty?reconnect=b.x",
    "/node/a%2Fpty?reconnect=a.x",
    "/node/a/pty?reconnect=b.x",
    "/node/a//pty?reconnect=a.x",
    "/Node/a/pty?reconnect=a.x",
    f"/api/v2/workspaceagents/{UUID}/../pty?reconnect=b.x",
    f"/api/v2/workspaceagents/../{UUID}/pty?reconnect=b.x",
    f"/api/v2/workspaceagents/{UUID}/pty/?reconnect=b.x",
    f"/api/v2/workspaceagents/{UUID}%2Fpty?reconnect=b.x",
    "http://evil.example/pty?reconnect=b.x&attach_only=2",
]


async def upgraded(router: HAProxy, target: str) -> tuple[int, bytes]:
    """The status, and what else is said, when a WebSocket is asked for there."""
    head = (
        f"GET {target} HTTP/1.1\r\nHost: {router.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Sec-WebSocket-Protocol: reconnectingpty.v1\r\n\r\n"
    )
    answer = await router.raw(head.encode(), end=True)
    return int(answer.split()[1]), answer


async def test_no_request_reaches_a_session_by_a_trick(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, nodes):
        for target in REFUSED:
            status, answer = await upgraded(router, target)
            assert status in (400, 403, 404, 405, 421), (target, answer)
            assert [len(node.server.sessions) for node in nodes.values()] == [0, 0], target


async def test_the_router_itself_refuses_a_target_that_hides_its_path(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a") as (router, _):
        for target in (
            "//x/metrics",
            "//x/api/sessions",
            "//x/pty?reconnect=x",
            f"http://{router.address}//api/tunnels",
        ):
            status, _, answer = await router.request("GET", target)
            assert (status, b"the target must be a path, which begins with one slash" in answer) == (400, True), target


@pytest.mark.parametrize(
    "target",
    [
        "/pty?reconnect=a.x",
        "/pty?reconnect=a%2Ex",
        "/pty?width=80&reconnect=%61.x&height=24",
        f"/api/v2/workspaceagents/{UUID}/pty?reconnect=a.x",
        "/node/a/pty?reconnect=x",
        f"/node/a/api/v2/workspaceagents/{UUID}/pty?reconnect=a.x",
    ],
)
async def test_what_means_the_same_to_both_is_let_through(tmp_path: Path, target: str) -> None:
    path, _, query = target.partition("?")
    async with cluster(tmp_path, "a", "b") as (router, nodes):
        async with router.connect(query, path=path) as socket:
            assert (await Told(socket).until_told("hello"))["session"] == "a.x"
        assert [len(node.server.sessions) for node in nodes.values()] == [1, 0]


async def test_two_requests_in_one_are_two_to_both(tmp_path: Path) -> None:
    """Request smuggling: where a request ends is never a matter of opinion."""
    hidden = f"GET /api/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    async with cluster(tmp_path, "a", "b") as (router, _):
        for headers in (
            f"Content-Length: {len(hidden)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
            f"Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n\r\n{hidden}",
            f"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n{hidden}",
            f"Content-Length: +0\r\n\r\n{hidden}",
            f"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}",
        ):
            asked = f"POST /node/a/api/logout HTTP/1.1\r\nHost: {router.address}\r\nConnection: close\r\n{headers}"
            answer = await router.raw(asked.encode(), end=True)
            assert b'"sessions"' not in answer, (headers, answer)
            assert answer.count(b"HTTP/1.1 ") <= 1, (headers, answer)
