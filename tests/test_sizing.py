"""Whose size the terminal takes."""

from __future__ import annotations

import pytest

from reconnectingpty import OptionError, Options
from reconnectingpty.size import Size
from reconnectingpty.sizing import Claim, SizePolicy, decide

CLAIMS = [Claim(Size(24, 80), 3), Claim(Size(50, 40), 7), Claim(Size(30, 100), 5)]


@pytest.mark.parametrize(
    ("policy", "size"),
    [
        (SizePolicy.LATEST, Size(50, 40)),
        (SizePolicy.SMALLEST, Size(24, 40)),
        (SizePolicy.LARGEST, Size(50, 100)),
        (SizePolicy.FIXED, Size(1, 2)),
    ],
)
def test_each_policy_decides_by_its_rule(policy: SizePolicy, size: Size) -> None:
    assert decide(policy, CLAIMS, Size(1, 2)) == size


@pytest.mark.parametrize("policy", SizePolicy)
def test_without_claims_the_size_stays(policy: SizePolicy) -> None:
    assert decide(policy, [], Size(1, 2)) == Size(1, 2)


@pytest.mark.parametrize(
    ("rows", "cols", "size"),
    [(0, 80, None), (24, 0, None), (-1, 5, None), (1, 1, (1, 1)), (65535, 65535, (1000, 2000))],
)
def test_odd_sizes_become_possible_or_none(rows: int, cols: int, size: object) -> None:
    assert Size.bounded(rows, cols) == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": float("inf")},
        {"attach_timeout": -1},
        {"kill_grace": -1},
        {"scrollback": -1},
        {"log_limit": 1},
        {"window": 0},
        {"max_viewers": 0},
        {"size": Size(0, 1)},
    ],
)
def test_an_option_out_of_range_is_refused_by_its_name(wrong: dict) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Options(**wrong)
