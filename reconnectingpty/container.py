"""A session's command inside a container: who runs it, where, with what around it, and that it ends with its session.

Speaks to `docker` or `podman` by their command lines, which are alike as far as this goes. What a container says of
itself is not trusted further than its own walls: it becomes words of an argument vector, never of a shell's.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .environment import OWN_PREFIX, SESSION_VARIABLE
from .errors import OptionError, StartFailed
from .leftovers import EPOCH_VARIABLE

PROGRAMS = ("docker", "podman")
"""What is looked for, in this order, where none is configured."""
STEP_SECONDS = 30.0
"""How long one command may take."""
MAX_ANSWER = 4 << 20
"""Bytes of what one command may say."""
METADATA = "devcontainer.metadata"
"""The label that dev containers keep their settings in (containers.dev, "Image Metadata")."""
PASSED_ON = ("TERM", "COLORTERM", SESSION_VARIABLE, EPOCH_VARIABLE)
"""Variables that the program hands on from its own environment, which is the session's."""
UTF8 = {"LC_CTYPE": "C.UTF-8"}

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
_USER = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,63}\$?(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,63})?")
_END = """
grace=$1 mark=$2; shift 2
for signal; do
    left=$grace
    while :; do
        pids=
        for file in $(grep -ls "$mark" /proc/[0-9]*/environ); do
            file=${file#/proc/}
            pids="$pids ${file%/environ}"
        done
        [ "$pids" ] || exit 0
        [ "$sent" = $signal ] || { kill -s $signal $pids; kill -s CONT $pids; sent=$signal; } 2>/dev/null
        [ $left -gt 0 ] || break
        left=$(($left - 1))
        sleep 0.1
    done
done
"""
"""Signals whatever has the mark in its environment, so many tenths of a second apart, until nothing is left."""


@dataclass(frozen=True, slots=True)
class Container:
    """Where a session's command runs. Raises OptionError for names that no container or user can have."""

    name: str
    """The container's name or id."""
    user: str = ""
    """A name or a number, `:group` behind it if need be; empty: whoever the container runs as."""
    program: str = ""
    """`docker`, `podman` or a path; empty: whichever of the two is there."""

    def __post_init__(self) -> None:
        """Refuse what could be taken for something else than a name."""
        if not _NAME.fullmatch(self.name):
            raise OptionError(f"there can be no container called {self.name!r}")
        if self.user and not _USER.fullmatch(self.user):
            raise OptionError(f"there can be no user called {self.user!r} in a container")

    async def command_line(self, command: str | Sequence[str]) -> list[str]:
        """What runs `command` inside, on the terminal that it is started on.

        Blank: the user's login shell there; a string: run by that shell; a sequence: an argument vector. Raises
        StartFailed, whose message says which step failed.
        """
        program = self._program()
        user = self.user or (await self._ask("find out its user", "exec", self.name, "whoami")).strip()
        if not _USER.fullmatch(user):
            raise StartFailed(f"container {self.name}: `whoami` there says {user!r}, which is no user")
        passwd = await self._ask("read its /etc/passwd", "exec", "--user", user, self.name, "cat", "/etc/passwd")
        home, shell = home_and_shell(passwd, user.partition(":")[0])
        label = f'{{{{index .Config.Labels "{METADATA}"}}}}'
        metadata = await self._ask("read its labels", "inspect", "--type", "container", "--format", label, self.name)
        variables = UTF8 | remote_environment(metadata)
        return [
            *(program, "exec", "--interactive", "--tty", "--user", user, "--workdir", home),
            *(word for name in PASSED_ON for word in ("--env", name)),
            *(word for name in sorted(variables) for word in ("--env", f"{name}={variables[name]}")),
            *(self.name, *_inner(command, shell)),
        ]

    async def end(self, epoch: str, grace: float, hurry: asyncio.Future[None]) -> None:
        """HUP, TERM and KILL, `grace` seconds apart, to all inside that has the session's epoch; KILL once `hurry` is
        done. Raises StartFailed where the container can't be reached.
        """
        gently = asyncio.create_task(self._end(epoch, round(grace * 10), "HUP", "TERM", "KILL"))
        try:
            await asyncio.wait((gently, hurry), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gently.cancel()
            await asyncio.wait((gently,))
        if gently.cancelled():
            await self._end(epoch, 10, "KILL")
        else:
            gently.result()

    async def _end(self, epoch: str, grace: int, *signals: str) -> None:
        mark = f"{EPOCH_VARIABLE}={epoch}"
        user = ("--user", self.user) if self.user else ()
        await self._ask(
            "end what runs there", "exec", *user, self.name, "sh", "-c", _END, "sh", str(grace), mark, *signals
        )

    def _program(self) -> str:
        names = (self.program,) if self.program else PROGRAMS
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            raise StartFailed(f"container {self.name}: there is no {' or '.join(names)} here")
        return found

    async def _ask(self, purpose: str, *arguments: str) -> str:
        """What the program says when asked. Raises StartFailed."""
        program = self._program()
        process = await asyncio.create_subprocess_exec(
            *(program, *arguments),
            env={name: value for name, value in os.environ.items() if not name.startswith(OWN_PREFIX)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(STEP_SECONDS):
                said, error = await asyncio.gather(_read(process.stdout), _read(process.stderr))
                status = await process.wait()
        except TimeoutError:
            raise StartFailed(
                f"container {self.name}: cannot {purpose}: no answer within {STEP_SECONDS:g} seconds"
            ) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if status:
            why = error.decode(errors="replace").strip() or f"exit status {status}"
            raise StartFailed(f"container {self.name}: cannot {purpose}: {why[-500:]}")
        return said.decode(errors="replace")


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    data = b""
    while len(data) < MAX_ANSWER and (more := await stream.read(1 << 16)):
        data += more
    return data


def _inner(command: str | Sequence[str], shell: str) -> list[str]:
    if not isinstance(command, str):
        return list(command)
    return [shell, "-c", command] if command.strip() else [shell, "-l"]


def home_and_shell(passwd: str, user: str) -> tuple[str, str]:
    """A user's home and shell as passwd(5) has them, by name or number; what it leaves open is `/` and `/bin/sh`.

    Raises StartFailed for a name that is not there; a number need not be.
    """
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) >= 7 and user in (fields[0], fields[2]):
            return fields[5] or "/", fields[6].strip() or "/bin/sh"
    if user.isdigit():
        return "/", "/bin/sh"
    raise StartFailed(f"there is no user {user} in the container's /etc/passwd")


def remote_environment(label: str) -> dict[str, str]:
    """The `remoteEnv` of a dev container's label: one object, or a list of which the later ones win; null is empty.

    A label that is missing says nothing; one that can't be read raises StartFailed.
    """
    if label.strip() in ("", "<no value>"):
        return {}
    try:
        metadata = json.loads(label)
    except ValueError as error:
        raise StartFailed(f"the container's label {METADATA} is no JSON: {error}") from None
    found: dict[str, str] = {}
    for entry in metadata if isinstance(metadata, list) else [metadata]:
        variables = entry.get("remoteEnv") if isinstance(entry, Mapping) else None
        for name, value in (variables or {}).items():
            if not name or "=" in name or "\0" in f"{name}{value}":
                raise StartFailed(f"the container's label {METADATA} has a variable called {name!r}")
            found[name] = "" if value is None else str(value)
    return found
