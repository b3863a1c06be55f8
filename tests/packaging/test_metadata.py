"""What the project says of itself: its dependencies, its locks, its entry points, its version."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import reconnectingpty

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = {name.rpartition("/")[2]: ROOT / name for name in ("reconnectingpty", "server/reconnectingpty_server")}
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
EXTRAS: dict[str, list[str]] = {"run": [], "test": ["test"], "bench": ["bench"]}
"""Each lock's, by its name."""


def normal(name: str) -> str:
    """A distribution's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> set[str]:
    """The top-level modules that the product imports and neither it nor Python brings."""
    found: set[str] = set()
    for folder in PACKAGES.values():
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                    found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(PACKAGES)


def pinned(lock: Path) -> dict[str, str]:
    """What a lock pins."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE))


def test_the_dependencies_are_what_the_code_imports() -> None:
    distributions = metadata.packages_distributions()
    used = {normal(distributions[module][0]) for module in imported()}
    extra = PROJECT["optional-dependencies"]["mcp"]
    assert used == {normal(Requirement(line).name) for line in (*PROJECT["dependencies"], *extra)}


def test_the_version_is_said_once() -> None:
    assert metadata.version("reconnectingpty") == PROJECT["version"]
    assert reconnectingpty.__name__ == PROJECT["name"]


def test_there_is_a_lock_for_each_use() -> None:
    assert {lock.stem for lock in LOCKS} == set(EXTRAS)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_host_and_hashes_everything(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|^-|--(extra-)?index-url|--find-links|\w@\s", text, re.MULTILINE)
    requirements = re.sub(r"\\\n", " ", text).splitlines()
    assert requirements
    for line in requirements:
        assert re.fullmatch(r"\S+==\S+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+", line), line


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_what_the_project_asks_for(lock: Path) -> None:
    pins = {normal(name): version for name, version in pinned(lock).items()}
    asked = [*PROJECT["dependencies"]]
    for extra in EXTRAS[lock.stem]:
        asked += PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, asked):
        assert pins[normal(requirement.name)] in requirement.specifier, requirement


def test_the_page_s_lock_names_no_host_either() -> None:
    text = (ROOT / "server/web/package-lock.json").read_text()
    assert '"resolved"' not in text
    assert '"integrity"' in text


@pytest.mark.parametrize(
    "script",
    [*(f"scripts/{name}" for name in ("serve", "test", "check", "lock", "boot", "image", "try-image")), ".ci/run"],
)
def test_a_script_can_be_run_and_read(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111 == 0o111
    assert subprocess.run(["bash", "-n", str(path)], capture_output=True).returncode == 0
    assert "set -euo pipefail" in path.read_text()
