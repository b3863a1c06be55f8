"""The Dockerfile, as far as it can be judged without building it; `scripts/try-image` builds and runs it."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import os
import re
from pathlib import Path

import pytest
import trustme
import yaml

from reconnectingpty_server.cli import parser
from reconnectingpty_server.config import load

from ..support.attached import PATIENCE
from ..support.program import PROGRAM

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


ENVIRONMENT = dict(word.split("=", 1) for word in the("ENV").split())


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
    for more in ([], ["--max-sessions", "5"]):
        config = load(vars(parser().parse_args([*words, *more])), ENVIRONMENT)
        assert [str(address) for address in config.listen] == [f"0.0.0.0:{the('EXPOSE')}"]


def test_what_has_to_be_written_is_in_the_home_or_in_memory() -> None:
    assert ENVIRONMENT["XDG_RUNTIME_DIR"].startswith("/tmp/")
    assert the("WORKDIR") == "/home/user"


@pytest.mark.parametrize("how", ["plain", "tls", "unix"])
async def test_the_health_check_tells_a_server_from_none_however_it_listens(tmp_path: Path, how: str) -> None:
    options, _, command = the("HEALTHCHECK").partition("CMD ")
    assert "--interval=30s" in options
    program, *words = json.loads(command)
    assert program == "reconnectingpty"
    certificate = tmp_path / "server.pem"
    trustme.CA().issue_cert("shells.example").private_key_and_cert_chain_pem.write_to_path(certificate)
    flags = {"tls": ["--tls-cert", str(certificate)], "unix": ["--listen", f"unix:{tmp_path}/socket"]}.get(how, [])
    # Any free port in place of the image's own, and the rest as it has it.
    here = ENVIRONMENT | {"XDG_RUNTIME_DIR": str(tmp_path), "RECONNECTINGPTY_LISTEN": "127.0.0.1:0"}
    environment = os.environ | here

    async def healthy(**more: str) -> int:
        check = await asyncio.create_subprocess_exec(*PROGRAM, *words, env=environment | more, stderr=-3)
        async with asyncio.timeout(PATIENCE):
            return await check.wait()

    server = await asyncio.create_subprocess_exec(*PROGRAM, "serve", *flags, env=environment, stdout=-1, stderr=-3)
    try:
        assert server.stdout is not None
        async with asyncio.timeout(PATIENCE):
            link = (await server.stdout.readline()).decode().strip()
        while not list(tmp_path.glob("reconnectingpty/*.link")):
            await asyncio.sleep(0.01)
        assert await healthy() == 0
    finally:
        server.terminate()
        await server.communicate()
    assert await healthy(RECONNECTINGPTY_URL=link) == 1


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
