"""`scripts/bench [MEASURE ...] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from .measures import MEASURES, Row, raise_limits


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
    print(f"{'measure':46} {'ours':>10} {'pump':>10} {'terminado':>10}  {'ours/pump':>9}  target")
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
    values = [f"{row.values[name]:.4g}" if name in row.values else "" for name in ("ours", "pump", "terminado")]
    ratio = f"{row.values['ours'] / row.values['pump']:.2f}" if row.values.get("pump") else ""
    mark = {True: "✓ ", False: "✗ ", None: ""}[row.met]
    name = f"{row.name} [{row.unit}]" if row.unit else row.name
    return f"{name:46} {values[0]:>10} {values[1]:>10} {values[2]:>10}  {ratio:>9}  {mark}{row.target}"


if __name__ == "__main__":
    main()
