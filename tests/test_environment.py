import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconnectingpty.account import Account, current_account
from reconnectingpty.environment import (
    FOREIGN,
    FOREIGN_PREFIXES,
    child_environment,
    command_line,
    working_directory,
)
from reconnectingpty.errors import OptionError

ADA = Account("ada", "/home/ada", "/bin/zsh", 1815)


def environment(base: dict[str, str], extra: dict[str, str] | None = None) -> dict[str, str]:
    return child_environment(base, session="s1", epoch="e1", user=ADA, extra=extra)


# -- variables


def test_a_child_has_a_terminal_an_account_and_the_sessions_marks() -> None:
    assert environment({"PATH": "/bin", "LANG": "de_DE.UTF-8"}) == {
        "PATH": "/bin",
        "LANG": "de_DE.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "USER": "ada",
        "LOGNAME": "ada",
        "HOME": "/home/ada",
        "SHELL": "/bin/zsh",
        "RECONNECTINGPTY_SESSION": "s1",
        "RECONNECTINGPTY_EPOCH": "e1",
    }


@pytest.mark.parametrize("term", ["dumb", "screen.xterm-256color", "tmux-256color", "xterm-kitty", ""])
def test_the_terminal_is_ours_whatever_the_servers_own_is(term: str) -> None:
    result = environment({"TERM": term, "COLORTERM": "no"})

    assert (result["TERM"], result["COLORTERM"]) == ("xterm-256color", "truecolor")


