"""The alerts and the dashboard: Prometheus understands them, they know what there is, and each fires when it should."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from reconnectingpty.tunnel.publish import Tunnel, TunnelMetrics
from reconnectingpty_server.descriptors import SPARE

from ..support.serving import serving
from .prometheus import OBSERVABILITY, needed

ALERTS = OBSERVABILITY / "alerts.yml"
DASHBOARD = OBSERVABILITY / "dashboard.json"
RULES = {rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]}
WHERE = 'job="reconnectingpty", instance="a:1"'
OF_PROMETHEUS = {"up": {"job", "instance"}}
"""What Prometheus itself says of whom it scrapes."""

MINUTES = 60
FIRES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "ReconnectingPTYDown": ({"up": "0x60"}, {"up": "1 0 1x58"}),
    "ReconnectingPTYNotReady": (
        {'reconnecting_pty_not_ready{cause="full"}': "1x60"},
        {'reconnecting_pty_not_ready{cause="stopping"}': "1x60", 'reconnecting_pty_not_ready{cause="full"}': "0x60"},
    ),
    "ReconnectingPTYStartsFail": (
        {'reconnecting_pty_errors_total{error_type="spawn"}': "0+1x60"},
        {
            'reconnecting_pty_errors_total{error_type="spawn"}': "0x57 1x3",
            'reconnecting_pty_errors_total{error_type="create_command"}': "0+9x60",
        },
    ),
    "ReconnectingPTYCommandMissing": (
        {'reconnecting_pty_errors_total{error_type="create_command"}': "0+2x60"},
        {
            'reconnecting_pty_errors_total{error_type="create_command"}': "0+2x60",
            "reconnecting_pty_spawn_seconds_count": "0+1x60",
        },
    ),
    "ReconnectingPTYLoopStalled": (
        {
            'reconnecting_pty_loop_lag_seconds_bucket{le="0.5"}': "0+240x57 13681+240x3",
            'reconnecting_pty_loop_lag_seconds_bucket{le="+Inf"}': "0+240x57 13682+240x3",
        },
        {
            'reconnecting_pty_loop_lag_seconds_bucket{le="0.5"}': "0+240x60",
            'reconnecting_pty_loop_lag_seconds_bucket{le="+Inf"}': "0+240x60",
        },
    ),
    "ReconnectingPTYLoopSlow": (
        {
            'reconnecting_pty_loop_lag_seconds_bucket{le="0.05"}': "0+200x60",
            'reconnecting_pty_loop_lag_seconds_bucket{le="0.1"}': "0+240x60",
            'reconnecting_pty_loop_lag_seconds_bucket{le="+Inf"}': "0+240x60",
        },
        {
            'reconnecting_pty_loop_lag_seconds_bucket{le="0.05"}': "0+239x60",
            'reconnecting_pty_loop_lag_seconds_bucket{le="0.1"}': "0+240x60",
            'reconnecting_pty_loop_lag_seconds_bucket{le="+Inf"}': "0+240x60",
        },
    ),
    "ReconnectingPTYEchoSlow": (
        {
            'reconnecting_pty_echo_seconds_bucket{le="0.5"}': "0+90x60",
            'reconnecting_pty_echo_seconds_bucket{le="1.0"}': "0+100x60",
            'reconnecting_pty_echo_seconds_bucket{le="+Inf"}': "0+100x60",
        },
        {
            'reconnecting_pty_echo_seconds_bucket{le="0.5"}': "0+96x60",
            'reconnecting_pty_echo_seconds_bucket{le="1.0"}': "0+100x60",
            'reconnecting_pty_echo_seconds_bucket{le="+Inf"}': "0+100x60",
        },
    ),
    "ReconnectingPTYModelBehind": (
        {'reconnecting_pty_held_programs{by="model"}': "1x60"},
        {
            'reconnecting_pty_held_programs{by="viewer"}': "1x60",
            'reconnecting_pty_held_programs{by="model"}': "0x57 1x3",
        },
    ),
    "ReconnectingPTYLogOverrun": (
        {"reconnecting_pty_resyncs_total": "0+2x60"},
        {"reconnecting_pty_resyncs_total": "0x58 1x2"},
    ),
    "ReconnectingPTYAuthenticationFailures": (
        {'reconnecting_pty_refusals_total{reason="credentials"}': "0+20x60"},
        {
            'reconnecting_pty_refusals_total{reason="credentials"}': "0+2x60",
            'reconnecting_pty_refusals_total{reason="anonymous"}': "0+90x60",
            'reconnecting_pty_refusals_total{reason="throttled"}': "0+90x60",
            'reconnecting_pty_refusals_total{reason="quota"}': "0+90x60",
        },
    ),
    "ReconnectingPTYDescriptorsShort": (
        {"reconnecting_pty_free_descriptors": f"{SPARE}x60"},
        {"reconnecting_pty_free_descriptors": "900x59 10x0"},
    ),
    "ReconnectingPTYSessionsNearLimit": (
        {
            'reconnecting_pty_sessions{state="ready", backend="buffered"}': "60x60",
            'reconnecting_pty_sessions{state="ready", backend="screen"}': "35x60",
            "reconnecting_pty_sessions_limit": "100x60",
        },
        {
            'reconnecting_pty_sessions{state="ready", backend="buffered"}': "60x60",
            "reconnecting_pty_sessions_limit": "100x60",
        },
    ),
    "ReconnectingPTYTunnelDown": (
        {'reconnecting_pty_tunnel_up{tunnel="far"}': "0x60"},
        {'reconnecting_pty_tunnel_up{tunnel="far"}': "1x58 0 1"},
    ),
    "ReconnectingPTYTunnelFlaps": (
        {'reconnecting_pty_tunnel_restarts_total{tunnel="far", reason="exited"}': "0+1x60"},
        {'reconnecting_pty_tunnel_restarts_total{tunnel="far", reason="exited"}': "0x55 1x5"},
    ),
    "ReconnectingPTYInternalError": (
        {'reconnecting_pty_errors_total{error_type="internal"}': "0x55 1x5"},
        {'reconnecting_pty_errors_total{error_type="protocol"}': "0+5x60"},
    ),
}
"""For each alert an hour, a sample a minute, at whose end it fires, and one at whose end it does not."""


def promtool(*arguments: str | Path, text: str | None = None) -> str:
    """What promtool says; it must be content."""
    done = subprocess.run(
        [needed("promtool"), *arguments], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_has_nothing_to_say_against_the_alerts() -> None:
    assert f"SUCCESS: {len(RULES)} rules found" in promtool("check", "rules", "--lint-fatal", ALERTS)


def test_every_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    assert set(FIRES) == set(RULES)
    tests = []
    for alert, (bad, good) in FIRES.items():
        for series, expected in ((bad, True), (good, False)):
            tests.append({
                "name": f"{alert} {'fires' if expected else 'is still'}",
                "interval": "1m",
                "input_series": [{"series": _placed(name), "values": values} for name, values in series.items()],
                "promql_expr_test": [{
                    "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing", instance="a:1"}})',
                    "eval_time": "1h",
                    "exp_samples": [{"labels": "{}", "value": 1}] if expected else [],
                }],
            })  # fmt: skip
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": tests}))
    promtool("test", "rules", tmp_path / "tests.yml")


def _placed(name: str) -> str:
    """A series with the labels that a scrape adds."""
    metric, _, labels = name.partition("{")
    return f"{metric}{{{WHERE}, {labels}" if labels else f"{metric}{{{WHERE}}}"


def test_every_alert_says_what_is_the_matter_and_how_much_it_matters() -> None:
    for name, rule in RULES.items():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, name
        assert "$labels.instance" in rule["annotations"]["summary"], name
        assert rule["annotations"]["description"].endswith("."), name


def test_every_alert_is_in_the_manual() -> None:
    page = (OBSERVABILITY.parents[1] / "docs/operations.md").read_text()
    for name in RULES:
        assert f"| `{name}` |" in page, name


# -- what there is


def told(text: str) -> dict[str, set[str]]:
    """The labels of every sample of a scrape, by its name."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return found


