"""What is typed into a shell so that it tells when a command has ended, and how. Pure.

It is made to print marks (see `integration`) from its own prompt: after each command D, with its status, the shell's
process id, and a number that grows. A prompt is printed by nobody but the shell that is ready for the next command,
however a command ended: by itself, by a signal, by a syntax error. What a command prints can't be taken for it: a mark
counts only with a name (`aid`) made up for this one shell, its process id, and a number that was never seen before;
and what is typed holds none of a mark's control characters, so its echo is none either.

A shell is asked in two steps. The first line, which any shell understands, makes it say hello and read the second
without an echo. That one is evaluated, and depends on the shell: bash, zsh, and whatever has POSIX's PS1 (dash, ash,
ksh). fish reads no second line like that; it is typed its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CLEAR_INPUT = "\x15"
"""Ctrl-U: whatever a person left at the prompt is not to be run."""
LONGEST_LINE = 4000
"""Bytes that a terminal's own line editor takes (N_TTY has 4096): more than that can't be typed to sh."""
_PLAIN = re.compile(r"[^\x00-\x1f\x7f!]*")
_FISH_PLAIN = re.compile(r"(?!(?:if|for|while|switch|begin|function|and|or|not|time)\b)[\w ./:=,@%+*?~$-]*", re.ASCII)
"""Nothing that fish's editor could take for the beginning of something longer."""
END_OF_LINE = re.compile(rb"(?:\x1b\[[0-9;]*m)+[^\x1b\r\n]{0,8}(?:\x1b\[[0-9;]*m)* +\r \r\Z")
"""What zsh prints before its hooks to show that output ended without a line's end (PROMPT_SP)."""


@dataclass(slots=True)
class Shell:
    """A shell that prints marks. `number` is the last one's; `busy`: it has been given a command that has not ended."""

    kind: str
    aid: str
    pid: str
    number: int = -1
    busy: bool = False
    pastes: bool = field(default=False)
    """Whether its line editor asks for bracketed paste while it reads."""


class Echo:
    """Finds the end of the line that was typed, in what came since.

    Line editors put more into the echo than was typed: line ends where it is longer than the screen is wide, colours,
    cursor movements. But what was typed is in it, in order, and a line's end behind.
    """

    __slots__ = ("_at", "_typed", "over")

    def __init__(self, typed: str) -> None:
        self._typed = typed.encode().replace(b" ", b"")
        self._at = 0
        self.over = False

    def feed(self, data: bytes) -> int:
        """Take output. Where the end is in it, `over` is set, and what comes back is the index behind it."""
        typed, at, count = self._typed, self._at, len(self._typed)
        for index, byte in enumerate(data):
            if at < count:
                at += byte == typed[at]
            elif byte == 10:
                self.over = True
                return index + 1
        self._at = at
        return len(data)


def hello(nonce: str) -> str:
    """The first line. Its answer is `H`, with the nonce and fish's version or nothing.

    It is given twice, the second time in a string that GNU screen passes on as it is, and others don't look at. So
    if only that one comes, `wrapped`, marks have to be wrapped.
    """
    half = len(nonce) // 2
    values = f'{nonce[:half]} {nonce[half:]} "$FISH_VERSION"'
    return (
        " stty -echo && printf"
        " '\\033]133;H;%s%s;fish=%s\\007\\033P\\033]133;H;%s%s;fish=%s;wrapped=1\\007\\033\\134'"
        f" {values} {values} &&"
        ' test -z "$FISH_VERSION" && IFS= read -r __rp; stty echo; eval "$__rp"'
    )


def setup(nonce: str, aid: str, rows: int, *, wrapped: bool) -> str:
    """The second line. Its answer is `R`, with the nonce, and what the shell is called; it may have been set up before.

    `rows`: so many rows above the cursor the first line was typed; they are wiped.
    """
    begin = f'if [ "${{__rp_p-}}" != "$$" ]; then __rp_p=$$; __rp_a={aid}; __rp_n=0; fi; '
    wrap = "__rp_h=$(printf '\\033P'); __rp_t=$(printf '\\033\\134'); " if wrapped else "__rp_h=; __rp_t=; "
    shells = (
        f'if [ -n "${{BASH_VERSION-}}" ]; then __rp_k=bash; eval {quoted(_BASH)};'
        f' elif [ -n "${{ZSH_VERSION-}}" ]; then __rp_k=zsh; eval {quoted(_ZSH)};'
        f" else __rp_k=sh; eval {quoted(_SH)}; fi; "
    )
    answer = (
        f"printf '%s\\033]133;R;{nonce};kind=%s;aid=%s;p=%s\\007%s{_wipe(rows)}'"
        ' "$__rp_h" "$__rp_k" "$__rp_a" "$$" "$__rp_t"'
    )
    return begin + wrap + shells + answer


