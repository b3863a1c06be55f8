"""Which backends there are, and which one a session gets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from .account import account_of
from .buffered import BufferedPTY
from .contained import ContainedPTY
from .container import Container
from .errors import OptionError
from .limits import plan
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
    `container` all of it is inside there. Raises OptionError for a backend that there is not, or for what `check()`
    finds. A command that can't be started shows in `attach()`.
    """
    options = options or Options()
    session_id = session_id or secrets.token_urlsafe(16)
    check(options, container)
    if _backend(options) == "screen":
        return ScreenPTY(command, options, session_id, container=container)
    if container is not None:
        return ContainedPTY(command, options, session_id, container=container)
    return BufferedPTY(command, options, session_id)


def _backend(options: Options) -> str:
    """The backend for these options; screen runs as its own user alone."""
    if options.backend_type in ("", "auto") and account_of(options.user).switch:
        return "buffered"
    return resolve(options.backend_type)


def check(options: Options, container: Container | None = None) -> dict[str, str]:
    """What will hold each limit of such sessions (`cgroup` or `rlimit`). Raises OptionError for what can't be here."""
    account = account_of(options.user)
    if account.switch and _backend(options) == "screen":
        raise OptionError(f"user: GNU screen can't carry sessions of {account.name}; the backend buffered can")
    if container is not None and (account.switch or options.limits):
        raise OptionError("neither user nor limits reach into a container; it has its own")
    return plan(options.limits, account.uid).held if options.limits else {}
