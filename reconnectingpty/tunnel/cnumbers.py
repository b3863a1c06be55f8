"""Numbers as C reads them: strtol and strtoul with base 0, cut down to an int, on a machine with 64-bit longs.

autossh reads its settings so; whoever wrote 0x10, 010 or -1 into one of them gets the same from us in strict mode.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\Z")
_LONG_MAX = 2**63 - 1
_ULONG_MAX = 2**64 - 1


def _magnitude(text: str) -> tuple[bool, int] | None:
    """Whether it is negative, and its digits' value; None where C would leave part of the text unread, or all."""
    match = _NUMBER.match(text)
    if match is None:
        return None
    sign, digits = match.groups()
    if digits[:2].lower() == "0x":
        value = int(digits, 16)
    elif digits.startswith("0"):
        value = int(digits, 8)
    else:
        value = int(digits)
    return sign == "-", value


def unsigned_long(text: str) -> int | None:
    """What strtoul makes of the whole text: a negative number wraps around, one too great is the greatest."""
    read = _magnitude(text)
    if read is None:
        return None
    negative, value = read
    if value > _ULONG_MAX:
        return _ULONG_MAX
    return -value % (_ULONG_MAX + 1) if negative else value


def signed_long(text: str) -> int | None:
    """What strtol makes of the whole text."""
    read = _magnitude(text)
    if read is None:
        return None
    negative, value = read
    return max(-value, -_LONG_MAX - 1) if negative else min(value, _LONG_MAX)


def as_int(value: int) -> int:
    """The value as an int of 32 bits holds it."""
    return (value + 2**31) % 2**32 - 2**31
