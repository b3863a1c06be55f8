"""Run by a real systemd inside User-Mode Linux: our units started, stalled and stopped; prints what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from reconnectingpty_server.values import Address

from ..limits.uml import MARK
from ..support.serving import TOKEN, Remote, Told

SERVICE = "reconnectingpty.service"
MINUTE = 60.0
INIT = """#!/bin/sh
# The machine's own directories are not to be written; what is written lies in memory.
mount -t proc proc /proc
mount -t tmpfs run /run
mount -t tmpfs lib /var/lib
mkdir /run/kept; mount --bind {root} /run/kept; mount -t tmpfs tmp /tmp
mkdir -p {root}; mountpoint -q {root} || mount --bind /run/kept {root}
mkdir -p /dev/pts; mount -t devpts -o ptmxmode=0666 pts /dev/pts
mount -t sysfs sys /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup
units=/run/systemd/system
mkdir -p $units/reconnectingpty.service.d
cp {root}/server/systemd/reconnectingpty.* $units
cp {root}/server/systemd/limits.conf $units/reconnectingpty.service.d/shipped
cat >/run/reconnectingpty.toml <<END
token = "@TOKEN@"
allow-command = true
backend = "screen"
END
# Where this Python is, as who it may be read, and what screen then insists on; a stall that is noticed soon.
cat >$units/reconnectingpty.service.d/test.conf <<END
[Service]
ExecStart=
ExecStart={python} -m reconnectingpty_server serve --config /run/reconnectingpty.toml
User=root
Group=root
CapabilityBoundingSet=CAP_CHOWN CAP_FOWNER
ProtectHome=read-only
WatchdogSec=10
Environment=LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
END
cat >$units/judge.service <<END
[Unit]
DefaultDependencies=no
[Service]
WorkingDirectory={folder}
Environment=LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 BOOT_LONG=@LONG@
ExecStart={python} -m tests.operations.booted
ExecStopPost=/bin/systemctl poweroff -ff
StandardOutput=file:/dev/tty0
StandardError=file:/dev/tty0
END
exec /lib/systemd/systemd --system --unit=judge.service --log-target=console --show-status=no --log-level=notice
""".replace("@TOKEN@", TOKEN)


def systemctl(*arguments: str) -> str:
    """What it says; it must succeed."""
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=MINUTE)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


def shown(*names: str) -> dict[str, str]:
    """Properties of the service."""
    lines = systemctl("show", SERVICE, *(f"--property={name}" for name in names)).splitlines()
    return dict(line.split("=", 1) for line in lines)


async def until(name: str, value: str) -> None:
    """Wait for a property."""
    async with asyncio.timeout(MINUTE):
        while shown(name)[name] != value:
            await asyncio.sleep(0.1)


async def shell(server: Remote, query: str, line: str) -> str:
    """What a line typed into a session's shell prints, before what is there already or after it."""
    word = uuid4().hex
    async with server.connect(f"reconnect=a{query}") as socket:
        told = Told(socket)
        await told.until_told("hello")
        await socket.send(f"{line}; echo ''{word}\r".encode())
        return (await told.until(b"\n" + word.encode())).decode()


async def main() -> dict[str, Any]:
    found: dict[str, Any] = {}
    server = Remote(Address("127.0.0.1", 7681))
    systemctl("start", "reconnectingpty.socket")
    found["before"] = shown("ActiveState")["ActiveState"]
    found["first answer"] = (await server.request("GET", "/healthz"))[0]
    found["started"] = shown("ActiveState", "Type", "NotifyAccess", "StatusText")

    tries = "; ".join((
        "touch /var/lib/x 2>/dev/null && echo all-written",
        "touch /var/lib/reconnectingpty/x && echo state-written",
        "env | grep -c -E 'NOTIFY|LISTEN|WATCHDOG'",
        "grep -E 'NoNewPrivs|CapBnd|Seccomp:' /proc/self/status",
    ))  # fmt: skip
    found["inside"] = await shell(server, "&command=exec+sh", f"kept=secret; echo file >/tmp/kept; {tries}")

    systemctl("reload", SERVICE)
    await until("ActiveState", "active")
    found["reloaded"] = shown("ActiveState", "NRestarts")

    first = shown("MainPID")["MainPID"]
    subprocess.run(["kill", "-STOP", first], check=True)
    await until("NRestarts", "1")
    await until("ActiveState", "active")
    found["restarted"] = shown("Result", "StatusText") | {"other": shown("MainPID")["MainPID"] != first}
    found["kept"] = await shell(server, "", "echo it is $kept, and a $(cat /tmp/kept)")

    began = time.monotonic()
    systemctl("stop", SERVICE)
    found["stopped"] = shown("ActiveState", "Result") | {"soon": time.monotonic() - began < 29}
    left = subprocess.run(["ps", "-e", "-o", "comm="], capture_output=True, text=True, check=True).stdout.split()
    found["left"] = sorted({"screen", "SCREEN", "sh"} & set(left))
    if os.environ["BOOT_LONG"] == "1":
        found |= await limited(server)
    return found


async def limited(server: Remote) -> dict[str, Any]:
    """The same unit with limits.conf: sessions in cgroups of their own, before and after a crash."""
    found: dict[str, Any] = {}
    # This systemd is too old for limits.conf as it is.
    limits = Path(f"/run/systemd/system/{SERVICE}.d/limits.conf")
    limits.write_text(limits.with_name("shipped").read_text().replace("#KillMode", "KillMode"))
    with open("/run/reconnectingpty.toml", "a") as settings:
        settings.write("limit-processes = 50\n")
    systemctl("daemon-reload")
    systemctl("start", SERVICE)
    found["limited"] = await shell(server, "&command=exec+sh", "cat /proc/self/cgroup")
    restarts = shown("NRestarts")["NRestarts"]
    subprocess.run(["kill", "-KILL", shown("MainPID")["MainPID"]], check=True)
    await until("NRestarts", str(int(restarts) + 1))
    await until("ActiveState", "active")
    found["limited again"] = await shell(server, "&command=exec+sh", "cat /proc/self/cgroup")
    return found


if __name__ == "__main__":
    try:
        result = asyncio.run(main())
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the result)
        result = {"error": repr(error)}
        print(subprocess.run(["systemctl", "status", SERVICE], capture_output=True, text=True).stdout)
    print(MARK + json.dumps(result), flush=True)
    time.sleep(0.2)  # the console is slow
