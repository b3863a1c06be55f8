"""What Prometheus is told, and that ordinary life is no error."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from reconnectingpty import Killed, Metrics, ProtocolError, ReconnectingPTYError, Shutdown, StartFailed, State
from reconnectingpty.metrics import CODER_ERROR_TYPES, END_REASONS, ERROR_TYPES
from reconnectingpty.wire.messages import Hello, OutputAck

from .support.attached import Attached, session_of
from .support.clock import pass_time

Samples = dict[str, float]


def samples(metrics: Metrics, name: str = "") -> Samples:
    """What a scrape has, by sample name and labels as they are written."""
    found = {}
    for line in metrics.render().decode().splitlines():
        if not line.startswith("#"):
            key, _, value = line.rpartition(" ")
            if name in key:
                found[key.replace(name, "")] = float(value)
    return found


@dataclass(eq=False)
class Pretended:
    """A session as Prometheus sees one."""

    bytes_in: int = 0
    bytes_out: int = 0
    backend: str = "buffered"
    state: State = State.READY
    viewer_count: int = 0
    model_lag: int = 0
    held_by: str = ""


# -- names and form


def test_the_prefix_gives_the_names_that_coders_agent_has() -> None:
    text = Metrics(prefix="agent").render().decode()
    assert "# TYPE agent_reconnecting_pty_connections_total counter\n" in text
    assert "\nagent_reconnecting_pty_connections_total 0.0\n" in text
    for error_type in CODER_ERROR_TYPES:
        assert f'\nagent_reconnecting_pty_errors_total{{error_type="{error_type}"}} 0.0\n' in text
    assert len(CODER_ERROR_TYPES) == 10


def test_without_a_prefix_every_name_begins_alike() -> None:
    assert all(key.startswith("reconnecting_pty_") for key in samples(Metrics()))


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = Metrics(prefix="agent")
    metrics.watch(Pretended(bytes_in=3))
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    for family in families.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert family.documentation
        assert family.samples
    # What promtool's linter asks for: counters end in _total, and only they; units are base units.
    for name, family in families.items():
        totals = [sample.name.endswith("_total") for sample in family.samples]
        assert all(totals) is (family.type == "counter"), name
        if family.type == "histogram":
            assert name.endswith(("_seconds", "_bytes"))
            counts = [s.value for s in family.samples if s.name.endswith("_bucket")]
            assert counts == sorted(counts)


def test_two_programs_in_one_process_do_not_disturb_each_other() -> None:
    one, other = Metrics(), Metrics()
    one.connections.inc()
    assert samples(one)["reconnecting_pty_connections_total"] == 1
    assert samples(other)["reconnecting_pty_connections_total"] == 0


def test_an_embedders_own_registry_is_used() -> None:
    registry = CollectorRegistry()
    Metrics(registry, "mine").error("write")
    assert registry.get_sample_value("mine_reconnecting_pty_errors_total", {"error_type": "write"}) == 1


# -- sessions are summed when asked, and their number makes no series


def test_sessions_are_summed_when_prometheus_asks() -> None:
    metrics = Metrics()
    one, other = Pretended(1, 10, viewer_count=2), Pretended(2, 20, state=State.STARTING)
    metrics.watch(one)
    metrics.watch(other)
    one.bytes_out += 5
    seen = samples(metrics, "reconnecting_pty_")
    assert seen['bytes_total{direction="in"}'] == 3
    assert seen['bytes_total{direction="out"}'] == 35
    assert seen["viewers"] == 2
    assert seen['sessions{backend="buffered",state="ready"}'] == 1
    assert seen['sessions{backend="buffered",state="starting"}'] == 1


def test_what_a_finished_session_carried_stays_and_it_is_counted_once() -> None:
    metrics, session = Metrics(), Pretended(7, 70, viewer_count=1)
    metrics.watch(session)
    for _ in range(3):
        metrics.retire(session, "exit")
    seen = samples(metrics, "reconnecting_pty_")
    assert (seen['bytes_total{direction="in"}'], seen['bytes_total{direction="out"}']) == (7, 70)
    assert (seen["viewers"], seen['sessions{backend="buffered",state="ready"}']) == (0, 0)
    assert seen['ends_total{reason="exit"}'] == 1


def test_the_number_of_series_is_the_same_however_many_sessions_there_are() -> None:
    metrics = Metrics()
    before = set(samples(metrics))
    for number in range(500):
        session = Pretended(number, number, ("buffered", "screen")[number % 2], State(number % 4))
        metrics.watch(session)
        if number % 3:
            metrics.retire(session, END_REASONS[number % len(END_REASONS)])
        metrics.error(ERROR_TYPES[number % len(ERROR_TYPES)])
    assert set(samples(metrics)) == before


# -- real sessions


def errors(metrics: Metrics) -> Samples:
    """The errors that were counted."""
    return {key: value for key, value in samples(metrics, "reconnecting_pty_errors_total").items() if value}


async def test_ordinary_life_is_no_error() -> None:
    metrics = Metrics()
    async with session_of("echo hi; exit 1", metrics=metrics) as session:
        await Attached.to(session).outcome
        await session.wait()
    async with session_of("kill -9 $$", metrics=metrics) as session:
        await Attached.to(session).outcome
    async with session_of("cat", metrics=metrics, timeout=10) as session:
        client = Attached.to(session, client="me")
        await client.until_told(Hello)
        newer = Attached.to(session, client="me")
        await newer.until_told(Hello)
        newer.close()
        await asyncio.wait([newer.outcome, client.outcome])
        await pass_time(11)
        await session.wait()
    async with session_of("cat", metrics=metrics) as session:
        client = Attached.to(session)
        await client.until_told(Hello)
        client.outcome.cancel()
        session.close(Shutdown())
        await session.wait()
    assert errors(metrics) == {}
    ends = samples(metrics, "reconnecting_pty_ends_total")
    assert ends == {
        '{reason="exit"}': 2,
        '{reason="timeout"}': 1,
        '{reason="killed"}': 0,
        '{reason="shutdown"}': 1,
        '{reason="error"}': 0,
    }


async def test_a_command_that_cannot_start_is_an_error_and_an_end_by_error() -> None:
    metrics = Metrics()
    async with session_of(["/nonexistent"], metrics=metrics) as session:
        with pytest.raises(StartFailed):
            await Attached.to(session).outcome
    assert errors(metrics) == {'{error_type="create_command"}': 1}
    assert samples(metrics)['reconnecting_pty_ends_total{reason="error"}'] == 1
    assert samples(metrics)["reconnecting_pty_spawn_seconds_count"] == 0


async def test_a_client_that_breaks_the_protocol_is_an_error() -> None:
    metrics = Metrics()
    async with session_of("cat", metrics=metrics) as session:
        client = Attached.to(session, window=4096)
        await client.until_told(Hello)
        client.feed(OutputAck(1 << 40))
        with pytest.raises(ProtocolError):
            await client.outcome
    assert errors(metrics) == {'{error_type="protocol"}': 1}


async def test_bytes_replies_and_times_are_counted() -> None:
    metrics = Metrics()
    async with session_of("stty raw -echo; echo -n hello; cat", metrics=metrics) as session:
        client = Attached.to(session)
        await client.until(b"hello")
        client.feed(b"four")
        await client.until(b"four")
        for where in ({"epoch": session.epoch, "offset": 3}, {"epoch": session.epoch, "offset": 9}, {}):
            await Attached.to(session, **where).until_told(Hello)
        during = samples(metrics, "reconnecting_pty_")
        assert during["viewers"] == 4
        assert during['sessions{backend="buffered",state="ready"}'] == 1
        session.close()
        with pytest.raises(Killed):
            await client.outcome
        await session.wait()
    after = samples(metrics, "reconnecting_pty_")
    for seen in (during, after):
        assert seen['bytes_total{direction="in"}'] == 4
        assert seen['bytes_total{direction="out"}'] == 9
        assert seen['replies_total{kind="none"}'] + seen['replies_total{kind="delta"}'] == 3
        assert seen['replies_total{kind="snapshot"}'] == 1
        assert seen["attach_seconds_count"] == 4
        assert seen["spawn_seconds_count"] == 1
        assert seen["snapshot_bytes_count"] == 1
        assert seen["snapshot_bytes_sum"] > 0
    assert after["viewers"] == 0
    assert after['ends_total{reason="killed"}'] == 1


@pytest.mark.parametrize("error", [Killed(), Shutdown()], ids=repr)
async def test_a_late_client_is_no_error(error: ReconnectingPTYError) -> None:
    metrics = Metrics()
    async with session_of("cat", metrics=metrics) as session:
        session.close(error)  # type: ignore[arg-type]
        await session.wait()
        with pytest.raises(type(error)):
            await Attached.to(session).outcome
    assert errors(metrics) == {}
