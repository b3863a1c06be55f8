"""The command `completion`: what a shell needs to complete our command lines, sessions that there are included."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import Any

from .grammar import PATHS, SESSIONS, Argument, Command
from .grammar import commands as commands_of

HELP = """\
Prints what a shell needs to complete the command line of reconnectingpty:

  source <(reconnectingpty completion bash)        in ~/.bashrc
  source <(reconnectingpty completion zsh)         in ~/.zshrc, after compinit
  reconnectingpty completion fish | source         in ~/.config/fish/config.fish"""
_LISTED = "reconnectingpty list 2>/dev/null | sed 1d | cut -d' ' -f1 | grep -xE '[A-Za-z0-9._-]+'"
"""A command that prints the ids of sessions, and nothing that a shell would take for more than a word."""


def add(commands: Any, parser: argparse.ArgumentParser) -> None:
    """The command's parser; `parser` is the program's."""
    adding = commands.add_parser(
        "completion", help="completions for a shell", description=HELP, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    adding.add_argument("shell", choices=tuple(SHELLS), metavar="SHELL", help="bash, zsh or fish")
    adding.set_defaults(run=lambda arguments: _print(SHELLS[arguments.shell](commands_of(parser))))


def _print(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _names(flags: tuple[Argument, ...]) -> str:
    return " ".join(name for flag in flags for name in flag.names)


def _quoted(text: str) -> str:
    """For the inside of single quotes."""
    return text.replace("'", "'\\''")


# -- bash


def bash(commands: list[Command]) -> str:
    """For bash 4 and newer."""
    values = "\n".join(line for command in commands for line in _bash_values(command))
    cases = "\n".join(f"        {command.name}) {_bash_words(command)};;" for command in commands)
    return f"""\
_reconnectingpty_take() {{ mapfile -t COMPREPLY < <("$@" 2>/dev/null); }}
_reconnectingpty() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
    local flags="" words="" sessions="" files=""
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        _reconnectingpty_take compgen -W "{" ".join(command.name for command in commands)} --help --version" -- "$word"
        return
    fi
    case $command$before in
{values}
    esac
    case $command in
{cases}
    esac
    case $word in
        -*) _reconnectingpty_take compgen -W "$flags" -- "$word";;
        *)
            [[ -z $sessions ]] || words+=" $({_LISTED})"
            if [[ -n $files ]]; then _reconnectingpty_take compgen -f -- "$word"
            else _reconnectingpty_take compgen -W "$words" -- "$word"; fi;;
    esac
}}
complete -o filenames -F _reconnectingpty reconnectingpty
"""


def _bash_values(command: Command) -> list[str]:
    """What may stand behind the flags of a command that take a value."""
    lines = []
    for flag in command.flags:
        if not flag.value:
            continue
        if flag.choices:
            act = f'_reconnectingpty_take compgen -W "{" ".join(flag.choices)}" -- "$word"; return'
        elif flag.value in PATHS:
            act = '_reconnectingpty_take compgen -f -- "$word"; return'
        else:
            act = "return"
        lines.append(f"        {'|'.join(command.name + name for name in flag.names)}) {act};;")
    return lines


def _bash_words(command: Command) -> str:
    found = [f'flags="{_names(command.flags)}"']
    for word in command.words:
        if word.choices:
            found.append(f'words="{" ".join(word.choices)}"')
        elif word.value in SESSIONS:
            found.append("sessions=1")
        elif word.value in PATHS:
            found.append("files=1")
    return "; ".join(found)


# -- zsh


def zsh(commands: list[Command]) -> str:
    """For zsh, to be sourced or put into a directory of $fpath."""
    listed = "\n".join(f"            '{command.name}:{_quoted(command.help)}'" for command in commands)
    cases = "\n".join(f"        {command.name}) _arguments -S{_zsh_specs(command)};;" for command in commands)
    return f"""\
#compdef reconnectingpty
_reconnectingpty_sessions() {{
    local -a found
    found=(${{(f)"$({_LISTED})"}})
    compadd -a found
}}
_reconnectingpty() {{
    local curcontext=$curcontext state line
    _arguments -C '--help[print what there is]' '--version[print the version]' \\
        '1:command:->command' '*::argument:->argument'
    case $state in
    command)
        local -a commands
        commands=(
{listed}
        )
        _describe command commands;;
    argument)
        case $line[1] in
{cases}
        esac;;
    esac
}}
if [[ $funcstack[1] == _reconnectingpty ]]
then _reconnectingpty "$@"
else compdef _reconnectingpty reconnectingpty
fi
"""


def _zsh_specs(command: Command) -> str:
    specs = []
    for flag in command.flags:
        said = re.sub(r"[\[\]:]", " ", flag.help)
        specs += [f"'*{name}[{_quoted(said)}]{_zsh_value(flag)}'" for name in flag.names]
    for word in command.words:
        specs.append(f"'{'*' if word.several else ''}{_zsh_value(word) or ':word: '}'")
    return "".join(f" \\\n            {spec}" for spec in specs)


def _zsh_value(argument: Argument) -> str:
    if not argument.value:
        return ""
    if argument.choices:
        action = f"({' '.join(argument.choices)})"
    elif argument.value in PATHS:
        action = "_files"
    elif argument.value in SESSIONS:
        action = "_reconnectingpty_sessions"
    else:
        action = " "
    return f":{re.sub(r'[^A-Za-z_]+', ' ', argument.value).lower().strip()}:{action}"


# -- fish


def fish(commands: list[Command]) -> str:
    """For fish."""
    ours = "complete -c reconnectingpty"
    lines = [f"{ours} -f", f"{ours} -n __fish_use_subcommand -l help", f"{ours} -n __fish_use_subcommand -l version"]
    for command in commands:
        lines.append(f"{ours} -n __fish_use_subcommand -a {command.name} -d '{_fish(command.help)}'")
        when = f"{ours} -n '__fish_seen_subcommand_from {command.name}'"
        for flag in command.flags:
            names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in flag.names)
            lines.append(f"{when}{names}{_fish_value(flag)} -d '{_fish(flag.help)}'")
        for word in command.words:
            if word.choices:
                lines.append(f"{when} -a '{' '.join(word.choices)}'")
            elif word.value in SESSIONS:
                lines.append(f'{when} -a "({_LISTED})"')
            elif word.value in PATHS:
                lines.append(f"{when} -F")
    return "\n".join(lines) + "\n"


def _fish(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _fish_value(flag: Argument) -> str:
    if not flag.value:
        return ""
    if flag.choices:
        return f" -x -a '{' '.join(flag.choices)}'"
    return " -r -F" if flag.value in PATHS else " -x"


SHELLS: dict[str, Callable[[list[Command]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