@pytest.mark.parametrize(
    ("base", "ctype"),
    [
        ({}, "C.UTF-8"),
        ({"LANG": "C"}, "C.UTF-8"),
        ({"LANG": "POSIX"}, "C.UTF-8"),
        ({"LANG": "en_US"}, "C.UTF-8"),
        ({"LANG": ""}, "C.UTF-8"),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "C.UTF-8"),
        ({"LC_ALL": ""}, "C.UTF-8"),
        ({"LANG": "C.UTF-8"}, None),
        ({"LANG": "C.UTF8"}, None),
        ({"LANG": "en_US.utf8"}, None),
        ({"LANG": "ca_ES.utf-8@valencia"}, None),
        ({"LC_CTYPE": "ja_JP.UTF-8"}, "ja_JP.UTF-8"),
        ({"LC_CTYPE": "ja_JP.UTF-8", "LANG": "C"}, "ja_JP.UTF-8"),
        ({"LC_CTYPE": "C", "LANG": "en_US.UTF-8"}, "C.UTF-8"),
        ({"LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "en_US.UTF-8"}, "C.UTF-8"),
        ({"LC_CTYPE": "", "LANG": "en_US.UTF-8"}, ""),
        ({"LC_ALL": "C"}, None),
        ({"LC_ALL": "C", "LC_CTYPE": "C", "LANG": "en_US.UTF-8"}, "C"),
        ({"LC_ALL": "en_US.UTF-8"}, None),
        ({"LC_ALL": "en_US.UTF-8", "LC_CTYPE": "C"}, "C"),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8"}, None),
        ({"LC_ALL": "", "LANG": "C"}, "C.UTF-8"),
    ],
    ids=str,
)
def test_characters_are_utf_8_unless_the_user_forces_something_else(base: dict[str, str], ctype: str | None) -> None:
    result = environment(base)

    assert result.get("LC_CTYPE") == ctype
    for name in ("LANG", "LC_ALL"):
        assert result.get(name) == base.get(name)


def test_no_secret_of_the_server_reaches_a_child() -> None:
    result = environment({"RECONNECTINGPTY_TOKEN": "t", "RECONNECTINGPTY_NEW": "n", "RECONNECTINGPTY_EPOCH": "outer"})

    ours = {name: value for name, value in result.items() if name.startswith("RECONNECTINGPTY_")}
    assert ours == {"RECONNECTINGPTY_SESSION": "s1", "RECONNECTINGPTY_EPOCH": "e1"}


@pytest.mark.parametrize(
    "name",
    [
        "TMUX", "TMUX_PANE", "STY", "WINDOW", "WINDOWID", "TERMCAP", "LINES", "COLUMNS", "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION", "VTE_VERSION", "KITTY_WINDOW_ID", "KITTY_LISTEN_ON", "NOTIFY_SOCKET", "WATCHDOG_USEC",
        "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "INVOCATION_ID", "JOURNAL_STREAM", "SSH_TTY",
        "ZELLIJ", "ZELLIJ_PANE_ID", "COLORFGBG", "TERM_SESSION_ID", "LC_TERMINAL", "LC_TERMINAL_VERSION",
        "TERMINAL_EMULATOR", "XTERM_VERSION", "WT_SESSION", "WT_PROFILE_ID", "INSIDE_EMACS", "GPG_TTY", "SSH_CLIENT",
        "SSH_CONNECTION", "FDSTORE", "MAINPID", "MANAGERPID", "SYSTEMD_EXEC_PID", "CREDENTIALS_DIRECTORY",
        "MEMORY_PRESSURE_WATCH", "SUPERVISOR_ENABLED", "ALACRITTY_SOCKET", "GHOSTTY_BIN_DIR", "ITERM_PROFILE",
        "GNOME_TERMINAL_SCREEN", "KONSOLE_VERSION", "WEZTERM_PANE",
    ],
)  # fmt: skip
def test_nothing_of_the_servers_own_terminal_and_supervisor_reaches_a_child(name: str) -> None:
    assert environment({name: "x"}) == environment({})


def test_every_foreign_variable_is_removed_and_has_a_reason() -> None:
    base = dict.fromkeys([*FOREIGN, *(prefix + "X" for prefix in FOREIGN_PREFIXES)], "x")

    assert environment(base) == environment({})
    assert all([*FOREIGN.values(), *FOREIGN_PREFIXES.values()])


@pytest.mark.parametrize("name", ["PATH", "TZ", "SSH_AUTH_SOCK", "TERMINFO_DIRS", "WINDOWS", "NO_COLOR", "LC_TIME"])
def test_everything_else_is_passed_on(name: str) -> None:
    assert environment({name: "value"})[name] == "value"


def test_the_embedder_wins_over_all_but_the_sessions_marks() -> None:
    extra = {
        "TERM": "vt100",
        "USER": "bob",
        "TMUX": "mine",
        "LC_CTYPE": "C",
        "RECONNECTINGPTY_EPOCH": "forged",
        "RECONNECTINGPTY_SESSION": "forged",
        "RECONNECTINGPTY_HINT": "kept",
    }

    result = environment({"USER": "root"}, extra)

    expected = extra | {"RECONNECTINGPTY_EPOCH": "e1", "RECONNECTINGPTY_SESSION": "s1"}
    assert result | expected == result


@pytest.mark.parametrize(("lang", "ctype"), [("de_DE.UTF-8", None), ("C", "C.UTF-8")])
def test_the_locale_in_force_is_the_embedders(lang: str, ctype: str | None) -> None:
    assert environment({"LANG": "x.ISO-8859-1"}, {"LANG": lang}).get("LC_CTYPE") == ctype


@pytest.mark.parametrize("extra", [{"": "x"}, {"A=B": "x"}, {"A\0": "x"}, {"A": "x\0y"}, {"A": "\ud800"}, {"A": 1}])
def test_what_no_environment_can_hold_is_refused(extra: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        environment({}, extra)


def test_neither_base_nor_extra_is_changed() -> None:
    base, extra = {"TMUX": "x", "LANG": "C"}, {"A": "b"}

    environment(base, extra)

    assert (base, extra) == ({"TMUX": "x", "LANG": "C"}, {"A": "b"})


# -- the account


def passwd(monkeypatch: pytest.MonkeyPatch, *, shell: str, home: str = "/home/ada") -> None:
    entry = SimpleNamespace(pw_name="ada", pw_dir=home, pw_shell=shell)
    monkeypatch.setattr(pwd, "getpwuid", {1815: entry}.__getitem__)


@pytest.mark.parametrize(
    ("shell", "variable", "expected"),
    [
        ("/bin/zsh", "/bin/fish", "/bin/zsh"),
        ("", "/bin/fish", "/bin/fish"),
        ("", "", "/bin/sh"),
        ("", None, "/bin/sh"),
    ],
)
def test_the_shell_is_the_accounts_then_the_environments_then_sh(
    monkeypatch: pytest.MonkeyPatch, shell: str, variable: str | None, expected: str
) -> None:
    passwd(monkeypatch, shell=shell)
    monkeypatch.setattr(os, "getuid", lambda: 1815)
    monkeypatch.delenv("SHELL", raising=False)
    if variable is not None:
        monkeypatch.setenv("SHELL", variable)

    assert current_account() == Account("ada", "/home/ada", expected, 1815)


@pytest.mark.parametrize(("home", "expected"), [("/data", "/data"), ("", "/"), (None, "/")])
def test_a_user_id_without_a_name_has_an_account_too(
    monkeypatch: pytest.MonkeyPatch, home: str | None, expected: str
) -> None:
    passwd(monkeypatch, shell="/bin/zsh")
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    monkeypatch.setenv("SHELL", "/bin/dash")
    monkeypatch.delenv("HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)

    assert current_account() == Account("4711", expected, "/bin/dash", 4711)


# -- the argument vector


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("", ["/bin/zsh", "-l"]),
        (" \n", ["/bin/zsh", "-l"]),
        ("top", ["/bin/zsh", "-c", "top"]),
        ("echo 'a b' | wc; # ❯", ["/bin/zsh", "-c", "echo 'a b' | wc; # ❯"]),
        (" # comment", ["/bin/zsh", "-c", " # comment"]),
        ("#!/bin/bash\nls", ["/bin/bash", "-c", "#!/bin/bash\nls"]),
        ("\n  #!/bin/bash -eu\r\nls\r\n", ["/bin/bash", "-eu", "-c", "\n  #!/bin/bash -eu\r\nls\r\n"]),
        ("#! /usr/bin/env python3\n1", ["/usr/bin/env", "python3", "-c", "#! /usr/bin/env python3\n1"]),
        ("#!'/opt/my sh' -x\u2028\nls", ["/opt/my sh", "-x\u2028", "-c", "#!'/opt/my sh' -x\u2028\nls"]),
        (["ls", "-l", ""], ["ls", "-l", ""]),
        (("a b",), ["a b"]),
        (["#!/bin/sh"], ["#!/bin/sh"]),
        (["cat", "\udcff"], ["cat", "\udcff"]),
    ],
)
def test_a_command_becomes_an_argument_vector(command: str | Sequence[str], argv: list[str]) -> None:
    assert command_line(command, ADA) == argv


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ([], "at least the program's name"),
        ([""], "at least the program's name"),
        (["a", "b\0"], "NUL"),
        ("a\0b", "NUL"),
        ("#!/bin/sh\n\0", "NUL"),
        (["a", 1], "must be text, not int"),
        (b"ls", "must be text, not int"),
        ("\ud800", "this system's encoding"),
        ("#!", "names no interpreter"),
        ("#! \nls", "names no interpreter"),
        ("#!''\nls", "names no interpreter"),
        ("#!'' -x\nls", "names no interpreter"),
        ("#!/bin/sh 'open\nls", "can't be read"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(command: Sequence[str], complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        command_line(command, ADA)


# -- the directory


def test_a_command_starts_where_it_is_told_to_or_at_home_or_in_the_root(tmp_path: Path) -> None:
    home, project, file = tmp_path / "home", tmp_path / "project", tmp_path / "file"
    home.mkdir()
    project.mkdir()
    file.touch()
    at_home = Account("ada", str(home), "/bin/sh", 1)
    homeless = Account("ada", str(tmp_path / "gone"), "/bin/sh", 1)

    assert working_directory(str(project), at_home) == str(project)
    for no_directory in (None, "", str(file), str(tmp_path / "gone"), "a\0b"):
        assert working_directory(no_directory, at_home) == str(home)
        assert working_directory(no_directory, homeless) == "/"
