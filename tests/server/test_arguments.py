"""What is given at the command line: words come as they are, and what can't be meant is told in a line."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from reconnectingpty_server.cli import main, parser

from ..support.serving import TOKEN, serving


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--", "git", "checkout", "--", "f"], ["git", "checkout", "--", "f"]),
        (["--", "printf", "%s|", "a", "--", "-n", "--json", "--"], ["printf", "%s|", "a", "--", "-n", "--json", "--"]),
        (["--", "--", "x"], ["--", "x"]),
        (["echo", "--", "-n", "", "a b"], ["echo", "-n", "", "a b"]),
        (["make", "test"], ["make", "test"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "send"])
def test_words_behind_two_dashes_come_as_they_are(command: str, given: list[str], words: list[str]) -> None:
    assert parser(command).parse_args([command, "work", *given]).words == words


def test_flags_before_them_count_and_a_session_may_stand_behind_them() -> None:
    parsed = parser("run").parse_args(["run", "work", "--timeout", "2", "--", "ls", "--timeout"])
    assert (parsed.session, parsed.words, parsed.timeout) == ("work", ["ls", "--timeout"], 2.0)
    assert parser("kill").parse_args(["kill", "a", "--", "-b", "--"]).sessions == ["a", "-b", "--"]
    assert parser("attach").parse_args(["attach", "--", "work"]).session == "work"


def test_a_command_with_flags_of_its_own_is_told_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for given, told in (
        (["run", "w", "echo", "-n", "hi"], "unrecognized arguments: -n hi; -- has to stand before words"),
        (["list", "--", "-x"], "reconnectingpty list: error: unrecognized arguments: -x\n"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(given)
        err = capsys.readouterr().err
        assert (ended.value.code, told in err, f"usage: reconnectingpty {given[0]}" in err) == (2, True, True), err


def complaint(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    """What a command says that can't be done."""
    with pytest.raises(SystemExit) as ended:
        main(list(given))
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (125 if given[0] == "run" else 1, "")
    assert err.startswith("reconnectingpty: ")
    assert err.endswith("\n")
    return err[len("reconnectingpty: ") : -1]


@pytest.mark.parametrize("command", [["list"], ["attach", "x"], ["screen", "x"]])
def test_what_no_server_can_be_reached_by_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    for url in ("http://[::1", "unix:", "ftp://h"):
        assert "is no server's address" in complaint(capsys, *command, "--url", url)
    assert "cannot reach a server at a..b:80" in complaint(capsys, *command, "--url", "http://a..b")
    assert "no header can hold" in complaint(capsys, *command, "--token", "a€")
    binary = tmp_path / "token"
    binary.write_bytes(b"\xff")
    told = f"--token-file: cannot read {binary}: it is no text"
    assert complaint(capsys, *command, "--token-file", str(binary)) == told


async def test_what_is_wrong_with_a_session_is_told_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as server:
        monkeypatch.setenv("RECONNECTINGPTY_URL", server.http)
        monkeypatch.setenv("RECONNECTINGPTY_TOKEN", TOKEN)
        wrong = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ - and not begin with a dot"
        told = await asyncio.to_thread(complaint, capsys, "wait", "bad id", "--exit")
        assert told == f"Invalid query parameters: reconnect {wrong}"
        told = await asyncio.to_thread(complaint, capsys, "new", "--name", "a\tb")
        assert told == "name must not hold control characters"
        no_text = os.fsdecode(b"\xff")
        for command in (["kill", no_text], ["run", "x", no_text]):
            assert "is no UTF-8" in await asyncio.to_thread(complaint, capsys, *command)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"\xff", b""])
async def test_a_server_that_is_another_is_told_of(capsys: pytest.CaptureFixture[str], body: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as strange:
        host, port = strange.sockets[0].getsockname()
        url = f"http://{host}:{port}"
        for command in (["list"], ["new"], ["attach"], ["share", "x"], ["list", "--url", f"{url}/#share=x"]):
            told = await asyncio.to_thread(complaint, capsys, *command[:2], *(command[2:] or ("--url", url)))
            assert told == f"what answers at {host}:{port} is something else than reconnectingpty"
