"""A node that nobody can dial: it dials out by ssh, and is a socket on the router's machine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from ..support.attached import PATIENCE
from ..support.serving import Serving, Told, serving
from ..tunnel.sshd import Sshd
from .routing import routing


async def test_a_node_behind_nat_is_reached_like_any_other(tmp_path: Path) -> None:
    folder, far = tmp_path / "sshd", str(tmp_path / "far.sock")
    folder.mkdir()
    audit = tmp_path / "audit"
    with Sshd(folder) as sshd:
        flags = {
            "listen": [f"unix:{tmp_path}/near.sock"],
            "trusted_proxy": ["unix"],
            "tunnel": [sshd.arguments[-1]],
            "tunnel_remote": [far],
            "tunnel_option": [
                *(f"IdentityFile={folder}/user", f"UserKnownHostsFile={folder}/known"),
                *(f"Port={sshd.port}", "ConnectTimeout=20"),
            ],
            "audit_log": str(audit),
        }
        async with (
            serving(node="near") as near,
            serving(node="far", **flags) as away,
            routing(tmp_path, {"near": str(near.address), "far": f"unix:{far}"}, gone_seconds=60) as router,
        ):
            await away.server.publish(away.address)
            await stands(away)
            await router.until_seen("near", "far")
            assert (await router.json("/api/nodes"))["nodes"] == [
                {"node": "far", "up": True},
                {"node": "near", "up": True},
            ]
            async with router.connect("reconnect=far.work&command=cat") as socket:
                told = Told(socket)
                epoch = (await told.until_told("hello"))["epoch"]
                await socket.send(b"over there\n")
                await told.until(b"over there")
                # Who the client is comes all the way, though the connection is ssh's.
                attached = [json.loads(line) for line in audit.read_text().splitlines()]
                assert {line["peer"] for line in attached if line["event"] == "attach"} == {"127.0.0.1"}
                await asyncio.to_thread(sshd.kill_sessions)
                assert (await told.to_the_end())[0] == 1006

            # The supervisor dials again, the router waits for it, and the shell is the same.
            await stands(away, restarts=1)
            await router.until(far="UP")
            async with router.connect(f"reconnect=far.work&epoch={epoch}") as socket:
                assert (await Told(socket).until_told("hello"))["epoch"] == epoch
            assert [len(one.server.sessions) for one in (near, away)] == [0, 1]


async def stands(serving: Serving, restarts: int = 0) -> None:
    """Wait until its tunnel is up, after so many restarts."""
    async with asyncio.timeout(PATIENCE):
        while True:
            (state,) = (tunnel.state() for tunnel in serving.server.tunnels)
            if state["up"] and int(str(state["restarts"])) >= restarts:
                return
            await asyncio.sleep(0.02)
