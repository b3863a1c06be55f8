"""How a session behaves, checked once, when it is said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import OptionError
from .limits import UNLIMITED, Limits
from .size import DEFAULT_SIZE, MAX_COLS, MAX_ROWS, Size
from .sizing import SizePolicy

if TYPE_CHECKING:
    from .metrics import Metrics
    from .recording import Recordings

MIN_LOG = 512 << 10
MAX_LOG = 1 << 30
MAX_SCROLLBACK = 1_000_000
MIN_RATE = 1 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one session. Times are in seconds. Raises OptionError for a value out of range."""

    timeout: float | None = 300.0
    """How long the session lives with nobody attached, once somebody was; None: until its process ends."""
    attach_timeout: float | None = 30.0
    """How long it waits for the first attach; None: for ever."""
    max_life: float | None = None
    """How long it lives at most, counted from its making; None: as long as it likes."""
    max_idle: float | None = None
    """How long it lives without input and output, even when somebody is attached; None: as long as it likes."""
    backend_type: str = "auto"
    """`auto` (also the empty string) or a name out of `backends()`."""
    metrics: Metrics | None = None
    scrollback: int = 5000
    """Lines above the screen that the terminal model keeps."""
    log_limit: int = 1 << 20
    """Bytes of output kept, from which a client that comes back is continued."""
    size_policy: SizePolicy = SizePolicy.LATEST
    size: Size = DEFAULT_SIZE
    """The terminal's size under the policy `fixed`, and where no viewer knows one."""
    window: int = 256 << 10
    """Bytes a client that acknowledges may have unacknowledged. Small enough that ^C answers at once."""
    max_viewers: int = 64
    cwd: str | None = None
    """Where the command starts; None, or not a directory: the user's home."""
    environment: Mapping[str, str] | None = None
    """What the command's environment is made from; None: this process's own."""
    keep: Sequence[str] | None = None
    """What of `environment` the command gets: names, with `*` at the end of one for all that begin so. None: all but
    what is the server's own, or for another user PATH, LANG, LC_* and TZ."""
    user: str | None = None
    """The user that the command runs as; None: this process's. Only root can have another, and only `buffered`."""
    limits: Limits = UNLIMITED
    output_rate: int | None = None
    """Bytes of output a second in the long run, beyond which the program has to wait; None: as fast as it can."""
    kill_grace: float = 1.0
    """Between SIGHUP and SIGTERM, and again before SIGKILL."""
    record: Recordings | None = None
    """Where the session is recorded; None: nowhere."""
    linger: float = 10.0
    """How long the last output of an ended session waits for a viewer that takes none of it."""
    input_stall: float = 30.0
    """How long a viewer with a full input queue waits for a program that reads nothing."""

    def __post_init__(self) -> None:
        """Refuse what can't work, by name."""
        for name in ("timeout", "attach_timeout", "max_life", "max_idle"):
            if getattr(self, name) is not None:
                _positive(name, getattr(self, name))
        for name in ("linger", "input_stall"):
            _positive(name, getattr(self, name))
        if not 0 <= self.kill_grace < math.inf:
            raise OptionError(f"kill_grace must be 0 or more seconds, not {self.kill_grace}")
        _within("scrollback", self.scrollback, 0, MAX_SCROLLBACK)
        _within("log_limit", self.log_limit, MIN_LOG, MAX_LOG)
        _within("window", self.window, 1 << 10, MAX_LOG)
        _within("max_viewers", self.max_viewers, 1, 1 << 16)
        if self.output_rate is not None:
            _within("output_rate", self.output_rate, MIN_RATE, 1 << 40)
        _within("size.rows", self.size.rows, 1, MAX_ROWS)
        _within("size.cols", self.size.cols, 1, MAX_COLS)


def _positive(name: str, seconds: float) -> None:
    if not 0 < seconds < math.inf:
        raise OptionError(f"{name} must be more than 0 seconds, not {seconds}")


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise OptionError(f"{name} must be from {least} to {most}, not {value}")
