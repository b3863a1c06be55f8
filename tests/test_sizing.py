"""Whose size the terminal takes, and which sizes there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.size import MAX_COLS, MAX_ROWS, Size
from reconnectingpty.sizing import Claim, SizePolicy, decide

CURRENT = Size(1, 2)
CLAIMS = [Claim(Size(24, 80), 3), Claim(Size(50, 40), 7), Claim(Size(30, 100), 5)]
SIZES = st.builds(Size, st.integers(1, MAX_ROWS), st.integers(1, MAX_COLS))
CLAIMED = st.lists(st.builds(Claim, SIZES, st.integers()), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("policy", "size"),
    [
        (SizePolicy.LATEST, Size(50, 40)),
        (SizePolicy.SMALLEST, Size(24, 40)),
        (SizePolicy.LARGEST, Size(50, 100)),
        (SizePolicy.FIXED, CURRENT),
    ],
)
def test_each_policy_decides_by_its_rule(policy: SizePolicy, size: Size) -> None:
    assert decide(policy, CLAIMS, CURRENT) == size
    assert decide(policy, iter(reversed(CLAIMS)), CURRENT) == size


@pytest.mark.parametrize("policy", SizePolicy)
def test_without_claims_the_size_stays(policy: SizePolicy) -> None:
    assert decide(policy, [], CURRENT) == CURRENT


@given(CLAIMED)
def test_the_smallest_fits_into_every_window_and_the_largest_fills_each(claims: list[Claim]) -> None:
    smallest = decide(SizePolicy.SMALLEST, claims, CURRENT)
    largest = decide(SizePolicy.LARGEST, claims, CURRENT)
    for size, _ in claims:
        assert smallest.rows <= size.rows <= largest.rows
        assert smallest.cols <= size.cols <= largest.cols
    assert smallest.rows in {size.rows for size, _ in claims}
    assert largest.cols in {size.cols for size, _ in claims}


@given(CLAIMED)
def test_the_latest_is_the_window_of_one_who_was_active_last(claims: list[Claim]) -> None:
    last = max(active for _, active in claims)
    assert decide(SizePolicy.LATEST, claims, CURRENT) in {size for size, active in claims if active == last}


@pytest.mark.parametrize(
    ("rows", "cols", "size"),
    [
        (0, 80, None),
        (24, 0, None),
        (0, 0, None),
        (-1, 5, None),
        (5, -1, None),
        (1, 1, (1, 1)),
        (24, 80, (24, 80)),
        (MAX_ROWS, MAX_COLS, (MAX_ROWS, MAX_COLS)),
        (MAX_ROWS + 1, 3, (MAX_ROWS, 3)),
        (65535, 65535, (MAX_ROWS, MAX_COLS)),
        (1 << 80, 1 << 80, (MAX_ROWS, MAX_COLS)),
    ],
)
def test_odd_sizes_become_possible_or_none(rows: int, cols: int, size: tuple[int, int] | None) -> None:
    assert Size.bounded(rows, cols) == size