async def scraped_with_everything(prefix: str = "") -> str:
    """A server's metrics, a tunnel's among them."""
    async with serving(metrics_prefix=prefix) as s:
        tunnel = Tunnel("far.example", "127.0.0.1:1")
        s.server.metrics.registry.register(TunnelMetrics([tunnel], prefix))
        return (await s.request("GET", "/metrics"))[2].decode()


async def test_promtool_has_nothing_to_say_against_the_metrics() -> None:
    assert promtool("check", "metrics", text=await scraped_with_everything()) == ""


SELECTOR = re.compile(r"\b([a-z_:][a-z0-9_:]*)\s*(?:\{([^}]*)\})?(?=[\s\[\])]|$)")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
WORDS = {"sum", "min", "max", "or", "unless"}


def metrics_of(expression: str) -> dict[str, dict[str, str]]:
    """The metrics that an expression names, and what it wants of their labels."""
    bare = re.sub(r"\b(?:by|on)\s*\([^)]*\)|\[[^]]*\]", " ", expression)
    return {name: dict(MATCHER.findall(labels)) for name, labels in SELECTOR.findall(bare) if name not in WORDS}


def grouped_by(expression: str) -> set[str]:
    """The labels that an expression sums over or joins on."""
    return {name.strip() for names in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression) for name in names.split(",")}


