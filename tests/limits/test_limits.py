"""What holds a session besides cgroups: resource limits, another user, its environment, its life, its output's rate."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from reconnectingpty import Expired, Limits, OptionError, Options, StartFailed, State, check, new
from reconnectingpty.limits import Plan, plan
from reconnectingpty.rate import Rate
from reconnectingpty_server.access import users
from reconnectingpty_server.values import ConfigError

from ..screen.homes import nothing_is_left
from ..support.attached import Attached, session_of
from ..support.clock import pass_time
from ..support.serving import Told, serving

NOBODY = pwd.getpwnam("nobody")
BOTH = pytest.mark.parametrize("backend", ["buffered", "screen"])
TELL = "import json, os, resource as r; print(json.dumps({}))"
DRAWING = re.compile(rb"\x1b(\[[0-9;?]*[a-zA-Z]|[()][B0])|\r|\n")
"""What a terminal makes of a line that is longer than it is wide, and what GNU screen draws before."""


def telling(what: str) -> list[str]:
    """A command that prints a value as JSON."""
    return [sys.executable, "-c", TELL.format(what)]


async def said(command: str | list[str], **options: Any) -> Any:
    """The JSON that a command says."""
    async with session_of(command, **options) as session:
        client = Attached.to(session, cols=500)
        await client.outcome
        return json.loads(DRAWING.sub(b"", client.output))


# -- resource limits


@BOTH
async def test_rlimits_hold_where_a_cgroup_cannot(backend: str) -> None:
    limits = Limits(files=64)
    numbers = "[r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_NPROC)]"
    files, processes = await said(telling(numbers), limits=limits, backend_type=backend)
    assert files == [64, 64]
    assert processes != [64, 64]
    async with session_of("cat", limits=limits, backend_type=backend) as session:
        client = Attached.to(session)
        await session.wait(State.READY)
        assert session.info().limits == {"files": "rlimit"}
        client.leave()
        await client.outcome
    if backend == "screen":
        await nothing_is_left()


def rlimits_of(found: Plan) -> dict[int, int]:
    return dict(found.rlimits)


def test_without_a_cgroup_memory_is_held_per_process_and_root_is_not_held_to_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resource

    from reconnectingpty import limits

    def nowhere(_: str | None = None) -> None:
        raise limits.NoCgroup("there is none")

    monkeypatch.setattr(limits.Delegation, "find", nowhere)
    found = plan(Limits(memory=1 << 30, processes=100), 1000)
    assert found.held == {"memory": "rlimit", "processes": "rlimit"}
    assert rlimits_of(found) == {resource.RLIMIT_DATA: 1 << 30, resource.RLIMIT_NPROC: 100}
    with pytest.raises(OptionError, match=r"limits\.processes can't be held here: there is none"):
        plan(Limits(processes=100), 0)
    with pytest.raises(OptionError, match=r"limits\.cpu can't be held here: there is none"):
        plan(Limits(cpu=0.5), 1000)


async def test_a_limit_on_memory_by_rlimit_fails_the_allocation_and_not_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from reconnectingpty import limits

    monkeypatch.setattr(limits.Delegation, "find", lambda _=None: limits.Delegation(Path("/"), frozenset()))
    monkeypatch.setattr(limits.Plan, "confine", lambda self, _: limits.Confinement(self.held, None, self.rlimits))
    eats = f"{shlex.quote(sys.executable)} -c 'bytearray(300 << 20)' 2>&1 | tail -1; echo the shell lives"
    async with session_of(eats, limits=Limits(memory=100 << 20)) as session:
        client = Attached.to(session)
        await client.outcome
        assert client.output == b"MemoryError\r\nthe shell lives\r\n"


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"memory": 1000}, "limits.memory"),
        ({"processes": 0}, "limits.processes"),
        ({"cpu": 0.0}, "limits.cpu"),
        ({"cpu": float("inf")}, "limits.cpu"),
        ({"files": 1}, "limits.files"),
    ],
)
def test_a_limit_out_of_range_is_refused_by_its_name(limits: dict[str, Any], named: str) -> None:
    with pytest.raises(OptionError, match=f"^{named} must be"):
        Limits(**limits)


async def test_a_limit_that_cannot_be_held_keeps_the_server_from_starting() -> None:
    with pytest.raises(ConfigError, match=r"^--cgroup: /proc is no cgroup"):
        async with serving(cgroup="/proc"):
            pass
    with pytest.raises(ConfigError, match="allow-containers"):
        async with serving(allow_containers="true", limit_files="100"):
            pass


# -- another user


@pytest.fixture
def as_root() -> None:
    assert os.geteuid() == 0, "becoming another user needs root: sudo scripts/test tests/limits"


@pytest.mark.usefixtures("as_root")
async def test_a_session_of_another_user_is_that_user_and_knows_nothing_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_OF_ROOT", "x")
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    what = (
        "[os.getresuid(), os.getresgid(), os.getgroups(), dict(os.environ), os.getcwd(), os.stat(0).st_uid,"
        " open(os.ttyname(0), 'w').isatty()]"
    )
    ids, groups, all_groups, environment, cwd, owner, opens = await said(["/usr/bin/python3", "-c", TELL.format(what)]
        if Path("/usr/bin/python3").exists() else telling(what), user="nobody")  # fmt: skip
    assert ids == [NOBODY.pw_uid] * 3
    assert groups == [NOBODY.pw_gid] * 3
    assert set(all_groups) == set(os.getgrouplist("nobody", NOBODY.pw_gid))
    assert "SECRET_OF_ROOT" not in environment
    assert environment["LC_TIME"] == "C.UTF-8"
    assert [environment[name] for name in ("HOME", "USER", "LOGNAME", "SHELL")] == [
        NOBODY.pw_dir, "nobody", "nobody", NOBODY.pw_shell
    ]  # fmt: skip
    assert cwd == (NOBODY.pw_dir if Path(NOBODY.pw_dir).is_dir() else "/")
    assert (owner, opens) == (NOBODY.pw_uid, True)


@pytest.mark.usefixtures("as_root")
async def test_what_goes_wrong_between_fork_and_exec_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    async with session_of(["/bin/true"], user="nobody", cwd=str(closed)) as session:
        with pytest.raises(StartFailed, match=rf"cannot start '/bin/true': it can't go to {closed}: Permission denied"):
            await Attached.to(session).outcome


@pytest.mark.usefixtures("as_root")
def test_a_user_that_cannot_be_had_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match="there is no user 'nobody-at-all'"):
        check(Options(user="nobody-at-all"))
    with pytest.raises(OptionError, match="GNU screen can't carry sessions of nobody"):
        check(Options(user="nobody", backend_type="screen"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OptionError, match="only root can run sessions as 'nobody'"):
        check(Options(user="nobody"))


@pytest.mark.usefixtures("as_root")
async def test_auto_means_buffered_for_another_user() -> None:
    session = new(["/bin/cat"], Options(user="nobody", backend_type="auto"))
    assert session.backend == "buffered"
    session.close()
    await session.wait()


# -- the environment


@BOTH
async def test_only_what_is_on_the_list_gets_into_the_environment(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEPT", "FAMILY_A", "FAMILY_B", "LOST", "RECONNECTINGPTY_TOKEN"):
        monkeypatch.setenv(name, "x")
    keep = ("PATH", "KEPT", "FAMILY_*", "RECONNECTINGPTY_*")
    found = await said(telling("dict(os.environ)"), keep=keep, backend_type=backend)
    assert {"PATH", "KEPT", "FAMILY_A", "FAMILY_B", "TERM", "HOME"} <= set(found)
    assert not {"LOST", "RECONNECTINGPTY_TOKEN"} & set(found)
    if backend == "screen":
        await nothing_is_left()


async def test_the_servers_settings_reach_its_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOST", "x")
    flags = {
        "env": ["PATH", "HOME"],
        "limit_files": "77",
        "max_life": "1000",
        "max_idle": "900",
        "max_output_rate": "1M",
    }
    async with (
        serving(**flags) as s,
        s.connect("reconnect=a&command=ulimit%20-n%3Becho%20%5B%24LOST%5D%3Bcat") as socket,
    ):
        told = Told(socket)
        await told.until(b"77\r\n[]\r\n")
        assert (await s.json("/api/sessions/a"))["limits"] == {"files": "rlimit"}
        session = s.server.sessions.get("a")
        assert session is not None
        assert (session.options.max_life, session.options.max_idle, session.options.output_rate) == (1000, 900, 1 << 20)


# -- its life


async def test_a_session_ends_at_the_end_of_its_life_whoever_looks_on() -> None:
    async with session_of("echo ready; cat", max_life=100.0) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        await pass_time(99.0)
        assert session.state is State.READY
        await pass_time(2.0)
        with pytest.raises(Expired, match="lived for 100 s"):
            await client.outcome


async def test_a_session_is_ended_when_nothing_went_in_or_out_for_too_long_and_only_then() -> None:
    async with session_of("echo ready; cat", max_idle=100.0) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        await pass_time(90.0)
        client.feed(b"key\n")
        await client.until(b"key\r\nkey\r\n")
        await pass_time(90.0)
        assert session.state is State.READY
        await pass_time(20.0)
        with pytest.raises(Expired, match="nothing went in or out of this session for 100 s"):
            await client.outcome


async def test_a_client_is_told_that_its_session_has_lived_long_enough() -> None:
    async with serving(max_life="0.3") as s, s.connect("reconnect=a&command=cat") as socket:
        told = Told(socket)
        code, _ = await told.to_the_end()
        assert code == 4000
        (closing,) = told.told("closing")
        assert (closing["reason"], closing["detail"]) == (
            "timeout", "this session has lived for 0.3 s, the longest that it may"
        )  # fmt: skip


# -- the rate of its output


def test_a_rate_allows_what_it_says_in_the_long_run() -> None:
    rate = Rate(1000)
    assert rate.spend(500, 10.0) <= 0
    assert rate.spend(500, 10.0) <= 0
    assert rate.spend(500, 10.0) == pytest.approx(0.5)
    assert rate.spend(1000, 20.0) <= 0
    now, spent = 100.0, 0
    for _ in range(1000):
        now += max(rate.spend(70, now), 0.0)
        spent += 70
    assert spent <= (now - 100.0 + 1) * 1000 + 70


@BOTH
async def test_a_flood_is_held_to_its_rate_and_interrupted_at_once(backend: str) -> None:
    rate = 50_000
    async with session_of("echo ready; read x; yes 0123456789", output_rate=rate, backend_type=backend) as session:
        client = Attached.to(session)
        await client.until(b"ready")
        began = time.monotonic()
        client.feed(b"\n")
        await client.until_output(200_000)
        seconds = time.monotonic() - began
        assert session.bytes_out <= (seconds + 1) * rate + 5000 + (64 << 10)
        assert seconds > 1.5
        client.feed(b"\x03")
        async with asyncio.timeout(20):
            await client.outcome
    if backend == "screen":
        await nothing_is_left()


async def test_what_a_program_wrote_before_its_end_comes_at_once_and_whole() -> None:
    async with session_of("seq 1000", output_rate=1024) as session:
        client = Attached.to(session)
        async with asyncio.timeout(20):
            await client.outcome
        assert client.output.endswith(b"\r\n1000\r\n")
        assert client.output.count(b"\n") == 1000


# -- how many


async def test_one_user_has_so_many_sessions_and_another_as_many(tmp_path: Path) -> None:
    path = str(tmp_path / "users")
    alice, bob = (users.add(path, name, "user") for name in ("alice", "bob"))
    async with serving(users_file=path, max_user_sessions="2") as s:

        async def start(name: str, token: str) -> tuple[int, str]:
            status, _, body = await s.request("POST", "/api/sessions", json.dumps({"id": name}).encode(), token)
            return status, json.loads(body).get("message", "")

        assert [(await start(name, alice))[0] for name in ("a", "b")] == [201, 201]
        assert await start("c", alice) == (429, "alice has 2 sessions already, the most that a user may have")
        with pytest.raises(InvalidStatus) as refused:
            async with s.connect("reconnect=c&command=cat", token=alice):
                pass
        assert refused.value.response.status_code == 429
        async with s.connect("reconnect=a", token=alice) as socket:  # to come back to one's own is no start
            await Told(socket).until_told("hello")
        assert (await start("c", bob))[0] == 201
        assert (await s.request("DELETE", "/api/sessions/b", token=alice))[0] == 204
        assert (await start("d", alice))[0] == 201
