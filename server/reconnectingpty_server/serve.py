"""The command `serve`: a server as a process of its own, with its signals and its link."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconnectingpty.outlet import standard_error

from . import logs, runtime
from .config import Config, from_arguments
from .server import Server
from .service import Service, into_journal, passed
from .values import Address, ConfigError

log = logging.getLogger(__name__)


def link(address: Address, token: str | None, *, tls: bool = False) -> str:
    """What opens a terminal; the token is in the fragment, which no browser sends to anybody."""
    if address.path:
        return f"unix:{address.path}" + (f"#token={token}" if token else "")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104 (recognised, not bound)
    shown = address._replace(host=host)
    return f"{'https' if tls else 'http'}://{shown}/" + (f"#token={token}" if token else "")


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; the exit status."""
    try:
        config = from_arguments(arguments)
        logs.set_up(config.log_format, config.log_level)
        with standard_error.running():
            return _runner()(_serve(config, lambda: from_arguments(arguments)))
    except ConfigError as error:
        print(f"reconnectingpty: {error}", file=sys.stderr)
        return 2


def _runner() -> Callable[..., int]:
    try:
        import uvloop
    except ImportError:  # it is not made for every platform
        return asyncio.run
    return uvloop.run


async def _have_threads() -> None:
    """Start all threads that blocking work is given to: on a machine that has run out there would be none for it."""
    loop, count = asyncio.get_running_loop(), min(32, (os.cpu_count() or 1) + 4)
    executor = ThreadPoolExecutor(count, "blocking")
    loop.set_default_executor(executor)
    all_there = threading.Barrier(count)
    await asyncio.gather(*(loop.run_in_executor(executor, all_there.wait) for _ in range(count)))


async def _serve(config: Config, again: Callable[[], Config]) -> int:
    await _have_threads()
    server = Server(config)
    service = Service(os.environ, lambda: _status(server))
    told = asyncio.Queue[signal.Signals]()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, told.put_nowait, number)
    # What there is now stays. Looking for cycles among all else ten times less often leaves the loop to clients.
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    adopted = await server.adopt()
    if adopted:
        log.info("%d sessions of an earlier server go on", adopted)
    given = passed(os.environ)
    if given:
        opened = [await server.serve(listener) for listener in given]
    else:
        opened = [await server.listen(address) for address in config.listen]
    opened_agents = [await server.listen_agent(address) for address in config.agent_listen]
    if opened:
        await server.publish(opened[0])
    tls = bool(config.tls_cert)
    shown = server.token if _may_be_told(config) else None
    lines = [link(address, shown, tls=tls) for address in opened]
    print("\n".join([*lines, *(f"agent {address}" for address in opened_agents)]), flush=True)
    service.ready()
    with runtime.announcing() as announce:
        _announce(announce, server, opened)
        while (number := await told.get()) is signal.SIGHUP:
            with service.reloading():
                _reload(server, again)
            _announce(announce, server, opened)
        service.stopping()
        log.info("%s: shutting down", number.name)
        closing = asyncio.create_task(server.close())
        second = asyncio.create_task(_second_word(told))
        await asyncio.wait((closing, second), return_when=asyncio.FIRST_COMPLETED)
        if not closing.done():
            log.warning("shutting down at once")
            await server.abort()
        second.cancel()
        await asyncio.gather(closing, second, return_exceptions=True)
    await service.close()
    return 0


def _may_be_told(config: Config) -> bool:
    """Whether the token may be written to standard output: to whoever sits there, or as nobody would know it else."""
    given = bool(config.token or config.token_file)
    return sys.stdout.isatty() or not (given or into_journal(os.environ, sys.stdout.fileno()))


def _status(server: Server) -> str:
    """How it does, in a line that `systemctl status` shows."""
    said = f"sessions: {len(server.sessions)}, clients: {server.conn_count()}"
    failing = server.readiness.failing()
    return f"{said}; not ready: {', '.join(failing)}" if failing else said


async def _second_word(told: asyncio.Queue[signal.Signals]) -> None:
    while await told.get() is signal.SIGHUP:
        pass


def _announce(announce: Callable[[str], None], server: Server, opened: Sequence[Address]) -> None:
    """Have the commands of this machine find the server, by its token of now."""
    if opened:
        announce(link(opened[0], server.token, tls=bool(server.config.tls_cert)))


def _reload(server: Server, again: Callable[[], Config]) -> None:
    try:
        config = again()
        server.reload(config)
        logging.getLogger().setLevel(config.log_level.upper())
    except ConfigError as error:
        log.error("not reloaded: %s", error)
    except Exception:  # the sessions are worth more than new settings
        log.exception("not reloaded")
    else:
        log.info("reloaded, pid %d", os.getpid())
