"""A terminal for programs without an event loop, used by one as its user does: in a process of its own."""

from __future__ import annotations

import asyncio
import sys

from ..support.serving import TOKEN, serving

SCRIPT = """
import sys
from reconnectingpty.client import SessionEnded, blocking

with blocking.connect(sys.argv[1], token=sys.argv[2], session="x", command="bash --norc") as terminal:
    print(terminal.run("echo $((6 * 7)); false"))
    mark = terminal.mark()
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
    assert lines[1:] == ["30 90 30", "True", "exit status 3", "3 True", "ConnectFailed 401"]
