"""What the documents say is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import reconnectingpty
from reconnectingpty.wire.close import RECONNECT, CloseCode
from reconnectingpty.wire.v1 import CLIENT_TYPES, SERVER_TYPES

ROOT = Path(__file__).resolve().parent.parent


def test_the_readmes_tables_are_as_the_code_has_them() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "scripts/docs"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readmes_example_runs_and_is_short() -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    assert len([line for line in example[1].splitlines() if line.strip()]) < 25
    done = subprocess.run([sys.executable, "-c", example[1]], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("exit status 3\n", 0), done.stderr


def test_the_protocols_page_has_every_message_and_close_code() -> None:
    page = (ROOT / "docs/protocol.md").read_text()
    for name in (*SERVER_TYPES, *CLIENT_TYPES):
        assert f"| `{name}` |" in page, name
    rows = dict(re.findall(r"^\| (\d{4}) \|.*\| (yes|no) \|$", page, re.MULTILINE))
    for code in set(CloseCode) - {CloseCode.ABNORMAL, CloseCode.RESTART}:
        assert rows[str(int(code))] == ("yes" if code in RECONNECT else "no"), code


def test_every_public_name_is_documented() -> None:
    undocumented = [name for name in reconnectingpty.__all__ if not getattr(reconnectingpty, name).__doc__]
    assert undocumented == []


def test_the_page_of_commands_has_every_command_and_every_tool() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    done = subprocess.run([sys.executable, "-m", "reconnectingpty_server", "--help"], capture_output=True, text=True)
    commands = set(re.findall(r"^    ([a-z-]+)\s", done.stdout, re.MULTILINE))
    told = set(re.findall(r"^\| `([a-z]+)[^|]*` \|", page, re.MULTILINE))
    assert commands - told == {"serve", "tunnel", "user", "haproxy-config"}
    tools = set(re.findall(r"`([a-z]+_[a-z]+)`", page.partition("| tool |")[2].partition("\n\n")[0]))
    source = (ROOT / "server/reconnectingpty_server/mcp.py").read_text()
    assert tools == set(re.findall(r"@server\.tool\(\)\n    @_told\n    async def (\w+)", source))
