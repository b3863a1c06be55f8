"""Sessions inside containers: of Podman, for real, and of a stand-in that records what it is asked.

Where Podman cannot run a container (in an unprivileged one, say), a note says so, and the stand-in takes its part.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconnectingpty import (
    ExitStatus,
    OptionError,
    Options,
    ReconnectingPTY,
    ReconnectingPTYError,
    StartFailed,
    container,
)
from reconnectingpty.backends import new
from reconnectingpty.container import Container, home_and_shell, remote_environment
from reconnectingpty.screen import adopt
from reconnectingpty.wire.messages import Exited

from .conformance.clients import plain
from .screen.homes import _own_home, forget
from .support.attached import PATIENCE, Attached

__all__ = ["_own_home"]

BUSYBOX = "/bin/busybox"
APPLETS = ["cat", "env", "grep", "hostname", "id", "ls", "ps", "setsid", "sh", "sleep", "stty", "tr", "whoami"]
PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000:Joe:/home/joe:/bin/sh\nodd:x:1001:1001::/nowhere:/bin/missing\n"
)
METADATA = [{"remoteEnv": {"FROM": "the label", "GONE": None, "TWICE": "one"}}, {"remoteEnv": {"TWICE": "two words"}}]
# Limits that may be set without the privilege to raise them.
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"]

STAND_IN = """#!/bin/sh
# Takes the commands that `docker` would, writes them down, and runs what is to run inside right here, but as somebody
# whose login shell has no files of its own to read.
printf '%s\\n' "$*" >> {record}
case $1 in
inspect) printf '%s\\n' {metadata}; exit ;;
exec) shift ;;
esac
while :; do
    case $1 in
    --interactive | --tty) shift ;;
    --user) case $2 in nobody-there) echo "no such user" >&2; exit 126 ;; esac; shift 2 ;;
    --workdir) cd "$2" || exit; shift 2 ;;
    --env) case $2 in *=*) export "$2" ;; esac; shift 2 ;;
    *) break ;;
    esac
done
[ "$1" = {name} ] || {{ echo "no such container: $1" >&2; exit 125; }}
shift
HOME={home} exec "$@"
"""


@dataclass(frozen=True)
class Engine:
    """A program, and a container that it has."""

    program: str
    name: str
    real: bool
    record: Path | None = None

    def inside(self, *command: str) -> str:
        """What a command inside says."""
        done = subprocess.run([self.program, "exec", self.name, *command], capture_output=True, text=True, timeout=60)
        return done.stdout


@pytest.fixture(scope="module")
def podman() -> Iterator[Engine | None]:
    """A container of Podman's, with busybox in it; None where it can't run one."""
    for program, package in (("podman", "podman"), ("runc", "runc"), (BUSYBOX, "busybox-static")):
        assert shutil.which(program), f"{program} is missing: apt-get install -y {package}"
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "root"
        for name in ("bin", "dev", "etc", "home/joe", "proc", "root", "sys", "tmp"):
            (root / name).mkdir(parents=True)
        root.chmod(0o755)
        shutil.copy(BUSYBOX, root / "bin")
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "etc/passwd").write_text(PASSWD)
        name = f"rpty-{secrets.token_hex(4)}"
        run = ["podman", "run", "--detach", "--name", name, "--network", "none", "--hostname", "inside", *LIMITS]
        run += ["--runtime", "runc", "--init=false", "--label", f"devcontainer.metadata={json.dumps(METADATA)}"]
        done = subprocess.run(
            [*run, "--rootfs", str(root), "/bin/sleep", "10000"], capture_output=True, text=True, timeout=120
        )
        try:
            if done.returncode:
                print(f"note: podman runs no container here, the stand-in takes its part: {done.stderr.strip()}")
            yield None if done.returncode else Engine("podman", name, real=True)
        finally:
            subprocess.run(["podman", "rm", "--force", "--time", "0", name], capture_output=True, timeout=60)


def stand_in_at(folder: Path, metadata: Any) -> Engine:
    """A program that is no container program, but knows what one is asked: of a container called `box`."""
    record, program, home = folder / "record", folder / "docker", folder / "home"
    home.mkdir()
    words = {"record": str(record), "metadata": json.dumps(metadata), "name": "box", "home": str(home)}
    program.write_text(STAND_IN.format(**{name: shlex.quote(word) for name, word in words.items()}))
    program.chmod(0o755)
    return Engine(str(program), "box", real=False, record=record)


@pytest.fixture
def stand_in(tmp_path: Path) -> Engine:
    return stand_in_at(tmp_path, METADATA)


@pytest.fixture(params=["podman", "stand-in"])
def engine(request: pytest.FixtureRequest, stand_in: Engine) -> Engine:
    if request.param == "podman":
        found = request.getfixturevalue("podman")
        if found is not None:
            assert isinstance(found, Engine)
            return found
    return stand_in


@pytest.fixture(params=["buffered", "screen"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def session_in(
    engine: Engine, command: str | list[str], backend: str = "buffered", user: str = "", **options: Any
) -> AsyncIterator[ReconnectingPTY]:
    """A session inside, that is gone after the test."""
    given = Options(**{"backend_type": backend, "kill_grace": 1.0, "linger": 1.0} | options)
    session = new(command, given, container=Container(engine.name, user, engine.program))
    try:
        yield session
    finally:
        session.close()
        with suppress(ReconnectingPTYError):
            await session.wait()


def left_inside(engine: Engine, session: ReconnectingPTY) -> str:
    """The processes inside that are the session's."""
    return engine.inside("sh", "-c", f"grep -ls {session.epoch} /proc/[0-9]*/environ")