def setup_fish(nonce: str, aid: str, rows: int, *, wrapped: bool) -> str:
    """The second line where the shell is fish; it is echoed, and wiped, too."""
    wrap = "'\\033P' '\\033\\134'" if wrapped else "'' ''"
    return (
        f' if test "$__rp_p" != $fish_pid; set -g __rp_p $fish_pid; set -g __rp_a {aid}; set -g __rp_n 0; end;'
        " function __rp_m; printf $__rp_w[1]; printf '\\033]133;%s;aid=%s' $argv[1] $__rp_a;"
        " printf ';%s' $argv[2..] p=$fish_pid; printf '\\007'; printf $__rp_w[2]; end;"
        f" set -g __rp_w {wrap};"
        " function __rp_d --on-event fish_prompt; set -l s $status; set -g __rp_n (math $__rp_n + 1);"
        " __rp_m D $s n=$__rp_n; end;"
        " function __rp_c --on-event fish_preexec; __rp_m C; end;"
        " function __rp_e --on-event fish_postexec; __rp_m E; end;"
        f" __rp_m R {nonce} kind=fish; printf '{_wipe(rows)}'"
    )


def _wipe(rows: int) -> str:
    """For printf, with a length that does not depend on the number."""
    return f"\\r\\033[{rows:02}A\\033[J" if rows else ""


_MARK_D = 'printf \'%s\\033]133;D;%s;aid=%s;n=%s;p=%s\\007%s\' "$__rp_h" "$__rp_s" "$__rp_a" "$__rp_n" "$$" "$__rp_t"'
_HOOK = f"__rp_d() {{ __rp_s=$?; __rp_n=$((__rp_n+1)); {_MARK_D}; return $__rp_s; }}; "
_BASH = (
    _HOOK + 'case ";${PROMPT_COMMAND-};" in *";__rp_d;"*) ;; *) PROMPT_COMMAND="__rp_d;${PROMPT_COMMAND-}";; esac; '
    'case "${PS0-}" in *__rp_a*) ;; *) PS0=\'${__rp_h}\\e]133;C;aid=${__rp_a}\\a${__rp_t}\'"${PS0-}";; esac; '
    'case "${PS2-}" in *__rp_a*) ;; *)'
    " PS2='\\[${__rp_h}\\e]133;P;k=s;aid=${__rp_a}\\a${__rp_t}\\]'\"${PS2-}\";; esac"
)
_ZSH = (
    _HOOK + '__rp_c() { printf \'%s\\033]133;C;aid=%s\\007%s\' "$__rp_h" "$__rp_a" "$__rp_t"; }; '
    "precmd_functions=(__rp_d ${precmd_functions:#__rp_d}); preexec_functions=(${preexec_functions:#__rp_c} __rp_c); "
    "case $PS2 in *$__rp_a*) ;; *)"
    " PS2=%{$__rp_h$'\\e]133;P;k=s;aid='$__rp_a$'\\a'$__rp_t%}$PS2;; esac"
)
_SH = (
    "__rp_e=$(printf '\\033'); __rp_b=$(printf '\\007'); "
    'case "$PS1" in *__rp_a*) ;; *) '
    'PS1="\\${__rp_h}$__rp_e]133;D;\\$?;aid=\\${__rp_a};n=\\$((__rp_n=__rp_n+1));p=\\$\\$$__rp_b\\${__rp_t}$PS1"; '
    'PS2="\\${__rp_h}$__rp_e]133;P;k=s;aid=\\${__rp_a}$__rp_b\\${__rp_t}$PS2";; esac'
)


def quoted(text: str) -> str:
    """One word of POSIX's shell language."""
    return "'" + text.replace("'", "'\\''") + "'"


def line(shell: Shell, command: str) -> str:
    """What to type for a command: itself, or where a line editor would make something else of it, a way to say it.

    Raises ValueError where there is none.
    """
    plain = _FISH_PLAIN if shell.kind == "fish" else _PLAIN
    if plain.fullmatch(command) and "\n" not in command:
        typed = command
    elif "\0" in command:
        raise ValueError("no command has a NUL in it")
    elif shell.kind == "fish":
        typed = f"eval (printf '{_escaped(command)}' | string collect)"
    else:
        typed = f"eval \"$(printf '{_escaped(command)}')\""
    if shell.kind == "sh" and len(typed.encode()) > LONGEST_LINE:
        raise ValueError(f"a command of more than {LONGEST_LINE} bytes can't be typed to this shell")
    return typed


def _escaped(command: str) -> str:
    """As printf's format, in single quotes, and without anything that a line editor acts on."""
    return "".join(_escape(character) for character in command)


def _escape(character: str) -> str:
    if character == "%":
        return "%%"
    if character in "\\'!" or character < " " or character == "\x7f":
        return f"\\{ord(character):03o}"
    return character
