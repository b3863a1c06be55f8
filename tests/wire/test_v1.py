import json
import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.errors import MessageTooLarge, ProtocolError
from reconnectingpty.wire import v1
from reconnectingpty.wire.messages import (
    ClientMessage,
    Closing,
    Exited,
    Hello,
    InputAck,
    Kill,
    OutputAck,
    Ping,
    Pong,
    Resize,
    Resync,
    ServerMessage,
    SizeChanged,
    Viewers,
)
from reconnectingpty.wire.values import MAX_OFFSET

HELLO = Hello(
    session="work",
    epoch="0af3",
    backend="buffered",
    created=1700000000.5,
    rows=24,
    cols=80,
    readonly=False,
    offset=1 << 40,
    snapshot=1234,
    input_offset=7,
    window=262144,
)

FRAMES: list[tuple[ServerMessage | ClientMessage, str]] = [
    (
        HELLO,
        '{"type":"hello","session":"work","epoch":"0af3","backend":"buffered","created":1700000000.5,"rows":24,'
        '"cols":80,"readonly":false,"offset":1099511627776,"snapshot":1234,"input_offset":7,"window":262144}',
    ),
    (Resync(10, 20), '{"type":"resync","offset":10,"snapshot":20}'),
    (SizeChanged(24, 80), '{"type":"size","rows":24,"cols":80}'),
    (InputAck(5), '{"type":"ack","input_offset":5}'),
    (Viewers(2), '{"type":"viewers","count":2}'),
    (Exited(0, None), '{"type":"exit","code":0,"signal":null}'),
    (Exited(None, 9), '{"type":"exit","code":null,"signal":9}'),
    (Closing("timeout", "nobody came"), '{"type":"closing","reason":"timeout","detail":"nobody came"}'),
    (Pong("a"), '{"type":"pong","id":"a"}'),
    (Resize(24, 80), '{"type":"resize","rows":24,"cols":80}'),
    (OutputAck(5), '{"type":"ack","offset":5}'),
    (Ping(-1), '{"type":"ping","id":-1}'),
    (Kill(), '{"type":"kill"}'),
]
OF_THE_SERVER = tuple(v1.SERVER_TYPES.values())

offsets = st.integers(0, MAX_OFFSET)
cells = st.integers(0, 65535)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)
ids = st.integers(-MAX_OFFSET, MAX_OFFSET) | texts
statuses = st.none() | st.integers(0, 255)
server_messages = st.one_of(
    st.builds(
        Hello,
        session=texts,
        epoch=texts,
        backend=texts,
        created=st.floats(0, 1e12),
        rows=cells,
        cols=cells,
        readonly=st.booleans(),
        offset=offsets,
        snapshot=offsets,
        input_offset=offsets,
        window=offsets,
    ),
    st.builds(Resync, offsets, offsets),
    st.builds(SizeChanged, cells, cells),
    st.builds(InputAck, offsets),
    st.builds(Viewers, offsets),
    st.builds(Exited, statuses, statuses),
    st.builds(Closing, texts, texts),
    st.builds(Pong, ids),
)
client_messages = st.one_of(
    st.builds(Resize, cells, cells), st.builds(OutputAck, offsets), st.builds(Ping, ids), st.builds(Kill)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("message", "frame"), FRAMES, ids=lambda value: str(value)[:12])
def test_a_message_has_its_documented_frame(message: ServerMessage | ClientMessage, frame: str) -> None:
    decode = v1.decode_server if isinstance(message, OF_THE_SERVER) else v1.decode_client

    assert v1.encode(message) == frame
    assert decode(frame) == message
    assert decode(frame.encode()) == message


def test_every_message_there_is_has_a_frame_here() -> None:
    assert {type(message) for message, _ in FRAMES} == {*v1.SERVER_TYPES.values(), *v1.CLIENT_TYPES.values()}


@given(server_messages)
def test_a_servers_message_comes_back_as_it_was(message: ServerMessage) -> None:
    assert v1.decode_server(v1.encode(message)) == message


@given(client_messages)
def test_a_clients_message_comes_back_as_it_was(message: ClientMessage) -> None:
    assert v1.decode_client(v1.encode(message)) == message


