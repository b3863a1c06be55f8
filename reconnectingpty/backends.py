"""Which backends there are, and which one a session gets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from .buffered import BufferedPTY
from .contained import ContainedPTY
from .container import Container
from .errors import OptionError
from .options import Options
from .screen import ScreenPTY, usable
from .session import ReconnectingPTY

_BACKENDS = ("buffered", "screen")


def backends() -> tuple[str, ...]:
    """The names that `Options.backend_type` takes, but for `auto`."""
    return _BACKENDS


def resolve(name: str) -> str:
    """The backend that a session gets which asks for `name`: `auto` and `""` are GNU screen where that can be used.

    Raises OptionError for a name that there is not.
    """
    if name in ("", "auto"):
        return "screen" if usable() else "buffered"
    if name not in _BACKENDS:
        known = ", ".join(("auto", *_BACKENDS))
        raise OptionError(f"there is no backend {name!r}; choose one of {known}")
    return name


def new(
    command: str | Sequence[str] = "",
    options: Options | None = None,
    *,
    session_id: str | None = None,
    container: Container | None = None,
) -> ReconnectingPTY:
    """A session that will run `command` when somebody attaches; call it in a running event loop.

    An empty command is the user's login shell; a string is run by that shell; a sequence is an argument vector. With
    `container` all of it is inside there. Raises OptionError for a backend that there is not. A command that can't be
    started shows in `attach()`.
    """
    options = options or Options()
    session_id = session_id or secrets.token_urlsafe(16)
    if resolve(options.backend_type) == "screen":
        return ScreenPTY(command, options, session_id, container=container)
    if container is not None:
        return ContainedPTY(command, options, session_id, container=container)
    return BufferedPTY(command, options, session_id)
