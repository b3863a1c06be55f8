"""What a server does that runs out of something: it refuses what is new, in words, and serves what lives."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from ..screen.homes import _own_home
from ..support.attached import PATIENCE
from ..support.program import Program, program_of
from ..support.serving import Told

__all__ = ["_own_home"]


class Echo:
    """An honest client, whose keys come back."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.number = 0

    async def __call__(self, times: int = 20) -> None:
        for _ in range(times):
            self.number += 1
            word = b"<%d>" % self.number
            await self.told.socket.send(word + b"\n")
            await self.told.until(word)


async def echo_on(stack: AsyncExitStack, server: Program, session: str) -> Echo:
    """A client of a new session. Raises InvalidStatus where it is refused."""
    socket = await stack.enter_async_context(
        server.connect(f"reconnect={session}&command=stty%20-echo%3Becho%20ready%3Bexec%20cat")
    )
    told = Told(socket)
    await told.until(b"ready")
    return Echo(told)


async def refused(server: Program) -> tuple[int, str]:
    """How a WebSocket is refused: its status and the message."""
    with pytest.raises(InvalidStatus) as found:
        async with server.connect("reconnect=late&command=cat"):
            pass
    response = found.value.response
    return response.status_code, json.loads(response.body or b"{}")["message"]


async def until_it_takes_clients(stack: AsyncExitStack, server: Program, session: str) -> Echo:
    """Come back until the server has room again: how soon it sees that others went is its own."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await echo_on(stack, server, session)
            except (InvalidStatus, InvalidMessage, ConnectionError):
                await asyncio.sleep(0.05)


async def test_idle_connections_take_no_descriptor_that_a_session_needs() -> None:
    async with program_of(descriptors=160) as server, AsyncExitStack() as stack:
        echo = await echo_on(stack, server, "honest")
        idle = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(300)]
        told = await _said([reader for reader, _ in idle])
        assert told
        assert all(answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 5" in answer for answer in told)
        before = server.cpu_seconds
        await asyncio.sleep(1.0)
        assert server.cpu_seconds - before < 0.7  # an accept that fails over and over would take all of it
        await echo()
        for _, writer in idle:
            writer.close()
        await (await until_it_takes_clients(stack, server, "after"))()
        await echo()


async def _said(readers: list[asyncio.StreamReader]) -> list[bytes]:
    """What the server says unasked to some of them: all that comes within a second of the first."""
    asked = [asyncio.create_task(reader.read()) for reader in readers]
    await asyncio.wait(asked, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(asked, timeout=1.0)
    for task in asked:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return [answer for answer in answers if isinstance(answer, bytes) and answer]


@pytest.mark.parametrize(("backend", "descriptors"), [("buffered", 128), ("screen", 160)])
async def test_sessions_up_to_the_last_descriptor_but_the_reserve(backend: str, descriptors: int) -> None:
    async with program_of("--backend", backend, descriptors=descriptors) as server, AsyncExitStack() as stack:
        echoes: list[Echo] = []
        refusals = 0
        while refusals < 5:
            try:
                echoes.append(await echo_on(stack, server, f"s{len(echoes)}"))
            except InvalidStatus:  # what the last one took only to start may be free again by now
                refusals += 1
        assert len(echoes) > 5
        for _ in range(3):  # in the place of what was refused and has not gone yet
            _, writer = await asyncio.open_connection(server.address.host, server.address.port)
            stack.callback(writer.close)
        assert await refused(server) == (503, "this server is short of file descriptors; try again later")
        status, _, body = await server.request("GET", "/readyz")
        assert (status, json.loads(body)["failing"]) == (503, ["descriptors"])
        for echo in echoes:
            await echo(3)
        # What lives can also end, and be told how.
        for number, echo in enumerate(echoes[:4]):
            assert (await server.request("DELETE", f"/api/sessions/s{number}"))[0] == 204
            assert (await echo.told.to_the_end())[0] == 4001
        await (await until_it_takes_clients(stack, server, "after"))()
        await echoes[-1]()


async def test_no_thread_is_started_that_a_machine_may_not_have_any_more() -> None:
    async with program_of() as server, AsyncExitStack() as stack:
        before = server.threads
        assert before > 2
        for echo in await asyncio.gather(*(echo_on(stack, server, f"s{number}") for number in range(40))):
            await echo(1)
        assert server.threads == before


async def test_many_that_start_at_once_leave_the_reserve_alone() -> None:
    async with program_of(descriptors=128) as server, AsyncExitStack() as stack:
        echo = await echo_on(stack, server, "honest")
        found = await asyncio.gather(
            *(echo_on(stack, server, f"s{number}") for number in range(60)), return_exceptions=True
        )
        started = [one for one in found if isinstance(one, Echo)]
        assert started
        refusals = {str(one) for one in found if not isinstance(one, Echo)}
        assert refusals == {"server rejected WebSocket connection: HTTP 503"}
        assert server.descriptors <= 128 - 16
        for one in (echo, *started):
            await one(2)
        assert (await server.request("GET", "/healthz"))[0] == 200


async def test_a_client_that_sends_and_takes_nothing_makes_the_server_hold_little() -> None:
    """What one hostile client can have held: its input's bound, its output's window, one log."""
    async with program_of("--log-size", "1048576") as server, AsyncExitStack() as stack:
        echo = await echo_on(stack, server, "honest")
        before = server.memory
        for number in range(8):
            query = f"reconnect=h{number}&command=yes%20$(seq%20300)%7Ccat%3Bread%20x&client=c{number}"
            greedy = await stack.enter_async_context(server.connect(query))
            stack.push_async_callback(_cut, greedy, asyncio.create_task(_pour(greedy)))
        await echo()
        await asyncio.sleep(1.0)
        await echo()
        # 1 MiB of log, the frames that may wait, what of the last one the program has not taken, and the model of each.
        assert server.memory - before < 8 * (12 << 20)


async def _pour(socket: Any) -> None:
    """Send for ever, and never read."""
    socket.transport.pause_reading()
    while True:
        await socket.send(bytes(1 << 20))


async def _cut(socket: Any, task: asyncio.Task[Any]) -> None:
    socket.transport.abort()
    with suppress(ConnectionClosed):
        await task


async def test_a_full_disk_costs_the_audit_log_its_lines_and_nobody_a_session() -> None:
    async with program_of("--audit-log", "/dev/full") as server, AsyncExitStack() as stack:
        echo = await echo_on(stack, server, "honest")
        await echo()
        await (await echo_on(stack, server, "other"))()
    assert "the audit log cannot be written, and lines are missing in it: No space left on device" in server.log
    assert server.log.count("audit log") == 1
