"""The wheel and the source distribution: what is in them, and that they work where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv*", ".*_cache", ".hypothesis", "node_modules", "build", "dist", "artefacts", "__pycache__")
)

SHIPPED = ("observability", "systemd", "kubernetes")
"""Folders of `server/` that an operator gets with the wheel."""

pytestmark = pytest.mark.timeout(240)


def run(*command: str | Path, cwd: Path, path: str | None = None) -> str:
    """A command's output; it must succeed."""
    # Not from an editable install or a path of the session that runs the tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    if path is not None:
        environment["PATH"] = path
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def build(source: Path, target: str, output: Path) -> Path:
    """A distribution of the tree at `source`."""
    output.mkdir(exist_ok=True)
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", output, cwd=source)
    (made,) = output.iterdir()
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout: what is tried here must not disturb who works there."""
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "a copy", ignore=NOT_COPIED))


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build(source, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the unpacked source distribution, as an installer does that has no wheel."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (tree,) = unpacked.iterdir()
    return build(tree, "wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_both_packages_their_types_the_page_what_operators_need_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "reconnectingpty",
        "reconnectingpty_server",
        "reconnectingpty-0.1.0.data",
        "reconnectingpty-0.1.0.dist-info",
    }
    data = {name.partition("data/data/share/")[2] for name in names} - {""}
    shipped = {path for folder in SHIPPED for path in (ROOT / "server" / folder).rglob("*") if path.is_file()}
    assert data == {"man/man1/reconnectingpty.1"} | {
        f"reconnectingpty/{path.relative_to(ROOT / 'server').as_posix()}" for path in shipped
    }
    assert {"reconnectingpty/py.typed", "reconnectingpty_server/page/index.html"} <= set(names)
    assert [name for name in names if name.startswith("reconnectingpty_server/page/") and name.endswith(".js")]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    source = {path.relative_to(ROOT).as_posix() for path in (ROOT / "reconnectingpty").rglob("*.py")}
    assert source <= set(names)


def test_the_source_distribution_has_the_page_and_no_rubbish(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "hatch_build.py",
        "requirements/run.txt",
        "scripts/serve",
    } <= names
    # What its own tests and scripts work on.
    assert {"Dockerfile", ".dockerignore", ".ci/run", ".gitignore"} <= names
    assert {"server/web/package-lock.json", "server/reconnectingpty_server/page/index.html"} <= names
    rubbish = ("node_modules", "__pycache__", ".venv", "server/web/build/", ".git/")
    assert not [name for name in names if any(part in name for part in rubbish)]


def test_a_source_distribution_needs_no_node(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    nothing = tmp_path / "empty"
    nothing.mkdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", cwd=tree, path=str(nothing))


def test_the_installed_wheel_has_a_program_that_runs(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a fresh one"
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements/run.txt", cwd=tmp_path)
    run(*pip, "--no-deps", wheel, cwd=tmp_path)
    run(python, "-m", "pip", "check", cwd=tmp_path)
    assert "0.1.0" in run(folder / "bin/reconnectingpty", "--version", cwd=tmp_path)
    assert "--listen" in run(folder / "bin/reconnectingpty", "serve", "--help", cwd=tmp_path)
    where = run(python, "-c", "import reconnectingpty_server as s; print(s.__file__)", cwd=tmp_path)
    assert where.startswith(str(folder))
    assert (folder / "share/man/man1/reconnectingpty.1").is_file()


def test_a_tool_runner_runs_the_wheel_and_installs_it(wheel: Path, tmp_path: Path) -> None:
    """As `uvx reconnectingpty`, `uv tool install` and pipx do: an environment of the program's own."""
    uv = Path(sys.executable).parent / "uv"
    folders = {f"UV_{name}_DIR": str(tmp_path / name) for name in ("CACHE", "TOOL", "TOOL_BIN")}
    fresh = ("env", *(f"{name}={folder}" for name, folder in folders.items()), uv)
    offline = ("--python", sys.executable, "--no-python-downloads", "--constraints", ROOT / "requirements/run.txt")
    ran = run(*fresh, "tool", "run", *offline, "--from", wheel, "reconnectingpty", "--version", cwd=tmp_path)
    assert ran == "reconnectingpty 0.1.0\n"
    run(*fresh, "tool", "install", *offline, wheel, cwd=tmp_path)
    for program in ("reconnectingpty", "pyautossh"):
        assert "0.1.0" in run(tmp_path / "TOOL_BIN" / program, "--version", cwd=tmp_path)
    (page,) = (tmp_path / "TOOL").glob("*/share/man/man1/reconnectingpty.1")
    assert page.is_file()
