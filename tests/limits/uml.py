"""A kernel of a test's own: User-Mode Linux on this machine's files, read only, with all of cgroup v2 to itself.

Machines keep their cgroups from tests: containers have them read only, others have version 1. A kernel that is a
process takes a second to boot, needs no privilege, and is gone with its test.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "linux.uml"
SECONDS = 240.0
MARK = "result: "
INIT = """#!/bin/sh
# The machine's own directories are not to be written; what is written lies in memory.
mount -t proc proc /proc
mount -t tmpfs run /run
mount -t tmpfs shm /dev/shm
mkdir /dev/pts; mount -t devpts -o ptmxmode=0666 pts /dev/pts
mount -t tmpfs sys /sys
mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /run/home /run/user
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/home XDG_RUNTIME_DIR=/run/user
export LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
cd {root} && {python} -m tests.limits.inside 2>&1
echo o > /proc/sysrq-trigger
sleep 60
"""


async def inside(directory: Path, script: str = INIT, seconds: float = SECONDS) -> dict[str, Any]:
    """What was found out in there, by scenario; by `inside.py`, unless another script is the first process."""
    kernel = shutil.which(KERNEL)
    assert kernel is not None, "User-Mode Linux is missing: apt-get install -y --no-install-recommends user-mode-linux"
    init = directory / "init"
    init.write_text(script.format(folder=ROOT, root=shlex.quote(str(ROOT)), python=shlex.quote(sys.executable)))
    init.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        kernel, "mem=768M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", "quiet", "con=null",
        "con0=null,fd:1", f"uml_dir={directory}/", "umid=test",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(seconds):
            said = (await process.stdout.read()).decode(errors="replace")
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    results = [line.partition(MARK)[2] for line in said.splitlines() if MARK in line]
    assert results, said[-3000:]
    found: dict[str, Any] = {}
    for result in results:
        found |= json.loads(result)
    return found
