"""Completions for four shells, made from the table of flags."""

from __future__ import annotations

import re
from collections.abc import Callable

from .flags import FLAGS, Flag

_HOW = "alive 0 auto"
_FILES = ("FILE",)
_LONG = " ".join(flag.name for flag in FLAGS)
_SHORT = " ".join(f"-{flag.short}" for flag in FLAGS if flag.short)


def _names(flag: Flag) -> list[str]:
    return [flag.name, *([f"-{flag.short}"] if flag.short else [])]


def bash(program: str) -> str:
    """For bash; what is no flag of ours is completed as ssh's."""
    files = "|".join(name for flag in FLAGS if flag.value in _FILES for name in _names(flag))
    plain = "|".join(
        name for flag in FLAGS if flag.value and flag.value not in (*_FILES, "HOW") for name in _names(flag)
    )
    function = "_" + re.sub(r"\W", "_", program)
    return f"""\
{function}() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    case $before in
        --monitor-port|-M) mapfile -t COMPREPLY < <(compgen -W "{_HOW}" -- "$word"); return;;
        {files}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return;;
        {plain}) COMPREPLY=(); return;;
    esac
    case $word in
        -*) mapfile -t COMPREPLY < <(compgen -W "{_LONG} {_SHORT}" -- "$word");;
        *) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word");;
    esac
}}
complete -F {function} {program}
"""


def zsh(program: str) -> str:
    """For zsh."""
    specs = []
    for flag in FLAGS:
        said = flag.help.replace("'", "").replace("[", "").replace("]", "").replace(":", "")
        action = {"": "", "FILE": ":file:_files", "HOW": f":how:({_HOW})"}.get(flag.value, f":{flag.value.lower()}: ")
        specs += [f"    '{name}[{said}]{action}' \\" for name in _names(flag)]
    listed = "\n".join(specs)
    return f"""\
#compdef {program}
_arguments \\
{listed}
    '*::ssh arguments:_ssh'
"""


def fish(program: str) -> str:
    """For fish."""
    lines = []
    for flag in FLAGS:
        short = f" -s {flag.short}" if flag.short else ""
        value = {"": "", "FILE": " -r -F", "HOW": f" -x -a '{_HOW}'"}.get(flag.value, " -x")
        said = flag.help.replace("'", "\\'")
        lines.append(f"complete -c {program}{short} -l {flag.name[2:]}{value} -d '{said}'")
    return "\n".join([*lines, f"complete -c {program} -w ssh", ""])


def powershell(program: str) -> str:
    """For PowerShell."""
    rows = []
    for flag in FLAGS:
        said = flag.help.replace("'", "''")
        rows += [f"        @('{name}', '{said}')" for name in _names(flag)]
    listed = "\n".join(rows)
    return f"""\
Register-ArgumentCompleter -Native -CommandName '{program}' -ScriptBlock {{
    param($word, $ast, $position)
    @(
{listed}
    ) | Where-Object {{ $_[0] -like "$word*" }} | ForEach-Object {{
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterName', $_[1])
    }}
}}
"""


SHELLS: dict[str, Callable[[str], str]] = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
