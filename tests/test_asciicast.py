"""The format of recordings, without a session: what is written, and what is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty.asciicast import Encoder, Event, NotARecording, Recording, size_of
from reconnectingpty.size import Size


@settings(deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_however_output_is_cut_the_text_is_the_same(data: bytes, cuts: list[int]) -> None:
    encoder = Encoder()
    lines, start = [encoder.header(5.0, Size(24, 80), 1e9)], 0
    for cut in (*sorted(min(cut, len(data)) for cut in cuts), len(data)):
        lines.append(encoder.output(5.0 + cut / 7, data[start:cut]))
        start = cut
    lines.append(encoder.exit(99.0, 3))
    recording = Recording(b"".join(lines).decode().splitlines(keepends=False))
    events = list(recording)
    assert "".join(event.text for event in events if event.code == "o") == data.decode(errors="replace")
    assert events[-1].code == "x"
    # Rounded as they are, the intervals add up.
    assert sum(event.after for event in events) == pytest.approx(94.0, abs=2e-6)


def test_both_versions_are_read_and_times_are_told_as_intervals() -> None:
    second = ['{"version": 2, "width": 80, "height": 25, "idle_time_limit": 2}', '[1.5, "o", "a"]', '[4, "r", "90x30"]']
    third = [
        '{"version": 3, "term": {"cols": 80, "rows": 25}, "title": "t"}',
        "# words",
        '[1.5, "o", "a"]',
        '[4, "x", "0"]',
    ]
    one, two = Recording(second), Recording(third)
    assert (one.size, two.size, one.idle_limit, two.idle_limit, two.title) == (
        Size(25, 80),
        Size(25, 80),
        2.0,
        None,
        "t",
    )
    assert list(one) == [Event(1.5, "o", "a"), Event(2.5, "r", "90x30")]
    assert list(two) == [Event(1.5, "o", "a"), Event(4, "x", "0")]
    assert size_of(Event(0, "r", "90x30")) == Size(30, 90)
    assert [size_of(Event(0, "r", text)) for text in ("", "x", "9", "-1x5", "٣x5", "999999x1")] == [None] * 6


@pytest.mark.parametrize("line", ["", "hello", "{}", "[]", '{"version": 1}', '{"version": 4}', "[" * 100_000])
def test_what_is_no_recording_is_refused(line: str) -> None:
    with pytest.raises(NotARecording):
        Recording([line])


def test_a_line_cut_off_by_a_crash_ends_the_recording() -> None:
    lines = ['{"version": 3, "term": {"cols": 80, "rows": 25}}', '[1, "o", "a"]', '[1, "o", "b']
    assert [event.text for event in Recording(lines)] == ["a"]


@pytest.mark.parametrize("number", ["1e300", "9" * 400, "-1e300", "NaN", "1e999", "9" * 20_000])
def test_a_time_that_no_clock_tells_ends_the_recording_and_such_a_limit_is_none(number: str) -> None:
    lines = ['{"version": 3, "idle_time_limit": 2}', '[1, "o", "a"]', f'[{number}, "o", "b"]', '[1, "o", "c"]']
    assert [event.text for event in Recording(lines)] == ["a"]
    if len(number) < 4000:  # Python reads no longer integer
        assert Recording([f'{{"version": 2, "idle_time_limit": {number}}}']).idle_limit is None
