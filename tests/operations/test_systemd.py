"""The server as systemd's service: what it tells, the sockets it is given, and the units that are shipped."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from reconnectingpty_server.service import Service
from reconnectingpty_server.values import Address

from ..support.attached import PATIENCE
from ..support.manager import Manager
from ..support.program import PROGRAM, Program, program_of
from ..support.serving import TOKEN, Told
from ..tunnel.sshd import free_port
from .prometheus import ROOT

UNITS = ROOT / "server/systemd"
EXPOSED = 2.5
"""What `systemd-analyze security` may find at most, of 10; its own word for that is OK."""


def needed(program: str) -> str:
    """Where a program of systemd's is."""
    found = shutil.which(program)
    assert found, f"{program} is missing: apt-get install --no-install-recommends systemd"
    return found


# -- what it tells


async def test_systemd_is_told_of_readiness_state_reload_life_and_the_end(tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:

        async def told(wanted: str) -> list[str]:
            return (await asyncio.to_thread(manager.next, wanted)).splitlines()

        async with program_of(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="400000") as server:
            assert await told("READY=1") == ["READY=1", "STATUS=sessions: 0, clients: 0"]
            for _ in range(3):
                assert await told("WATCHDOG=1") == ["WATCHDOG=1"]
            async with server.connect("reconnect=a&command=env;cat") as socket:
                assert b"NOTIFY_SOCKET" not in await Told(socket).until(b"TERM=")
                assert await told("STATUS=sessions: 1, clients: 1")
                server.process.send_signal(1)
                begun = await told("RELOADING=1")
                assert begun[1].startswith("MONOTONIC_USEC=")
                assert "READY=1" in await told("READY=1")
            server.process.terminate()
            assert (await told("STOPPING=1"))[0] == "STOPPING=1"


async def test_news_that_a_busy_manager_has_no_room_for_comes_later(tmp_path: Path) -> None:
    """The kernel keeps few datagrams for it (net.unix.max_dgram_qlen)."""
    path = str(tmp_path / "notify")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as busy,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        busy.bind(path)
        busy.setblocking(False)
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                other.sendto(b"x", path)
        service = Service({"NOTIFY_SOCKET": path}, lambda: "well")
        service.ready()
        service.stopping()
        heard: list[bytes] = []
        async with asyncio.timeout(PATIENCE):
            while len(heard) < 2:
                with suppress(BlockingIOError):
                    while True:
                        heard += [message for message in [busy.recv(4096)] if message != b"x"]
                await asyncio.sleep(0.01)
        assert heard == [b"READY=1\nSTATUS=well", b"STOPPING=1\nSTATUS=well"]
        await service.close()


async def test_a_server_that_is_full_says_so_in_its_status(tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        more = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}
        async with program_of("--max-sessions", "1", **more) as server, server.connect("reconnect=a&command=cat"):
            wanted = "STATUS=sessions: 1, clients: 1; not ready: full"
            assert wanted in await asyncio.to_thread(manager.next, wanted)


async def test_a_token_of_its_own_is_told_but_not_into_the_journal() -> None:
    journal = 'exec 9>&1; export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/9); exec "$@" 9>&-'
    async with program_of(by=["sh", "-c", journal, "sh"], token="") as server:
        assert "#token=" not in server.link
    async with program_of(token="", JOURNAL_STREAM="1:1") as server:  # somebody else's, inherited
        assert "#token=" in server.link


# -- the sockets it is given


@asynccontextmanager
async def activated(address: str, *flags: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Program]]:
    """A server that systemd's own program opens `address` for, and starts at the first connection."""
    host, _, port = address.rpartition(":")
    variables = [f"-E{name}={value}" for name, value in os.environ.items()]
    process = await asyncio.create_subprocess_exec(
        *(needed("systemd-socket-activate"), "-l", address, *variables),
        *(*PROGRAM, "serve", *flags),
        stdout=-1, stderr=-1,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            assert b"Listening on" in await process.stderr.readline()
        yield process, Program(process, Address(host, int(port)) if port.isdecimal() else Address("", 0, address))
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE):
            await process.communicate()


