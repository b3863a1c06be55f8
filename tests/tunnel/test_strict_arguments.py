"""What ssh is given: autossh's own program and ours, side by side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconnectingpty.tunnel import plan, strict
from reconnectingpty.tunnel.settings import forwards

from .support import GUARD, StandIn, autossh, by_another_name, environment, finished, first_line, wrapper

LINES = [
    "-M 0 host",
    "-M0 host",
    "-M 0 -N host",
    "-M 0 -T -X -Y -q -a -N host",
    "-M 0 -D 1080 host",
    "-M 0 -L 80:a:80 -R 81:b:81 host",
    "-M 0 host -v cmd -N",
    "-M 0 host -v -- cmd -f -N --",
    "-M 0 host cmd --flag",
    "-M 0 host -- cmd --flag",
    "-M 0 -- -N host",
    "-M 0 -N -- host ls -l",
    "-M 0 host ls -l",
    "-M 0 -o ServerAliveInterval=3 -o X=f host",
    "-M 0 -oBatchMode=yes host",
    "-M 0 -o -f host",
    "-M 0 -i file -F config -l user host",
    "-M 0 -p 22 -c aes -m mac -e none -b 127.0.0.1 host",
    "-M 0 -W a:1 host",
    "-M 0 -J jump host",
    "-M 0 -J -N jump host",
    "-M 0 -1246 -AaCGgkKnstVv host",
    "-M 0 -AaCGgkKnstv host",
    "-M 0 -S path -O check host",
    "-M 0 -Q cipher host",
    "-M 0 -w 1:2 -E log -I lib host",
    "-M 0 -B lo host",
    "-M 0 -z host",
    "-M 0 -d host",
    "-M 0 -u host",
    "-M 0 --poll 3 host",
    "-M 0 -é host",
    "-M 20000 host",
    "-M20000 -N host",
    "-N -M 20000 host",
    "-N host -M 20000",
    "-M 20000 -M 22000 host",
    "-N -M 0 -M 23000 host",
    "-N -M 23000 -M 0 host",
    "-NM 23000 host",
    "-NM 23000:7 host",
    "-NM23000:7 -M 24000:8 host",
    "-M 24000:8 -NM23000:7 host",
    "-M 0 -o -- -M0:7 host",
    "-N -M 23000 -- host -M 3",
    "-M 20000:7 host",
    "-M 22000:0x7 -N host",
    "-M 22000: host",
    "-M 22000:0 host",
    "-M 22000:x host",
    "-M 0:7 host",
    "-M 0:x host",
    "-M 22000:99999999999 host",
    "-M 0x5000 host",
    "-M 010000 host",
    "-M 08 host",
    "-M +20000 host",
    "-M -5 host",
    "-M 65534 host",
    "-M 65535 host",
    "-M 4294967296 host",
    "-M 99999999999999999999 host",
    "-M abc host",
    "-M '' host",
    "-M ' 22000' host",
    "-M '22000 ' host",
    "-M",
    "-M 0",
    "-M 0 -N",
    "-M 0 -l",
    "-M 0 -",
    "-M 0 - host",
    "-M 0 '' host",
    "-M 0 host ''",
    "-fM 0 host",
    "-M 0 -f host",
    "-M 0 -ff host",
    "-M 0 -fff host",
    "-M 0 -fN host",
    "-M 0 -Nf host",
    "-M 0 -fv -of host",
    "-M 0 -fvov host",
    "-M 0 -f host fgrep -f x",
    "-V",
    "-V -z",
    "-z -V",
    "-f -M 0 -V",
]


def _split(line: str) -> list[str]:
    return [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)]


def real(stand_in: StandIn, program: str, arguments: list[str], **variables: str) -> tuple[int, str, list[str] | None]:
    """What autossh makes of it: exit status, the first line it writes, and what ssh was given."""
    status, out, err = finished([program, *arguments], environment(stand_in, **variables))
    start = None
    if stand_in.path and (stand_in.starts or (status == 0 and not out)):
        start = stand_in.started(GUARD)
    return status, first_line(out or err), start[1] if start else None


def ours(arguments: list[str], **variables: str) -> tuple[int, str, list[str] | None]:
    """What we make of it, without a process."""
    try:
        found = plan.strict_plan("/usr/lib/autossh/autossh", arguments, variables)
    except plan.Words as words:
        return words.status, first_line(words.text), None
    except plan.Refused:
        return 1, "", None
    given = [*forwards(found.settings.monitor), *found.settings.ssh_args]
    # ssh ends at once and well: too early without -f, unseen with it.
    return 0 if found.background else 1, "", given


@pytest.mark.parametrize("line", LINES)
def test_ssh_gets_what_autossh_gives_it(line: str, tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        assert ours(_split(line)) == real(stand_in, autossh(), _split(line))


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("-N host", {"AUTOSSH_PORT": "21000"}),
        ("-N host", {"AUTOSSH_PORT": "21000:7"}),
        ("host -N", {"AUTOSSH_PORT": "0"}),
        ("-- host", {"AUTOSSH_PORT": "21000"}),
        ("-M 22000 -N host", {"AUTOSSH_PORT": "21000"}),
        ("-N -M 22000 host", {"AUTOSSH_PORT": "21000"}),
        ("-M 0 host", {"AUTOSSH_PORT": "21000"}),
        ("-fN host", {"AUTOSSH_PORT": "21000"}),
        ("host", {"AUTOSSH_PORT": "x"}),
        ("-M 0 host -v cmd --foo -N", {"POSIXLY_CORRECT": "1"}),
        ("-M 0 -N host -- -v", {"POSIXLY_CORRECT": "1"}),
    ],
)
def test_the_environment_counts_as_with_autossh(line: str, variables: dict[str, str], tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        assert ours(_split(line), **variables) == real(stand_in, autossh(), _split(line), **variables)


WORDS = st.sampled_from(
    ["-N", "-f", "-fN", "-Nf", "-v", "-o", "x", "host", "--", "-", "-M", "0", "-M0", "-M0:7", "-fo", "-l", "-lf"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rest=st.lists(WORDS, max_size=6))
def test_whatever_is_thrown_at_both_they_agree(rest: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    arguments = ["-M", "0", *rest]
    with StandIn(tmp_path_factory.mktemp("fuzz")) as stand_in:
        assert ours(arguments) == real(stand_in, autossh(), arguments)


def test_without_a_port_one_is_chosen_as_debians_wrapper_does(tmp_path: Path) -> None:
    with StandIn(tmp_path) as stand_in:
        status, said, given = real(stand_in, wrapper(), ["-N", "host"])
    our_status, our_said, our_given = ours(["-N", "host"])
    assert (status, said) == (our_status, our_said)
    assert given is not None
    assert our_given is not None
    shape = re.compile(r"(\d+):127\.0\.0\.1:(\d+)")
    for found in (given, our_given):
        assert found[0] == "-L"
        assert found[2] == "-R"
        assert found[4:] == ["-N", "host"]
        local, remote = shape.fullmatch(found[1]), shape.fullmatch(found[3])
        assert local is not None
        assert remote is not None
        assert local[1] == local[2] == remote[1]
        assert int(remote[2]) == int(remote[1]) + 1


@pytest.mark.parametrize("line", ["-M abc host", "-M 0 host", "-fM 0 host", "-M 22000 host", "-N host", "host"])
def test_a_port_is_given_when_debians_wrapper_thinks_so(line: str) -> None:
    assert strict.gives_port(_split(line)) == bool(re.search(r"-f?M ?[0-9]+", line))


@pytest.mark.parametrize("line", ["-M 0 -N host", "-M 23456 -o X=f host -- -v", "-z", "-V", "-M 0"])
def test_the_command_itself_does_the_same(line: str, tmp_path: Path) -> None:
    link = by_another_name(tmp_path / "autossh")
    (tmp_path / "real").mkdir()
    (tmp_path / "ours").mkdir()
    with StandIn(tmp_path / "real") as there, StandIn(tmp_path / "ours") as here:
        theirs = real(there, autossh(), _split(line))
        mine = real(here, str(link), _split(line))
    assert mine == theirs