@given(
    st.binary()
    | st.text(st.characters())
    | json_values.map(json.dumps)
    | st.fixed_dictionaries(
        {"type": st.sampled_from([*v1.CLIENT_TYPES, *v1.SERVER_TYPES])},
        optional=dict.fromkeys(v1._CHECKS, json_values),
    ).map(json.dumps)
)
def test_whatever_comes_nothing_but_a_protocol_error_is_raised(frame: str | bytes) -> None:
    for decode in (v1.decode_client, v1.decode_server):
        try:
            message = decode(frame)
        except ProtocolError:
            continue
        assert message is None or decode(v1.encode(message)) == message


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    frame = '{"new":{"a":[1,{"a":2,"a":3}]},"new":1,"type":"kill","big":' + "9" * 5000 + ',"e":1e999}'

    assert v1.decode_client(frame) == Kill()


def test_a_server_may_learn_new_types_before_its_clients_do() -> None:
    assert v1.decode_server('{"type":"bell","volume":11}') is None


def test_a_client_is_told_which_types_there_are() -> None:
    with pytest.raises(ProtocolError, match=r"no message of type 'hello'.*resize, ack, ping, kill") as caught:
        v1.decode_client(v1.encode(HELLO))

    assert caught.value.code == 1007


def test_a_types_name_is_quoted_shortly_and_printably() -> None:
    with pytest.raises(ProtocolError) as caught:
        v1.decode_client(json.dumps({"type": "\x1b\ud800é" * 1000}))

    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ("", "one JSON object"),
        ("[]", "one JSON object"),
        ('"kill"', "one JSON object"),
        ('{"type":"kill"}{}', "one JSON object"),
        ('{"type":"kill","x":NaN}', "one JSON object"),
        ('{"type":"kill","x":-Infinity}', "one JSON object"),
        ('{"type":"kill","x":"\t"}', "one JSON object"),
        ('\ufeff{"type":"kill"}', "one JSON object"),
        ('{"type":"kill","x":"\ud800"}', "in UTF-8"),
        (b'{"type":"kill","x":"\xff"}', "in UTF-8"),
        ('{"type":"kill"}'.encode("utf-16"), "in UTF-8"),
        ("[" * 60000, "one JSON object"),
        ('{"a":' * 10000, "one JSON object"),
        ("{}", "type is missing"),
        ('{"type":1}', "type must be a string"),
        ('{"type":null}', "type must be a string"),
        ('{"type":[["kill"]]}', "type must be a string"),
        ('{"type":"kill","type":"ping"}', "type may be given once only"),
        ('{"type":"ack","offset":1,"offset":2}', "offset may be given once only"),
        ('{"type":"ack"}', "ack: offset is missing"),
        ('{"type":"ack","offset":true}', "ack: offset must be a whole number from 0 to 9223372036854775807"),
        ('{"type":"ack","offset":-1}', "ack: offset must be a whole number"),
        ('{"type":"ack","offset":1.0}', "ack: offset must be a whole number"),
        ('{"type":"ack","offset":"1"}', "ack: offset must be a whole number"),
        ('{"type":"ack","offset":null}', "ack: offset must be a whole number"),
        ('{"type":"ack","offset":{"a":1}}', "ack: offset must be a whole number"),
        ('{"type":"ack","offset":9223372036854775808}', "ack: offset must be a whole number"),
        ('{"type":"ack","offset":' + "9" * 5000 + "}", "ack: offset must be a whole number"),
        ('{"type":"resize","rows":65536,"cols":1}', "resize: rows must be a whole number from 0 to 65535"),
        ('{"type":"resize","rows":1,"cols":[]}', "resize: cols must be a whole number from 0 to 65535"),
        ('{"type":"ping","id":1.5}', "ping: id must be a whole number of 64 bits or a string of at most 64 characters"),
        ('{"type":"ping","id":false}', "ping: id must be a whole number"),
        ('{"type":"ping","id":9223372036854775808}', "ping: id must be a whole number"),
        ('{"type":"ping","id":"' + "x" * 65 + '"}', "at most 64 characters"),
        ('{"type":"ping","id":"\\ud800"}', "ping: id must not hold half of a surrogate pair"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_client_may_not_say_is_named(frame: str | bytes, complaint: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        v1.decode_client(frame)

    assert complaint in str(caught.value)
    assert caught.value.code == 1007
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("readonly", 1, "readonly must be true or false$"),
        ("created", True, "created must be a number of seconds from 0 on$"),
        ("created", "now", "created must be a number of seconds"),
        ("created", -1, "created must be a number of seconds"),
        ("created", 10**19, "created must be a number of seconds"),
        ("created", 10**400, "created must be a number of seconds"),
        ("session", 5, "session must be a string$"),
        ("epoch", None, "epoch must be a string"),
        ("backend", "\udfff", "backend must not hold half of a surrogate pair$"),
        ("snapshot", -1, "snapshot must be a whole number"),
        ("window", 2**63, "window must be a whole number"),
        ("input_offset", 0.5, "input_offset must be a whole number"),
    ],
)
def test_a_hello_with_a_wrong_field_is_refused(field: str, value: object, complaint: str) -> None:
    body = json.loads(v1.encode(HELLO)) | {field: value}

    with pytest.raises(ProtocolError, match=f"hello: {complaint}"):
        v1.decode_server(json.dumps(body))