class TestSession:
    async def test_9_and_23_a_prompt_the_hostname_and_the_exit(self, engine: Engine, backend: str) -> None:
        async with session_in(engine, "", backend) as session:
            client = Attached.to(session)
            await client.when(lambda: b"# " in client.output or b"$ " in client.output)
            client.feed(b"hostname\r")
            host = engine.inside("hostname").strip()
            await client.when(lambda: host in plain(client.output)[:-1])
            client.feed(b"exit 3\r")
            assert await client.until_told(Exited) == Exited(3, None)
            await session.wait()
            assert session.exit_status == ExitStatus(code=3)
            assert engine.real == (host == "inside")

    async def test_the_command_finds_its_user_home_and_environment(self, engine: Engine, backend: str) -> None:
        async with session_in(engine, "whoami; pwd; env; stty size; echo done", backend) as session:
            client = Attached.to(session, 31, 97)
            await client.until_told(Exited)
            lines = client.output.decode().replace("\r", "").split("\n")
        assert {"TERM=xterm-256color", "LC_CTYPE=C.UTF-8", "FROM=the label", "GONE=", "TWICE=two words"} <= set(lines)
        assert f"RECONNECTINGPTY_SESSION={session.id}" in lines
        assert "31 97" in lines
        if engine.real:
            assert {"/root", "HOME=/root"} <= set(lines)
            assert "root" in "".join(lines)

    async def test_another_user_can_be_asked_for(self, podman: Engine | None, stand_in: Engine) -> None:
        engine = podman or stand_in
        user = "joe" if engine.real else "root"
        async with session_in(engine, "id -u; pwd; echo done", user=user) as session:
            client = Attached.to(session)
            await client.until_told(Exited)
            assert (b"1000\r\n/home/joe\r\n" if engine.real else b"0\r\n/root\r\n") in client.output

    async def test_an_argument_vector_is_run_as_it_is(self, engine: Engine, backend: str) -> None:
        async with session_in(engine, ["cat", "/no such  file; $HOME"], backend) as session:
            client = Attached.to(session)
            assert (await client.until_told(Exited)).code == 1
            assert b"/no such  file; $HOME" in client.output
            assert session.info().command == "cat /no such  file; $HOME"

    async def test_its_end_is_the_end_of_what_runs_inside(self, engine: Engine, backend: str) -> None:
        script = "setsid sh -c 'trap \"\" HUP TERM; echo hidden; exec sleep 1000' & trap '' HUP; echo ready; sleep 1000"
        async with session_in(engine, script, backend) as session:
            client = Attached.to(session)
            await client.when(lambda: b"ready" in client.output and b"hidden" in client.output)
            assert len(left_inside(engine, session).split()) >= 2
            session.close()
            await session.wait()
            assert left_inside(engine, session) == ""

    async def test_abort_does_not_wait_for_its_grace(self, engine: Engine, backend: str) -> None:
        script = "trap '' HUP TERM; echo ready; while :; do sleep 1000; done"
        async with session_in(engine, script, backend, kill_grace=10_000.0) as session:
            await Attached.to(session).until(b"ready", timeout=PATIENCE)
            session.abort()
            await session.wait()
            assert left_inside(engine, session) == ""

    async def test_what_goes_on_after_an_ordinary_end_goes_on(self, engine: Engine) -> None:
        async with session_in(engine, "setsid sleep 1000 & sleep 0.1; echo $!; exit") as session:
            client = Attached.to(session)
            await client.until_told(Exited)
            await session.wait()
            assert left_inside(engine, session) != ""
            hurry = asyncio.get_running_loop().create_future()
            await Container(engine.name, "", engine.program).end(session.epoch, 0.1, hurry)
            assert left_inside(engine, session) == ""

    async def test_a_session_that_another_server_left_ends_inside_too(self, engine: Engine) -> None:
        session = new(
            "trap '' HUP; echo ready; while :; do sleep 1000; done",
            Options(backend_type="screen", kill_grace=0.1),
            session_id="left",
            container=Container(engine.name, "", engine.program),
        )
        client = Attached.to(session)
        await client.until(b"ready", timeout=PATIENCE)
        await client.detach()
        epoch = session.epoch
        forget(session)
        (again,) = await adopt(Options(backend_type="screen", kill_grace=0.1))
        again.close()
        await again.wait()
        assert engine.inside("sh", "-c", f"grep -ls {epoch} /proc/[0-9]*/environ") == ""


