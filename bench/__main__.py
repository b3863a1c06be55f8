"""`scripts/bench [MEASURE ...] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from . import measures
from .capacity import capacity
from .client import client
from .hop import hop
from .measures import Row, raise_limits
from .person import person
from .terminal import terminal

MEASURES = {
    **measures.MEASURES,
    "terminal": terminal,
    "capacity": capacity,
    "hop": hop,
    "client": client,
    "person": person,
}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser("scripts/bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a smoke run of a minute: its numbers mean little")
    parser.add_argument("--json", metavar="FILE", help="write everything there, too")
    arguments = parser.parse_args()
    unknown = set(arguments.measures) - set(MEASURES)
    if unknown:
        parser.error(f"there is no measure {', '.join(sorted(unknown))}")
    raise_limits()
    rows: list[Row] = []
    print(f"{'measure':52} {'ours':>8}  {'ratio':>6}  {'target':34}  beside")
    for name in arguments.measures or MEASURES:
        for row in MEASURES[name](arguments.quick):
            rows.append(row)
            print(_line(row), flush=True)
    if arguments.json:
        machine = {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
        Path(arguments.json).write_text(
            json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1)
        )


def _line(row: Row) -> str:
    ours = row.values.get("ours", 0.0)
    others = {name: value for name, value in row.values.items() if name != "ours"}
    ratio = f"{ours / next(iter(others.values())):.2f}" if others and next(iter(others.values())) else ""
    mark = {True: "✓ ", False: "✗ ", None: ""}[row.met]
    name = f"{row.name} [{row.unit}]" if row.unit else row.name
    beside = ", ".join(f"{name} {value:.4g}" for name, value in others.items())
    return f"{name:52} {ours:>8.4g}  {ratio:>6}  {mark + row.target:34}  {beside}".rstrip()


if __name__ == "__main__":
    main()
