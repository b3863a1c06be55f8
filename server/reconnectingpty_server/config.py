"""The server's settings: one table, from which flags, environment variables, the file's keys and the docs are made.

A flag wins over the environment, the environment over the file, the file over the default. A wrong value is one
sentence that names the setting and what it may be.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from reconnectingpty import Limits, OptionError, Options, Recordings, SizePolicy, backends, check
from reconnectingpty.options import MIN_LOG, MIN_RATE
from reconnectingpty.recording.directory import FILE_SIZE, FILES, LEAST_FILE, TOTAL_SIZE

from . import values
from .access.proxies import Network
from .access.throttle import Rate
from .values import Address, ConfigError

PREFIX = "RECONNECTINGPTY_"


class Setting(NamedTuple):
    """How one setting is written and read."""

    read: Callable[[str], Any]
    metavar: str
    help: str
    default: str = ""
    repeat: bool = False
    restart: bool = False
    """Whether a server that runs goes on with the value it was started with."""


def _setting(
    read: Callable[[str], Any], metavar: str, text: str, default: Any, shown: str, *,
    repeat: bool = False, restart: bool = False,
) -> Any:  # fmt: skip
    metadata = {"setting": Setting(read, metavar, text, shown, repeat, restart)}
    if repeat:
        return field(default=tuple(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting of `reconnectingpty serve`, read and checked."""

    listen: tuple[Address, ...] = _setting(
        values.read_address, "ADDR",
        "where to listen: `host:port` (port 0: any free one), `[v6]:port` or `unix:/path`; may be repeated",
        (Address("127.0.0.1", 7681),), "`127.0.0.1:7681`", repeat=True, restart=True,
    )  # fmt: skip
    agent_listen: tuple[Address, ...] = _setting(
        values.read_address, "ADDR",
        "where to speak Coder's agent stream, which has no login: loopback or Unix sockets", (), "none",
        repeat=True, restart=True,
    )  # fmt: skip
    token: str = _setting(values.token, "TEXT", "the admin token", "", "random")
    token_file: str = _setting(str, "PATH", "a file with the admin token, read again on SIGHUP", "", "none")
    no_auth: bool = _setting(values.flag, "", "let everybody in; only with loopback and Unix listeners", False, "off")
    users_file: str = _setting(
        str, "PATH", "users with roles and tokens (`reconnectingpty user` writes it), read again on SIGHUP", "", "none"
    )
    key_file: str = _setting(
        str, "PATH", "keys that logins and links are signed with, made if missing; they then outlive the server",
        "", "of this process", restart=True,
    )  # fmt: skip
    trusted_proxy: tuple[Network | None, ...] = _setting(
        values.proxy, "ADDR",
        "a proxy whose X-Forwarded-For and -Proto count: address, network or `unix`; may be repeated",
        (), "none", repeat=True,
    )  # fmt: skip
    user_header: str = _setting(
        values.header, "NAME", "the header by which a trusted proxy names one of the users file", "", "none"
    )
    unix_users: bool = _setting(
        values.flag,
        "",
        "on Unix sockets, this server's user needs no token, nor do those of the users file",
        False,
        "off",
    )
    tls_cert: str = _setting(str, "PATH", "serve TLS with this chain, read again on SIGHUP", "", "no TLS")
    tls_key: str = _setting(str, "PATH", "its key", "", "in the same file")
    tls_client_ca: str = _setting(
        str, "PATH", "clients with a certificate of these may come in as the user of its common name", "", "none"
    )
    limit_logins: Rate = _setting(  # noqa: RUF009 (a field, made by a function)
        values.rate, "N/SECONDS", "wrong tokens per address; `off`", Rate(20, 60.0), "20/60"
    )
    limit_attaches: Rate = _setting(  # noqa: RUF009 (a field, made by a function)
        values.rate, "N/SECONDS", "terminals opened per address; `off`", Rate(5000, 50.0), "5000/50"
    )
    limit_creations: Rate = _setting(  # noqa: RUF009 (a field, made by a function)
        values.rate, "N/SECONDS", "sessions started per user and address; `off`", Rate(2000, 100.0), "2000/100"
    )
    audit_log: str = _setting(
        str, "PATH", "who did what, a line of JSON each; `-`: standard error", "", "none", restart=True
    )
    command: str = _setting(str, "TEXT", "what a new session runs", "", "login shell")
    allow_command: bool = _setting(values.flag, "", "let clients choose the command", False, "off")
    allow_containers: bool = _setting(
        values.flag, "", "let clients have their sessions inside containers of this machine", False, "off"
    )
    container_program: str = _setting(
        str, "NAME", "what reaches containers: `docker`, `podman` or a path", "", "whichever is there"
    )
    backend: str = _setting(
        values.one_of("auto", *backends()), "NAME", "the backend of sessions whose client names none", "auto", "`auto`"
    )
    timeout: float | None = _setting(
        values.seconds, "SECONDS", "how long a session lives with nobody attached; `never`", 300.0, "300"
    )
    scrollback: int = _setting(
        values.whole(0, 1_000_000), "LINES", "lines above the screen that are kept", 5000, "5000"
    )
    log_size: int = _setting(
        values.whole(MIN_LOG, 1 << 30),
        "BYTES",
        "output kept for clients that come back, per session",
        1 << 20,
        "1048576",
    )
    size_policy: SizePolicy = _setting(  # noqa: RUF009 (a field, made by a function)
        lambda text: SizePolicy(values.one_of(*SizePolicy)(text)), "NAME",
        "whose size the terminal takes: `latest`, `smallest`, `largest`, `fixed`", SizePolicy.LATEST, "`latest`",
    )  # fmt: skip
    max_sessions: int = _setting(values.whole(1, 1_000_000), "N", "sessions at a time", 1000, "1000")
    max_user_sessions: int | None = _setting(
        values.whole(1, 1_000_000), "N", "sessions of one user at a time", None, "as many as there may be"
    )
    max_viewers: int = _setting(values.whole(1, 65536), "N", "clients attached to one session", 64, "64")
    user: str = _setting(str, "NAME", "the user that sessions run as; the server has to be root", "", "the server's")
    env: tuple[str, ...] = _setting(
        values.variable, "NAME",
        "a variable of the server's environment that sessions get, `NAME*` for all that begin so; may be repeated",
        (), "all but the server's own", repeat=True,
    )  # fmt: skip
    max_life: float | None = _setting(
        values.seconds, "SECONDS", "how long a session lives at most; `never`", None, "`never`"
    )
    max_idle: float | None = _setting(
        values.seconds, "SECONDS",
        "how long a session lives without input and output, even with somebody attached; `never`", None, "`never`",
    )  # fmt: skip
    max_output_rate: int | None = _setting(
        values.size(MIN_RATE),
        "BYTES",
        "output of a session per second, beyond which its program has to wait",
        None,
        "no cap",
    )
    limit_memory: int | None = _setting(values.size(1 << 20), "BYTES", "memory of a session, as `2G`", None, "none")
    limit_processes: int | None = _setting(
        values.whole(1, 1_000_000), "N", "processes and threads of a session", None, "none"
    )
    limit_cpu: float | None = _setting(
        values.cpus, "CPUS", "what a session may use of the CPUs, as `0.5`", None, "none"
    )
    limit_files: int | None = _setting(
        values.whole(16, 1_000_000), "N", "open files of each process of a session", None, "none"
    )
    cgroup: str = _setting(
        str, "PATH", "the cgroup (v2) under which sessions get theirs", "", "one delegated to the server, for a limit"
    )
    origin: tuple[str, ...] = _setting(
        values.host, "HOST", "another host whose pages may connect; may be repeated", (), "same host", repeat=True
    )
    node: str = _setting(
        values.node,
        "NAME",
        "this server's name among several behind a router; its sessions' ids begin with it",
        "",
        "none",
        restart=True,
    )
    tunnel: tuple[str, ...] = _setting(
        str, "[USER@]HOST", "publish the first listener there by a supervised `ssh -R`; may be repeated",
        (), "none", repeat=True, restart=True,
    )  # fmt: skip
    tunnel_remote: tuple[str, ...] = _setting(
        str, "END", "its far end: a port, `address:port` or a socket's path; one for each tunnel, in their order",
        (), "the same port", repeat=True, restart=True,
    )  # fmt: skip
    tunnel_option: tuple[str, ...] = _setting(
        str, "OPTION", "an option of ssh (`-o OPTION`) for all tunnels; may be repeated", (), "none",
        repeat=True, restart=True,
    )  # fmt: skip
    record: str = _setting(str, "DIR", "record every session there, as asciicasts", "", "off")
    record_input: bool = _setting(values.flag, "", "record what is typed, too, passwords included", False, "off")
    record_size: int = _setting(
        values.whole(LEAST_FILE, 1 << 40),
        "BYTES",
        "a recording goes on in another file then",
        FILE_SIZE,
        str(FILE_SIZE),
    )
    record_total: int = _setting(
        values.whole(LEAST_FILE, 1 << 50), "BYTES", "what that directory may hold; the oldest recordings go",
        TOTAL_SIZE, str(TOTAL_SIZE),
    )  # fmt: skip
    record_files: int = _setting(values.whole(1, 1_000_000), "N", "files it may hold", FILES, str(FILES))
    metrics_prefix: str = _setting(
        values.metrics_prefix, "NAME", "put before `reconnecting_pty_…`", "", "none", restart=True
    )
    config: str = _setting(str, "PATH", "a TOML file with these settings as keys", "", "none")
    log_format: str = _setting(
        values.one_of("human", "json"), "NAME", "how log lines look: `human`, `json`", "human", "`human`", restart=True
    )
    log_level: str = _setting(
        values.one_of("debug", "info", "warning", "error"),
        "NAME",
        "`debug`, `info`, `warning`, `error`",
        "info",
        "`info`",
    )

    def options(self) -> Options:
        """What of this concerns a session; metrics and backend are put in by the server."""
        return Options(
            timeout=self.timeout,
            scrollback=self.scrollback,
            log_limit=self.log_size,
            size_policy=self.size_policy,
            max_viewers=self.max_viewers,
            backend_type=self.backend,
            user=self.user or None,
            keep=self.env or None,
            max_life=self.max_life,
            max_idle=self.max_idle,
            output_rate=self.max_output_rate,
            limits=Limits(
                memory=self.limit_memory,
                processes=self.limit_processes,
                cpu=self.limit_cpu,
                files=self.limit_files,
                cgroup=self.cgroup or None,
            ),
            record=self._recordings(),
        )

    def _recordings(self) -> Recordings | None:
        if not self.record:
            return None
        sizes = {"file_size": self.record_size, "total_size": self.record_total, "files": self.record_files}
        return Recordings(self.record, input=self.record_input, **sizes)


