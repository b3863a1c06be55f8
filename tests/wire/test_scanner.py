import time
from collections.abc import Iterator

import pytest

from reconnectingpty.errors import ProtocolError
from reconnectingpty.wire.scanner import MAX_DEPTH, ValueScanner

SIZE = 1 << 18
STREAMS = {
    "one long string": b'{"data":"' + b"x" * SIZE + b'"}',
    "a string of escapes": b'{"data":"' + b"\\n" * (SIZE // 2) + b'"}',
    "a string of backslashes": b'{"data":"' + b"\\\\" * (SIZE // 2) + b'"}',
    "many empty objects": b"{}" * (SIZE // 8),
    "many empty strings": b'{"x":[' + b'"",' * (SIZE // 12) + b"1]}",
    "many empty arrays": b'{"x":[' + b"[]," * (SIZE // 12) + b"1]}",
    "spaces": b" " * SIZE,
}


def chunked(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def scan(data: bytes, size: int) -> float:
    scanner, started = ValueScanner(1 << 30), time.process_time()
    for chunk in chunked(data, size):
        for _ in scanner.feed(chunk):
            pass
    return time.process_time() - started


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS.keys())
@pytest.mark.parametrize("size", [64, 1024, 1 << 30])
def test_no_stream_takes_more_than_linear_time(stream: bytes, size: int) -> None:
    # Quadratic, each of these takes seconds to minutes; linear, some hundredths of a second.
    assert scan(stream, size) < 1


def test_values_are_cut_where_they_end() -> None:
    values = [b'{"":"}"}', b"null", b'{"b":[{"c":"\\""},{}]}', b"{}"]
    stream = b" ".join(values) + b'\n{"unfinished":'

    for size in (1, 2, 3, 1000):
        scanner = ValueScanner(1000)
        assert [value for chunk in chunked(stream, size) for value in scanner.feed(chunk)] == values


def test_values_are_found_in_any_kind_of_bytes_between_two_feeds() -> None:
    scanner = ValueScanner(100)

    assert list(scanner.feed(b'{"a":"\\')) == []
    assert list(scanner.feed(b'"')) == []
    assert list(scanner.feed(b'}"')) == []
    assert list(scanner.feed(b"}nu")) == [b'{"a":"\\"}"}']
    assert list(scanner.feed(b"ll{")) == [b"null"]


def test_nesting_has_a_bound() -> None:
    deepest = b'{"x":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"

    assert list(ValueScanner(1000).feed(deepest)) == [deepest]
    with pytest.raises(ProtocolError, match=str(MAX_DEPTH)):
        list(ValueScanner(1000).feed(b'{"x":' + b"[" * MAX_DEPTH))
