"""What is given at the command line: words come as they are, and what can't be meant is told in a line."""

from __future__ import annotations

import pytest

from reconnectingpty_server.cli import main, parser


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--", "git", "checkout", "--", "f"], ["git", "checkout", "--", "f"]),
        (["--", "printf", "%s|", "a", "--", "-n", "--json", "--"], ["printf", "%s|", "a", "--", "-n", "--json", "--"]),
        (["--", "--", "x"], ["--", "x"]),
        (["echo", "--", "-n", "", "a b"], ["echo", "-n", "", "a b"]),
        (["make", "test"], ["make", "test"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "send"])
def test_words_behind_two_dashes_come_as_they_are(command: str, given: list[str], words: list[str]) -> None:
    assert parser(command).parse_args([command, "work", *given]).words == words


def test_flags_before_them_count_and_a_session_may_stand_behind_them() -> None:
    parsed = parser("run").parse_args(["run", "work", "--timeout", "2", "--", "ls", "--timeout"])
    assert (parsed.session, parsed.words, parsed.timeout) == ("work", ["ls", "--timeout"], 2.0)
    assert parser("kill").parse_args(["kill", "a", "--", "-b", "--"]).sessions == ["a", "-b", "--"]
    assert parser("attach").parse_args(["attach", "--", "work"]).session == "work"


def test_a_command_with_flags_of_its_own_is_told_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for given, told in (
        (["run", "w", "echo", "-n", "hi"], "unrecognized arguments: -n hi; -- has to stand before words"),
        (["list", "--", "-x"], "reconnectingpty list: error: unrecognized arguments: -x\n"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(given)
        err = capsys.readouterr().err
        assert (ended.value.code, told in err, f"usage: reconnectingpty {given[0]}" in err) == (2, True, True), err
