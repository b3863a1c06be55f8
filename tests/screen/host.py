"""A server reduced to what survival is about: takes over what there is, starts what is missing, and waits to be killed.

`python -m tests.screen.host COUNT [TIMEOUT]`: says in one line of JSON which sessions it took over and which it
started, by id with the command's pid, and again what each shows; then ends them all when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

from reconnectingpty import MemoryConnection, Options, ReconnectingPTY, new
from reconnectingpty.screen import adopt

COMMAND = "i=0; while read line; do i=$((i+1)); echo $line $i; done"


async def say(session: ReconnectingPTY, text: str, until: str) -> str:
    """Type a line, and leave when its answer has come; all that was shown."""
    connection = MemoryConnection()
    attached = asyncio.create_task(session.attach(connection, "host", 24, 80))
    connection.feed(f"{text}\r".encode())
    shown = await connection.until(f"{text} {until}\r\n".encode(), timeout=50)
    connection.leave()
    await attached
    return shown.decode()


async def main(count: int, run: str, timeout: float) -> None:
    options = Options(backend_type="screen", timeout=timeout, kill_grace=0.2)
    adopted = await adopt(options)
    sessions = {session.id: session for session in adopted}
    for number in range(count):
        if f"s{number}" not in sessions:
            sessions[f"s{number}"] = new(COMMAND, options, session_id=f"s{number}")
    shown = await asyncio.gather(*(say(session, "line", run) for session in sessions.values()))
    pids = {session.id: session.info().pid for session in sessions.values()}
    print(json.dumps({"adopted": [s.id for s in adopted], "pids": pids, "shown": shown}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for session in sessions.values():
        session.close()
        await session.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
