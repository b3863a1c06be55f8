"""xterm.js as the judge: what state it is in after given steps."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

FOLDER = Path(__file__).parent / "oracle"
Step: TypeAlias = "bytes | tuple[int, int]"
"""Bytes to write, or columns and rows to take."""


def _install() -> None:
    """Have the packages of the lock file, once."""
    if (FOLDER / "node_modules" / "@xterm" / "headless").is_dir():
        return
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, capture_output=True)


def states(jobs: Sequence[tuple[int, int, int, Sequence[Step]]]) -> list[dict[str, Any] | None]:
    """The states after jobs of columns, rows, scrollback and steps; None where xterm.js itself broke."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail("this test compares with xterm.js, which needs Node.js: apt-get install nodejs npm")
    _install()
    lines = []
    for cols, rows, scrollback, steps in jobs:
        told = [base64.b64encode(step).decode() if isinstance(step, bytes) else list(step) for step in steps]
        lines.append(json.dumps({"cols": cols, "rows": rows, "scrollback": scrollback, "steps": told}))
    done = subprocess.run(
        ["node", "state.mjs"],
        cwd=FOLDER,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    return [json.loads(line).get("state") for line in done.stdout.splitlines()]
