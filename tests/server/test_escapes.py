"""What a person says to `attach` itself is found in what is typed, and nothing else is touched."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconnectingpty_server.attach.escapes import Command, Escapes, escape_character, shown

TYPED = st.lists(
    st.sampled_from([b"\r", b"\n", b"~", b"~~", b"~.", b"~r", b"a", b"\x1b[200~", b"\x1b[201~", b"\xff", b"?"])
).map(b"".join)


def heard(*parts: bytes, escape: bytes | None = b"~") -> list[bytes | Command]:
    """What is made of these, with neighbouring bytes put together."""
    keys, found = Escapes(escape), []
    for part in (found for typed in parts for found in keys.feed(typed)):
        if isinstance(part, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += part
        else:
            found.append(part)
    return found


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (b"~.", [Command.LEAVE]),
        (b"ls\r~.", [b"ls\r", Command.LEAVE]),
        (b"ls ~.", [b"ls ~."]),
        (b"~~.", [b"~."]),
        (b"~~\r~?x", [b"~\r", Command.HELP, b"x"]),
        (b"~x~.", [b"~x~."]),
        (b"~\r~.", [b"~\r", Command.LEAVE]),
        (b"~r~r\n~\x1a", [Command.REDRAW, Command.REDRAW, b"\n", Command.SUSPEND]),
        (b"\x1b[200~one\r~.two\r\x1b[201~~.", [b"\x1b[200~one\r~.two\r\x1b[201~~."]),
        (b"\x1b[200~one\r~.\x1b[201~\r~.", [b"\x1b[200~one\r~.\x1b[201~\r", Command.LEAVE]),
        (b"\x00\xff\xfe", [b"\x00\xff\xfe"]),
    ],
)
def test_commands_count_at_the_beginning_of_a_line_and_outside_of_pastes(
    typed: bytes, meant: list[bytes | Command]
) -> None:
    assert heard(typed) == meant


@settings(deadline=None)
@given(TYPED, st.lists(st.integers(0, 100)))
def test_however_it_is_cut_it_means_the_same(typed: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(typed), *(min(cut, len(typed)) for cut in cuts)})
    parts = [typed[start:end] for start, end in pairwise(edges)]
    assert heard(*parts) == heard(typed)


@settings(deadline=None)
@given(st.binary())
def test_without_an_escape_character_everything_is_typed(typed: bytes) -> None:
    assert b"".join(part for part in heard(typed, escape=None) if isinstance(part, bytes)) == typed


def test_an_escape_character_is_a_key() -> None:
    assert [escape_character(text) for text in ("~", "^b", "^]", "%", "none")] == [b"~", b"\x02", b"\x1d", b"%", None]
    assert [shown(character) for character in (b"~", b"\x02", b"\x1d")] == ["~", "^B", "^]"]
    for wrong in ("", "ab", "\r", "ü", "^1"):
        with pytest.raises(ValueError, match="must be"):
            escape_character(wrong)
