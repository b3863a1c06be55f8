"""The watch over all other tests: each kind of leak fails the test that made it, and a clean test passes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CASES = """
import asyncio, os, subprocess, threading, time

import reconnectingpty
from .support import leaks

leaks.PATIENCE = 0.05
KEPT = []


async def fail():
    raise ValueError("nobody looked")


def test_clean():
    with open(os.devnull):
        subprocess.run(["true"])


async def test_clean_on_the_loop():
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    await asyncio.to_thread(time.sleep, 0)


def test_descriptor():
    KEPT.append(os.open(os.devnull, os.O_RDONLY))


def test_zombie():
    KEPT.append(subprocess.Popen(["true"]))


def test_thread():
    threading.Thread(target=time.sleep, args=(2,), daemon=True).start()


async def test_descriptor_on_the_loop():
    KEPT.append(os.open(os.devnull, os.O_RDONLY))


async def test_task():
    KEPT.append(asyncio.create_task(asyncio.sleep(60)))


async def test_error_of_a_task():
    asyncio.create_task(fail())
    await asyncio.sleep(0)


async def test_error_of_a_callback():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)


async def test_error_of_a_task_in_a_circle():
    task = asyncio.create_task(fail())
    task.add_done_callback(lambda _: task.done())
    await asyncio.sleep(0)


async def test_wait_in_the_product():
    exec(compile("time.sleep(0)", reconnectingpty.__file__, "exec"))
"""


def test_each_kind_of_leak_and_a_wait_on_the_loop_fail_their_test(tmp_path: Path) -> None:
    package = tmp_path / "tests"
    (package / "support").mkdir(parents=True)
    for name in ("__init__.py", "conftest.py", "support/__init__.py", "support/leaks.py"):
        (package / name).write_text((TESTS / name).read_text())
    (package / "test_cases.py").write_text(CASES)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\naddopts = --import-mode=importlib\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:xdist", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    failed = set(re.findall(r"^(?:ERROR|FAILED) .*::test_(\w+)", done.stdout, re.MULTILINE))
    made = set(re.findall(r"def test_(\w+)", CASES))
    assert failed == made - {"clean", "clean_on_the_loop"}, done.stdout
