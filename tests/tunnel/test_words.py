"""ssh's stderr, understood and shown: however it is cut, nothing of the user's is lost and nothing of ours is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconnectingpty.tunnel import Reason
from reconnectingpty.tunnel.words import KEPT, SshWords

OURS = [
    b"debug1: Connecting to host [10.0.0.1] port 22.\r\n",
    b"OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.19\r\n",
    b'Authenticated to host ([10.0.0.1]:22) using "publickey".\r\n',
    b"debug1: Entering interactive session.\r\n",
    b"Transferred: sent 3412, received 3148 bytes, in 0.8 seconds\r\n",
    b"Bytes per second: sent 4085.0, received 3768.9\r\n",
]
THEIRS = [
    b"hello\n",
    b"debug\n",
    b"d\n",
    b"\n",
    b"\r\n",
    b"Transfer complete\n",
    b"progress 1%\rprogress 2%\n",
    b"\xff\xfe\n",
]
LINES = st.lists(st.sampled_from(OURS + THEIRS))


@given(LINES, st.lists(st.integers(1, 12)))
def test_the_users_lines_are_shown_and_ours_are_not_wherever_it_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    words = SshWords(hide_debug=True)
    data = b"".join(lines)
    shown = b""
    for cut in cuts:
        shown += words.feed(data[:cut])
        data = data[cut:]
    shown += words.feed(data) + words.end()
    assert shown == b"".join(line for line in lines if line in THEIRS)


@given(st.lists(st.binary()))
def test_without_hiding_everything_is_shown_as_it_comes(pieces: list[bytes]) -> None:
    words = SshWords()
    for piece in pieces:
        assert words.feed(piece) == piece
    assert words.end() == b""


def test_a_prompt_without_an_end_is_shown_at_once_and_what_may_be_ours_at_the_end() -> None:
    words = SshWords(hide_debug=True)
    assert words.feed(b"Password: ") == b"Password: "
    assert words.feed(b"\ndeb") == b"\n"
    assert words.end() == b"deb"


def test_debugging_behind_an_unfinished_line_is_hidden_too() -> None:
    words = SshWords(hide_debug=True)
    assert words.feed(b"two") == b"two"
    assert words.feed(b"debug1: client_input_channel_req\r\nthree\n") == b"three\n"
    assert words.feed(b"four debug1: Entering interactive session.\r\n") == b"four "
    assert words.connected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Warning: remote port forwarding failed for listen port 80", Reason.FORWARD_REFUSED),
        ("Error: remote port forwarding failed for listen port 80", Reason.FORWARD_REFUSED),
        ("Warning: remote port forwarding failed for listen path /x", Reason.FORWARD_REFUSED),
        ("Could not request local forwarding.", Reason.FORWARD_REFUSED),
        ("ssh: Could not resolve hostname x: Temporary failure in name resolution", Reason.NAME),
        ("ssh: Could not resolve hostname x: Name or service not known", Reason.NAME),
        ("ssh: connect to host x port 22: Connection refused", Reason.UNREACHABLE),
        ("ssh: connect to host x port 22: No route to host", Reason.UNREACHABLE),
        ("kex_exchange_identification: Connection closed by remote host", Reason.UNREACHABLE),
        ("me@x: Permission denied (publickey,password).", Reason.DENIED),
        ("Host key verification failed.", Reason.DENIED),
        ("Timeout, server x not responding.", Reason.LOST),
        ("Connection to x closed by remote host.", Reason.LOST),
        ("client_loop: send disconnect: Broken pipe", Reason.LOST),
        ("command-line: line 0: Bad configuration option: nonsense", Reason.USAGE),
        ("bash: foo: command not found", None),
        ("Warning: Permanently added 'x' (ED25519) to the list of known hosts.", None),
    ],
)
def test_troubles_are_known_by_their_words(line: str, reason: Reason | None) -> None:
    words = SshWords()
    words.feed(line.encode() + b"\r\n")
    assert words.trouble is reason
    assert list(words.last) == [line]


def test_of_several_troubles_the_most_telling_counts() -> None:
    words = SshWords()
    words.feed(
        b"Warning: remote port forwarding failed for listen port 80\r\nConnection to x closed by remote host.\r\n"
    )
    assert words.trouble is Reason.FORWARD_REFUSED
    words = SshWords()
    words.feed(b"Connection closed by 10.0.0.1 port 22\r\nHost key verification failed.\r\n")
    assert words.trouble is Reason.DENIED


def test_a_tunnel_stands_when_the_session_and_every_forward_does() -> None:
    words = SshWords(remote_forwards=2, hide_debug=True)
    words.feed(b"debug1: Entering interactive session.\r\n")
    assert not words.proven
    words.feed(b"debug1: remote forward success for: listen 1, connect a:1\r\n")
    assert not words.proven
    words.feed(b"Allocated port 4711 for remote forward to a:2\r\n")
    words.feed(b"debug1: remote forward success for: listen 0, connect a:2\r\n")
    assert words.proven
    assert words.allocated == 4711
    assert not words.last


def test_a_session_inside_another_ssh_stands_at_once() -> None:
    words = SshWords(remote_forwards=1, hide_debug=True)
    words.feed(b"debug1: mux_client_request_session: master session id: 2\r\n")
    assert words.proven


def test_what_is_kept_is_bounded() -> None:
    words = SshWords(hide_debug=True)
    for number in range(100):
        words.feed(b"line %d\n" % number)
    for _ in range(1000):
        words.feed(b"x" * 10000)
    assert len(words._line) < 32768
    words.end()
    assert len(words.last) == KEPT
