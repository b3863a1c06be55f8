"""The Dockerfile, as far as it can be judged without building it; `scripts/try-image` builds and runs it."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from reconnectingpty_server.cli import parser
from reconnectingpty_server.config import load

from ..support.serving import serving

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
LINES = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line.strip()]
LAST = len(STEPS) - [name for name, _ in reversed(STEPS)].index("FROM")
FINAL = STEPS[LAST:]
"""The steps of the stage that is the image."""


def the(name: str) -> str:
    """What the image's last step of that name says."""
    return [rest for step, rest in FINAL if step == name][-1]


def test_both_stages_are_on_the_same_base_so_that_what_one_makes_runs_in_the_other() -> None:
    assert [rest.split()[0] for step, rest in STEPS if step == "FROM"] == ["${BASE}", "${BASE}"]


def test_it_is_not_root_and_kubernetes_can_see_that() -> None:
    user, group = the("USER").split(":")
    documents = yaml.safe_load_all((ROOT / "server/kubernetes/nodes.yaml").read_text())
    (nodes,) = (document for document in documents if document["kind"] == "StatefulSet")
    context = nodes["spec"]["template"]["spec"]["securityContext"]
    assert (int(user), int(group)) == (context["runAsUser"], context["runAsGroup"])
    assert any(f"--uid {user} " in rest for step, rest in FINAL if step == "RUN")


def test_signals_reach_the_server_and_its_arguments_are_ones_that_it_takes() -> None:
    # As lists: a shell in between would keep signals to itself.
    reaper, dashes, program, *words = json.loads(the("ENTRYPOINT"))
    assert (reaper, dashes, program) == ("tini", "--", "reconnectingpty")
    config = load(vars(parser().parse_args([*words, *json.loads(the("CMD"))])), {})
    assert [address.port for address in config.listen] == [int(the("EXPOSE"))]


def test_what_has_to_be_written_is_in_the_home_or_in_memory() -> None:
    variables = dict(word.split("=", 1) for word in the("ENV").split())
    assert variables["XDG_RUNTIME_DIR"].startswith("/tmp/")
    assert the("WORKDIR") == "/home/user"


async def test_the_health_check_tells_a_server_from_none() -> None:
    options, _, command = the("HEALTHCHECK").partition("CMD ")
    assert "--interval=30s" in options
    python, *words = json.loads(command)
    assert python == "/opt/reconnectingpty/bin/python"
    async with serving() as s:

        def checked(port: int) -> int:
            here = [word.replace(":7681", f":{port}") for word in words]
            return subprocess.run([sys.executable, *here], capture_output=True, timeout=60).returncode

        assert await asyncio.to_thread(checked, s.address.port) == 0
        port = s.address.port
    assert await asyncio.to_thread(checked, port) != 0


def test_what_the_image_holds_is_debian_s_ours_or_pinned() -> None:
    run = " ".join(rest for step, rest in STEPS if step == "RUN")
    assert "--require-hashes" in run
    assert not re.search(r"curl|wget|https?://", run)
    assert not [step for step, _ in STEPS if step == "ADD"]


def test_what_a_build_needs_is_not_ignored_and_rubbish_is() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()

    def taken(path: str) -> bool:
        parts = Path(path).parts
        heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return not any(
            fnmatch.fnmatch(head, pattern) or fnmatch.fnmatch(head, pattern.removeprefix("**/"))
            for head in heads
            for pattern in ignored
        )

    for path in (
        *("pyproject.toml", "README.md", "LICENSE", "hatch_build.py", "requirements/run.txt"),
        *("reconnectingpty/metrics.py", "server/web/src/main.ts", "server/manual/reconnectingpty.1"),
        "server/reconnectingpty_server/cli.py",
    ):
        assert (ROOT / path).exists(), path
        assert taken(path), path
    for path in (".git/config", ".venv-test/bin/python", "server/web/node_modules/x", "tests/test_docs.py"):
        assert not taken(path), path
