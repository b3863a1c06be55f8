"""The command `haproxy-config`: the router's configuration, checked by HAProxy itself where that is asked for."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from ..values import ConfigError
from .haproxy import configuration
from .router import read

CHECK_SECONDS = 60.0
PLACES = ("/usr/sbin", "/usr/local/sbin")
"""Where distributions put HAProxy, and a user's PATH often has not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's arguments."""
    parser.add_argument("nodes", nargs="*", metavar="NAME=ADDRESS", help="a node: `a=10.0.0.1:7681`, `b=unix:/path`")
    parser.add_argument("--config", default="", metavar="PATH", help="a TOML file with nodes and settings")
    parser.add_argument("--bind", action="append", metavar="ADDR", help="where to listen (default: 127.0.0.1:7680)")
    parser.add_argument("--certificate", metavar="PEM", help="speak TLS there, with this certificate and key")
    parser.add_argument("--nodes-ca", metavar="PEM", help="speak TLS to the nodes, whose certificates are of this one")
    parser.add_argument("--redirect", action="append", metavar="ADDR", help="where plain HTTP is sent on to HTTPS")
    parser.add_argument("--metrics", metavar="ADDR", help="where HAProxy has its own /metrics")
    parser.add_argument("--control", metavar="PATH", help="HAProxy's control socket")
    parser.add_argument(
        "--trusted-proxy", action="append", metavar="ADDR",
        help="a proxy before the router whose X-Forwarded-For and -Proto count: address, network or `unix`",
    )  # fmt: skip
    parser.add_argument("--user", metavar="NAME", help="the user that HAProxy runs as once it listens")
    parser.add_argument("--group", metavar="NAME", help="its group")
    parser.add_argument("--drain", action="append", default=[], metavar="NAME", help="no new sessions for this node")
    parser.add_argument("--output", metavar="PATH", help="write there, at once, rather than to standard output")
    parser.add_argument("--check", action="store_true", help="have `haproxy -c` check it first")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration; the exit status."""
    try:
        router = read(
            arguments.config, arguments.nodes, arguments.drain, bind=arguments.bind, redirect=arguments.redirect,
            certificate=arguments.certificate, nodes_ca=arguments.nodes_ca, metrics=arguments.metrics,
            control=arguments.control, trusted_proxies=arguments.trusted_proxy, user=arguments.user,
            group=arguments.group,
        )  # fmt: skip
        text = configuration(router)
        for warning in check(text) if arguments.check else ():
            print(f"reconnectingpty: haproxy: {warning}", file=sys.stderr)
        if arguments.output:
            _write(Path(arguments.output), text)
        else:
            sys.stdout.write(text)
    except ConfigError as error:
        print(f"reconnectingpty: {error}", file=sys.stderr)
        return 2
    return 0


def check(text: str) -> list[str]:
    """Have HAProxy read a configuration: what it warns of. Raises ConfigError with what it refuses."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path=os.pathsep.join(PLACES))
    if program is None:
        raise ConfigError("--check: there is no haproxy here; Debian has it as the package haproxy")
    # From standard input, so that the check writes no file.
    done = subprocess.run(  # noqa: S603 (a program of the system, without a shell)
        [program, "-c", "-f", "/dev/stdin"], input=text, capture_output=True, text=True, timeout=CHECK_SECONDS
    )
    said = [line for line in done.stderr.splitlines() if line.startswith(("[ALERT]", "[WARNING]"))]
    if done.returncode:
        raise ConfigError("haproxy refuses it:\n" + "\n".join(said or [done.stderr.strip()]))
    return said


def _write(path: Path, text: str) -> None:
    """Put it in its place whole: a reload must not read half of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(text)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"--output: cannot write {path}: {error.strerror}") from None
