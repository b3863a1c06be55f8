"""The commands as processes: signals, pidfiles, the background, the log, systemd; beside autossh where it has it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.manager import Manager
from ..support.programs import full_pipe
from .support import GUARD, PYAUTOSSH, Run, StandIn, alive, autossh, environment, finished, needed, running, until

TERM, INT, HUP, USR1, USR2 = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2
STRICT = (*PYAUTOSSH, "--strict")
SLEEP = "exec sleep 300"


def programs() -> list[tuple[str, ...]]:
    return [(autossh(),), STRICT]


def logged(stand_in: StandIn, text: str, count: int = 1) -> None:
    """Wait until the log has that text so often."""
    until(lambda: Path(stand_in.logfile).read_text().count(text) >= count, f"{text} in the log")


def log(stand_in: StandIn) -> dict[str, str]:
    return {"AUTOSSH_LOGFILE": stand_in.logfile, "AUTOSSH_LOGLEVEL": "7"}


@pytest.mark.parametrize("number", [TERM, INT])
@pytest.mark.parametrize("which", [0, 1], ids=["autossh", "ours"])
def test_a_signal_to_end_ends_both(which: int, number: signal.Signals, tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        variables = environment(stand_in, AUTOSSH_PIDFILE=stand_in.pidfile, **log(stand_in))
        with running([*programs()[which], "-M", "0", "host"], variables) as run:
            ssh, _ = stand_in.must_start()
            logged(stand_in, "ssh child pid is")
            assert Path(stand_in.pidfile).read_text() == f"{run.process.pid}\n"
            run.send(number)
            status, _, _ = run.end()
        assert status == 1
        assert not alive(ssh)
        assert not Path(stand_in.pidfile).exists()
        assert f"received signal to exit ({int(number)})" in Path(stand_in.logfile).read_text()


@pytest.mark.parametrize("which", [0, 1], ids=["autossh", "ours"])
def test_usr1_starts_ssh_again_and_hup_and_usr2_leave_it_running(which: int, tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        with running([*programs()[which], "-M", "0", "host"], environment(stand_in, **log(stand_in))) as run:
            first, _ = stand_in.must_start()
            logged(stand_in, "ssh child pid is")
            run.send(HUP)
            run.send(USR2)
            run.send(USR1)
            second, _ = stand_in.must_start()
            logged(stand_in, "ssh child pid is", 2)
            assert not alive(first)
            run.send(HUP)
            run.send(USR2)
            run.send(TERM)
            assert run.end()[0] == 1
        assert stand_in.starts == 2
        assert not alive(second)


@pytest.mark.parametrize("which", [0, 1], ids=["autossh", "ours"])
def test_in_the_background_it_has_no_terminal_and_the_front_ends_well(which: int, tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        variables = environment(stand_in, AUTOSSH_PIDFILE=stand_in.pidfile, **log(stand_in))
        assert finished([*programs()[which], "-f", "-M", "0", "host"], variables) == (0, "", "")
        ssh, given = stand_in.must_start()
        assert given == ["host"]
        logged(stand_in, "ssh child pid is")
        pid = int(Path(stand_in.pidfile).read_text())
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert [os.readlink(f"/proc/{pid}/fd/{stream}") for stream in range(3)] == ["/dev/null"] * 3
        assert os.getsid(pid) != os.getsid(0)
        assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4] == "0", "it has a terminal"
        os.kill(pid, TERM)
        until(lambda: not alive(pid), "it ends")
        assert not alive(ssh)
        assert not Path(stand_in.pidfile).exists()


def test_in_the_background_what_is_wrong_is_told_in_front(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in, socket.create_server(("127.0.0.1", 0)) as taken:
        taken_port = taken.getsockname()[1]
        line = [*PYAUTOSSH, "-f", "-M", str(taken_port - 1), "host"]
        status, _, said = finished(line, environment(stand_in))
        assert status == 1
        assert f"bind on 127.0.0.1:{taken_port}: Address already in use" in said
        assert stand_in.starts == 0
        said = finished([*PYAUTOSSH, "-f", "--pid-file", "/nowhere/pid", "host"], environment(stand_in))[2]
        assert "/nowhere/pid" in said


def test_a_pidfile_that_a_living_process_holds_is_refused_and_a_stale_one_is_not(tmp_path: Path) -> None:
    pidfile = tmp_path / "held"
    with StandIn(tmp_path, SLEEP) as stand_in:
        line = [*PYAUTOSSH, "--pid-file", str(pidfile), "host"]
        with running(line, environment(stand_in)) as first:
            stand_in.must_start()
            status, _, said = finished(line, environment(stand_in))
            assert status == 1
            assert f"held by process {first.process.pid}" in said
            first.process.kill()
            first.end()
        assert pidfile.exists()
        with running(line, environment(stand_in)) as second:
            stand_in.must_start()
            assert pidfile.read_text() == f"{second.process.pid}\n"
            second.send(TERM)
            assert second.end()[0] == 0
        assert not pidfile.exists()


def test_a_pidfile_of_another_living_program_is_refused(tmp_path: Path) -> None:
    pidfile = tmp_path / "held"
    with StandIn(tmp_path, SLEEP) as stand_in:
        theirs = environment(stand_in, AUTOSSH_PIDFILE=str(pidfile))
        with running([autossh(), "-M", "0", "host"], theirs) as holder:
            stand_in.must_start()
            status, _, said = finished([*PYAUTOSSH, "--pid-file", str(pidfile), "host"], environment(stand_in))
        assert status == 1
        assert f"held by process {holder.process.pid}" in said


def test_a_pid_that_means_another_process_by_now_does_not_hold_a_file(tmp_path: Path) -> None:
    pidfile = tmp_path / "old"
    pidfile.write_text(f"{os.getpid()}\n")
    os.utime(pidfile, (1, 1))
    line = [*PYAUTOSSH, "--pid-file", str(pidfile), "host"]
    with StandIn(tmp_path, SLEEP) as stand_in, running(line, environment(stand_in)) as run:
        stand_in.must_start()
        assert pidfile.read_text() == f"{run.process.pid}\n"


def test_our_defaults_end_with_sshs_status_and_its_words(tmp_path: Path) -> None:
    with StandIn(tmp_path, "echo no such luck >&2; exit 7") as stand_in:
        status, _, said = finished([*PYAUTOSSH, "-M", "0", "host"], environment(stand_in))
    assert status == 7
    assert said.startswith("cli.py[")
    assert "\nno such luck\n" in said
    assert "ssh ended before it was up with status 7: no such luck" in said


def test_one_shot_runs_ssh_once(tmp_path: Path) -> None:
    with StandIn(tmp_path, "exit 255") as stand_in:
        assert finished([*PYAUTOSSH, "-1", "--gate-time", "0", "-M", "0", "host"], environment(stand_in))[0] == 255
        assert stand_in.starts == 1


def test_a_success_is_a_success_however_quick(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        assert finished([*PYAUTOSSH, "host"], environment(stand_in))[0] == 0


def test_ssh_does_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    needed("setpriv", "util-linux")
    with StandIn(tmp_path, SLEEP) as stand_in, running([*PYAUTOSSH, "host"], environment(stand_in)) as run:
        ssh, _ = stand_in.must_start()
        run.process.kill()
        run.end()
        until(lambda: not alive(ssh), "ssh ends")


def test_our_defaults_end_well_when_told_to_end(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in, running([*PYAUTOSSH, "host"], environment(stand_in)) as run:
        ssh, _ = stand_in.must_start()
        run.send(TERM)
        assert run.end()[0] == 0
        assert not alive(ssh)


def test_words_that_nobody_reads_hold_no_tunnel_up(tmp_path: Path) -> None:
    script = "echo lost >&2; exit 255"
    with (
        full_pipe() as (_, writer, _),
        StandIn(tmp_path, script) as stand_in,
        running([*PYAUTOSSH, "--gate-time", "0", "-M", "0", "host"], environment(stand_in), stderr=writer) as run,
    ):
        until(lambda: stand_in.starts > 2, "ssh is started again")
        run.send(TERM)
        assert run.end()[0] == 0


def test_what_ssh_is_given_by_default(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        finished(
            [*PYAUTOSSH, "-R", "1:a:1", "-o", "ConnectTimeout=3", "host", "--", "-M", "--poll"], environment(stand_in)
        )
        given = stand_in.must_start()[1]
        users = ["-R", "1:a:1", "-o", "ConnectTimeout=3", "host", "-M", "--poll"]
        assert given[-len(users) :] == users
        ours = given[: -len(users)]
        assert ours[::2] == ["-o"] * 4
        assert ours[1::2] == [
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "ExitOnForwardFailure=yes",
            "LogLevel=DEBUG1",
        ]


def test_the_log_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        line = [*PYAUTOSSH, "--log-file", stand_in.logfile, "--log-level", "debug", "host"]
        assert finished(line, environment(stand_in)) == (0, "", "")
        lines = Path(stand_in.logfile).read_text().splitlines()
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \S+\[\d+\]: ssh started \(pid \d+, start 1\)", lines[0])
    assert lines[-1].endswith("ssh has ended well")


def test_strict_lines_are_those_of_autossh(tmp_path: Path) -> None:
    said = []
    for index, program in enumerate(programs()):
        folder = tmp_path / str(index)
        folder.mkdir()
        with StandIn(folder, "[ $N -eq 1 ] && kill -9 $$; [ $N -eq 2 ] && exit 255; exit 3") as stand_in:
            variables = environment(stand_in, AUTOSSH_LOGFILE=stand_in.logfile, AUTOSSH_MAXSTART="5")
            assert finished([*program, "-M", "0", "host"], variables)[0] == 1
            text = Path(stand_in.logfile).read_text()
        said.append([re.sub(r"\d{4,}|cli\.py|autossh", "*", line.partition("]: ")[2]) for line in text.splitlines()])
    assert said[1] == said[0]


def test_systemd_is_told_of_readiness_life_and_state(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in, Manager(tmp_path / "notify") as manager:
        variables = environment(stand_in, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="400000")
        with running([*PYAUTOSSH, "-M", "0", "--gate-time", "1", "host"], variables) as run:
            assert "connecting (start 1" in manager.next("STATUS=")
            assert "up (start 1" in manager.next("READY=1")
            for _ in range(3):
                manager.next("WATCHDOG=1")
            run.send(TERM)
            manager.next("STOPPING=1")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completions_know_every_flag(shell: str) -> None:
    status, said, _ = finished([*PYAUTOSSH, "completions", shell], environment())
    assert status == 0
    wanted = finished([*PYAUTOSSH, "--help"], environment())[1]
    for flag in re.findall(r"--[a-z-]+", wanted.partition("flags:")[2].partition("how a tunnel")[0]):
        assert flag in said or f"-l {flag[2:]}" in said


def test_bash_completes_with_them(tmp_path: Path) -> None:
    said = finished([*PYAUTOSSH, "completions", "bash"], environment())[1]
    script = f"{said}\nCOMP_WORDS=(x --first); COMP_CWORD=1; _cli_py; echo ${{COMPREPLY[@]}}"
    out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=GUARD).stdout
    assert out.strip() == "--first-poll"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "name no host"),
        ("-N", "name no host"),
        ("--pol 3 host", "unrecognized option '--pol'"),
        ("--poll 0 host", "--poll: '0' is not a time"),
        ("--poll", "requires a value"),
        ("--debug=1 host", "takes no value"),
        ("-M nonsense host", "-M: 'nonsense'"),
        ("-M", "requires an argument"),
        ("--ssh-path /nowhere/ssh host", "/nowhere/ssh: No such file"),
        ("completions tcsh", "bash|zsh|fish|powershell"),
    ],
)
def test_what_is_wrong_is_told(line: str, said: str) -> None:
    status, _, err = finished([*PYAUTOSSH, *line.split()], environment())
    assert status == 1
    assert said in err


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"cli\.py \S+\n", finished([*PYAUTOSSH, "-V"], environment())[1])


def test_the_servers_own_command_does_the_same(tmp_path: Path) -> None:
    with StandIn(tmp_path, SLEEP) as stand_in:
        script = "import sys; from reconnectingpty.tunnel.cli import tunnel; sys.exit(tunnel(sys.argv[1:]))"
        run = Run([sys.executable, "-c", script, "-M", "0", "host"], environment(stand_in))
        ssh, given = stand_in.must_start()
        run.send(INT)
        assert run.end()[0] == 0
        assert given == ["host"]
        assert not alive(ssh)