def queries() -> list[tuple[str, str]]:
    """Everything that is asked of Prometheus, by where it is."""
    board = json.loads(DASHBOARD.read_text())
    found = [(name, rule["expr"]) for name, rule in RULES.items()]
    for panel in board["panels"]:
        found += [(panel["title"], target["expr"]) for target in panel.get("targets", [])]
    return found


@pytest.mark.parametrize("prefix", ["", "agent"])
async def test_every_query_names_metrics_and_labels_that_there_are(prefix: str) -> None:
    ours = f"{prefix}_reconnecting_pty_".removeprefix("_")
    text = await scraped_with_everything(prefix)
    known = told(text) | OF_PROMETHEUS | {f"{ours}tunnel_probe_seconds": {"job", "instance", "tunnel"}}
    assert len(queries()) > 40
    for where, plain in queries():
        expression = plain.replace("reconnecting_pty_", ours)  # as README.md beside them says
        named = metrics_of(expression)
        assert named or expression == "vector(0)", (where, expression)
        of_all: set[str] = set()
        for metric, wanted in named.items():
            assert metric in known, (where, metric)
            assert wanted.keys() <= known[metric], (where, metric, wanted)
            of_all |= known[metric]
        assert grouped_by(expression) <= of_all, (where, expression)


async def test_every_value_of_a_label_that_is_asked_for_can_come() -> None:
    text = await scraped_with_everything()
    values: dict[tuple[str, str], set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                values.setdefault((sample.name, label), set()).add(value)
    for where, expression in queries():
        for metric, wanted in metrics_of(expression).items():
            for label, pattern in wanted.items():
                if label in {"job", "instance"}:
                    continue
                for value in pattern.split("|"):
                    assert value in values[metric, label], (where, metric, label, value)


def test_no_query_of_the_dashboard_counts_by_what_clients_choose() -> None:
    bounded = {"error_type", "kind", "reason", "state", "backend", "by", "direction", "cause"}
    bounded |= {"le", "job", "instance", "tunnel"}
    for where, expression in queries():
        assert grouped_by(expression) <= bounded, where


def test_what_a_line_of_the_dashboard_stands_for_is_in_its_legend_and_a_single_point_is_seen() -> None:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        if panel["type"] != "timeseries":
            continue
        for target in panel["targets"]:
            for label in grouped_by(target["expr"]) - {"le"}:
                assert f"{{{{{label}}}}}" in target["legendFormat"], (panel["title"], label)
            if "> 0" in target["expr"]:
                assert panel["fieldConfig"]["defaults"]["custom"]["showPoints"] == "auto", panel["title"]


def test_all_servers_are_all_of_ours_and_no_other_process() -> None:
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
        if variable["type"] == "query":
            # So "All" stands for what that query finds, and not for whatever is scraped.
            assert "reconnecting_pty_build_info" in variable["query"]["query"]
            assert "allValue" not in variable


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    assert board["uid"]
    assert board["schemaVersion"] >= 36
    assert {variable["name"] for variable in board["templating"]["list"]} >= {"datasource", "job", "instance"}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
            assert panel["description"], panel["title"]
