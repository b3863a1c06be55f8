"""What is measured: a key's echo, the loop's lag, who was turned away, and how few series that takes."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest
from websockets.exceptions import InvalidStatus

from reconnectingpty import Metrics
from reconnectingpty_server import lag

from ..support.attached import PATIENCE, Attached, session_of
from ..support.programs import fifo
from ..support.serving import TOKEN, Told, serving
from .scraping import scraped


def echoes(metrics: Metrics) -> tuple[float, float]:
    """How many echoes were measured, and their seconds together."""
    samples = {s.name: s.value for s in next(iter(metrics.echo_seconds.collect())).samples if not s.labels}
    return samples["reconnecting_pty_echo_seconds_count"], samples["reconnecting_pty_echo_seconds_sum"]


# -- a key and its echo


async def test_a_key_and_the_output_after_it_are_one_echo() -> None:
    metrics = Metrics()
    async with session_of("stty raw -echo; echo -n ready; cat", metrics=metrics) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        assert echoes(metrics) == (0, 0)
        for number, key in enumerate((b"1", b"22", b"3"), 1):
            began = time.perf_counter()
            client.feed(key)
            await client.until(key)
            assert echoes(metrics)[0] == number
            assert 0 < echoes(metrics)[1] < time.perf_counter() - began + 1
        await client.detach()


async def test_output_that_no_key_asked_for_is_no_echo(tmp_path) -> None:  # type: ignore[no-untyped-def]
    metrics = Metrics()
    with fifo(tmp_path) as pipe:
        script = f"stty raw -echo; echo -n ready; read < {pipe.path}; echo -n more; cat"
        async with session_of(script, metrics=metrics) as session:
            client = Attached.to(session)
            await client.until(b"ready")
            pipe.tell()
            await client.until(b"more")
            assert echoes(metrics)[0] == 0
            await client.detach()


async def test_what_comes_long_after_a_key_is_no_echo_and_the_next_key_is_measured_anew(
    tmp_path, monkeypatch: pytest.MonkeyPatch  # type: ignore[no-untyped-def]
) -> None:  # fmt: skip
    monkeypatch.setattr("reconnectingpty.buffered.ECHO_SECONDS", 0.0)
    metrics = Metrics()
    async with session_of("stty raw -echo; echo -n ready; cat", metrics=metrics) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        client.feed(b"slow")
        await client.until(b"slow")
        assert echoes(metrics)[0] == 0
        monkeypatch.setattr("reconnectingpty.buffered.ECHO_SECONDS", 60.0)
        client.feed(b"fast")
        await client.until(b"fast")
        assert echoes(metrics)[0] == 1
        await client.detach()


# -- the event loop


async def test_a_loop_that_is_held_up_shows_in_its_lag_in_the_log_and_in_readyz(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "STALL", 0.3)
    monkeypatch.setattr("reconnectingpty_server.readiness.STALL", 0.3)
    async with serving() as s:
        with caplog.at_level(logging.WARNING, "reconnectingpty_server.lag"):
            time.sleep(0.7)  # more than a period, and the limit beyond it
            async with asyncio.timeout(PATIENCE):
                while s.server.lag.worst < 0.3:
                    await asyncio.sleep(0.01)
        assert "the event loop was held up for" in caplog.text
        samples = await scraped(s)
        assert samples["loop_lag_seconds_count"] - samples["loop_lag_seconds_bucket{le=0.25}"] >= 1
        assert samples["not_ready{cause=loop}"] == 1
        status, _, body = await s.request("GET", "/readyz", token=None)
        assert (status, json.loads(body)["failing"]) == (503, ["loop"])
        assert "held up for" in json.loads(body)["reasons"][0]


async def test_a_loop_that_turns_has_next_to_no_lag() -> None:
    async with serving() as s:
        async with asyncio.timeout(PATIENCE):
            while (await scraped(s))["loop_lag_seconds_count"] < 2:
                await asyncio.sleep(0.05)
        assert s.server.lag.worst < 20


# -- refusals


async def test_who_is_turned_away_is_counted_by_why() -> None:
    async with serving(max_sessions="1") as s:
        before = await scraped(s)
        assert (await s.request("POST", "/api/login", b'{"token": "wrong-one"}', token=None))[0] == 401
        assert (await s.request("GET", "/api/sessions", token="wrong-one"))[0] == 401
        assert (await s.request("GET", "/pty?reconnect=a&token=wrong-one", token=None))[0] == 401
        assert (await s.request("GET", "/api/sessions", token=None))[0] == 401
        assert (await s.request("GET", "/api/sessions", token=None, Cookie="reconnectingpty=old"))[0] == 401
        assert (await s.request("GET", "/pty?reconnect=a", Origin="https://evil.example"))[0] == 403
        assert (await s.request("GET", "/pty?reconnect=.."))[0] == 400
        async with s.connect("reconnect=a&command=cat") as socket:
            await Told(socket).until_told("hello")
            assert (await s.request("GET", "/pty?reconnect=b"))[0] == 503
            assert (await s.request("GET", "/readyz", token=None))[0] == 503
        after = await scraped(s)
        names = [name for name in after if name.startswith("refusals_total")]
        grown = {name.partition("=")[2].rstrip("}"): after[name] - before[name] for name in names}
        assert grown == {
            "credentials": 3,
            "anonymous": 2,
            "forbidden": 1,
            "invalid": 1,
            "unavailable": 1,
            "throttled": 0,
            "guessing": 0,
            "quota": 0,
        }


async def test_a_full_quota_an_eager_client_and_a_guesser_are_three_things() -> None:
    rates = {"limit_logins": "2/60", "limit_attaches": "1/60", "max_user_sessions": "1", "command": "cat"}
    async with serving(**rates) as s, s.connect("reconnect=a") as socket:
        await Told(socket).until_told("hello")
        before = await scraped(s)
        with pytest.raises(InvalidStatus):
            await s.connect("reconnect=a")
        assert (await s.request("POST", "/api/sessions", b"{}"))[0] == 429
        for _ in range(4):
            await s.request("POST", "/api/login", b'{"token": "wrong-one"}', token=None)
        after = await scraped(s)
        grown = {
            reason: after[f"refusals_total{{reason={reason}}}"] - before[f"refusals_total{{reason={reason}}}"]
            for reason in ("credentials", "guessing", "quota", "throttled")
        }
        assert grown == {"credentials": 2, "guessing": 2, "quota": 1, "throttled": 1}


# -- the series


async def test_the_series_are_few_and_their_number_is_the_same_with_sessions_and_troubles() -> None:
    async with serving(allow_command="true") as s:
        idle = set(await scraped(s))
        assert len(idle) < 200, len(idle)
        sockets = []
        for number in range(12):
            socket = await s.connect(f"reconnect=s{number}&command=cat")
            sockets.append(socket)
            await Told(socket).until_told("hello")
        for path in ("/api/sessions", "/nowhere", "/pty?reconnect=..%2f", f"/pty?token={TOKEN}x"):
            await s.request("GET", path, token="not-that-token")
        assert set(await scraped(s)) == idle
        for socket in sockets:
            await socket.close()


async def test_the_process_is_measured_under_the_names_that_dashboards_know() -> None:
    async with serving(metrics_prefix="agent") as s:
        samples = await scraped(s)
        for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
            assert samples[name] > 0
        assert samples["agent_reconnecting_pty_free_descriptors"] > 0
