"""A real HAProxy in front of real nodes, for one test."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from reconnectingpty_server.cluster.haproxy import configuration
from reconnectingpty_server.cluster.router import read
from reconnectingpty_server.values import Address

from ..support.attached import PATIENCE
from ..support.serving import Remote, Serving, serving
from ..tunnel.support import needed
from .machines import HERE, Machine


def free_ports(count: int) -> list[Address]:
    """Ports of loopback that nobody has: below those of outgoing connections, and away from other processes' tests."""
    found: list[Address] = []
    for port in range(20000 + os.getpid() * 61 % 12000, 32768):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(Address("127.0.0.1", port))
        if len(found) == count:
            return found
    raise AssertionError("there are no free ports")


class HAProxy(Remote):
    """HAProxy with the configuration that the program writes, master and worker, as in production."""

    def __init__(self, folder: Path, machine: Machine = HERE, **settings: object) -> None:
        ports = [Address(machine.host, machine.port + number) for number in range(3)]
        front, metrics, plain = ports if machine.port else free_ports(3)
        self._machine = machine
        super().__init__(front)
        self.metrics = Remote(metrics)
        self.plain = Remote(plain)
        """Where it sends plain HTTP on to TLS, if it has a certificate."""
        self._program = needed("/usr/sbin/haproxy", "haproxy")
        self._file = folder / "haproxy.cfg"
        self.control = str(folder / "control")
        self._output = folder / "haproxy.said"
        self._notify = str(folder / "notify")
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._settings = {"check_seconds": 1, "gone_seconds": 2, "threads": 1} | settings
        self.process: asyncio.subprocess.Process

    def write(self, nodes: dict[str, str], drain: list[str] | None = None) -> None:
        """Put another configuration in place, which counts from the next start or reload on."""
        named = [f"{name}={address}" for name, address in nodes.items()]
        ends = {"bind": [str(self.address)], "metrics": str(self.metrics.address), "control": self.control}
        settings = ends | ({"redirect": [str(self.plain.address)]} if "certificate" in self._settings else {})
        router = read("", named, drain or [], **(settings | self._settings))
        self._file.write_text(configuration(router))

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self._notices.bind(self._notify)
        self._notices.setblocking(False)
        # As under systemd: the master tells when it has started or reloaded, and before that takes no further signal.
        # What it says goes into a file: it would wait for the reader of a pipe.
        with self._output.open("wb") as said:
            self.process = await asyncio.create_subprocess_exec(
                *(*self._machine.enter, self._program, "-Ws", "-f", str(self._file)),
                env=os.environ | {"NOTIFY_SOCKET": self._notify}, stdout=asyncio.subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        await self._ready()
        await self._listens()

    async def _ready(self) -> None:
        ended = asyncio.create_task(self.process.wait())
        said = asyncio.create_task(self._is_ready())
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait({ended, said}, return_when=asyncio.FIRST_COMPLETED)
            assert said.done(), self._output.read_text()
        finally:
            ended.cancel()
            said.cancel()
            await asyncio.gather(ended, said, return_exceptions=True)

    async def _is_ready(self) -> None:
        while b"READY=1" not in await asyncio.get_running_loop().sock_recv(self._notices, 4096):
            pass

    async def _listens(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self.say("show info")
                except OSError:
                    assert self.process.returncode is None, self._output.read_text()
                    await asyncio.sleep(0.02)
                else:
                    return

    async def say(self, command: str) -> str:
        """What the worker answers to a command."""
        reader, writer = await asyncio.open_unix_connection(self.control)
        try:
            writer.write(f"{command}\n".encode())
            return (await reader.read()).decode()
        finally:
            writer.close()
            await writer.wait_closed()

    async def worker(self) -> int:
        """The process that takes connections now."""
        lines = (await self.say("show info")).splitlines()
        return next(int(line.partition(": ")[2]) for line in lines if line.startswith("Pid:"))

    async def reload(self) -> None:
        """Have a new worker take over with the configuration as it is now."""
        before = await self.worker()
        os.kill(self.process.pid, signal.SIGUSR2)
        await self._ready()
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    if await self.worker() != before:
                        return
                except (OSError, StopIteration):
                    pass
                await asyncio.sleep(0.02)

    async def states(self, backend: str = "nodes") -> dict[str, str]:
        """Each node's state as HAProxy has it: UP, DOWN, NOLB, or on the way from one to another; DRAIN: weight 0."""
        rows = [line.split(",") for line in (await self.say(f"show stat {backend} 4 -1")).splitlines() if line]
        return {row[1]: "DRAIN" if (row[17], row[18]) == ("UP", "0") else row[17] for row in rows[1:]}

    async def until(self, **states: str) -> None:
        """Wait until these nodes are in these states, and whoever takes what any node answers has seen it, too."""
        lives = {node: "DOWN" if state == "DOWN" else "UP" for node, state in states.items()}
        async with asyncio.timeout(PATIENCE):
            for backend, wanted in (("nodes", states), ("any", lives)):
                while not (await self.states(backend)).items() >= wanted.items():
                    await asyncio.sleep(0.05)

    async def until_seen(self, *nodes: str) -> None:
        """Wait until every check of these nodes has been passed."""
        async with asyncio.timeout(PATIENCE):
            for backend in ("nodes", "any", "life"):
                while not (await self.states(backend)).items() >= dict.fromkeys(nodes, "UP").items():
                    await asyncio.sleep(0.05)

    async def until_gone(self, node: str) -> None:
        """Wait until this node has been silent for so long that it counts as gone."""
        async with asyncio.timeout(PATIENCE):
            while (await self.states("life"))[node] != "DOWN":
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End master and workers."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()
        self._notices.close()


@asynccontextmanager
async def routing(
    folder: Path, nodes: dict[str, str], drain: list[str] | None = None, machine: Machine = HERE, **settings: object
) -> AsyncIterator[HAProxy]:
    """HAProxy before these nodes, by name and address; each has been checked once."""
    haproxy = HAProxy(folder, machine, **settings)
    haproxy.write(nodes, drain)
    await haproxy.start()
    try:
        yield haproxy
    finally:
        await haproxy.stop()


@asynccontextmanager
async def cluster(
    folder: Path, *names: str, settings: dict[str, object] | None = None, **flags: object
) -> AsyncIterator[tuple[HAProxy, dict[str, Serving]]]:
    """Nodes of these names and flags in this process, and a router of these settings that has seen them all."""
    shared = {"trusted_proxy": ["127.0.0.1"], "key_file": str(folder / "keys")} | flags
    async with AsyncExitStack() as stack:
        nodes = {name: await stack.enter_async_context(serving(node=name, **shared)) for name in names}
        router = await stack.enter_async_context(
            routing(folder, {name: str(node.address) for name, node in nodes.items()}, **(settings or {}))
        )
        await router.until_seen(*names)
        yield router, nodes
