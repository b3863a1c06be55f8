import json
import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.errors import MessageTooLarge, ProtocolError
from reconnectingpty.size import Size
from reconnectingpty.wire.coder import (
    MAX_REQUEST,
    NIL_SESSION,
    Init,
    InitDecoder,
    RequestDecoder,
    encode_init,
    encode_request,
)
from reconnectingpty.wire.messages import Resize

UUID = "123e4567-e89b-12d3-a456-426614174000"

texts = st.text(st.characters(exclude_categories=["Cs"]))
arguments = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
inits = st.builds(
    Init,
    session=st.from_regex(r"(?!\.)[A-Za-z0-9._-]{1,64}", fullmatch=True),
    rows=st.integers(0, 65535),
    cols=st.integers(0, 65535),
    command=arguments,
    container=arguments,
    container_user=arguments,
    backend_type=arguments,
)
sizes = st.builds(Size, st.integers(1, 65535), st.integers(1, 65535))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
odd_requests = st.dictionaries(
    st.sampled_from(["data", "DATA", "height", "Height", "width", "extra", "\ud800"]), json_values
).map(lambda body: json.dumps(body).encode())


def framed(body: object) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return struct.pack("<H", len(data)) + data


def init_of(body: object) -> Init:
    decoder = InitDecoder()
    assert decoder.feed(framed(body)) == b""
    assert decoder.init is not None
    return decoder.init


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def said(chunks: Iterable[bytes], limit: int = MAX_REQUEST) -> tuple[list[bytes | Resize], type[Exception] | None]:
    """What is understood of a stream, and the error that ends it."""
    decoder = RequestDecoder(limit)
    messages: list[bytes | Resize] = []
    try:
        for chunk in chunks:
            messages += decoder.feed(chunk)
        messages += decoder.feed(b"")
    except ProtocolError as error:
        return messages, type(error)
    return messages, None


def requests(stream: bytes) -> list[bytes | Resize]:
    messages, error = said([stream])
    assert error is None
    return messages


# -- the init


@given(inits, st.lists(st.integers(0, 600), max_size=5), st.binary(max_size=20))
def test_an_init_comes_back_as_it_was_in_any_pieces(init: Init, cuts: list[int], rest: bytes) -> None:
    decoder = InitDecoder()

    left = b"".join([decoder.feed(chunk) for chunk in pieces(encode_init(init) + rest, cuts)])

    assert decoder.init == init
    assert left == rest


def test_an_init_may_come_byte_by_byte() -> None:
    init = Init(UUID, 24, 80, "echo ❯", "box", "root", "buffered")
    stream, decoder = encode_init(init), InitDecoder()

    for byte in stream[:-1]:
        assert decoder.feed(bytes([byte])) == b""
        assert decoder.init is None
    assert decoder.feed(stream[-1:] + b"{}") == b"{}"
    assert decoder.init == init
    assert decoder.feed(b"more") == b"more"


def test_an_init_has_the_names_and_the_length_that_coders_agent_reads() -> None:
    data = encode_init(Init(UUID, 24, 80, "top", "box", "root", "screen"))

    assert data[0] + 256 * data[1] == len(data) - 2
    assert json.loads(data[2:]) == {
        "ID": UUID,
        "Height": 24,
        "Width": 80,
        "Command": "top",
        "Container": "box",
        "ContainerUser": "root",
        "BackendType": "screen",
    }


def test_an_init_that_two_bytes_of_length_cannot_tell_is_not_made() -> None:
    room = 0xFFFF - (len(encode_init(Init("s"))) - 2)

    assert len(encode_init(Init("s", command="x" * room))) == 2 + 0xFFFF
    with pytest.raises(MessageTooLarge):
        encode_init(Init("s", command="x" * (room + 1)))


