"""Debian's Prometheus, real, with our alerts; it scrapes and judges every second."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import yaml

from ..support.serving import TOKEN
from ..tunnel.sshd import free_port

ROOT = Path(__file__).resolve().parents[2]
OBSERVABILITY = ROOT / "server/observability"
PATIENCE = 60.0
"""Seconds. Many times what anything here takes."""
_open = build_opener(ProxyHandler({})).open


def needed(program: str) -> str:
    """Where a program of Debian's package `prometheus` is."""
    found = shutil.which(program)
    assert found, f"{program} is missing: apt-get install --no-install-recommends prometheus"
    return found


class Prometheus:
    """One that runs. Who is to be scraped is said while it does."""

    def __init__(self, port: int, targets: Path) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._targets = targets
        self._instances: list[str] = []

    def scrape(self, instance: str) -> None:
        """Scrape this one, too, from now on."""
        self._instances.append(instance)
        new = self._targets.with_suffix(".new")
        new.write_text(json.dumps([{"targets": self._instances}]))
        os.replace(new, self._targets)

    def get(self, path: str, **query: str) -> Any:
        """What its interface says."""
        with _open(f"{self._address}/api/v1/{path}?{urlencode(query)}", timeout=20) as answer:
            body = json.load(answer)
        assert body["status"] == "success", body
        return body["data"]

    async def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression has now."""
        result: list[dict[str, Any]] = (await asyncio.to_thread(self.get, "query", query=expression))["result"]
        return result

    async def until(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression, as soon as it has any."""
        async with asyncio.timeout(PATIENCE):
            while not (found := await self.ask(expression)):
                await asyncio.sleep(0.2)
        return found

    async def until_fires(self, alert: str, instance: str) -> dict[str, Any]:
        """Wait for an alert; its annotations."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for found in (await asyncio.to_thread(self.get, "alerts"))["alerts"]:
                    labels = found["labels"]
                    if (labels["alertname"], labels["instance"], found["state"]) == (alert, instance, "firing"):
                        annotations: dict[str, Any] = found["annotations"]
                        return annotations
                await asyncio.sleep(0.2)

    def firing(self, instance: str) -> set[str]:
        """The alerts that an instance has."""
        alerts = self.get("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["labels"]["instance"] == instance}


def impatient_rules() -> dict[str, Any]:
    """Our alerts, that wait for nothing: only their expressions count."""
    rules: dict[str, Any] = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())
    for group in rules["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule.pop("for", None)
    return rules


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Start it; it is gone afterwards."""
    program, port, targets = needed("prometheus"), free_port(), folder / "targets.json"
    targets.write_text("[]")
    (folder / "alerts.yml").write_text(yaml.safe_dump(impatient_rules()))
    job = {
        "job_name": "reconnectingpty",
        "authorization": {"credentials": TOKEN},
        "file_sd_configs": [{"files": [str(targets)]}],
    }
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config = {"global": every, "rule_files": ["alerts.yml"], "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        [
            program,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"GOMAXPROCS": "1"},
    )
    try:
        _until_ready(process, port)
        yield Prometheus(port, targets)
    finally:
        process.kill()
        process.communicate()


def _until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with _open(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                return
        except URLError:
            if process.poll() is not None:
                assert process.stderr is not None
                raise AssertionError(process.stderr.read().decode()[-2000:]) from None
            assert time.monotonic() < deadline
            time.sleep(0.1)
