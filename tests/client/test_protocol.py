"""The protocol's client side by the frame, without a connection: output goes on at its offset, input is sent once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty import ProtocolError, Size
from reconnectingpty.client import Backoff, Closed, Exited
from reconnectingpty.client.protocol import MAX_PICTURE, Drawn, Greeted, Output, Protocol
from reconnectingpty.client.typed import Typed
from reconnectingpty.wire import v1
from reconnectingpty.wire.messages import Closing, Hello, InputAck, Resync, ServerMessage, SizeChanged
from reconnectingpty.wire.messages import Exited as ExitedMessage


def hello(**more: Any) -> Hello:
    values = {
        "session": "x", "epoch": "aa", "backend": "buffered", "created": 1.0, "rows": 24, "cols": 80,
        "readonly": False, "offset": 0, "snapshot": 0, "input_offset": 0, "window": 1000,
    }  # fmt: skip
    return Hello(**(values | more))


def take(protocol: Protocol, *frames: ServerMessage | bytes) -> list[object]:
    return [
        happening
        for frame in frames
        for happening in protocol.receive(frame if isinstance(frame, bytes) else v1.encode(frame))
    ]


def greeted(**more: Any) -> Protocol:
    protocol = Protocol()
    protocol.connecting()
    take(protocol, hello(**more))
    return protocol


def broken(protocol: Protocol) -> None:
    assert protocol.closed(1006, "")
    protocol.connecting()


def sent(protocol: Protocol, **how: Any) -> list[Any]:
    return [frame if isinstance(frame, bytes) else v1.decode_client(frame) for frame in protocol.frames(**how)]


def test_output_has_the_offset_that_the_next_hello_names() -> None:
    protocol = Protocol()
    assert protocol.offset is None
    protocol.connecting()
    told = take(protocol, hello(offset=7), b"abc", b"de")
    assert isinstance(told[0], Greeted)
    assert told[1:] == [SizeChanged(24, 80), Drawn(b"", 7, None), Output(b"abc", 7), Output(b"de", 10)]
    assert protocol.offset == 12
    broken(protocol)
    told = take(protocol, hello(offset=12), b"f")
    assert isinstance(told[0], Greeted)
    assert told[0].resumed
    assert told[2:] == [Output(b"f", 12)]


def test_a_picture_comes_in_pieces_and_counts_for_nothing() -> None:
    protocol = Protocol()
    protocol.connecting()
    told = take(protocol, hello(offset=100, snapshot=5), b"pi", b"ctu", b"live")
    assert told[2:] == [Drawn(b"pictu", 100, None), Output(b"live", 100)]
    told = take(protocol, Resync(1000, 3), b"newnext")
    assert told == [Drawn(b"new", 1000, 1000 - 104), Output(b"next", 1000)]


def test_half_a_picture_is_thrown_away_with_its_connection() -> None:
    protocol = greeted()
    take(protocol, b"seen", Resync(500, 10), b"half")
    assert protocol.offset is None
    broken(protocol)
    told = take(protocol, hello(offset=900, snapshot=4), b"whole")
    assert told[2:] == [Drawn(b"whol", 900, 896), Output(b"e", 900)]


def test_what_is_shown_is_what_the_session_shows_once_a_whole_picture_has_come() -> None:
    protocol = greeted(snapshot=6)
    take(protocol, b"half")
    broken(protocol)
    assert protocol.drawing  # there is nothing else to look at
    take(protocol, hello(snapshot=6), b"who")
    assert protocol.drawing
    take(protocol, b"le.")
    assert not protocol.drawing
    take(protocol, Resync(500, 10), b"half")
    assert protocol.drawing
    broken(protocol)
    assert not protocol.drawing  # but what was there before


def test_what_is_typed_waits_for_the_hello_and_is_sent_again_from_where_the_session_has_it() -> None:
    protocol = Protocol()
    protocol.typed.push(b"before")
    protocol.connecting()
    assert sent(protocol) == []
    take(protocol, hello(input_offset=50))
    assert sent(protocol) == [b"before"]
    assert sent(protocol) == []
    protocol.typed.push(b"after")
    assert sent(protocol) == [b"after"]
    take(protocol, InputAck(52))
    assert len(protocol.typed) == 9
    broken(protocol)
    take(protocol, hello(input_offset=54))
    assert sent(protocol) == [b"reafter"]


def test_input_under_way_is_bounded_by_the_window() -> None:
    protocol = greeted(window=10)
    protocol.typed.push(b"x" * 25)
    assert [len(frame) for frame in sent(protocol)] == [10]
    take(protocol, InputAck(4))
    assert [len(frame) for frame in sent(protocol)] == [4]


def test_nothing_is_typed_into_another_shell() -> None:
    protocol = greeted()
    protocol.typed.push(b"rm -rf build\n")
    broken(protocol)
    told = take(protocol, hello(epoch="bb"))
    assert isinstance(protocol.end, Closed)
    assert protocol.end.reason == "replaced"
    assert told == [protocol.end]
    assert sent(protocol) == []


def test_output_is_acknowledged_by_the_quarter_window_and_when_nothing_more_comes() -> None:
    protocol = greeted(window=1000)
    take(protocol, b"x" * 249)
    protocol.processed(249)
    assert sent(protocol) == []
    take(protocol, b"x")
    protocol.processed(250)
    assert [frame.offset for frame in sent(protocol)] == [250]
    take(protocol, b"x")
    protocol.processed(251)
    assert sent(protocol) == []
    assert [frame.offset for frame in sent(protocol, idle=True)] == [251]
    assert sent(protocol, idle=True) == []


def test_a_size_is_told_once_and_a_kill_over_each_connection() -> None:
    protocol = greeted()
    protocol.resize(Size(30, 90))
    protocol.kill()
    assert [type(frame).__name__ for frame in sent(protocol)] == ["Resize", "Kill"]
    assert sent(protocol) == []
    broken(protocol)
    take(protocol, hello())
    assert [type(frame).__name__ for frame in sent(protocol)] == ["Kill"]


def test_a_read_only_client_sends_nothing_but_what_it_has_seen() -> None:
    protocol = greeted(readonly=True)
    protocol.typed.push(b"x")
    protocol.kill()
    take(protocol, b"y")
    protocol.processed(1)
    assert [type(frame).__name__ for frame in sent(protocol, idle=True)] == ["OutputAck"]


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012])
def test_these_ends_of_a_connection_are_reasons_to_come_back(code: int) -> None:
    assert greeted().closed(code, "")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, "refused"), (1003, "refused"), (1008, "refused"), (4000, "timeout"), (4001, "killed"), (4004, "refused")],
)
def test_these_are_not(code: int, reason: str) -> None:
    protocol = greeted()
    assert not protocol.closed(code, "why")
    assert protocol.end == Closed(reason, "why", code)


def test_a_session_that_never_started_is_not_tried_again() -> None:
    protocol = Protocol()
    protocol.connecting()
    assert not protocol.closed(1011, "no such command")
    assert protocol.end == Closed("refused", "no such command", 1011)


def test_after_the_end_no_close_code_counts() -> None:
    for message, end in (
        (ExitedMessage(3, None), Exited(3, None)),
        (Closing("killed", "by me"), Closed("killed", "by me")),
    ):
        protocol = greeted()
        assert take(protocol, message) == [end]
        assert not protocol.closed(1006, "")
        assert protocol.end == end


@pytest.mark.parametrize(
    "frames", [[b"early"], [SizeChanged(1, 1)], [hello(), hello()], [hello(snapshot=MAX_PICTURE + 1)]]
)
def test_what_no_server_should_send_is_an_error(frames: list[Any]) -> None:
    protocol = Protocol()
    protocol.connecting()
    with pytest.raises(ProtocolError):
        take(protocol, *frames)


@given(st.data())
def test_each_byte_that_is_typed_arrives_once_whatever_breaks(data: st.DataObject) -> None:
    typed, wanted, arrived, acknowledged = Typed(), b"", b"", 0
    typed.begin(0)
    for step in range(data.draw(st.integers(1, 40))):
        part = bytes([step]) * data.draw(st.integers(0, 20))
        typed.push(part)
        wanted += part
        under_way = b"".join(typed.take(data.draw(st.integers(4, 30))))
        arrived += under_way[: data.draw(st.integers(0, len(under_way)))]
        if len(arrived) < len(wanted) and data.draw(st.booleans()):
            typed.resume(len(arrived))
            acknowledged = len(arrived)
        else:
            rest = b"".join(typed.take(1 << 20))
            arrived = wanted
            assert wanted.endswith(rest)
            acknowledged = data.draw(st.integers(acknowledged, len(arrived)))
            typed.acknowledge(acknowledged)
    typed.resume(len(arrived))
    arrived += b"".join(typed.take(1 << 20))
    assert arrived == wanted


def test_a_session_that_forgot_a_client_is_not_told_what_it_may_have() -> None:
    typed = Typed()
    typed.begin(100)
    typed.push(b"under way, ")
    assert b"".join(typed.take(1000)) == b"under way, "
    typed.push(b"not yet")
    typed.resume(0)
    assert b"".join(typed.take(1000)) == b"not yet"


def test_waits_grow_up_to_a_bound_and_are_drawn_by_chance() -> None:
    backoff = Backoff(first=1.0, longest=10.0)
    assert [backoff.wait(attempt, lambda: 1.0) for attempt in (1, 2, 3, 4, 5, 1000)] == [1, 2, 4, 8, 10, 10]
    assert backoff.wait(4, lambda: 0.25) == 2.0
