"""autossh's environment variables: what it makes of good and bad values, and what we do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconnectingpty import OptionError
from reconnectingpty.tunnel import plan, variables

from .support import StandIn, autossh, by_another_name, environment, finished, first_line

NUMBERS = [
    "",
    "x",
    "0",
    "1",
    "5",
    " 5",
    "5 ",
    "+5",
    "-1",
    "-2",
    "-5",
    "0x10",
    "010",
    "08",
    "0x",
    "1e3",
    "2.5",
    "7",
    "8",
]
NUMBERS += ["99999", "4294967296", "4294967297", "2147483648", "99999999999999999999", "-99999999999999999999", "\t3"]
NUMBERED = ["LOGLEVEL", "POLL", "FIRST_POLL", "GATETIME", "MAXSTART", "MAXLIFETIME"]


def ours(given: dict[str, str]) -> bool:
    """Whether we go on with these."""
    try:
        plan.strict_plan("autossh", ["-M", "0", "host"], given)
    except plan.Refused:
        return False
    return True


@pytest.mark.parametrize("name", NUMBERED)
@pytest.mark.parametrize("value", NUMBERS)
def test_a_number_is_good_where_autossh_takes_it(name: str, value: str, tmp_path: Path) -> None:
    with StandIn(tmp_path, "exit 3") as stand_in:
        given = {f"AUTOSSH_{name}": value}
        # A limit of no starts would look like a refusal.
        status, out, err = finished([autossh(), "-M", "0", "host"], environment(stand_in, **given))
        refused = status == 1 and stand_in.starts == 0
    assert (out, err) == ("", "")
    assert ours(given) == (not refused)


@pytest.mark.parametrize("value", ["1", "7", "0x10", "010", "-5", "99999", "4294967297", "2147483648", " 5"])
def test_a_poll_time_is_read_as_autossh_reads_it(value: str, tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        given = {"AUTOSSH_FIRST_POLL": value}
        logging = {"AUTOSSH_LOGFILE": stand_in.logfile, "AUTOSSH_LOGLEVEL": "7"}
        finished([autossh(), "-M", "0", "host"], environment(stand_in, **given, **logging))
        match = re.search(r"set alarm for (-?\d+) secs", Path(stand_in.logfile).read_text())
    assert match is not None
    assert variables.read_strict(given).first_poll == float(match[1])


@pytest.mark.parametrize(
    "given",
    [
        {"AUTOSSH_POLL": "5"},
        {"AUTOSSH_POLL": "29"},
        {"AUTOSSH_POLL": "30"},
        {"AUTOSSH_MAXLIFETIME": "100"},
        {"AUTOSSH_MAXLIFETIME": "700"},
        {"AUTOSSH_MAXLIFETIME": "100", "AUTOSSH_FIRST_POLL": "10"},
        {"AUTOSSH_MAXLIFETIME": "100", "AUTOSSH_FIRST_POLL": "200", "AUTOSSH_POLL": "3"},
    ],
    ids=str,
)
def test_what_autossh_changes_it_says_and_so_do_we(given: dict[str, str], tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        # On stderr, as it opens its log file after it has looked at most of them.
        said = finished([autossh(), "-M", "0", "host"], environment(stand_in, **given, AUTOSSH_DEBUG="1"))[2]
    told = [line.partition("]: ")[2] for line in said.splitlines()]
    told = told[: next(index for index, line in enumerate(told) if line.startswith("checking"))]
    found = plan.strict_plan("autossh", ["-M", "0", "host"], given)
    # What comes before its log is open goes to syslog alone.
    late = [notice for notice in found.notices if not notice.startswith(("poll time", "first poll"))]
    assert told == late


@pytest.mark.parametrize(
    "given",
    [
        {"AUTOSSH_MESSAGE": "x" * 64},
        {"AUTOSSH_MESSAGE": "x" * 65},
        {"AUTOSSH_MESSAGE": "é" * 33},
        {"AUTOSSH_NTSERVICE": "yes"},
        {"AUTOSSH_DEBUG": "", "AUTOSSH_LOGLEVEL": "99"},
        {"AUTOSSH_PIDFILE": ""},
    ],
    ids=str,
)
def test_other_values_are_good_where_autossh_takes_them(given: dict[str, str], tmp_path: Path) -> None:
    with StandIn(tmp_path, "exit 3") as stand_in:
        finished([autossh(), "-M", "0", "host"], environment(stand_in, **given))
        assert ours(given) == (stand_in.starts == 1)


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("-M 0 host", {"AUTOSSH_POLL": "x"}),
        ("-M 0 host", {"AUTOSSH_POLL": "x", "AUTOSSH_DEBUG": "1"}),
        ("-M 0 host", {"AUTOSSH_LOGFILE": "/nowhere/log"}),
        ("-M 0 host", {"AUTOSSH_LOGFILE": ""}),
        ("-M 0 host", {"AUTOSSH_PIDFILE": "/nowhere/pid"}),
        ("-M 0 host", {"AUTOSSH_PIDFILE": "/nowhere/pid", "AUTOSSH_DEBUG": "1"}),
        ("-M 0 host", {"AUTOSSH_PATH": "/nowhere/ssh"}),
        ("-M 0 host", {"AUTOSSH_PATH": "/nowhere/ssh", "AUTOSSH_DEBUG": "1"}),
        ("-M 0 host", {"AUTOSSH_PATH": ""}),
        ("-M abc host", {"AUTOSSH_DEBUG": "1"}),
        ("-M 70000 host", {"AUTOSSH_DEBUG": "1"}),
        ("-M 20000:x host", {"AUTOSSH_DEBUG": "1"}),
        ("host", {"AUTOSSH_PORT": "x", "AUTOSSH_DEBUG": "1"}),
        ("-M 20000 host", {"AUTOSSH_DEBUG": "1", "AUTOSSH_POLL": "3"}),
        ("-M 0 host", {"AUTOSSH_DEBUG": "1", "AUTOSSH_MAXSTART": "0"}),
    ],
    ids=str,
)
def test_both_commands_end_alike_and_say_the_same(line: str, given: dict[str, str], tmp_path: Path) -> None:
    link = by_another_name(tmp_path / "autossh")
    with StandIn(tmp_path, "exit 3") as stand_in:
        results = [
            finished([program, *line.split()], environment(stand_in) | given) for program in (autossh(), str(link))
        ]
    (status, out, err), (our_status, our_out, our_err) = results
    assert (our_status, our_out, first_line(our_err)) == (status, out, first_line(err))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLL", "0"),
        ("POLL", "x"),
        ("FIRST_POLL", "-1"),
        ("GATETIME", "soon"),
        ("MAXSTART", "2.5"),
        ("MAXLIFETIME", "nan"),
        ("LOGLEVEL", "8"),
        ("LOGLEVEL", "loud"),
        ("PORT", "70000"),
        ("PORT", "1:2:3"),
        ("NTSERVICE", "yes"),
    ],
)
def test_by_default_a_bad_value_is_named(name: str, value: str) -> None:
    given = {f"AUTOSSH_{name}": value}
    with pytest.raises(OptionError, match=f"AUTOSSH_{name}"):
        plan.default_plan("pyautossh", ["host"], given, terminal=False)


def test_by_default_good_values_count_and_empty_ones_say_nothing() -> None:
    given = {
        "AUTOSSH_POLL": "2.5",
        "AUTOSSH_FIRST_POLL": "",
        "AUTOSSH_GATETIME": "0",
        "AUTOSSH_MAXSTART": "-1",
        "AUTOSSH_MAXLIFETIME": "0",
        "AUTOSSH_LOGLEVEL": "debug",
        "AUTOSSH_MESSAGE": "hello",
        "AUTOSSH_PIDFILE": "/x/pid",
    }
    found = plan.default_plan("pyautossh", ["host"], given, terminal=False)
    assert (found.settings.poll, found.settings.first_poll, found.settings.gate_time) == (2.5, None, 0)
    assert (found.settings.max_start, found.settings.max_lifetime) == (None, None)
    assert (found.log_level, found.settings.message, found.pidfile) == (7, "hello", "/x/pid")
