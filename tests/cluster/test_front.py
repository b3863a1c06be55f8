"""The router's own ends: TLS in front, plain HTTP sent on, its metrics, a Unix socket to listen on."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import trustme

from ..support.serving import TOKEN, Told, serving
from .routing import cluster, routing


async def test_tls_ends_at_the_router_and_the_nodes_know_of_it(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = tmp_path / "router.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    async with cluster(tmp_path, "a", "b", settings={"certificate": str(certificate)}) as (router, _):
        async with router.connect("reconnect=b.work&command=cat", tls=tls) as socket:
            assert (await Told(socket).until_told("hello"))["session"] == "b.work"
            assert socket.transport.get_extra_info("ssl_object").version() == "TLSv1.3"
        body = json.dumps({"token": TOKEN}).encode()
        _, headers, _ = await router.request("POST", "/api/login", body, token=None, tls=tls)
        assert headers["set-cookie"].startswith("__Host-reconnectingpty")
        assert "; Secure" in headers["set-cookie"]
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        status, headers, _ = await router.plain.request("GET", "/pty?reconnect=b.work", token=None)
        assert (status, headers["location"]) == (308, f"https://{router.address}/pty?reconnect=b.work")


async def test_the_nodes_are_known_by_their_certificates(tmp_path: Path) -> None:
    authority, foreign = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with AsyncExitStack() as stack:
        addresses = {}
        for name, signer, certified in (("a", authority, "a"), ("b", authority, "a"), ("c", foreign, "c")):
            file = tmp_path / f"{name}.pem"
            signer.issue_cert(certified).private_key_and_cert_chain_pem.write_to_path(file)
            flags = {"node": name, "tls_cert": str(file), "trusted_proxy": ["127.0.0.1"]}
            addresses[name] = str((await stack.enter_async_context(serving(**flags))).address)
        settings = {"nodes_ca": str(tmp_path / "ca.pem")}
        router = await stack.enter_async_context(routing(tmp_path, addresses, **settings))
        await router.until(a="UP", b="DOWN", c="DOWN")
        async with router.connect("reconnect=a.work&command=cat") as socket:
            assert (await Told(socket).until_told("hello"))["session"] == "a.work"
        for name in "bc":
            assert (await router.request("GET", f"/node/{name}/api/whoami"))[0] in (503, 410)


async def test_old_tls_is_refused(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = tmp_path / "router.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    async with cluster(tmp_path, "a", settings={"certificate": str(certificate)}) as (router, _):
        for version in ("-tls1", "-tls1_1", "-tls1_2"):
            done = await asyncio.create_subprocess_exec(
                *("openssl", "s_client", "-connect", str(router.address), version, "-cipher", "ALL:@SECLEVEL=0"),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await done.communicate()
            assert (b"Cipher is (NONE)" in said) == (version != "-tls1_2"), (version, said[-500:])


async def test_the_router_has_metrics_of_its_own(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a", "b") as (router, _):
        async with router.connect("reconnect=b.work&command=cat") as socket:
            await Told(socket).until_told("hello")
            _, _, body = await router.metrics.request("GET", "/metrics", token=None)
        text = body.decode()
        assert 'haproxy_server_current_sessions{proxy="nodes",server="b"} 1' in text
        assert 'haproxy_server_status{proxy="nodes",server="a",state="UP"} 1' in text
        assert (await router.metrics.request("GET", "/healthz", token=None))[0] == 200
        assert (await router.metrics.request("GET", "/", token=None))[0] == 404
        # Nobody else sees them.
        assert (await router.request("GET", "/metrics"))[0] == 404


async def test_the_router_may_listen_on_a_unix_socket_and_old_listeners_go_on_over_a_reload(tmp_path: Path) -> None:
    path = str(tmp_path / "front.sock")
    async with cluster(tmp_path, "a", settings={"bind": [f"unix:{path}"]}) as (router, nodes):
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(f"GET /api/node HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            async with asyncio.timeout(30):
                assert b'"node": "a"' in await reader.read()
            writer.close()
            await writer.wait_closed()
            await router.reload()
            await router.until_seen(*nodes)


async def test_nobody_is_turned_away_while_the_router_is_reloaded(tmp_path: Path) -> None:
    async with cluster(tmp_path, "a") as (router, _):
        reloading, answers = True, Counter[int]()

        async def ask() -> None:
            while reloading:
                status, _, _ = await router.request("GET", "/healthz", token=None)
                answers[status] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(ask())
            for _ in range(5):
                before = answers.total()
                await router.reload()
                while answers.total() < before + 50:
                    await asyncio.sleep(0.01)
            reloading = False
        assert set(answers) == {200}
