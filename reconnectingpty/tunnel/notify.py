"""What systemd is told (sd_notify(3)): READY when the tunnel stands, its state in words, and that we are alive."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

from .events import GaveUp, ProbeOk, Ready, Stopped
from .status import State
from .supervisor import SshSupervisor


class Systemd:
    """The service manager's socket; without one, everything here does nothing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog: float | None = None
        """Seconds within which systemd wants a sign of life."""
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]
        wanted = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        if self._address and ours and wanted.isdecimal() and int(wanted) > 0:
            self.watchdog = int(wanted) / 1e6

    def __bool__(self) -> bool:
        return bool(self._address)

    def send(self, *lines: str) -> bool:
        """Tell it these. False where it has no room for them now; that it does not listen is no error of ours."""
        if self._address:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                    to.setblocking(False)
                    to.sendto("\n".join(lines).encode(), self._address)
            except BlockingIOError:
                return False
            except OSError:
                pass
        return True


async def keep_told(supervisor: SshSupervisor, systemd: Systemd) -> None:
    """Tell systemd how the supervisor is, until it has ended."""
    if not systemd:
        return
    feeding = asyncio.create_task(_feed(supervisor, systemd))
    try:
        async for event in supervisor.events():
            status = f"STATUS={supervisor.status()}"
            match event:
                case Ready():
                    systemd.send("READY=1", status)
                case ProbeOk():
                    systemd.send("WATCHDOG=1")
                case Stopped() | GaveUp():
                    systemd.send("STOPPING=1", status)
                case _:
                    systemd.send(status)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def _feed(supervisor: SshSupervisor, systemd: Systemd) -> None:
    """Signs of life: from the probes where the tunnel stands and is probed; else from the event loop's turning."""
    while systemd.watchdog is not None:
        if not (supervisor.settings.probes and supervisor.status().state is State.UP):
            systemd.send("WATCHDOG=1")
        await asyncio.sleep(systemd.watchdog / 2)
