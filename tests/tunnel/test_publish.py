"""A server's tunnel: its arguments, its state, its metrics, and its patience."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from reconnectingpty import OptionError
from reconnectingpty.tunnel import publish
from reconnectingpty.tunnel.publish import Tunnel, TunnelMetrics, arguments, local_end
from reconnectingpty_server.values import Address, ConfigError

from ..support.serving import serving
from .sshd import Sshd, free_port
from .support import GUARD, StandIn
from .tunnels import carries, echo


async def up(tunnel: Tunnel) -> None:
    async with asyncio.timeout(GUARD):
        while not tunnel.status().up:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("host", "port", "path", "wanted"),
    [
        ("127.0.0.1", 80, "", "127.0.0.1:80"),
        ("0.0.0.0", 80, "", "127.0.0.1:80"),
        ("::", 80, "", "[::1]:80"),
        ("fe80::1", 80, "", "[fe80::1]:80"),
        ("", 0, "/run/x", "/run/x"),
    ],
)
def test_a_listener_is_reached_by_its_address(host: str, port: int, path: str, wanted: str) -> None:
    assert local_end(host, port, path) == wanted


def test_ssh_asks_nothing_and_the_host_is_never_an_option() -> None:
    found = arguments("me@far", "9000", "127.0.0.1:80", ["-p", "2222"])
    assert found == ["-N", "-T", "-o", "BatchMode=yes", "-p", "2222", "-R", "9000:127.0.0.1:80", "--", "me@far"]


@pytest.mark.parametrize("remote", ["", "x", "70000", "a:b", "/", "/a:b", "relative.sock", "-1"])
def test_a_far_end_that_cannot_be_is_refused(remote: str) -> None:
    with pytest.raises(OptionError):
        arguments("host", remote, "127.0.0.1:80")


@pytest.mark.parametrize("destination", ["", "-oProxyCommand=evil"])
def test_a_destination_that_cannot_be_is_refused(destination: str) -> None:
    with pytest.raises(OptionError):
        Tunnel(destination, "127.0.0.1:80")


def test_a_socket_has_to_be_told_its_far_end() -> None:
    with pytest.raises(OptionError):
        Tunnel("host", "/run/x")
    assert Tunnel("host", "127.0.0.1:80").remote == "80"


async def test_a_listener_is_published_by_port_by_socket_and_by_a_port_the_far_end_chose(tmp_path: Path) -> None:
    with Sshd(tmp_path) as sshd:
        *options, host = sshd.arguments
        async with echo() as port:
            local = f"127.0.0.1:{port}"
            far = free_port()
            path = str(tmp_path / "far")
            async with (
                Tunnel(host, local, remote=str(far), options=options) as one,
                Tunnel(host, local, remote=path, options=options) as two,
                Tunnel(host, local, remote="0", options=options) as three,
            ):
                for tunnel in (one, two, three):
                    await up(tunnel)
                assert await carries(far)
                assert await carries(int(str(three.state()["remote"])))
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"hello"
                writer.close()
                await writer.wait_closed()
                assert one.state() | {"up_for": 0} == {
                    "destination": host,
                    "remote": str(far),
                    "state": "up",
                    "up": True,
                    "up_for": 0,
                    "restarts": 0,
                    "backoff_seconds": 0.0,
                    "last_trouble": "",
                }


@pytest.mark.parametrize("remote", [[], ["7681"], ["0", "0"]])
async def test_two_tunnels_to_one_far_end_are_refused(remote: list[str]) -> None:
    async with serving(tunnel=["far.example", "far.example"], tunnel_remote=remote) as s:
        with pytest.raises(ConfigError, match="two have one host and far end"):
            await s.server.publish(Address("127.0.0.1", 7681))
        assert s.server.tunnels == []


async def test_metrics_tell_of_every_tunnel(tmp_path: Path) -> None:
    with StandIn(tmp_path, "echo 'ssh: connect to host x port 22: Connection refused' >&2; exit 255") as stand_in:
        async with Tunnel("me@far", "127.0.0.1:80", ssh_path=stand_in.path) as tunnel:
            registry = CollectorRegistry()
            registry.register(TunnelMetrics([tunnel], "agent"))
            await asyncio.to_thread(stand_in.must_start)
            await asyncio.to_thread(stand_in.must_start)
            text = generate_latest(registry).decode()
            assert "Connection refused" in str(tunnel.state()["last_trouble"])
    name = "agent_reconnecting_pty_tunnel"
    assert f'{name}_up{{tunnel="me@far 80"}} 0.0' in text
    restarts = re.search(rf'{name}_restarts_total{{reason="unreachable",tunnel="me@far 80"}} (\S+)', text)
    assert restarts is not None
    assert float(restarts[1]) >= 1
    assert f'{name}_backoff_seconds{{tunnel="me@far 80"}}' in text
    assert f"# TYPE {name}_probe_seconds gauge" in text


async def test_a_supervisor_that_gives_up_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "AGAIN", 0.05)
    with StandIn(tmp_path, "exit 3") as stand_in:
        async with Tunnel("host", "127.0.0.1:80", ssh_path=stand_in.path) as tunnel:
            for _ in range(4):
                await asyncio.to_thread(stand_in.must_start)
            assert tunnel.status().restarts["exited"] >= 3


async def test_without_ssh_a_server_lives_on(tmp_path: Path) -> None:
    async with Tunnel("host", "127.0.0.1:80", ssh_path=str(tmp_path / "nothing")) as tunnel:
        async with asyncio.timeout(GUARD):
            while not tunnel.state()["last_trouble"]:
                await asyncio.sleep(0.02)
        assert tunnel.state()["state"] == "failed"
