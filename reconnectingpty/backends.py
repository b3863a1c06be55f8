"""Which backends there are, and which one a session gets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from .buffered import BufferedPTY
from .errors import OptionError
from .options import Options
from .session import ReconnectingPTY

_BACKENDS: dict[str, type[ReconnectingPTY]] = {"buffered": BufferedPTY}


def backends() -> tuple[str, ...]:
    """The names that `Options.backend_type` takes, but for `auto`."""
    return tuple(_BACKENDS)


def new(
    command: str | Sequence[str] = "", options: Options | None = None, *, session_id: str | None = None
) -> ReconnectingPTY:
    """A session that will run `command` when somebody attaches; call it in a running event loop.

    An empty command is the user's login shell; a string is run by that shell; a sequence is an argument vector.
    Raises OptionError for a backend that there is not. A command that can't be started shows in `attach()`.
    """
    options = options or Options()
    name = options.backend_type
    if name in ("", "auto"):
        name = "buffered"
    backend = _BACKENDS.get(name)
    if backend is None:
        known = ", ".join(("auto", *_BACKENDS))
        raise OptionError(f"there is no backend {options.backend_type!r}; choose one of {known}")
    return backend(command, options, session_id or secrets.token_urlsafe(16))
