"""The way to the machine fails again and again: nothing missing, nothing twice, the same shell."""

from __future__ import annotations

import asyncio
import getpass
import random
from pathlib import Path

from reconnectingpty.client import Backoff, Settings, Terminal
from reconnectingpty_server.values import Address

from ..client.support import ECHO, terminal_of
from ..client.support import until as bytes_until
from ..support.serving import Serving, serving
from ..tunnel.sshd import Sshd, free_port
from ..tunnel.support import until

FAILURES = 20
PATIENT = Settings(backoff=Backoff(0.02, 0.1), patience=30.0, scrollback=None)


async def echo(terminal: Terminal, count: int, typed: bytearray, echoed: bytearray) -> None:
    """Type, and read what comes back, for so many bytes."""
    enough = len(echoed) + count
    while len(echoed) < enough:
        while len(typed) < len(echoed) + 10_000:
            part = random.randbytes(500).hex().encode()
            typed += part
            await terminal.send(part)
        echoed += await terminal.read()


async def test_nothing_is_lost_while_the_tunnel_is_killed_twenty_times(tmp_path: Path) -> None:
    typed, echoed = bytearray(), bytearray()
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
            async with asyncio.timeout(50), terminal_of(far, ECHO, settings=PATIENT) as terminal:
                await bytes_until(terminal, b"ready")
                session = s.server.sessions.get("x")
                assert session is not None
                pid = session.info().pid
                for _ in range(FAILURES):
                    await echo(terminal, 20_000, typed, echoed)
                    sshd.kill_sessions()
                await echo(terminal, 20_000, typed, echoed)  # so it is up again
                while len(echoed) < len(typed):
                    echoed += await terminal.read()
                assert echoed == typed
                assert terminal.resyncs == 0
                assert session.info().pid == pid
            tunnels = (await s.json("/api/tunnels"))["tunnels"]
            assert [tunnel["up"] for tunnel in tunnels] == [True]
            assert tunnels[0]["restarts"] >= FAILURES - 1
            text = (await s.request("GET", "/metrics"))[2].decode()
            assert "reconnecting_pty_tunnel_up{" in text
            assert (await s.json("/readyz"))["tunnels"] == ["up"]
        until(lambda: not sshd.sessions(), "ssh leaves")