class TestFailure:
    async def test_a_container_that_there_is_not(self, engine: Engine, backend: str) -> None:
        missing = Engine(engine.program, "no-such-box", engine.real)
        async with session_in(missing, "", backend) as session:
            with pytest.raises(
                StartFailed, match=r"container no-such-box: cannot find out its user: .*no such container"
            ):
                await Attached.to(session).outcome

    async def test_a_user_that_there_is_not(self, engine: Engine) -> None:
        async with session_in(engine, "", user="nobody-there") as session:
            with pytest.raises(StartFailed, match=r"cannot read its /etc/passwd: .*(no such user|unable to find user)"):
                await Attached.to(session).outcome

    async def test_no_program_at_all(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(StartFailed, match="there is no docker or podman here"):
            await Container("box").command_line("")

    async def test_whichever_is_there_is_taken(self, stand_in: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", f"{Path(stand_in.program).parent}:{os.environ['PATH']}")
        assert (await Container("box").command_line(""))[0] == stand_in.program

    async def test_one_that_does_not_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program = tmp_path / "docker"
        program.write_text("#!/bin/sh\nexec sleep 1000\n")
        program.chmod(0o755)
        monkeypatch.setattr(container, "STEP_SECONDS", 0.1)
        with pytest.raises(StartFailed, match="cannot find out its user: no answer within"):
            await Container("box", program=str(program)).command_line("")

    async def test_a_user_out_of_a_container_is_not_trusted(self, tmp_path: Path) -> None:
        program = tmp_path / "docker"
        program.write_text("#!/bin/sh\necho --privileged\n")
        program.chmod(0o755)
        with pytest.raises(StartFailed, match="which is no user"):
            await Container("box", program=str(program)).command_line("")

    @pytest.mark.parametrize("name", ["", "-it", "--privileged", "a b", "a/b", "a;b", "é", "x" * 129, ".", "a\n"])
    def test_names_that_no_container_has(self, name: str) -> None:
        with pytest.raises(OptionError, match="no container called"):
            Container(name)

    @pytest.mark.parametrize("user", ["-u", "a b", "a;b", "a:", ":a", "a:b:c", "$x", "a\n", "x" * 65])
    def test_names_that_no_user_has(self, user: str) -> None:
        with pytest.raises(OptionError, match="no user called"):
            Container("box", user)

    @pytest.mark.parametrize("user", ["joe", "1000", "1000:1000", "joe:users", "machine$", "_apt", "first.last"])
    def test_names_that_users_have(self, user: str) -> None:
        assert Container("box", user).user == user


class TestAsked:
    async def test_every_step_is_asked_for_in_coders_words(self, stand_in: Engine) -> None:
        words = await Container("box", "root", stand_in.program).command_line("echo $HOME")
        assert stand_in.record is not None
        steps = stand_in.record.read_text().splitlines()
        assert steps == [
            "exec --user root box cat /etc/passwd",
            'inspect --type container --format {{index .Config.Labels "devcontainer.metadata"}} box',
        ]
        assert words[:8] == [
            *(stand_in.program, "exec", "--interactive", "--tty"),
            *("--user", "root", "--workdir", "/root"),
        ]
        variables = [words[at + 1] for at, word in enumerate(words) if word == "--env"]
        assert variables == [
            *("TERM", "COLORTERM", "RECONNECTINGPTY_SESSION", "RECONNECTINGPTY_EPOCH"),
            *("FROM=the label", "GONE=", "LC_CTYPE=C.UTF-8", "TWICE=two words"),
        ]
        assert (words[-4], words[-2:]) == ("box", ["-c", "echo $HOME"])

    async def test_without_a_user_it_is_asked_who_that_is(self, stand_in: Engine) -> None:
        await Container("box", "", stand_in.program).command_line("")
        assert stand_in.record is not None
        assert stand_in.record.read_text().splitlines()[0] == "exec box whoami"


class TestMeaning:
    @pytest.mark.parametrize(
        ("user", "expected"),
        [
            ("root", ("/root", "/bin/sh")),
            ("joe", ("/home/joe", "/bin/sh")),
            ("1000", ("/home/joe", "/bin/sh")),
            ("77", ("/", "/bin/sh")),
        ],
    )
    def test_home_and_shell(self, user: str, expected: tuple[str, str]) -> None:
        assert home_and_shell(PASSWD, user) == expected

    def test_an_entry_may_leave_both_open(self) -> None:
        assert home_and_shell("a:x:1:1:::\n", "a") == ("/", "/bin/sh")

    def test_a_user_who_is_not_there(self) -> None:
        with pytest.raises(StartFailed, match="no user ann"):
            home_and_shell(PASSWD, "ann")

    @pytest.mark.parametrize(
        ("label", "expected"),
        [
            ("", {}),
            ("<no value>\n", {}),
            ("[]", {}),
            ('{"remoteEnv": {"A": "1", "B": null}}', {"A": "1", "B": ""}),
            ('[{"remoteEnv": {"A": "1"}}, {"id": "x"}, {"remoteEnv": {"A": "2"}}]', {"A": "2"}),
        ],
    )
    def test_remote_environment(self, label: str, expected: dict[str, str]) -> None:
        assert remote_environment(label) == expected

    @pytest.mark.parametrize("label", ["{", '{"remoteEnv": {"A=B": "1"}}', '{"remoteEnv": {"": "1"}}'])
    def test_what_is_none(self, label: str) -> None:
        with pytest.raises(StartFailed, match=r"devcontainer\.metadata"):
            remote_environment(label)