@pytest.mark.parametrize(
    ("body", "init"),
    [
        ({}, Init(NIL_SESSION)),
        ({"ID": None, "Height": None, "Command": None}, Init(NIL_SESSION)),
        ({"id": "s", "HEIGHT": 24, "wIdTh": 80, "containeruser": "u"}, Init("s", 24, 80, container_user="u")),
        ({"ID": "s", "New": [{"a": 1}], "Other": 1e300}, Init("s")),
        (b'{"ID":"a","id":"b","Id":"c","ID":null}', Init("c")),
        (b'{"ID":"s","Command":"\\ud800!"}', Init("s", command="\ufffd!")),
        (b'{"ID":"s","Command":"\xe2\x9d"}', Init("s", command="\ufffd\ufffd")),
        (b' {"ID":"s"} ', Init("s")),
    ],
)
def test_an_init_is_read_as_coders_agent_reads_it(body: object, init: Init) -> None:
    assert init_of(body) == init


def test_an_init_without_anything_is_that_of_the_nil_uuid() -> None:
    assert init_of({}) == Init("00000000-0000-0000-0000-000000000000", 0, 0, "", "", "", "")


def test_an_init_tells_its_size_where_it_has_one() -> None:
    assert Init("s", 24, 80).size == Size(24, 80)
    assert Init("s", 24).size is None


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "the init must be a JSON object"),
        (b"secret", "the init must be a JSON object"),
        (b'{"Command":"secret"', "the init must be a JSON object"),
        (b'{"Command":"secret","Height":NaN}', "the init must be a JSON object"),
        (b'["secret"]', "the init must be a JSON object"),
        (b"null", "the init must be a JSON object"),
        (b"[" * 0xFFFF, "the init must be a JSON object"),
        (b'{"a":' * 13000, "the init must be a JSON object"),
        ({"ID": "secret/.."}, "the init: ID must be a UUID, or 1 to 64 of the characters"),
        ({"ID": ".secret"}, "the init: ID must"),
        ({"ID": ""}, "the init: ID must"),
        ({"ID": 7}, "the init: ID must"),
        ({"ID": "s" * 65}, "the init: ID must"),
        ({"ID": "s", "Height": 70000}, "the init: Height must be a whole number from 0 to 65535"),
        ({"ID": "s", "Width": -1}, "the init: Width must be"),
        ({"ID": "s", "Width": "80"}, "the init: Width must be"),
        ({"ID": "s", "Width": 80.0}, "the init: Width must be"),
        ({"ID": "s", "Height": True}, "the init: Height must be"),
        (b'{"ID":"s","Height":' + b"9" * 5000 + b"}", "the init: Height must be"),
        (b'{"ID":"s","Height":70000,"height":24}', "the init: Height must be"),
        ({"ID": "s", "Command": ["secret"]}, "the init: Command must be a string"),
        ({"ID": "s", "command": "secret\0"}, "the init: Command must not hold a NUL character"),
        ({"ID": "s", "Container": {}}, "the init: Container must be a string"),
        ({"ID": "s", "ContainerUser": 0}, "the init: ContainerUser must be a string"),
        ({"ID": "s", "BackendType": False}, "the init: BackendType must be a string"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_init_is_refused_by_name_and_never_quoted(body: object, complaint: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        init_of(body)

    assert str(caught.value).startswith(complaint)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None  # a decoder's error would hold the text


@given(st.binary(max_size=100) | json_values.map(framed), st.lists(st.integers(0, 100), max_size=3))
def test_whatever_init_comes_nothing_but_a_protocol_error_is_raised(stream: bytes, cuts: list[int]) -> None:
    decoder = InitDecoder()
    try:
        for chunk in pieces(stream, cuts):
            decoder.feed(chunk)
    except ProtocolError:
        assert decoder.init is None


# -- requests


@given(st.none() | texts, st.none() | sizes)
def test_a_request_says_what_it_was_made_from(data: str | None, size: Size | None) -> None:
    expected: list[bytes | Resize] = [data.encode()] if data else []
    if size is not None:
        expected.append(Resize(size.rows, size.cols))

    assert requests(encode_request(data, size)) == expected


def test_a_request_has_the_names_that_coders_agent_reads() -> None:
    assert encode_request("ls\r", Size(24, 80)) == b'{"data":"ls\\r","height":24,"width":80}'
    assert encode_request() == b"{}"


def test_a_request_that_would_be_refused_is_not_made() -> None:
    room = MAX_REQUEST - len(encode_request(""))

    assert MAX_REQUEST == 1048576
    assert requests(encode_request("x" * room)) == [b"x" * room]
    with pytest.raises(MessageTooLarge):
        encode_request("x" * (room + 1))


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"", []),
        (b" \r\n\t ", []),
        (b"{}", []),
        (b"null", []),
        (b"null{}null \n", []),
        (b'{"data":""}', []),
        (b'{"data":"ls\\r"}', [b"ls\r"]),
        (b'{"height":24,"width":80}', [Resize(24, 80)]),
        (b'{"height":24,"width":80,"data":"x"}', [b"x", Resize(24, 80)]),
        (b'{"data":"a"}{"data":"b"} \n{"height":1,"width":2}null{"data":"c"}', [b"a", b"b", Resize(1, 2), b"c"]),
        (b'{"height":24}{"width":80}', []),
        (b'{"height":0,"width":80}', []),
        (b'{"height":24,"width":0}', []),
        (b'{"height":65535,"width":65535}', [Resize(65535, 65535)]),
        (b'{"DATA":"x","Height":1,"wIDTH":2}', [b"x", Resize(1, 2)]),
        (b'{"data":"a","Data":"b","DATA":"c","Data":"d"}', [b"d"]),
        (b'{"data":"a","data":null,"height":null,"width":null}', [b"a"]),
        (b'{"x":{"data":"no","y":[{"data":"no"}]},"data":"yes","z":"}{","e":1e999}', [b"yes"]),
        (b'{"x":' + b"9" * 5000 + b',"data":"yes"}', [b"yes"]),
        (b'{"x":' + b"[" * 90 + b"]" * 90 + b',"data":"yes"}', [b"yes"]),
        (b'{"data":"}{][\\"\\\\"}{"data":"\\\\"}', [b'}{]["\\', b"\\"]),
        (b'{"data":"\\u0000\\u001b[A\\/"}', [b"\0\x1b[A/"]),
        ('{"data":"❯😀"}'.encode(), "❯😀".encode()),
        (b'{"data":"\\ud83d\\ude00"}', "😀".encode()),
        (b'{"data":"\\ud83d"}', "\ufffd".encode()),
        (b'{"data":"\\ude00\\ud83dA"}', "\ufffd\ufffdA".encode()),
        (b'{"data":"\\ud83d\\ud83d\\ude00"}', "\ufffd😀".encode()),
        (b'{"data":"a\xffb"}', "a\ufffdb".encode()),
        (b'{"data":"\xe2\x9d"}', "\ufffd\ufffd".encode()),
        (b'{"data":"\xed\xa0\x80"}', "\ufffd\ufffd\ufffd".encode()),
        (b'{"data":"\xf0\x9f\x98A"}', "\ufffd\ufffd\ufffdA".encode()),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_stream_of_requests_is_read_as_coders_agent_reads_it(stream: bytes, messages: list[object] | bytes) -> None:
    expected = [messages] if isinstance(messages, bytes) else messages

    assert said([stream]) == (expected, None)
    assert said(bytes([byte]) for byte in stream) == (expected, None)


@pytest.mark.parametrize(
    ("stream", "complaint"),
    [
        (b"garbage", "a request must be a JSON object"),
        (b"\xef\xbb\xbf{}", "a request must be a JSON object"),
        (b"1", "a request must be a JSON object"),
        (b'"text"', "a request must be a JSON object"),
        (b"[{}]", "a request must be a JSON object"),
        (b"true", "a request must be a JSON object"),
        (b"nuts", "a request must be a JSON object"),
        (b"}", "a request must be a JSON object"),
        (b"{]", "a request must be a JSON object"),
        (b"{a}", "a request must be a JSON object"),
        (b'{"data":"a",}', "a request must be a JSON object"),
        (b'{"data":"a\n"}', "a request must be a JSON object"),
        (b'{"data":"\\x41"}', "a request must be a JSON object"),
        (b'{"x":NaN}', "a request must be a JSON object"),
        (b'{"x":Infinity}', "a request must be a JSON object"),
        (b'{"data":5}', "a request: data must be a string"),
        (b'{"data":["a"]}', "a request: data must be a string"),
        (b'{"height":70000,"width":80}', "a request: height must be a whole number from 0 to 65535"),
        (b'{"height":-1,"width":80}', "a request: height must be"),
        (b'{"height":1,"width":80.0}', "a request: width must be"),
        (b'{"height":1,"width":8e1}', "a request: width must be"),
        (b'{"height":true,"width":80}', "a request: height must be"),
        (b'{"height":"24","width":80}', "a request: height must be"),
        (b'{"height":70000,"Height":24,"width":80}', "a request: height must be"),
        (b'{"x":' + b"[" * 100, "at most 100 objects and arrays within each other"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_request_ends_the_stream(stream: bytes, complaint: str) -> None:
    decoder = RequestDecoder()

    with pytest.raises(ProtocolError, match=complaint) as caught:
        decoder.feed(stream)
    assert caught.value.code == 1007
    assert caught.value.__context__ is None
    with pytest.raises(ProtocolError, match=complaint):
        decoder.feed(b'{"data":"more"}')
    assert said(bytes([byte]) for byte in stream) == ([], ProtocolError)


def test_what_came_before_a_wrong_request_is_not_lost() -> None:
    decoder = RequestDecoder()

    assert decoder.feed(b'{"data":"a"}{"height":1,"width":2}x{"data":"b"}') == [b"a", Resize(1, 2)]
    with pytest.raises(ProtocolError):
        decoder.feed(b"")


@given(
    st.lists(
        st.builds(encode_request, st.none() | texts, st.none() | sizes)
        | odd_requests
        | st.sampled_from([b" \n", b"null", b'{"data":"\xff\xe2\x9d"}', b'{"data":"\\ud83d\\ude00\\ud83d"}'])
        | st.binary(max_size=4)
    ).map(b"".join),
    st.lists(st.integers(0, 300), max_size=8),
    st.sampled_from([30, MAX_REQUEST]),
)
def test_what_is_understood_does_not_depend_on_the_chunking(stream: bytes, cuts: list[int], limit: int) -> None:
    whole = said([stream], limit)

    assert said(pieces(stream, cuts), limit) == whole
    assert said((bytes([byte]) for byte in stream), limit) == whole


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_may_have_as_many_bytes_as_the_limit_and_no_more(size: int) -> None:
    fits = b'{"data":"' + b"x" * 89 + b'"}'
    decoder = RequestDecoder(limit=100)

    for start in range(0, 300, size):
        decoder.feed((fits * 3)[start : start + size])
    decoder.feed(fits[:-1])
    with pytest.raises(MessageTooLarge) as caught:
        decoder.feed(b" }")
    assert caught.value.code == 1009
    assert caught.value.limit == 100


def test_an_endless_request_is_refused_before_it_is_held() -> None:
    decoder = RequestDecoder(limit=100)
    decoder.feed(b'{"data":"' + b"x" * 91)
    held = decoder._scanner._value
    assert len(held) == 100

    with pytest.raises(MessageTooLarge):
        decoder.feed(b"x" * 10_000)
    assert not held


def test_spaces_between_requests_are_not_held() -> None:
    decoder = RequestDecoder(limit=100)

    for _ in range(100):
        assert decoder.feed(b" " * 99) == []
    assert decoder.feed(b'{"data":"x"}') == [b"x"]