def settings() -> dict[str, Setting]:
    """Every setting by its name in Python; `-` for `_` makes the flag and the file's key."""
    return {item.name: item.metadata["setting"] for item in fields(Config)}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser a flag for each setting."""
    for name, setting in settings().items():
        flag = f"--{name.replace('_', '-')}"
        text = f"{setting.help} (default: {setting.default})".replace("`", "").replace("%", "%%")
        if setting.read is values.flag:
            parser.add_argument(flag, dest=name, action="store_const", const="true", default=None, help=text)
        else:
            action = "append" if setting.repeat else "store"
            parser.add_argument(flag, dest=name, action=action, metavar=setting.metavar, default=None, help=text)


def load(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """The settings as they come out of flags, environment, file and defaults. Raises ConfigError."""
    given: dict[str, tuple[str, Any]] = {}
    for name in settings():
        variable = PREFIX + name.upper()
        if flags.get(name) is not None:
            given[name] = (f"--{name.replace('_', '-')}", flags[name])
        elif variable in environment:
            given[name] = (variable, environment[variable])
    path = given.get("config", ("", ""))[1]
    for name, value in (_file(path) if path else {}).items():
        given.setdefault(name, (f"{path}: {name.replace('_', '-')}", value))
    values = {name: _read(settings()[name], source, value) for name, (source, value) in given.items()}
    config = Config(**values)
    check_together(config)
    return config


def _file(path: str) -> dict[str, Any]:
    document = values.document(path)
    known = settings()
    found = {}
    for key, value in document.items():
        name = key.replace("-", "_")
        if name not in known or name == "config":
            raise ConfigError(f"{path}: there is no setting {key!r}")
        if name in found:
            raise ConfigError(f"{path}: {name.replace('_', '-')} is there twice, written with - and with _")
        found[name] = value
    return found


def _read(setting: Setting, source: str, value: Any) -> Any:
    texts: Sequence[Any] = value if isinstance(value, list) else str(value).split(",") if setting.repeat else [value]
    try:
        if (isinstance(value, list | dict) and not setting.repeat) or any(
            isinstance(text, list | dict) for text in texts
        ):
            raise ConfigError("must be a single value")
        if any("\0" in str(text) for text in texts):
            raise ConfigError("must have no NUL in it")
        read = [setting.read(str(text).lower() if isinstance(text, bool) else str(text).strip()) for text in texts]
    except ConfigError as error:
        shown = "" if setting.read is values.token else f"{str(texts[0]) if len(texts) == 1 else value!r} "
        raise ConfigError(f"{source}: {shown}{error}") from None
    return tuple(read) if setting.repeat else read[0]


def check_together(config: Config) -> None:
    """What only several settings together can get wrong. Raises ConfigError."""
    if not config.listen and not config.agent_listen:
        raise ConfigError("--listen: there is nothing to listen on")
    if config.token and config.token_file:
        raise ConfigError("--token and --token-file: give one of them")
    if config.no_auth and (config.token or config.token_file):
        raise ConfigError("--no-auth: can't go with a token")
    for address in config.listen:
        if config.no_auth and not address.local:
            raise ConfigError(f"--no-auth: {address} can be reached from other machines; use loopback or a Unix socket")
    for address in config.agent_listen:
        if not address.local:
            raise ConfigError(
                f"--agent-listen: {address} can be reached from other machines, and this protocol has no login"
            )
    if config.no_auth and config.users_file:
        raise ConfigError("--no-auth: can't go with users")
    if config.user_header and not config.trusted_proxy:
        raise ConfigError("--user-header: needs --trusted-proxy, since anybody can send a header")
    if (config.tls_key or config.tls_client_ca) and not config.tls_cert:
        raise ConfigError("--tls-key and --tls-client-ca: need --tls-cert")
    if config.tunnel and not config.listen:
        raise ConfigError("--tunnel: there is no listener to publish")
    if config.tunnel and config.no_auth:
        raise ConfigError("--tunnel: not with --no-auth, since whoever reaches the far end would get a shell")
    if config.allow_containers and (config.user or config.options().limits):
        raise ConfigError("--allow-containers: not with --user or limits, which don't reach into a container")
    if len(config.tunnel_remote) > len(config.tunnel):
        raise ConfigError("--tunnel-remote: there are more of them than tunnels")
    try:
        config.options()
    except OptionError as error:
        raise ConfigError(str(error)) from None


def check_here(options: Options) -> dict[str, str]:
    """What holds each limit on this machine. Raises ConfigError for what can't be had here."""
    try:
        return check(options)
    except OptionError as error:
        said = str(error).replace("limits.cgroup", "--cgroup", 1).replace("limits.", "--limit-", 1)
        raise ConfigError(f"--{said}" if said.startswith("user:") else said) from None


def read_token(path: str) -> str:
    """The token in a file. Raises ConfigError."""
    try:
        return values.token(Path(path).read_text().strip())
    except OSError as error:
        raise ConfigError(f"--token-file: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:  # whose words would tell of what is in it
        raise ConfigError(f"--token-file: cannot read {path}: it is no text") from None
    except ConfigError as error:
        raise ConfigError(f"--token-file: what {path} holds {error}") from None


def config_table() -> str:
    """The table of settings in the README."""
    rows = ["| flag | default | meaning |", "|---|---|---|"]
    for name, setting in settings().items():
        value = f" {setting.metavar}" if setting.metavar else ""
        rows.append(f"| `--{name.replace('_', '-')}{value}` | {setting.default} | {setting.help} |")
    return "\n".join(rows)


def from_arguments(arguments: argparse.Namespace) -> Config:
    """The settings of a command line in this process's environment. Raises ConfigError."""
    return load(vars(arguments), os.environ)
