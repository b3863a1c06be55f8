"""SECURITY.md says which test shows what; each of them is there, and no attack is tried that it does not speak of."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
TEXT = (ROOT / "SECURITY.md").read_text()


def functions_of(path: Path) -> set[str]:
    """The names of a file's functions."""
    body = ast.parse(path.read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) > 40
    missing = [f"{file}::{name}" for file, name in named if name not in functions_of(ROOT / file)]
    assert missing == []
    assert TEXT.count("tests/") == len(named) + 1  # and the command that runs them


def test_every_attack_is_spoken_of() -> None:
    named = set(NAMED.findall(TEXT))
    attacks = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "tests/attacks").glob("test_*.py")
        for name in functions_of(path)
        if name.startswith("test_")
    }
    assert attacks - named == set()


def test_every_threat_has_something_that_shows_it() -> None:
    rows = [line for line in TEXT.partition("## Foreign pages")[2].splitlines() if line.startswith("| ")]
    threats = [row for row in rows if not row.startswith("| threat")]
    assert len(threats) > 30
    assert [row for row in threats if not NAMED.search(row) and not row.endswith("| the same |")] == []
