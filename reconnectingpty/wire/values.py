"""JSON as a peer writes it, read with bounds, and the checks of single values that both protocols share.

Pure. No error made here quotes what was read: commands hold secrets, and errors are logged.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Callable
from typing import Any

from ..errors import ProtocolError

MAX_CELLS = 65535
"""Rows or columns: what TIOCSWINSZ's unsigned short can say (ioctl_tty(2))."""
MAX_OFFSET = (1 << 63) - 1
MAX_DIGITS = 20
"""Of a whole number. No field takes more, and longer ones cost more than they are worth."""

Check = Callable[[Any], str | None]
"""Tells what a value must be; None where it is that."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def _each_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("reconnectingpty.each_byte", _each_byte)


def from_utf8(data: bytes | bytearray) -> str:
    """UTF-8 as text, with U+FFFD for each byte that is none: as Go reads it, where Python has one for several."""
    return data.decode("utf-8", "reconnectingpty.each_byte")


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair, so that it can be encoded."""
    return _SURROGATE.sub("\ufffd", text)


def _whole_number(digits: str) -> float:
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and the infinities, which Python's decoder takes and JSON has not


_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_whole_number, parse_constant=_no_constant)


def load(text: str, otherwise: str) -> Any:
    """The value of a JSON text: an object is a tuple of its (name, value) pairs, an array is a list.

    Raises ProtocolError, with `otherwise` as its message, for what is no JSON or nested too deeply to be read.
    """
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        pass  # the decoder's error holds the text, and must not hang on ours as its context
    raise ProtocolError(otherwise)


def whole(most: int) -> Check:
    """The check for a whole number from 0 to `most`: no float, and no truth value either."""
    wrong = f"must be a whole number from 0 to {most}"

    def check(value: Any) -> str | None:
        return None if type(value) is int and 0 <= value <= most else wrong

    return check


def or_null(check: Check) -> Check:
    """The check for what passes `check`, or null."""

    def either(value: Any) -> str | None:
        wrong = None if value is None else check(value)
        return wrong and f"{wrong}, or null"

    return either


def string(value: Any) -> str | None:
    """The check for a string, well-formed or not."""
    return None if isinstance(value, str) else "must be a string"


def text(value: Any) -> str | None:
    """The check for a string that is Unicode text: without halves of surrogate pairs."""
    return string(value) or ("must not hold half of a surrogate pair" if _SURROGATE.search(value) else None)


def truth(value: Any) -> str | None:
    """The check for true or false."""
    return None if isinstance(value, bool) else "must be true or false"


def seconds(value: Any) -> str | None:
    """The check for a point in Unix time: a number from 0 on, with or without a fraction."""
    return None if type(value) in (int, float) and 0 <= value <= MAX_OFFSET else "must be a number of seconds from 0 on"
