"""What a server that runs can take of changed settings; the rest waits for its next start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .config import Config, check_together, settings

TLS = ("tls_cert", "tls_key", "tls_client_ca")


def while_running(now: Config, new: Config) -> tuple[Config, list[str]]:
    """The new settings as far as a server that has those of `now` can take them, and the flags of what it can't.

    Raises ConfigError for what can't go with a setting that stays.
    """
    stays = {name: getattr(now, name) for name, setting in settings().items() if setting.restart}
    waiting = [name for name, value in stays.items() if getattr(new, name) != value]
    if bool(now.tls_cert) != bool(new.tls_cert):  # its files may change, but not whether it speaks TLS
        stays |= {name: getattr(now, name) for name in TLS}
        waiting.append("tls_cert")
    taken: Any = replace(new, **stays)
    check_together(taken)
    return taken, [f"--{name.replace('_', '-')}" for name in waiting]
