"""The small pure pieces: arguments, flags, modes, clocks, pids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty import OptionError
from reconnectingpty.tunnel import Alive, Echo, ExitOnly, Loop, Mode, Monitor, Settings, flags, sshargs
from reconnectingpty.tunnel.clock import Reading, WakeWatch
from reconnectingpty.tunnel.mode import choose

PLAIN = st.sampled_from(
    ["-N", "-v", "-L", "1:a:1", "-o", "A=b", "host", "-p", "22", "-qT", "-", "cmd", "-J", "x", "--", "-e"]
)


@given(st.lists(PLAIN, max_size=10))
def test_without_flags_of_ours_everything_is_sshs_but_the_first_dashes(arguments: list[str]) -> None:
    given_to_ssh = list(flags.read(arguments).ssh_args)
    if "--" not in arguments:
        assert given_to_ssh == arguments
    else:
        assert [word for word in given_to_ssh if word != "--"] == [word for word in arguments if word != "--"]


@pytest.mark.parametrize(
    ("line", "ssh", "asked"),
    [
        ("-M 0 -N host", "-N host", {"monitor": "0"}),
        ("-M0 -N host", "-N host", {"monitor": "0"}),
        ("-NM 0 host", "-N host", {"monitor": "0"}),
        ("-fN host", "-N host", {"background": True}),
        ("-Nf1 host", "-N host", {"background": True, "one_shot": True}),
        ("-fM20000:7 host", "host", {"background": True, "monitor": "20000:7"}),
        ("-of host", "-of host", {}),
        ("-o -f host", "-o -f host", {}),
        ("-L -M host", "-L -M host", {}),
        ("--poll 3 host --gate-time=0", "host", {"poll": 3.0, "gate_time": 0.0}),
        ("--monitor-port=auto host", "host", {"monitor": "auto"}),
        ("host -f -v", "host -v", {"background": True}),
        ("host cmd -f --poll 3", "host cmd -f --poll 3", {}),
        ("-- -f host", "-f host", {}),
        ("host -- --poll", "host --poll", {}),
        ("--max-start -1 host", "host", {"max_start": -1}),
        ("--log-level debug host", "host", {"log_level": 7}),
    ],
)
def test_our_flags_are_taken_out_and_sshs_arguments_left_in_order(
    line: str, ssh: str, asked: dict[str, object]
) -> None:
    found = flags.read(line.split())
    assert found == flags.replace(flags.Asked(), ssh_args=tuple(ssh.split()), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "monitor"),
    [("alive", Alive()), ("auto", Loop()), ("0", ExitOnly()), ("2000", Loop(2000)), ("2000:7", Echo(2000, 7))],
)
def test_ways_to_watch(text: str, monitor: Monitor) -> None:
    assert flags.monitor_of(text) == monitor


@pytest.mark.parametrize("text", ["", "x", "-1", "1:", ":1", "1:x", "70000", "1:70000", "²"])
def test_no_ways_to_watch(text: str) -> None:
    with pytest.raises(OptionError):
        flags.monitor_of(text)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("host", ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=20", "LogLevel=DEBUG1"]),
        ("-o ServerAliveInterval=60 host", ["ConnectTimeout=20", "LogLevel=DEBUG1"]),
        ("-oserveraliveinterval=0 host", ["ConnectTimeout=20", "LogLevel=DEBUG1"]),
        ("-q host", ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=20"]),
        ("-v host", ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=20"]),
        ("-E log host", ["ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=20"]),
        ("-o", None),
    ],
)
def test_what_the_user_has_set_is_not_set_again(line: str, wanted: list[str] | None) -> None:
    built = sshargs.build(Settings(tuple(line.split())), [])
    if wanted is not None:
        assert built[: -len(line.split())] == [word for option in wanted for word in ("-o", option)]


@pytest.mark.parametrize("line", ["-L 1:a:1 host", "-R 1:a:1 host", "-D 1 host", "-oRemoteForward=1 a:1 host"])
def test_where_forwards_are_asked_for_their_failure_ends_ssh(line: str) -> None:
    arguments = tuple(line.replace("=1 a", "=1§a").split())
    built = sshargs.build(Settings(tuple(word.replace("§", " ") for word in arguments)), [])
    assert "ExitOnForwardFailure=yes" in built


@pytest.mark.parametrize("monitor", [ExitOnly(), Loop(20000), Echo(20000, 7)])
def test_only_the_way_without_a_port_adds_options(monitor: Monitor) -> None:
    assert sshargs.build(Settings(("-R", "1:a:1", "host"), monitor=monitor), []) == ["-R", "1:a:1", "host"]


def test_a_short_poll_time_makes_signs_of_life_frequent() -> None:
    assert "ServerAliveInterval=3" in sshargs.build(Settings(("host",), poll=9), [])
    assert "ServerAliveInterval=1" in sshargs.build(Settings(("host",), poll=1), [])


@pytest.mark.parametrize(
    ("argv", "environment", "mode", "rest"),
    [
        (["/usr/bin/autossh", "-N"], {}, Mode.STRICT, ["-N"]),
        (["pyautossh", "-N"], {}, Mode.DEFAULT, ["-N"]),
        (["pyautossh"], {"PYAUTOSSH_STRICT": "1"}, Mode.STRICT, []),
        (["pyautossh"], {"RUSTY_AUTOSSH_STRICT": "TRUE"}, Mode.STRICT, []),
        (["autossh"], {"RUSTY_AUTOSSH_STRICT": "no"}, Mode.DEFAULT, []),
        (["autossh", "--no-strict", "host"], {"PYAUTOSSH_STRICT": "1"}, Mode.DEFAULT, ["host"]),
        (["x", "--no-strict", "--strict"], {}, Mode.STRICT, []),
        (["x", "--strict", "--no-strict"], {}, Mode.DEFAULT, []),
        (["x", "--", "--strict"], {}, Mode.DEFAULT, ["--", "--strict"]),
    ],
)
def test_the_mode_is_chosen_by_flag_environment_and_name(
    argv: list[str], environment: dict[str, str], mode: Mode, rest: list[str]
) -> None:
    assert choose(argv, environment) == (mode, rest)


@pytest.mark.parametrize(
    ("monotonic", "boot", "wall", "asleep"),
    [
        (10, 10, 10, 0),
        (10, 3610, 3610, 3600),
        (10, 14, 14, 0),
        (10, 10, 25, 0),
        (10, 10, 3610, 3600),
        (10, 10, -3600, 0),
        (600, 600, 600, 0),
    ],
)
def test_a_sleep_is_told_from_a_clock_that_was_set(monotonic: int, boot: int, wall: int, asleep: int) -> None:
    start = Reading(100, 200, 300)
    assert Reading(100 + monotonic, 200 + boot, 300 + wall).asleep_since(start) == asleep


async def test_a_sleep_is_told_once_and_to_those_who_still_listen() -> None:
    now = Reading(0, 0, 0)
    heard: list[float] = []
    gone: list[float] = []
    watch = WakeWatch(lambda: now, tick=1000)
    watch.subscribe(heard.append)
    watch.subscribe(gone.append)
    watch.unsubscribe(gone.append)
    watch.subscribe(again := gone.append)
    watch.unsubscribe(again)
    now = Reading(10, 100, 100)
    watch.look()
    watch.look()
    watch.unsubscribe(heard.append)
    assert (heard, gone) == ([90], [])
    assert watch._timer is None
