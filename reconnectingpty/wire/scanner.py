"""Where JSON objects end in a stream of bytes that comes in any pieces.

Pure. Follows strings, braces and brackets and leaves everything else to the JSON decoder, which sees whole values only.
Each byte is looked at once, however small or large the pieces are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import MessageTooLarge, ProtocolError

MAX_DEPTH = 100
"""Objects and arrays within each other; a request needs one. Well within what Python's decoder takes."""
_NULL = b"null"
_SPACE = re.compile(rb"[ \t\r\n]*")
_BRACKET_OR_QUOTE = re.compile(rb'["{}\[\]]')
_REST_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
"""Up to the closing quote, to a backslash that is the last byte there is, or to the end."""


class ValueScanner:
    """Cuts a stream into objects and nulls.

    Invariant: `_value` holds the beginning of one value, at most `limit` bytes of it, and is empty between values.
    """

    __slots__ = ("_depth", "_escaped", "_in_string", "_limit", "_value")

    def __init__(self, limit: int) -> None:
        """`limit`: bytes of one value."""
        self._limit = limit
        self._value = bytearray()
        self._depth = 0
        self._in_string = False
        self._escaped = False  # the next byte belongs to the backslash before it

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every value that ends in `data`. Raises ProtocolError for what can't begin one, MessageTooLarge."""
        position = 0
        while True:
            if not self._value:
                position = _end_of(_SPACE, data, position)
                if data[position : position + 1] not in (b"", b"{", b"n"):
                    raise ProtocolError("a request must be a JSON object")
            if position == len(data):
                return
            null = self._value[:1] == b"n" or (not self._value and data[position : position + 1] == b"n")
            end, whole = self._null(data, position) if null else self._object(data, position)
            if len(self._value) + end - position > self._limit:
                self._value.clear()
                raise MessageTooLarge(self._limit)
            self._value += data[position:end]
            position = end
            if whole:
                value = bytes(self._value)
                self._value.clear()
                yield value

    def _null(self, data: bytes, position: int) -> tuple[int, bool]:
        missing = len(_NULL) - len(self._value)
        end = min(position + missing, len(data))
        return end, end - position == missing

    def _object(self, data: bytes, position: int) -> tuple[int, bool]:
        """Where the object at `position` ends, or the data does; and whether it is the object."""
        while position < len(data):
            if self._in_string:
                position = self._string(data, position)
                continue
            found = _BRACKET_OR_QUOTE.search(data, position)
            if found is None:
                return len(data), False
            position = found.end()
            if found[0] == b'"':
                self._in_string = True
            elif found[0] in b"{[":
                self._depth += 1
                if self._depth > MAX_DEPTH:
                    raise ProtocolError(f"a request may have at most {MAX_DEPTH} objects and arrays within each other")
            else:
                self._depth -= 1
                if not self._depth:
                    return position, True
        return position, False

    def _string(self, data: bytes, position: int) -> int:
        """Where the string goes on after `position`, or what comes after it begins."""
        end = _end_of(_REST_OF_STRING, data, position + self._escaped)
        self._escaped = data[end : end + 1] == b"\\"
        self._in_string = data[end : end + 1] != b'"'
        return min(end + 1, len(data))


def _end_of(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    """Where a match that can be empty ends."""
    match = pattern.match(data, position)
    return position if match is None else match.end()