@pytest.mark.parametrize("field", [field.name for field in fields(Hello)])
def test_a_hello_without_one_of_its_fields_is_refused(field: str) -> None:
    body = json.loads(v1.encode(HELLO))
    del body[field]

    with pytest.raises(ProtocolError, match=f"^hello: {field} is missing$"):
        v1.decode_server(json.dumps(body))


@pytest.mark.parametrize("field", ["code", "signal"])
@pytest.mark.parametrize("status", ["true", "-1", "1.5", '"0"', "2147483648"])
def test_an_exit_status_is_a_small_number_or_null(field: str, status: str) -> None:
    body = {"type": "exit", "code": None, "signal": None} | {field: json.loads(status)}

    with pytest.raises(ProtocolError, match=f"^exit: {field} must be a whole number from 0 to 2147483647, or null$"):
        v1.decode_server(json.dumps(body))


def test_the_limits_are_those_of_the_protocol() -> None:
    assert v1.SUBPROTOCOL == "reconnectingpty.v1"
    assert v1.MAX_CONTROL == 65536
    assert v1.MAX_PING_ID == 64
    assert MAX_OFFSET == 2**63 - 1


@pytest.mark.parametrize("message", [Ping("é" * 64), Ping(MAX_OFFSET), Ping(-MAX_OFFSET), OutputAck(MAX_OFFSET)])
def test_the_greatest_values_are_allowed(message: ClientMessage) -> None:
    assert v1.decode_client(v1.encode(message)) == message


def test_the_greatest_exit_status_is_allowed() -> None:
    assert v1.decode_server('{"type":"exit","code":2147483647,"signal":2147483647}') == Exited(2**31 - 1, 2**31 - 1)


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_a_frame_has_a_greatest_length_in_bytes(character: str) -> None:
    def frame(size: int) -> str:
        room = size - len('{"type":"kill","x":""}')
        wide = room // len(character.encode())
        return f'{{"type":"kill","x":"{character * wide}{"." * (room - wide * len(character.encode()))}"}}'

    assert v1.decode_client(frame(v1.MAX_CONTROL)) == Kill()
    for long in (frame(v1.MAX_CONTROL + 1), frame(v1.MAX_CONTROL + 1).encode(), b"\xff" * (v1.MAX_CONTROL + 1)):
        with pytest.raises(MessageTooLarge) as caught:
            v1.decode_client(long)
        assert caught.value.code == 1009


@pytest.mark.parametrize("detail", ["x", "é", "\x00", "😀", "\udcff"])
def test_a_detail_of_any_length_fits_a_frame(detail: str) -> None:
    closing = v1.decode_server(v1.encode(Closing("error", detail * 100_000)))

    assert isinstance(closing, Closing)
    assert closing.detail == (detail if detail != "\udcff" else "\ufffd") * v1.MAX_DETAIL


def test_a_frame_that_would_be_refused_is_not_made() -> None:
    room = v1.MAX_CONTROL - len(v1.encode(Ping("")))

    assert len(v1.encode(Ping("x" * room))) == v1.MAX_CONTROL
    with pytest.raises(MessageTooLarge):
        v1.encode(Ping("x" * (room + 1)))
    with pytest.raises(ValueError, match="JSON"):
        v1.encode(replace(HELLO, created=math.nan))
