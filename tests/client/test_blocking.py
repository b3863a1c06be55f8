"""A terminal for programs without an event loop, used by one as its user does: in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Coroutine
from typing import Any

import pytest

from reconnectingpty.client import blocking

from ..support.serving import TOKEN, serving

SCRIPT = """
import sys
from reconnectingpty.client import SessionEnded, blocking

with blocking.connect(sys.argv[1], token=sys.argv[2], session="x", command="bash --norc") as terminal:
    print(terminal.run("echo $((6 * 7)); false"))
    mark = terminal.mark()
    print(terminal.enter(timeout=20))
    terminal.send("echo rea''dy; cat\\r")
    terminal.wait_for("^ready$", since=mark)
    terminal.press("a", "Enter", "C-d")
    terminal.wait_for("^a\\na\\nbash.*[#$] $", since=mark, timeout=30)
    terminal.resize(30, 90)
    terminal.wait_for(lambda screen: (screen.rows, screen.cols) == (30, 90))
    print(terminal.size.rows, terminal.screen().cols, len(terminal.cells()))
    try:
        terminal.wait_for("never", timeout=0.05)
    except TimeoutError as error:
        print("not seen" in str(error))
    try:
        terminal.run("exit 3")
    except SessionEnded as ended:
        print(ended)
    print(terminal.wait_closed().status, b"42" in b"".join(terminal))
    events = list(terminal.events())
    print(type(events[0]).__name__, type(events[-1]).__name__, terminal.connected)
try:
    blocking.connect(sys.argv[1], token="wrong").__enter__()
except Exception as error:
    print(type(error).__name__, error.code)
"""


async def test_a_script_needs_no_event_loop() -> None:
    async with serving() as s:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, s.http, TOKEN, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
    lines = out.decode().splitlines()
    assert err.decode() == ""
    assert lines[0].startswith("Completed(command='echo $((6 * 7)); false', status=1, output='42', raw=b'42\\r\\n'")
    told = ["bash", "30 90 30", "True", "exit status 3", "3 True", "Connected Exited False", "ConnectFailed 401"]
    assert lines[1:] == told


INTERRUPTED = """
import os, signal, socket, threading
from reconnectingpty.client import blocking

mute = socket.create_server(("127.0.0.1", 0))

def interrupt():
    connection, _ = mute.accept()
    os.kill(os.getpid(), signal.SIGINT)
    connection.recv(1 << 16)

threading.Thread(target=interrupt, daemon=True).start()
try:
    blocking.connect(f"http://127.0.0.1:{mute.getsockname()[1]}", session="x").__enter__()
except KeyboardInterrupt:
    print("interrupted", [thread.name for thread in threading.enumerate() if thread.name == "terminal"])
"""


def test_an_interrupt_while_it_connects_leaves_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("interrupted []\n", "")


async def test_output_that_had_come_when_a_read_was_interrupted_is_for_the_next() -> None:
    def use(url: str) -> bytes:
        with blocking.connect(url, token=TOKEN, session="x", command="printf 'some output'; cat") as terminal:
            waiting = terminal._wait

            def interrupted(work: Coroutine[Any, Any, Any]) -> None:
                waiting(work)
                raise KeyboardInterrupt

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(terminal, "_wait", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    terminal.read()
            seen = b""
            while len(seen) < len(b"some output"):
                seen += terminal.read(4)
            return seen

    async with serving() as s:
        assert await asyncio.to_thread(use, s.http) == b"some output"
