"""The parameters of a control sequence, as numbers. Knows no sequence; called by the parser, once for each spelling."""

from __future__ import annotations

from typing import NamedTuple

MAX_PARAMETERS = 32
MAX_VALUE = 0x7FFFFFFF
"""Both as xterm.js has them; what is beyond is dropped, or cut to the limit."""


class Parameters(NamedTuple):
    """Values (0 where nothing was written) and the sub-parameters of some (-1 where nothing was written)."""

    values: tuple[int, ...]
    subs: dict[int, tuple[int, ...]]


def parse_parameters(text: str) -> Parameters:
    """`1;2:3` to values (1, 2) and the sub-parameter 3 of the second."""
    if ":" not in text and text.count(";") < MAX_PARAMETERS:
        return Parameters(tuple([_number(part, 0) for part in text.split(";")]), {})
    values: list[int] = []
    subs: dict[int, tuple[int, ...]] = {}
    room = MAX_PARAMETERS
    for index, group in enumerate(text.split(";")[:MAX_PARAMETERS]):
        head, *below = group.split(":")
        values.append(_number(head, 0))
        if below and room:
            subs[index] = tuple(_number(part, -1) for part in below[:room])
            room -= len(subs[index])
    return Parameters(tuple(values), subs)


def _number(digits: str, absent: int) -> int:
    if not digits:
        return absent
    return min(int(digits), MAX_VALUE) if len(digits) < 20 else _long_number(digits)


def _long_number(digits: str) -> int:
    """Like int(), without its time growing with the square of the length."""
    digits = digits.lstrip("0")
    return MAX_VALUE if len(digits) > 10 else min(int(digits or "0"), MAX_VALUE)
