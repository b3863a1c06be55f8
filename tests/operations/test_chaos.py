"""Each trouble that an alert is for, brought about for real, and the alert as a real Prometheus sees it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ..support.program import Program, program_of
from ..support.serving import Told
from ..tunnel.sshd import free_port
from .prometheus import PATIENCE, Prometheus, prometheus

Scenario = Callable[[Path, Prometheus], AbstractAsyncContextManager[tuple[str, set[str]]]]
SCENARIOS: list[Scenario] = []
"""Each yields an instance, and the alerts that are to fire for it. All of them go on at the same time."""
OF_A_BUSY_MACHINE = {
    f"ReconnectingPTY{name}" for name in ("Down", "LoopStalled", "LoopSlow", "EchoSlow", "ModelBehind")
}
"""What may be true of any server here, where all this goes on at once and the alerts wait for nothing."""


def scenario(
    trouble: Callable[[Path, Prometheus], AsyncIterator[tuple[str, set[str]]]],
) -> Scenario:
    """One of `SCENARIOS`."""
    made = asynccontextmanager(trouble)
    SCENARIOS.append(made)
    return made


async def watched(stack: AsyncExitStack, monitor: Prometheus, *flags: str, **more: Any) -> tuple[Program, str]:
    """A server, and its name in the alerts. Prometheus has seen it well, and so sees what changes."""
    server = await stack.enter_async_context(program_of(*flags, **more))
    instance = str(server.address)
    monitor.scrape(instance)
    await monitor.until(f'reconnecting_pty_build_info{{instance="{instance}"}}')
    return server, instance


async def told(stack: AsyncExitStack, server: Program, session: str, command: str, **more: Any) -> Told:
    """A client of a new session of that command."""
    query = f"reconnect={session}&command={quote(command)}"
    return Told(await stack.enter_async_context(server.connect(query, **more)))


@scenario
async def nothing(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """A server that is used, and that nothing ails."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor)
        client = await told(stack, server, "a", "stty raw -echo; echo -n ready; cat")
        await client.until(b"ready")
        for number in range(20):
            await client.socket.send(b"<%d>" % number)
            await client.until(b"<%d>" % number)
        yield instance, set()