async def test_a_listener_that_is_passed_takes_the_place_of_listen_and_keeps_who_came_before() -> None:
    address = f"127.0.0.1:{free_port()}"
    flags = ("--token", TOKEN, "--listen", "127.0.0.1:1", "--allow-command", "--backend", "buffered")
    async with activated(address, *flags) as (process, server):
        # That begins while nothing but the socket is there yet.
        async with server.connect("reconnect=a&command=env;echo%20done", open_timeout=PATIENCE) as socket:
            said = await Told(socket).until(b"done")
            assert b"LISTEN_" not in said
        assert process.stdout is not None
        assert await process.stdout.readline() == f"http://{address}/\n".encode()
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


async def test_a_unix_socket_that_is_passed_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with activated(str(path), "--token", TOKEN) as (process, _):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            said = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert b"200 OK" in said
        process.terminate()
        await process.wait()
        assert path.is_socket()


async def test_what_is_passed_is_held_to_no_auth_s_rule() -> None:
    address = f"0.0.0.0:{free_port()}"
    async with activated(address, "--no-auth") as (process, server):
        _, writer = await asyncio.open_connection("127.0.0.1", server.address.port)
        async with asyncio.timeout(PATIENCE):
            _, said = await process.communicate()
        writer.close()
        assert process.returncode == 2
        assert "can be reached from other machines" in said.decode()


def started(script: str) -> tuple[int, str]:
    """The exit status of a server that this script becomes, and what it says."""
    command = ["bash", "-c", f'{script} exec "$@"', "bash", *PROGRAM, "serve", "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stderr


@pytest.mark.parametrize("opened", ["3</dev/null", "3>&-", "3<>/dev/udp/127.0.0.1/9"])
def test_what_is_passed_and_is_no_listener_is_named(opened: str) -> None:
    status, said = started(f"exec {opened}; export LISTEN_FDS=1 LISTEN_PID=$$;")
    assert status == 2
    assert "descriptor 3, which was passed, is no socket that listens for connections" in said


async def test_what_was_passed_to_another_process_is_left_alone() -> None:
    async with program_of(LISTEN_FDS="1", LISTEN_PID="1") as server:
        assert (await server.request("GET", "/healthz"))[0] == 200


# -- the units


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as somebody installs them, whose program is where the tests have it."""
    folder = Path(shutil.copytree(UNITS, tmp_path / "units"))
    for unit in folder.rglob("*.service"):
        text = unit.read_text()
        for where in ("/usr/local/bin", "%h/.local/bin"):
            text = text.replace(f"{where}/reconnectingpty ", f'"{Path(sys.executable).parent}/reconnectingpty" ')
        unit.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("manager", "names"),
    [("--system", ["reconnectingpty.service", "reconnectingpty.socket"]), ("--user", ["user/reconnectingpty.service"])],
)
def test_systemd_has_nothing_to_say_against_the_units(units: Path, manager: str, names: list[str]) -> None:
    verify = (needed("systemd-analyze"), "verify", manager, "--man=no", "--recursive-errors=no")
    variables = os.environ | {"XDG_RUNTIME_DIR": str(units)}
    paths = [units / name for name in names]
    done = subprocess.run([*verify, *paths], capture_output=True, text=True, timeout=60, env=variables)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_of_the_machine_is_closed_to_what_sessions_do_not_need(units: Path) -> None:
    subprocess.run(
        [
            *(needed("systemd-analyze"), "security", "--offline=true", f"--threshold={EXPOSED * 10:.0f}", "--no-pager"),
            units / "reconnectingpty.service",
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip


def test_nothing_that_a_surviving_session_has_goes_with_the_server() -> None:
    """A boot shows it (test_boot.py), but for IPC, which root is allowed to keep."""
    said = dict(
        line.split("=", 1) for line in (UNITS / "reconnectingpty.service").read_text().splitlines() if "=" in line
    )
    assert said["KillMode"] == "process"
    assert (said["PrivateTmp"], said["RemoveIPC"], said["RuntimeDirectoryPreserve"]) == ("no", "no", "yes")
    assert "/tmp" in said["ReadWritePaths"].split()


def test_the_tables_of_flags_have_what_the_units_say(units: Path) -> None:
    for unit in units.rglob("*.service"):
        (line,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
        program, *flags = shlex.split(line.removeprefix("ExecStart="))
        done = subprocess.run([program, *flags, "--help"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
