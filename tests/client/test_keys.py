"""Keys and pastes as the bytes that a terminal sends."""

from __future__ import annotations

import pytest

from reconnectingpty.client import Key, UnknownKey
from reconnectingpty.client.keys import NAMES, paste


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a", b"a"), ("A", b"A"), ("é", "é".encode()), ("-", b"-"), ("C-c", b"\x03"), ("C-C", b"\x03"),
        ("C-[", b"\x1b"),
        ("C-Space", b"\x00"), ("C-_", b"\x1f"), ("C--", None), ("M-x", b"\x1bx"), ("M-C-x", b"\x1b\x18"), ("S-a", b"A"),
        ("Enter", b"\r"), ("M-Enter", b"\x1b\r"), ("Tab", b"\t"), ("S-Tab", b"\x1b[Z"), ("Escape", b"\x1b"),
        ("Backspace", b"\x7f"), ("C-Backspace", b"\b"), ("M-Backspace", b"\x1b\x7f"),
        ("Up", b"\x1b[A"), ("S-Up", b"\x1b[1;2A"), ("M-Left", b"\x1b[1;3D"), ("C-S-Right", b"\x1b[1;6C"),
        ("Home", b"\x1b[H"), ("End", b"\x1b[F"), ("Delete", b"\x1b[3~"), ("C-Delete", b"\x1b[3;5~"),
        ("PageUp", b"\x1b[5~"), ("F1", b"\x1bOP"), ("S-F1", b"\x1b[1;2P"), ("F5", b"\x1b[15~"),
        ("M-F12", b"\x1b[24;3~"),
        ("", None), ("F13", None), ("ab", None), ("C-é", None), ("X-a", None), ("C-", None),
    ],
)  # fmt: skip
def test_a_keys_name_says_what_is_sent(name: str, sent: bytes | None) -> None:
    if sent is None:
        with pytest.raises(UnknownKey):
            Key(name)
    else:
        assert Key(name).encode() == sent


def test_arrows_are_sent_as_the_program_asked_for_them() -> None:
    assert Key("Up").encode(application_cursor=True) == b"\x1bOA"
    assert Key("Home").encode(application_cursor=True) == b"\x1bOH"
    assert Key("C-Up").encode(application_cursor=True) == b"\x1b[1;5A"
    assert Key("Delete").encode(application_cursor=True) == b"\x1b[3~"


def test_every_name_is_a_key() -> None:
    assert all(Key(name).encode() for name in NAMES)


def test_a_paste_can_not_end_itself() -> None:
    assert paste("a\nb\r\nc", bracketed=False) == b"a\rb\rc"
    assert paste("a\nb", bracketed=True) == b"\x1b[200~a\rb\x1b[201~"
    assert paste("a\x1b[201~rm -rf\n", bracketed=True) == b"\x1b[200~a[201~rm -rf\r\x1b[201~"
