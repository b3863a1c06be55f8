"""A scrape of a server in the test's own process."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from ..support.serving import Serving


async def scraped(s: Serving) -> dict[str, float]:
    """Every sample by its name and labels: `sessions{backend=screen,state=ready}`, without the common prefix."""
    status, _, body = await s.request("GET", "/metrics")
    assert status == 200
    found = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[sample.name.removeprefix("reconnecting_pty_") + (f"{{{labels}}}" if labels else "")] = sample.value
    return found
