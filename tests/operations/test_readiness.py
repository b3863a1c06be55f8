"""/readyz names what keeps a server from taking sessions; /debug/sessions shows an operator their inside."""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reconnectingpty_server import descriptors

from ..support.attached import PATIENCE
from ..support.serving import Serving, Told, serving
from .scraping import scraped


async def readyz(s: Serving) -> tuple[int, dict[str, Any]]:
    """The answer of /readyz."""
    status, _, body = await s.request("GET", "/readyz", token=None)
    return status, json.loads(body)


@contextmanager
def few_descriptors(free: int) -> Iterator[None]:
    """This process may open that many more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_server_that_is_well_is_ready() -> None:
    async with serving() as s:
        assert await readyz(s) == (200, {"status": "ready", "reasons": [], "failing": [], "tunnels": []})
        samples = await scraped(s)
        assert {value for name, value in samples.items() if name.startswith("not_ready")} == {0}


async def test_a_server_that_is_full_says_so() -> None:
    async with serving(max_sessions="1") as s, s.connect("reconnect=a&command=cat") as socket:
        await Told(socket).until_told("hello")
        status, body = await readyz(s)
        assert (status, body["failing"]) == (503, ["full"])
        assert body["reasons"] == ["there are 1 sessions, the most that are allowed"]
        assert (await scraped(s))["not_ready{cause=full}"] == 1


async def test_too_few_descriptors_are_named_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "SECONDS", 0.0)
    async with serving() as s:
        with few_descriptors(5):
            status, body = await readyz(s)
            assert (status, body["failing"]) == (503, ["descriptors"])
            assert (await scraped(s))["free_descriptors"] < 64
        assert (await readyz(s))[0] == 200


def test_with_no_descriptor_left_to_look_with_none_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "SECONDS", 0.0)
    here = descriptors.Descriptors()
    assert here.free > 0
    taken: list[int] = []
    with few_descriptors(1):
        try:
            with pytest.raises(OSError, match="Too many open files"):
                while True:
                    taken.append(os.dup(0))
            assert (here.free, here.scarce) == (0, True)
        finally:
            for descriptor in taken:
                os.close(descriptor)


async def test_starts_that_fail_in_a_row_are_named_until_one_succeeds_or_time_has_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as s:
        metrics = s.server.metrics
        for _ in range(2):
            metrics.error("spawn")
        metrics.error("create_command")  # that there is no such command says nothing of this machine
        assert (await readyz(s))[0] == 200
        metrics.error("spawn")
        status, body = await readyz(s)
        assert (status, body["reasons"]) == (503, ["the last 3 commands could not be started"])
        async with s.connect("reconnect=a&command=cat") as socket:
            await Told(socket).until_told("hello")
        assert (await readyz(s))[0] == 200
        for _ in range(3):
            metrics.error("screen_wait")
        assert (await readyz(s))[0] == 503
        monkeypatch.setattr("reconnectingpty_server.readiness.FORGIVEN", 0.0)
        assert (await readyz(s))[0] == 200


async def test_a_server_that_shuts_down_says_so_to_who_is_connected_still() -> None:
    async with serving() as s:
        stubborn = "trap '' HUP TERM; echo -n ready; while :; do read -r x; done"
        async with s.connect(f"reconnect=a&command={stubborn.replace(' ', '%20')}") as socket:
            await Told(socket).until(b"ready")
            reader, writer = await asyncio.open_connection(s.address.host, s.address.port)
            closing = asyncio.create_task(s.server.close(2.0))
            writer.write(f"GET /readyz HTTP/1.1\r\nHost: {s.address}\r\n\r\n".encode())
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"}")
            assert b" 503 " in head.splitlines()[0]
            assert b'"the server is shutting down"' in head
            writer.close()
            await closing


# -- the inside


async def test_debug_sessions_shows_logs_cursors_and_queues_and_no_content() -> None:
    async with serving() as s:
        async with s.connect("reconnect=a&client=me&command=stty%20raw%20-echo;echo%20-n%20sesame;cat") as socket:
            told = Told(socket)
            await told.until(b"sesame")
            async with s.connect("reconnect=a&readonly=1") as other:
                await Told(other).until_told("hello")
                status, _, text = await s.request("GET", "/debug/sessions")
        assert status == 200
        assert b"sesame" not in text.replace(b"echo -n sesame", b"")
        body = json.loads(text)
        (session,) = body["sessions"]
        assert (session["id"], session["state"], session["backend"]) == ("a", "ready", "buffered")
        assert session["log"] == {
            "start": 0,
            "end": 6,
            "limit": 1 << 20,
            "size_changes": session["log"]["size_changes"],
        }
        assert session["model"]["offset"] + session["model"]["lag"] == 6
        by_client = {viewer["client"]: viewer for viewer in session["viewers"]}
        assert set(by_client) == {"admin/me", None}
        assert (by_client["admin/me"]["offset"], by_client["admin/me"]["lag"]) == (6, 0)
        assert by_client["admin/me"]["unacknowledged"] == 6
        assert [viewer["readonly"] for viewer in by_client.values()].count(True) == 1
        assert body["loop"]["tasks"]["Viewer._send"] == 2
        assert body["not_ready"] == {}
        assert body["connections"]["terminals"] == 2


async def test_debug_sessions_finds_one_and_is_for_those_who_have_logged_in() -> None:
    async with serving() as s:
        async with s.connect("reconnect=a&command=cat") as one, s.connect("reconnect=b&command=cat") as other:
            for socket in (one, other):
                await Told(socket).until_told("hello")
            assert [x["id"] for x in (await s.json("/debug/sessions?session=b"))["sessions"]] == ["b"]
            assert {x["id"] for x in (await s.json("/debug/sessions"))["sessions"]} == {"a", "b"}
            assert (await s.request("GET", "/debug/sessions?session=c"))[0] == 404
        assert (await s.request("GET", "/debug/sessions", token=None))[0] == 401


async def test_debug_sessions_shows_those_furthest_behind_first_and_bounds_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reconnectingpty_server.debug.MOST", 1)
    async with serving() as s:
        flood = "head%20-c%20900000%20/dev/zero%3Bcat"
        async with (
            s.connect("reconnect=idle&command=cat") as idle,
            s.connect(f"reconnect=busy&command={flood}") as busy,
        ):
            await Told(idle).until_told("hello")
            # It acknowledges nothing, so that all beyond its window waits.
            await Told(busy).until_told("hello")
            async with asyncio.timeout(PATIENCE):
                while (body := await s.json("/debug/sessions"))["sessions"][0]["held_by"] != "viewer":
                    await asyncio.sleep(0.01)
            assert [session["id"] for session in body["sessions"]] == ["busy"]
            assert body["left_out"] == 1
            assert (await scraped(s))["held_programs{by=viewer}"] == 1
