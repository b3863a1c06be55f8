"""Machines of a cluster: network namespaces, each with a cable to one switch, where this process may have them.

Else all are this machine, and a cable that is pulled is a process that stands still: it does not answer either.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ..tunnel.support import needed

NETWORK = "198.18"
"""Set aside for tests between machines (RFC 2544, appendix C.2.2)."""


@dataclass(frozen=True)
class Machine:
    """Where programs run: under which address, and what puts them there. `port` 0: any."""

    host: str = "127.0.0.1"
    port: int = 0
    enter: tuple[str, ...] = ()
    cable: str = ""
    """Its device at the switch."""


HERE = Machine()


class NotAllowed(Exception):
    """This process can't have network namespaces."""


async def _do(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=-3, stderr=-1)
    _, said = await process.communicate()
    if process.returncode:
        raise NotAllowed(f"{' '.join(command)}: {said.decode().strip()}")


@asynccontextmanager
async def _namespace() -> AsyncIterator[int]:
    """A network of its own, which goes with the process that has it: that one's pid."""
    process = await asyncio.create_subprocess_exec(
        *(needed("unshare", "util-linux"), "--net", "--kill-child", "sh", "-c", "echo; exec sleep 1000"),
        stdin=-3, stdout=-1, stderr=-3,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if not await process.stdout.readline():
            raise NotAllowed("unshare --net")
        yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Network:
    """The machines by their names, and their cables."""

    def __init__(self, machines: Mapping[str, Machine], switch: tuple[str, ...]) -> None:
        self.machines = machines
        self._switch = switch

    @property
    def real(self) -> bool:
        """Whether each machine has a network of its own."""
        return bool(self._switch)

    async def pull(self, name: str) -> None:
        """Pull a machine's cable: what is sent to it is lost, and nobody is told."""
        await _do(*self._switch, "ip", "link", "set", self.machines[name].cable, "down")

    async def plug(self, name: str) -> None:
        """Put it back."""
        await _do(*self._switch, "ip", "link", "set", self.machines[name].cable, "up")


@asynccontextmanager
async def network(*names: str) -> AsyncIterator[Network]:
    """Machines of these names, which this process reaches as one more of them."""
    async with AsyncExitStack() as stack:
        try:
            found = await _wire(stack, names)
        except NotAllowed as error:
            await stack.aclose()
            print(f"all machines are this one: {error}")
            found = Network(dict.fromkeys(names, HERE), ())
        yield found


async def _wire(stack: AsyncExitStack, names: tuple[str, ...]) -> Network:
    needed("ip", "iproute2")
    prefix = f"{NETWORK}.{os.getpid() % 254 + 1}"
    switch = await stack.enter_async_context(_namespace())
    at_switch = ("nsenter", "--target", str(switch), "--net")
    await _do(*at_switch, "ip", "link", "add", "switch", "type", "bridge")
    await _do(*at_switch, "ip", "link", "set", "switch", "up")
    # This process's own cable goes when the switch does.
    own = f"rp{os.getpid()}"
    await _do("ip", "link", "add", own, "type", "veth", "peer", "name", "own", "netns", str(switch))
    await _plug_in(at_switch, "own")
    await _address((), own, f"{prefix}.1")
    machines = {}
    for number, name in enumerate(names):
        pid = await stack.enter_async_context(_namespace())
        enter = ("nsenter", "--target", str(pid), "--net")
        cable, host = f"cable{number}", f"{prefix}.{number + 2}"
        await _do(*enter, "ip", "link", "set", "lo", "up")
        await _do(*enter, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", cable, "netns", str(switch))
        await _plug_in(at_switch, cable)
        await _address(enter, "eth0", host)
        machines[name] = Machine(host, 7681, enter, cable)
    return Network(machines, at_switch)


async def _plug_in(at_switch: tuple[str, ...], cable: str) -> None:
    await _do(*at_switch, "ip", "link", "set", cable, "master", "switch")
    await _do(*at_switch, "ip", "link", "set", cable, "up")


async def _address(enter: tuple[str, ...], device: str, host: str) -> None:
    await _do(*enter, "ip", "address", "add", f"{host}/24", "dev", device)
    await _do(*enter, "ip", "link", "set", device, "up")
