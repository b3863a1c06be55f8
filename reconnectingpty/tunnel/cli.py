"""The commands `pyautossh` and `reconnectingpty tunnel`: this is where a supervisor gets a whole process to itself."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from importlib.metadata import PackageNotFoundError, version

from ..errors import OptionError
from ..outlet import have_standard, standard_error
from . import completions, logs, notify, signals
from .builder import check
from .daemonizer import Front, daemonize
from .errors import MaxLifetimeReached, MaxStartsReached, SshFailed, TunnelError
from .events import Started
from .mode import Mode, choose
from .pidfile import Pidfile
from .plan import Plan, Refused, Words, default_plan, strict_plan, with_watchdog
from .spawner import find_ssh
from .supervisor import SshSupervisor


def main(argv: Sequence[str] | None = None) -> int:
    """The console script `pyautossh`; `argv[0]` is the name it was called by. Returns the exit status."""
    have_standard()
    given = list(sys.argv if argv is None else argv)
    mode, arguments = choose(given, os.environ)
    if mode is Mode.STRICT:
        return _strict(given[0], arguments)
    return _default(os.path.basename(given[0]), arguments)


def tunnel(arguments: Sequence[str]) -> int:
    """`reconnectingpty tunnel ARGUMENTS`: the same with our defaults, whatever it was called by."""
    mode, rest = choose(["tunnel", *arguments], {})
    return _strict("autossh", rest) if mode is Mode.STRICT else _default("reconnectingpty tunnel", rest)


def _strict(program: str, arguments: Sequence[str]) -> int:
    name = os.path.basename(program)
    try:
        plan = strict_plan(program, arguments, os.environ)
    except Words as words:
        print(words.text, file=sys.stderr if words.status else sys.stdout)
        return words.status
    except Refused as error:
        # What is wrong with the environment goes to syslog only, as autossh looks for its log file last.
        found = error.found
        _log_refusal(name, error, found.logfile if found else None, debug=found is not None and found.debug)
        return 1
    except TunnelError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return _run(name, plan)


def _log_refusal(name: str, error: Refused, logfile: str | None, *, debug: bool) -> None:
    try:
        log = logs.open_log(name, 6, file=logfile, stderr=debug)
    except TunnelError:
        return
    for notice in error.notices:
        log.info(notice)
    log.error(str(error))


def _default(program: str, arguments: Sequence[str]) -> int:
    name = program.replace(" ", "-")
    if arguments[:1] == ["completions"]:
        return _complete(program, arguments[1:])
    try:
        plan = default_plan(program, arguments, os.environ, terminal=os.isatty(0))
        check(plan.settings)
        find_ssh(plan.settings.ssh_path, os.environ)
    except Words as words:
        print(words.text or _version(program), end="" if words.text else "\n")
        return words.status
    except (OptionError, TunnelError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return _run(name, plan)


def _complete(program: str, arguments: Sequence[str]) -> int:
    shell = completions.SHELLS.get(arguments[0]) if len(arguments) == 1 else None
    if shell is None:
        print(f"usage: {program} completions {'|'.join(completions.SHELLS)}", file=sys.stderr)
        return 1
    print(shell(program.replace(" ", "-")), end="")
    return 0


def _version(program: str) -> str:
    try:
        return f"{program} {version('reconnectingpty')}"
    except PackageNotFoundError:
        return f"{program} (not installed)"


def _run(name: str, plan: Plan) -> int:
    """Open the log, go to the background where that is wanted, and supervise. Returns the exit status."""
    strict = plan.settings.strict
    front = Front()
    try:
        in_front = not (plan.background or strict)
        log = logs.open_log(
            name,
            plan.log_level,
            file=os.path.abspath(plan.logfile) if plan.logfile else plan.logfile,
            stderr=in_front or plan.debug,
            syslog=not in_front,
        )
        for notice in plan.notices:
            log.info(notice)
        if plan.background:
            front = daemonize(wait=not strict)
    except TunnelError as error:
        if not strict:
            print(f"{name}: {error}", file=sys.stderr)
        return 1
    try:
        with standard_error.running():
            return asyncio.run(_supervise(name, plan, log, front))
    except TunnelError as error:
        log.error(str(error))
        front.failed(f"{name}: {error}")
        return 1


async def _supervise(name: str, plan: Plan, log: logging.Logger, front: Front) -> int:
    systemd = notify.Systemd(os.environ)
    plan = with_watchdog(plan, systemd.watchdog)
    strict = plan.settings.strict
    with ExitStack() as stack:
        supervisor = SshSupervisor(
            plan.settings,
            program=name,
            stderr=None if strict else standard_error.pass_on,
        )
        stack.enter_context(Pidfile(plan.pidfile, refuse=not strict) if plan.pidfile else nullcontext())
        stack.enter_context(signals.handled(supervisor))
        reporters = [
            asyncio.create_task(logs.keep(supervisor, log)),
            asyncio.create_task(notify.keep_told(supervisor, systemd)),
            asyncio.create_task(_tell_front(supervisor, front)),
        ]
        # So that they listen before anything happens.
        await asyncio.sleep(0)
        try:
            ended = await supervisor.run()
        except TunnelError as error:
            front.failed(f"{name}: {error}")
            return _status(error, strict=strict)
        finally:
            await asyncio.gather(*reporters)
        return 1 if strict and ended.asked else 0


async def _tell_front(supervisor: SshSupervisor, front: Front) -> None:
    """Once ssh runs, all that can be told at once has been told."""
    async for event in supervisor.events():
        if isinstance(event, Started):
            front.started()


def _status(error: TunnelError, *, strict: bool) -> int:
    """The exit status for an end that was not wished for. autossh calls two of them a success."""
    match error:
        case MaxLifetimeReached():
            return 0
        case MaxStartsReached():
            return 0 if strict else 1
        case SshFailed(status=int(status)) if not strict:
            return status or 1
        case _:
            return 1


if __name__ == "__main__":
    raise SystemExit(main())
