"""Options are checked once, when they are said."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from reconnectingpty import OptionError, Options, ReconnectingPTYError, Size, SizePolicy
from reconnectingpty.options import MAX_LOG, MAX_SCROLLBACK, MIN_LOG
from reconnectingpty.size import MAX_COLS, MAX_ROWS


def test_the_defaults_are_those_that_are_promised() -> None:
    options = Options()
    assert (options.timeout, options.attach_timeout, options.backend_type) == (300.0, 30.0, "auto")
    assert (options.scrollback, options.log_limit, options.size_policy) == (5000, 1 << 20, SizePolicy.LATEST)
    assert (options.max_viewers, options.metrics) == (64, None)


SECONDS = ("timeout", "attach_timeout", "linger", "input_stall", "kill_grace")
WRONG: list[tuple[str, object]] = [
    *((name, value) for name in SECONDS for value in (-1, -0.001, math.inf, math.nan)),
    *((name, 0) for name in SECONDS if name != "kill_grace"),
    ("scrollback", -1),
    ("scrollback", MAX_SCROLLBACK + 1),
    ("log_limit", MIN_LOG - 1),
    ("log_limit", MAX_LOG + 1),
    ("window", 0),
    ("window", MAX_LOG + 1),
    ("max_viewers", 0),
    ("max_viewers", 1 << 17),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_an_option_out_of_range_is_refused_by_its_name_and_value(name: str, value: object) -> None:
    with pytest.raises(OptionError, match=f"^{name} .*{value}$") as caught:
        Options(**{name: value})  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ReconnectingPTYError)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (Size(0, 1), "size.rows .* not 0"),
        (Size(1, 0), "size.cols .* not 0"),
        (Size(MAX_ROWS + 1, 1), f"size.rows .* not {MAX_ROWS + 1}"),
        (Size(1, MAX_COLS + 1), f"size.cols .* not {MAX_COLS + 1}"),
    ],
)
def test_a_size_that_no_terminal_has_is_refused(size: Size, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Options(size=size)


@pytest.mark.parametrize(
    "right",
    [
        {"timeout": None},
        {"timeout": 1e-9},
        {"timeout": 1e12},
        {"kill_grace": 0},
        {"scrollback": 0},
        {"scrollback": MAX_SCROLLBACK},
        {"log_limit": MIN_LOG},
        {"log_limit": MAX_LOG},
        {"window": 1024},
        {"max_viewers": 1},
        {"size": Size(1, 1)},
        {"size": Size(MAX_ROWS, MAX_COLS)},
    ],
    ids=str,
)
def test_the_ends_of_each_range_are_in_it(right: dict[str, Any]) -> None:
    (name, value), *_ = right.items()
    assert getattr(Options(**right), name) == value


def test_options_do_not_change_and_are_said_by_name() -> None:
    with pytest.raises(FrozenInstanceError):
        Options().timeout = 1  # type: ignore[misc]
    assert all(field.kw_only for field in fields(Options))
