"""What ssh says on stderr, understood: whether its tunnel stands, why it does not, and what a person should see. Pure.

The sentences are OpenSSH's own, from its sources (clientloop.c, sshconnect.c, ssh.c, readconf.c); tests make a real
ssh say each of the ones that can be had on one machine.
"""

from __future__ import annotations

import re
from collections import deque

from .policy import Reason

KEPT = 5
"""Lines kept as ssh's last words."""
LONGEST = 4096
"""Bytes of one line that are looked at."""
DEBUG = b"debug1: "
HIDDEN = (DEBUG, b"OpenSSH_", b"Authenticated to ", b"Transferred: sent ", b"Bytes per second: sent ")
"""How the lines begin that ssh writes at DEBUG1 and not at INFO."""
_INSIDE = re.compile(rb"debug1: |Transferred: sent \d+, received |Bytes per second: sent \d")

TROUBLES = (
    (Reason.FORWARD_REFUSED, rb"remote port forwarding failed for listen (port|path)"),
    (Reason.FORWARD_REFUSED, rb"Could not request local forwarding"),
    (Reason.FORWARD_REFUSED, rb"Error: remote port forwarding failed"),
    (Reason.NAME, rb"Could not resolve hostname"),
    (Reason.DENIED, rb"Permission denied \("),
    (Reason.DENIED, rb"Host key verification failed"),
    (Reason.DENIED, rb"Too many authentication failures"),
    (Reason.DENIED, rb"No more authentication methods to try|No supported authentication methods"),
    (
        Reason.USAGE,
        rb"Bad configuration option|terminating, \d+ bad configuration options|^usage: ssh|unknown option --",
    ),
    (Reason.USAGE, rb"Bad (remote|local|dynamic) forwarding specification|Bad port|Can't open user config file"),
    (Reason.UNREACHABLE, rb"ssh: connect to host|kex_exchange_identification|banner exchange"),
    (Reason.UNREACHABLE, rb"Connection (refused|timed out)|No route to host|Network is (unreachable|down)"),
    (Reason.LOST, rb"Timeout, server .* not responding"),
    (Reason.LOST, rb"closed by remote host|Connection (reset|closed) by|Broken pipe|client_loop: send disconnect"),
    (Reason.LOST, rb"Received disconnect from|Disconnected from"),
)
"""What a line means; of several the first of this table counts. Order: what a person can act on comes first."""

_TROUBLES = [(reason, re.compile(pattern)) for reason, pattern in TROUBLES]
_CONNECTED = re.compile(rb"debug1: Entering interactive session")
_SHARED = re.compile(rb"debug1: mux_client_request_session")
"""Said where an ssh that runs already carries this one's session, too."""
_ALLOCATED = re.compile(rb"Allocated port (\d+) for remote forward")
_FORWARDED = re.compile(rb"debug1: remote forward success for: ")


class SshWords:
    """One ssh's stderr. `remote_forwards`: how many forwards the server has to grant before the tunnel stands.

    `hide_debug`: ssh was made to talk more than its user asked for, so that lines of debugging are for us alone.
    """

    __slots__ = ("_line", "_passing", "_rank", "allocated", "connected", "hide_debug", "last", "missing")

    def __init__(self, *, remote_forwards: int = 0, hide_debug: bool = False) -> None:
        self.hide_debug = hide_debug
        self.connected = False
        self.allocated: int | None = None
        """The port that the server chose for a forward of port 0."""
        self.missing = remote_forwards
        """Forwards that the server has not granted yet."""
        self.last: deque[str] = deque(maxlen=KEPT)
        self._line = bytearray()
        self._passing: bool | None = None
        """Whether the line under way is shown; None while its beginning may still turn out to be debugging."""
        self._rank = len(_TROUBLES)

    @property
    def proven(self) -> bool:
        """Whether ssh has said that its tunnel stands."""
        return self.connected and self.missing <= 0

    @property
    def trouble(self) -> Reason | None:
        """The most telling trouble ssh has spoken of."""
        return _TROUBLES[self._rank][0] if self._rank < len(_TROUBLES) else None

    def feed(self, data: bytes) -> bytes:
        """Take what ssh wrote; return what of it the user should see, at once, unfinished lines included."""
        shown = bytearray()
        for piece in _lines(data):
            # What was hidden begins a line, but not where whoever wrote before has not ended his.
            inside = _INSIDE.search(piece, 1 if not self._line else 0) if self.hide_debug else None
            if inside is not None and self._passing is not False:
                shown += self._take(piece[: inside.start()])
                self._finish()
                piece = piece[inside.start() :]
            shown += self._take(piece)
        return bytes(shown)

    def _take(self, piece: bytes) -> bytes:
        begun = len(self._line)
        if begun < LONGEST:
            self._line += piece
        shown = b""
        if self._passing is None:
            line = bytes(self._line)
            if self.hide_debug and line.startswith(HIDDEN):
                self._passing = False
            elif not (self.hide_debug and any(beginning.startswith(line) for beginning in HIDDEN)):
                self._passing = True
                shown = line
        elif self._passing:
            shown = piece
        if piece.endswith(b"\n"):
            self._finish()
        return shown

    def _finish(self) -> None:
        self._understand(bytes(self._line).rstrip())
        self._line.clear()
        self._passing = None

    def end(self) -> bytes:
        """ssh has ended: what of an unfinished line is still to be shown."""
        held = bytes(self._line) if self._passing is None else b""
        self._finish()
        return held

    def _understand(self, line: bytes) -> None:
        if line.startswith(HIDDEN):
            if _CONNECTED.match(line):
                self.connected = True
            elif _FORWARDED.match(line):
                self.missing -= 1
            elif _SHARED.match(line):
                self.connected, self.missing = True, 0
            return
        if not line:
            return
        if allocated := _ALLOCATED.match(line):
            self.allocated = int(allocated[1])
            return
        self.last.append(line.decode("utf-8", "replace"))
        for rank, (_, pattern) in enumerate(_TROUBLES[: self._rank]):
            if pattern.search(line):
                self._rank = rank
                break


def _lines(data: bytes) -> list[bytes]:
    """Lines that end with a newline alone; bytes.splitlines would take a carriage return for an end."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines
