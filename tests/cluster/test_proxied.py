"""A proxy before the router, as an Ingress is: whose word about the client counts, and for what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from reconnectingpty_server.exchange import Request, Response

from ..support.attached import PATIENCE
from ..support.serving import TOKEN
from .routing import HAProxy, cluster

SAID = {"X-Forwarded-For": "192.0.2.1, 198.51.100.7", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.9"}


@asynccontextmanager
async def spied_on(folder: Path, *trusted: str, **more: object) -> AsyncIterator[tuple[HAProxy, list[Request]]]:
    """A router that trusts these proxies, and the requests as its node gets them."""
    settings = {"trusted_proxies": trusted} | more
    async with cluster(folder, "a", settings=settings) as (router, nodes):
        seen: list[Request] = []
        node = nodes["a"].server
        answer = node.answer

        async def spying(request: Request) -> Response:
            if request.path == "/api/whoami":
                seen.append(request)
            return await answer(request)

        node.answer = spying  # type: ignore[method-assign]
        yield router, seen


async def test_what_a_trusted_proxy_says_is_kept_and_the_proxy_is_added(tmp_path: Path) -> None:
    async with spied_on(tmp_path, "10.0.0.0/8", "127.0.0.0/8") as (router, seen):
        assert (await router.request("GET", "/api/whoami", **SAID))[0] == 200
        assert (await router.request("GET", "/api/whoami"))[0] == 200
    said, silent = (request.headers for request in seen)
    assert said["x-forwarded-for"] == "192.0.2.1, 198.51.100.7, 127.0.0.1"
    assert said["x-forwarded-proto"] == "https"
    assert "x-real-ip" not in said
    assert (silent["x-forwarded-for"], silent["x-forwarded-proto"]) == ("127.0.0.1", "http")


async def test_of_several_lines_that_of_the_proxy_itself_counts(tmp_path: Path) -> None:
    head = (
        f"GET /api/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n"
        "X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n"
    )
    async with spied_on(tmp_path, "127.0.0.1") as (router, seen):
        await router.raw(head.encode())
    assert seen[0].headers["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
    assert seen[0].headers["x-forwarded-proto"] == "http"


async def test_nobody_else_is_believed(tmp_path: Path) -> None:
    async with spied_on(tmp_path, "10.0.0.0/8", "unix") as (router, seen):
        assert (await router.request("GET", "/api/whoami", **SAID))[0] == 200
    assert (seen[0].headers["x-forwarded-for"], seen[0].headers["x-forwarded-proto"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    ("trusted", "expected"), [(["unix"], (SAID["X-Forwarded-For"], "https")), (["127.0.0.1"], ("", "http"))]
)
async def test_a_proxy_on_a_unix_socket_has_no_address_to_be_added(
    tmp_path: Path, trusted: list[str], expected: tuple[str, str]
) -> None:
    path = str(tmp_path / "front.sock")
    more = "".join(f"{name}: {value}\r\n" for name, value in SAID.items())
    async with spied_on(tmp_path, *trusted, bind=[f"unix:{path}"]) as (_, seen):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(f"GET /api/whoami HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n{more}\r\n".encode())
        async with asyncio.timeout(PATIENCE):
            assert b" 200 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert (seen[0].headers["x-forwarded-for"], seen[0].headers["x-forwarded-proto"]) == expected
