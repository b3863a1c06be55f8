import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.wire.close import MAX_REASON, RECONNECT, CloseCode, close_reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        ("killed", "killed"),
        ("x" * 123, "x" * 123),
        ("x" * 124, "x" * 123),
        ("x" * 122 + "é", "x" * 122),
        ("x" * 121 + "é!", "x" * 121 + "é"),
        ("x" * 120 + "😀", "x" * 120),
        ("❯" * 50, "❯" * 41),
        ("a\ud800b", "a?b"),
    ],
)
def test_a_reason_ends_at_a_characters_end(text: str, reason: str) -> None:
    assert close_reason(text) == reason


@given(st.text(max_size=200))
def test_a_reason_fits_and_wastes_less_than_a_character(text: str) -> None:
    reason = close_reason(text)

    assert text.startswith(reason)
    assert len(reason.encode()) <= MAX_REASON
    assert reason == text or len(text[: len(reason) + 1].encode()) > MAX_REASON


def test_a_client_comes_back_only_where_that_makes_sense() -> None:
    assert {1001, 1006, 1011, 1012} == RECONNECT


def test_the_codes_are_those_of_the_protocol() -> None:
    assert {code.value for code in CloseCode} == {
        1000, 1001, 1003, 1006, 1007, 1008, 1009, 1011, 1012, 4000, 4001, 4004,
    }  # fmt: skip
