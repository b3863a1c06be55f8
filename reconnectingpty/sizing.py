"""Whose size a session's terminal takes when several viewers look at it. Pure decisions, no state.

`latest` is tmux's `window-size latest`: whoever typed or resized last is who is working.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from .size import Size


class SizePolicy(StrEnum):
    """How the terminal's size follows from its viewers' sizes."""

    LATEST = "latest"
    SMALLEST = "smallest"
    LARGEST = "largest"
    FIXED = "fixed"


class Claim(NamedTuple):
    """A writing viewer's window, and when it was last active (any growing number)."""

    size: Size
    active: float


def _latest(claims: list[Claim]) -> Size:
    return max(claims, key=lambda claim: claim.active).size


def _smallest(claims: list[Claim]) -> Size:
    return Size(min(claim.size.rows for claim in claims), min(claim.size.cols for claim in claims))


def _largest(claims: list[Claim]) -> Size:
    return Size(max(claim.size.rows for claim in claims), max(claim.size.cols for claim in claims))


_DECISIONS: dict[SizePolicy, Callable[[list[Claim]], Size]] = {
    SizePolicy.LATEST: _latest,
    SizePolicy.SMALLEST: _smallest,
    SizePolicy.LARGEST: _largest,
}


def decide(policy: SizePolicy, claims: Iterable[Claim], current: Size) -> Size:
    """The size the terminal should have; `current` where nobody claims one, or where the size is fixed."""
    listed = list(claims)
    if policy is SizePolicy.FIXED or not listed:
        return current
    return _DECISIONS[policy](listed)
