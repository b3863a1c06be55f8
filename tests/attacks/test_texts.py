"""Texts that would drive a terminal, forge a line of a log, or be code in a page, were they shown as they are."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from ..support.attached import PATIENCE
from ..support.program import PROGRAM, Program
from ..support.serving import TOKEN, Told
from .beside import under_attack

EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\n23:59:59 info    forged\u2028\u2029\u202e\u200b\x9b31m\x9d0;x\x9c\x00"
    "<img src=x onerror=alert(1)>"
)
"""Escapes of seven and of eight bits, ends of lines, what turns a line's direction, what nobody sees, and HTML."""
LINE = re.compile(r"\d\d:\d\d:\d\d (debug|info|warning|error) +\S.*")


def harmless(text: str, allowed: str = "\n") -> bool:
    """Whether a terminal takes it for text alone."""
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp", "Cs") or c in allowed for c in text)


async def command(server: Program, *arguments: str) -> tuple[str, str]:
    """What a command of ours prints: its output and its errors."""
    environment = os.environ | {"RECONNECTINGPTY_URL": server.http, "RECONNECTINGPTY_TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, env=environment, stdin=-3, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return out.decode(), err.decode()


def writes(text: str) -> str:
    """A shell command that writes just that, as a query has it."""
    octal = "".join(f"\\{byte:03o}" for byte in text.encode())
    return quote(f"printf '{octal}'; echo ready; exec cat")


async def test_a_programs_title_and_output_are_text_in_every_list() -> None:
    evil_title = (
        EVIL.replace("\x07", "").replace("\x1b", "").replace("\x9c", "").replace("\x9d", "").replace("\x9b", "")
    )
    titles = f"\x1b]0;{evil_title}\x07\x1b]2;\u202etitle\u2066\x07\x1b]0;a\x9b2Jb\nc\x1b\\"
    async with under_attack() as server:
        for name, text in (("titled", titles), ("written", EVIL)):
            async with server.connect(f"reconnect={name}&command={writes(text)}") as socket:
                await Told(socket).until(b"ready")
            await server.request("GET", f"/api/sessions/{name}/screen")  # the model has seen it now
        out, err = await command(server, "list")
        assert harmless(out + err), ascii(out + err)
        assert len(out.splitlines()) == 4  # a head, and a line for each session
        for name in ("titled", "written"):
            for form in ("text", "json"):
                out, err = await command(server, "screen", name, "--format", form)
                assert not [c for c in out + err if unicodedata.category(c) == "Cc" and c != "\n"], ascii(out)
            out, _ = await command(server, "screen", name, "--format", "ansi")
            plain = re.sub(r"\x1b\[[0-9;:]*m", "", out)
            assert not [c for c in plain if unicodedata.category(c) == "Cc" and c not in "\r\n"], ascii(out)
            status, headers, body = await server.request("GET", f"/api/sessions/{name}")
            assert (status, headers["content-type"], headers["x-content-type-options"]) == (
                200, "application/json", "nosniff"
            )  # fmt: skip
            assert body.isascii()
            assert harmless(body.decode())
            screen = (await server.request("GET", f"/api/sessions/{name}/screen"))[1]
            assert screen["content-type"] == "text/plain; charset=utf-8"


async def test_a_sessions_name_holds_no_control_characters() -> None:
    async with under_attack() as server:
        for name in (EVIL, "a\nb", "a\x1b[2Jb", "a\x9bb", "a\u2028b", "\ud800"):
            for method, path in (("POST", "/api/sessions"), ("PATCH", "/api/sessions/honest")):
                assert (await server.request(method, path, json.dumps({"name": name}).encode()))[0] == 400, ascii(name)
        assert (await server.json("/api/sessions/honest"))["name"] == ""


async def test_no_request_forges_a_line_of_the_log_or_of_the_audit_log(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    evil = quote(EVIL)
    async with under_attack("--audit-log", str(audit), "--log-level", "debug") as server:
        for path in (
            f"/{evil}", f"/pty?reconnect={evil}", f"/pty?reconnect=a&client={evil}", f"/api/sessions/{evil}",
            f"/pty?reconnect=a&token={evil}", f"/api/sessions/honest/screen?format={evil}", f"/?{evil}",
        ):  # fmt: skip
            for method in ("GET", "DELETE"):
                await server.request(method, path, X_Forwarded_For="1.2.3.4 forged", User_Agent="a\x1b[2Jb")
        await server.request("POST", "/api/login", json.dumps({"token": EVIL}).encode(), token=None)
        await server.request("POST", "/api/sessions", json.dumps({"command": EVIL, "id": "evil"}).encode())
        async with server.connect(f"reconnect=evil2&command={writes(EVIL)}") as socket:
            told = Told(socket)
            await told.until(b"ready")
            await told.say(type=EVIL, x=EVIL)
            await told.to_the_end()
        with pytest.raises(InvalidStatus):
            async with server.connect(f"reconnect=evil3&command={evil}"):
                pass
    assert [line for line in server.log.splitlines() if not LINE.fullmatch(line)] == []
    assert harmless(server.log), ascii(server.log)
    lines = audit.read_text().splitlines()
    assert len(lines) > 5
    events = {json.loads(line)["event"] for line in lines}
    assert events <= {"wrong token", "login", "start", "attach", "detach", "end", "kill"}, events
    assert harmless("".join(lines))
    assert "forged" not in {json.loads(line).get("peer") for line in lines}


async def test_a_hostile_server_drives_no_terminal_by_its_errors() -> None:
    """Our commands print what a server answers; they may have been pointed at any."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"message": EVIL}).encode()
        writer.write(b"HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    hostile = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = hostile.sockets[0].getsockname()[1]
    environment = os.environ | {"RECONNECTINGPTY_URL": f"http://127.0.0.1:{port}", "RECONNECTINGPTY_TOKEN": TOKEN}
    for arguments in (("list",), ("kill", "a"), ("screen", "a"), ("attach", "a"), ("send", "a", "x"), ("new", "a")):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reconnectingpty_server", *arguments),
            env=environment,
            stdin=-3,
            stdout=-1,
            stderr=-1,
        )
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        assert process.returncode != 0
        assert b"owned" in err, (arguments, out, err)
        assert harmless((out + err).decode()), ascii(err)
    hostile.close()
    await hostile.wait_closed()