@scenario
async def nobody(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """A server that is not there."""
    instance = f"127.0.0.1:{free_port()}"
    monitor.scrape(instance)
    yield instance, {"ReconnectingPTYDown"}


@scenario
async def failing_starts(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """GNU screen is out of order."""
    broken = folder / "broken"
    broken.mkdir()
    (broken / "screen").write_text("#!/bin/sh\nexit 1\n")
    (broken / "screen").chmod(0o755)
    async with AsyncExitStack() as stack:
        path = f"{broken}:{os.environ['PATH']}"
        server, instance = await watched(stack, monitor, PATH=path, RECONNECTINGPTY_BACKEND="screen")
        for number in range(4):
            client = await told(stack, server, f"s{number}", "cat")
            assert (await client.to_the_end())[0] == 1011
        yield instance, {"ReconnectingPTYStartsFail", "ReconnectingPTYNotReady"}


@scenario
async def missing_command(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """What sessions are to run does not exist."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor, "--command", "#!/no/such/program")
        for number in range(4):
            client = Told(await stack.enter_async_context(server.connect(f"reconnect=s{number}")))
            assert (await client.to_the_end())[0] == 1011
        yield instance, {"ReconnectingPTYCommandMissing"}


@scenario
async def stall(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """The process gets no CPU for a while."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor)
        server.process.send_signal(signal.SIGSTOP)
        try:
            await monitor.until(f'up{{instance="{instance}"}} == 0')
        finally:
            server.process.send_signal(signal.SIGCONT)
        yield instance, {"ReconnectingPTYLoopStalled", "ReconnectingPTYLoopSlow"}


@scenario
async def slow_echo(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """A program that thinks before it answers each key."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor)
        client = await told(
            stack,
            server,
            "a",
            "stty raw -echo; echo -n ready; while :; do head -c 1 >$0; sleep 0.7; echo -n .; done".replace(
                "$0", "/dev/null"
            ),
        )
        await client.until(b"ready")
        for number in range(1, 4):
            await client.socket.send(b"x")
            await client.until(b"." * number)
        yield instance, {"ReconnectingPTYEchoSlow"}


@scenario
async def model_behind(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """A program that draws all over the screen without end, faster than anything can follow."""
    picture = folder / "picture"
    picture.write_bytes(
        b"".join(b"\x1b[%d;%dH\x1b[%dm%c" % (n % 23, n % 79, 31 + n % 7, 65 + n % 26) for n in range(90000))
    )
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor, "--log-size", str(512 << 10))
        drawing = f"while cat {picture}; do :; done"
        client = await told(stack, server, "a", drawing)
        await client.until_told("hello")
        await client.socket.close()
        try:
            yield instance, {"ReconnectingPTYModelBehind"}
        finally:
            assert (await server.request("DELETE", "/api/sessions/a"))[0] == 204


@scenario
async def log_overrun(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """A viewer that acknowledges nothing, beside one that takes all."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor, "--log-size", str(512 << 10))
        flood = "read -r x; head -c 10000000 /dev/zero | tr '\\0' x | fold; echo -n the end; read -r x"
        fast = await told(stack, server, "a", flood, v1=False)
        slow = await told(stack, server, "a", "")
        await slow.until_told("hello")
        taking = asyncio.create_task(slow.to_the_end())
        await fast.socket.send('{"data":"\\r"}')
        last = b""
        while not last.endswith(b"the end"):
            async with asyncio.timeout(PATIENCE):
                frame = await fast.socket.recv()
            assert isinstance(frame, bytes)
            last = (last + frame)[-10:]
        yield instance, {"ReconnectingPTYLogOverrun"}
        await slow.socket.close()
        await taking


@scenario
async def wrong_tokens(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """Somebody tries tokens."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor)
        for number in range(100):
            assert (await server.request("GET", "/api/sessions", token=f"perhaps-{number}"))[0] in {401, 429}
        yield instance, {"ReconnectingPTYAuthenticationFailures"}


@scenario
async def few_descriptors(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """Connections until hardly a descriptor is left."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor, descriptors=256)
        for _ in range(185):
            _, writer = await asyncio.open_connection(server.address.host, server.address.port)
            stack.callback(writer.close)
        yield instance, {"ReconnectingPTYDescriptorsShort", "ReconnectingPTYNotReady"}


@scenario
async def no_room(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """As many sessions as there may be."""
    async with AsyncExitStack() as stack:
        server, instance = await watched(stack, monitor, "--max-sessions", "1")
        await (await told(stack, server, "a", "cat")).until_told("hello")
        yield instance, {"ReconnectingPTYNotReady", "ReconnectingPTYSessionsNearLimit"}


@scenario
async def no_tunnel(folder: Path, monitor: Prometheus) -> AsyncIterator[tuple[str, set[str]]]:
    """The far machine of a tunnel does not answer."""
    async with AsyncExitStack() as stack:
        to = ("--tunnel", "127.0.0.1", "--tunnel-option", f"Port={free_port()}")
        _, instance = await watched(stack, monitor, *to)
        yield instance, {"ReconnectingPTYTunnelDown"}


@pytest.mark.timeout(180)
async def test_each_trouble_fires_its_alerts_and_no_other(tmp_path: Path) -> None:
    found: dict[str, tuple[set[str], set[str]]] = {}

    async def go_through(trouble: Scenario, monitor: Prometheus) -> None:
        async with trouble(tmp_path, monitor) as (instance, expected):
            for alert in expected:
                said = await monitor.until_fires(alert, instance)
                for text in said.values():
                    assert "no value" not in text, (alert, text)
                    assert "error" not in text, (alert, text)
            firing = await asyncio.to_thread(monitor.firing, instance)
            found[trouble.__name__] = firing - (OF_A_BUSY_MACHINE - expected), expected

    with prometheus(tmp_path) as monitor:
        async with asyncio.TaskGroup() as group:
            for trouble in SCENARIOS:
                group.create_task(go_through(trouble, monitor))
    assert {name: firing for name, (firing, _) in found.items()} == {
        name: wanted for name, (_, wanted) in found.items()
    }
    assert len(found) == len(SCENARIOS)
