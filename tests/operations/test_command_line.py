"""The manual page, and the completions as real shells use them: a key Tab, and what then stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from reconnectingpty_server.cli import parser
from reconnectingpty_server.commands.completion import SHELLS
from reconnectingpty_server.commands.grammar import commands
from reconnectingpty_server.commands.manual import page

from ..support.attached import Attached, session_of
from ..support.program import program_of
from ..support.serving import TOKEN, Told

PROGRAMS = Path(sys.executable).parent
PACKAGES = {"bash": "bash", "zsh": "zsh", "fish": "fish", "groff": "groff-base", "man": "man-db"}
FLAGS = {"bash": ("--norc", "--noprofile", "-i"), "zsh": ("-f", "-i"), "fish": ("--no-config", "-i")}
SET_UP = {
    # As the manual has it; and a prompt that says when the shell listens.
    "bash": "source <(reconnectingpty completion bash); PS1='re''ady> '",
    "zsh": "autoload -U compinit; compinit -u -D; source <(reconnectingpty completion zsh); PS1='re''ady> '",
    "fish": "reconnectingpty completion fish | source; function fish_prompt; echo -n re''ady'> '; end",
}


def needed(program: str) -> str:
    """Where a program is."""
    found = shutil.which(program)
    assert found, f"{program} is missing: apt-get install --no-install-recommends {PACKAGES[program]}"
    return found


# -- the manual


def test_the_manual_is_clean_and_has_every_command_and_flag() -> None:
    source = page(parser())
    command = [needed("groff"), "-man", "-Tutf8", "-ww", "-P-c", "-rLL=100n"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    shown = re.sub(r".\x08", "", done.stdout.decode()).replace("\u2010\n", "")
    for known in commands(parser()):
        assert f"reconnectingpty {known.name}" in shown, known.name
        for flag in known.flags:
            for name in {*flag.names} - {"-h", "--help"}:
                assert name in shown, (known.name, name)


def test_the_manual_shows_examples_as_they_are_typed() -> None:
    shown = subprocess.run(
        [needed("groff"), "-man", "-Tascii", "-P-c"], input=page(parser()).encode(), capture_output=True, timeout=60
    ).stdout.decode()
    assert "source <(reconnectingpty completion bash)" in shown
    assert "~." not in page(parser())
    assert "`" not in re.sub(r".\x08", "", shown)


def test_a_text_that_looks_like_a_macro_is_text() -> None:
    import argparse

    program = argparse.ArgumentParser("x")
    program.add_subparsers().add_parser("y", help=".so /etc/passwd", description=".so /etc/passwd\n\n  .ex\\am'ple")
    source = page(program)
    assert not re.search(r"^[.'](so|ex)", source, re.MULTILINE)
    assert r"\e" in source


# -- the completions


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_takes_its_completions(shell: str) -> None:
    script = SHELLS[shell](commands(parser()))
    done = subprocess.run([needed(shell), "-n"], input=script, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@asynccontextmanager
async def typing(shell: str, folder: Path, **environment: str) -> AsyncIterator[Attached]:
    """An interactive shell with our completions, that waits for a line."""
    variables = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm", **environment}
    words = ["env", "-i", "-C", str(folder), *(f"{name}={value}" for name, value in variables.items())]
    async with session_of([*words, needed(shell), *FLAGS[shell]]) as session:
        client = Attached.to(session, 40, 120)
        client.feed(SET_UP[shell].encode() + b"\r")
        await client.until(b"ready> ")
        yield client
        await client.detach()


async def completed(client: Attached, line: str, shown: str) -> None:
    """Type that and Tab, wait until this is shown, and clear the line."""
    seen = len(client.output)
    client.feed(line.encode() + b"\t\t")
    await client.when(lambda: shown in plain(client.output[seen:]))
    client.feed(b"\x15")


def plain(output: bytes) -> str:
    """Output without its colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x08", "", output.decode(errors="replace"))


@pytest.mark.parametrize("shell", SHELLS)
async def test_tab_completes_commands_flags_values_files_and_sessions(shell: str, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()
    async with program_of() as server:
        here = {"RECONNECTINGPTY_URL": server.http, "RECONNECTINGPTY_TOKEN": TOKEN}
        async with server.connect(f"reconnect=honest-session&command={quote('exec cat')}") as socket:
            await Told(socket).until_told("hello")
            async with typing(shell, tmp_path, **here) as client:
                await completed(client, "reconnectingpty comp", "completion")
                await completed(client, "reconnectingpty serve --max-ses", "--max-sessions")
                await completed(client, "reconnectingpty screen --format js", "json")
                await completed(client, "reconnectingpty serve --config sett", "settings.toml")
                await completed(client, "reconnectingpty attach honest-s", "honest-session")
                await completed(client, "reconnectingpty tunnel --first", "--first-poll")
                await completed(client, "reconnectingpty completion zs", "zsh")


@pytest.mark.parametrize("shell", SHELLS)
async def test_what_a_server_lists_is_never_run(shell: str, tmp_path: Path) -> None:
    """Whoever has a server that is not ours may be told of sessions with any name."""
    liar = tmp_path / "reconnectingpty"
    liar.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = list ] || exec "{PROGRAMS}/reconnectingpty" "$@"\n'
        "printf 'ID\\n$(touch${IFS}run)\\n`touch${IFS}run`\\nhonest\\n;touch${IFS}run\\n'\n"
    )
    liar.chmod(0o755)
    async with typing(shell, tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin") as client:
        await completed(client, "reconnectingpty attach hone", "honest")
        await completed(client, "reconnectingpty attach ", "honest")
    assert not (tmp_path / "run").exists()
