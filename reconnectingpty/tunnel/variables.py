"""autossh's environment variables, read in its way (strict) or in ours. Pure: takes a mapping, returns values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import OptionError
from .cnumbers import as_int, signed_long, unsigned_long
from .settings import LONGEST, MAX_MESSAGE, POLL
from .strict import StrictError

DEBUG, INFO = 7, 6
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""syslog's names for AUTOSSH_LOGLEVEL's numbers 0 to 7."""
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Variables:
    """What the environment asks for; None where it says nothing."""

    path: str | None = None
    debug: bool = False
    log_level: int | None = None
    poll: float | None = None
    first_poll: float | None = None
    gate_time: float | None = None
    max_start: int | None = None
    """-1 or less: no limit."""
    message: str = ""
    port: str | None = None
    max_lifetime: float | None = None
    pidfile: str | None = None
    logfile: str | None = None
    notices: tuple[str, ...] = ()
    """What autossh would log of it."""


def read_strict(environment: Mapping[str, str]) -> Variables:
    """As autossh 1.4g reads them, oddities included. Raises StrictError in its words."""
    get = environment.get
    level = None
    if "AUTOSSH_DEBUG" not in environment and (text := get("AUTOSSH_LOGLEVEL")) is not None:
        level = as_int(_c(unsigned_long, text, "log level"))
        if not 0 <= level <= DEBUG:
            raise StrictError(f'invalid log level "{text}"')
    poll = _c_poll(get("AUTOSSH_POLL"), "poll time") or POLL
    first_poll = _c_poll(get("AUTOSSH_FIRST_POLL"), "first poll time") or poll
    gate_time = None
    if (text := get("AUTOSSH_GATETIME")) is not None:
        gate_time = min(float(_c(signed_long, text, "gate time")), LONGEST)
        if gate_time < 0:
            raise StrictError(f'invalid gate time "{text}"')
    max_start = None
    if (text := get("AUTOSSH_MAXSTART")) is not None:
        max_start = as_int(_c(signed_long, text, "max start number"))
        if max_start < -1:
            raise StrictError(f'invalid max start number "{text}"')
    message = get("AUTOSSH_MESSAGE", "")
    if len(message.encode("utf-8", "surrogateescape")) > MAX_MESSAGE:
        raise StrictError(f"echo message may only be {MAX_MESSAGE} bytes long")
    lifetime = None
    notices = []
    if (text := get("AUTOSSH_MAXLIFETIME")) is not None:
        lifetime = min(float(_c(unsigned_long, text, "max lifetime")), LONGEST) or None
    if lifetime is not None and poll > lifetime:
        notices.append(f"poll time is greater than lifetime, dropping poll time to {lifetime:.0f}")
        poll = lifetime
    if lifetime is not None and first_poll > lifetime:
        notices.append(f"first poll time is greater than lifetime, dropping first poll time to {lifetime:.0f}")
        first_poll = lifetime
    return Variables(
        path=get("AUTOSSH_PATH"),
        debug="AUTOSSH_DEBUG" in environment,
        log_level=level,
        poll=poll,
        first_poll=first_poll,
        gate_time=gate_time,
        max_start=max_start,
        message=message,
        port=get("AUTOSSH_PORT") or None,
        max_lifetime=lifetime,
        pidfile=get("AUTOSSH_PIDFILE") or None,
        logfile=get("AUTOSSH_LOGFILE"),
        notices=tuple(notices),
    )


def _c(read: Callable[[str], int | None], text: str, what: str) -> int:
    value = read(text)
    if value is None:
        raise StrictError(f'invalid {what} "{text}"')
    return value


def _c_poll(text: str | None, what: str) -> float | None:
    """A poll time; None for one below zero, which stands for the default."""
    if text is None:
        return None
    value = as_int(_c(unsigned_long, text, what))
    if value == 0:
        raise StrictError(f'invalid {what} "{text}"')
    return float(value) if value > 0 else POLL


def read_default(environment: Mapping[str, str]) -> Variables:
    """As we read them: an empty one says nothing, and a bad one is named. Raises OptionError."""
    given = {name: value for name, value in environment.items() if name.startswith("AUTOSSH_") and value}
    get = given.get
    if get("AUTOSSH_NTSERVICE", "").lower() == "yes":
        raise OptionError("AUTOSSH_NTSERVICE: a service of Windows is not to be had on this platform")
    return Variables(
        path=get("AUTOSSH_PATH"),
        debug="AUTOSSH_DEBUG" in environment,
        log_level=None if "AUTOSSH_LOGLEVEL" not in given else level(given["AUTOSSH_LOGLEVEL"], "AUTOSSH_LOGLEVEL"),
        poll=_seconds(get("AUTOSSH_POLL"), "AUTOSSH_POLL"),
        first_poll=_seconds(get("AUTOSSH_FIRST_POLL"), "AUTOSSH_FIRST_POLL"),
        gate_time=_seconds(get("AUTOSSH_GATETIME"), "AUTOSSH_GATETIME", zero=True),
        max_start=None if "AUTOSSH_MAXSTART" not in given else whole(given["AUTOSSH_MAXSTART"], "AUTOSSH_MAXSTART"),
        message=get("AUTOSSH_MESSAGE", ""),
        port=get("AUTOSSH_PORT"),
        max_lifetime=_seconds(get("AUTOSSH_MAXLIFETIME"), "AUTOSSH_MAXLIFETIME", zero=True) or None,
        pidfile=get("AUTOSSH_PIDFILE"),
        logfile=get("AUTOSSH_LOGFILE"),
    )


def _seconds(text: str | None, name: str, *, zero: bool = False) -> float | None:
    return None if text is None else seconds(text, name, zero=zero)


def seconds(text: str, name: str, *, zero: bool = False) -> float:
    """A time in seconds. Raises OptionError, which names what holds it."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (0 <= value <= LONGEST) or (value == 0 and not zero):
        least = "0 or more" if zero else "more than 0"
        raise OptionError(f"{name}: {text!r} is not a time in seconds, {least}")
    return value


def whole(text: str, name: str) -> int:
    """A whole number. Raises OptionError."""
    if not _WHOLE.fullmatch(text) or len(text) > 12:
        raise OptionError(f"{name}: {text!r} is not a whole number")
    return int(text)


def level(text: str, name: str) -> int:
    """A log level, as syslog's number or name. Raises OptionError."""
    if text.lower() in LEVELS:
        return LEVELS.index(text.lower())
    if text.isascii() and text.isdecimal() and int(text) <= DEBUG:
        return int(text)
    raise OptionError(f"{name}: {text!r} is not a log level: 0 to 7, or one of {', '.join(LEVELS)}")
