"""What a program asks is answered, once, from what the terminal is."""

from __future__ import annotations

import pytest

from .support import fed


def answer(data: bytes) -> bytes:
    """All that is answered."""
    parser = fed()
    said: list[bytes] = []
    parser.emulator.on_query = said.append
    parser.feed(data)
    return b"".join(said)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (b"\x1b[c", b"\x1b[?1;2c"),
        (b"\x1b[0c", b"\x1b[?1;2c"),
        (b"\x1b[1c", b""),
        (b"\x1b[>c", b"\x1b[>0;276;0c"),
        (b"\x1b[=c", b"\x1bP!|00000000\x1b\\"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"\x1b[3;7H\x1b[6n", b"\x1b[3;7R"),
        (b"\x1b[3;7H\x1b[?6n", b"\x1b[?3;7R"),
        (b"x" * 20 + b"\x1b[6n", b"\x1b[1;20R"),
        (b"\x1b[?2004$p", b"\x1b[?2004;2$y"),
        (b"\x1b[?2004h\x1b[?2004$p", b"\x1b[?2004;1$y"),
        (b"\x1b[?1049h\x1b[?1049$p", b"\x1b[?1049;1$y"),
        (b"\x1b[?12345$p", b"\x1b[?12345;0$y"),
        (b"\x1b[4h\x1b[4$p", b"\x1b[4;1$y"),
        (b"\x1bP$qr\x1b\\", b"\x1bP1$r1;6r\x1b\\"),
        (b"\x1b[1;31m\x1bP$qm\x1b\\", b"\x1bP1$r0;1;31m\x1b\\"),
        (b"\x1b[5 q\x1bP$q q\x1b\\", b"\x1bP1$r5 q\x1b\\"),
        (b"\x1bP$qz\x1b\\", b"\x1bP0$r\x1b\\"),
        (b"\x1b[>q", b"\x1bP>|reconnectingpty\x1b\\"),
        (b"\x1bP+q544e\x1b\\", b"\x1bP1+r544e=787465726D2D323536636F6C6F72\x1b\\"),
        (b"\x1bP+q5a5a\x1b\\", b"\x1bP0+r5a5a\x1b\\"),
        (b"\x1b]4;1;?\x07", b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\"),
        (b"\x1b]11;#102030\x07\x1b]11;?\x1b\\", b"\x1b]11;rgb:1010/2020/3030\x1b\\"),
        (b"\x1b[18t", b"\x1b[8;6;20t"),
        (b"\x1b[14t", b"\x1b[4;102;160t"),
        (b"\x1b[16t", b"\x1b[6;17;8t"),
        (b"\x1b[>5u\x1b[?u", b"\x1b[?5u"),
        (b"just text", b""),
    ],
)
def test_a_question_has_one_answer(question: bytes, expected: bytes) -> None:
    assert answer(question) == expected


def test_an_answer_does_not_depend_on_the_chunking() -> None:
    parser = fed()
    said: list[bytes] = []
    parser.emulator.on_query = said.append
    for byte in b"\x1b[6n\x1bP$qr\x1b\\\x1b]10;?\x07":
        parser.feed(bytes([byte]))
    assert len(said) == 3


def test_nobody_has_to_listen() -> None:
    fed(b"\x1b[c\x1b[6n\x1b]4;1;?\x07")
