"""Nodes in processes of their own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from reconnectingpty_server.values import Address, read_address

from ..support.attached import PATIENCE
from ..support.serving import TOKEN, Remote
from .machines import HERE, Machine


class NodeProcess(Remote):
    """A node as its operator starts it. `home` is its own; `shared` holds what all have in common.

    It runs on `machine`, its router on `proxy`.
    """

    def __init__(
        self, name: str, home: Path, shared: Path, *flags: str, machine: Machine = HERE, proxy: Machine = HERE
    ) -> None:
        super().__init__(Address(machine.host, machine.port))
        self.name = name
        self._home = home
        self._machine = machine
        self._flags = (
            *("--node", name, "--token", TOKEN, "--key-file", str(shared / "keys"), "--trusted-proxy", proxy.host),
            *("--command", "cat", "--log-level", "error", *flags),
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, on the address that it had before, if it had one."""
        assert self._process is None
        self._home.mkdir(exist_ok=True)
        environment = os.environ | {"XDG_RUNTIME_DIR": str(self._home), "RECONNECTINGPTY_BACKEND": "buffered"}
        self._process = await asyncio.create_subprocess_exec(
            *(*self._machine.enter, sys.executable, "-m", "reconnectingpty_server", "serve"),
            *("--listen", str(self.address), *self._flags),
            env=environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            link = (await self._process.stdout.readline()).decode()
        self.address = read_address(link.removeprefix("http://").partition("/")[0])

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Have it end, or die."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            await self._process.communicate()
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Give it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ids(self) -> set[str]:
        """The sessions that it has, asked without the router."""
        return {one["id"] for one in (await self.json("/api/sessions"))["sessions"]}


@asynccontextmanager
async def node(
    name: str, folder: Path, *flags: str, home: Path | None = None, machine: Machine = HERE, proxy: Machine = HERE
) -> AsyncIterator[NodeProcess]:
    """A node that runs. What all nodes of a test share is in `folder`, and what it has for itself in its `home`."""
    found = NodeProcess(name, home or folder / name, folder, *flags, machine=machine, proxy=proxy)
    await found.start()
    try:
        yield found
    finally:
        await found.end()
