"""The way to the machine fails again and again: nothing missing, nothing twice, the same shell."""

from __future__ import annotations

import asyncio
import getpass
import random
from pathlib import Path
from urllib.parse import quote

from reconnectingpty_server.config import Address

from ..support.serving import Serving, serving
from ..tunnel.sshd import Sshd, free_port
from ..tunnel.support import until
from .test_exactly_once import PROGRAM, Client

FAILURES = 20


async def reaching(client: Client, far: Serving, seconds: float) -> None:
    """A connection by the far end, which may be gone just now."""
    try:
        await client.once(far, seconds)
    except (OSError, EOFError):
        await asyncio.sleep(0.02)


async def test_nothing_is_lost_while_the_tunnel_is_killed_twenty_times(tmp_path: Path) -> None:
    client = Client(random.Random(6))
    client.query = f"&command={quote(PROGRAM)}"
    with Sshd(tmp_path) as sshd:
        port = free_port()
        options = [
            *(f"Port={sshd.port}", f"IdentityFile={tmp_path}/user", f"UserKnownHostsFile={tmp_path}/known"),
            *("ControlPath=none", "IdentitiesOnly=yes"),
        ]
        published = {"tunnel": [f"{getpass.getuser()}@127.0.0.1"], "tunnel_remote": [str(port)]}
        async with serving(**published, tunnel_option=options) as s:
            await s.server.publish(s.address)
            # A tunnel that fails every second is waited for longer and longer, as it should; not here.
            s.server.tunnels[0]._builder.backoff_cap(0.1)
            far = Serving(s.server, Address("127.0.0.1", port))
            async with asyncio.timeout(50):
                while not client.output:
                    await reaching(client, far, 2.0)
                session = s.server.sessions.get("x")
                assert session is not None
                pid = session.info().pid
                for _ in range(FAILURES):
                    connection = asyncio.create_task(reaching(client, far, 30.0))
                    seen = len(client.output)
                    while len(client.output) < seen + 20_000:
                        if connection.done():
                            await connection
                            connection = asyncio.create_task(reaching(client, far, 30.0))
                        await asyncio.sleep(0.005)
                    sshd.kill_sessions()
                    await connection
                client.finishing = True
                while len(client.output) - client.output.find(b";") - 1 < len(client.typed):
                    await reaching(client, far, 0.2)
            echoed = bytes(client.output).partition(b";")[2]
            assert echoed == bytes(client.typed)
            assert session.info().pid == pid
            tunnels = (await s.json("/api/tunnels"))["tunnels"]
            assert [tunnel["up"] for tunnel in tunnels] == [True]
            assert tunnels[0]["restarts"] >= FAILURES - 1
            text = (await s.request("GET", "/metrics"))[2].decode()
            assert "reconnecting_pty_tunnel_up{" in text
            assert (await s.json("/readyz"))["tunnels"] == ["up"]
        until(lambda: not sshd.sessions(), "ssh leaves")
