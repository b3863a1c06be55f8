"""Settings: where they come from, which wins, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconnectingpty_server.config import load
from reconnectingpty_server.values import Address, ConfigError


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        'timeout = 1\nscrollback = 2\nmax-viewers = 3\nlisten = ["127.0.0.1:1", "unix:/x"]\nallow-command = true\n'
    )
    environment = {
        "RECONNECTINGPTY_CONFIG": str(file),
        "RECONNECTINGPTY_TIMEOUT": "10",
        "RECONNECTINGPTY_SCROLLBACK": "20",
    }
    config = load({"timeout": "100"}, environment)
    assert (config.timeout, config.scrollback, config.max_viewers) == (100.0, 20, 3)
    assert config.listen == (Address("127.0.0.1", 1), Address("", 0, "/x"))
    assert config.allow_command is True
    assert config.log_size == 1 << 20


def test_never_is_a_timeout() -> None:
    assert load({"timeout": "never"}, {}).options().timeout is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"listen": ["nonsense"]}, "--listen: 'nonsense' must be host:port"),
        ({"listen": ["127.0.0.1:99999"]}, "--listen"),
        ({"timeout": "soon"}, "--timeout: 'soon' must be a number of seconds"),
        ({"timeout": "-1"}, "--timeout"),
        ({"scrollback": "1.5"}, "--scrollback: '1.5' must be a whole number"),
        ({"log_size": "1"}, "--log-size"),
        ({"backend": "nonsense"}, "--backend: 'nonsense' must be one of auto"),
        ({"size_policy": "biggest"}, "--size-policy"),
        ({"token": "short"}, "--token: must be 8 to 256"),
        ({"token": "x" * 20, "token_file": "/y"}, "give one of them"),
        ({"no_auth": "true", "listen": ["0.0.0.0:1"]}, "--no-auth: 0.0.0.0:1 can be reached from other machines"),
        ({"agent_listen": ["0.0.0.0:1"]}, "--agent-listen"),
        ({"metrics_prefix": "a-b"}, "--metrics-prefix"),
        ({"config": "/nonexistent"}, "cannot read /nonexistent"),
        ({"log_format": "xml"}, "--log-format"),
        ({"max_sessions": "0"}, "--max-sessions"),
        ({"audit_log": "a\0b"}, r"--audit-log: 'a\x00b' must have no NUL in it"),
        ({"listen": ["127.0.0.1:1", "unix:a\0b"]}, "--listen"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(flags, {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense = 1", "there is no setting"),
        ("timeout = [1]", "single value"),
        ("x", "c.toml"),
        ("max_sessions = 5\nmax-sessions = 6", "max-sessions is there twice"),
        ('user = "a\\u0000b"', "c.toml: user: .* must have no NUL"),
    ],
)
def test_a_wrong_file_is_told_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load({"config": str(file)}, {})
