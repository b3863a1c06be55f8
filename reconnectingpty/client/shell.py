"""What is typed into a shell so that it tells when a command has ended, and how. Pure.

It is made to print marks (see `integration`) from its own prompt: after each command D, with its status, the shell's
process id, and a number that grows. A prompt is printed by nobody but the shell that is ready for the next command,
however a command ended: by itself, by a signal, by a syntax error. What a command prints can't be taken for it: a mark
counts only with a name (`aid`) made up for this one shell, its process id, and a number that was never seen before;
and what is typed holds none of a mark's control characters, so its echo is none either.

Each command is typed together with a word of its own (`i`), which the marks of its beginning and its end repeat. So
the end of what somebody else typed, before it or at the same moment, is never taken for its end. A line editor is given
the word first, with a key that takes it, and all else that was left at the prompt, out of the line. A shell that has
none has to be told in the line itself.

A shell is asked in two steps. The first line, which any shell understands, makes it say hello and read the second
without an echo. That one is evaluated, and depends on the shell: bash, zsh, and whatever has POSIX's PS1 (dash, ash,
ksh). fish reads no second line like that; it is typed its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CLEAR_INPUT = " \x05\x15"
"""Whatever a person left at the prompt is not to be run: Ctrl-E to its end, since Ctrl-U takes only what is before the
cursor away; it rings no bell where there is something to take, so there is a blank."""
KEY = "\x18\x1e"
"""Ctrl-X Ctrl-^, which no line editor has a use for. No longer: bash 4.3 and 4.4 know no longer ones here."""
LONGEST_LINE = 4000
"""Bytes that a terminal's own line editor takes (N_TTY has 4096). More can only be typed to a shell's."""
_PLAIN = re.compile(r"(?:[^\x00-\x1f\x7f!]|!(?=[ =]))*")
"""Nothing that the editors of bash and zsh act on; a `!` before a blank recalls no line."""
_SH_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_FISH_PLAIN = re.compile(r"(?!(?:if|for|while|switch|begin|function|and|or|not|time)\b)[\w ./:=,@%+*?~$-]*", re.ASCII)
"""Nothing that fish's editor could take for the beginning of something longer."""
_SGR = rb"(?:\x1b\[[0-9;]{0,12}m)"
_END_OF_LINE = re.compile(_SGR + rb"{1,4}[^\x1b\r\n]{0,8}" + _SGR + rb"{0,4} {1,1000}\r \r\Z")
_LONGEST_END_OF_LINE = 1200


@dataclass(slots=True)
class Shell:
    """A shell that prints marks. `number` is the last one's; `busy`: it has been given a command that has not ended."""

    kind: str
    aid: str
    pid: str
    number: int = -1
    busy: bool = False
    edits: bool = False
    """Whether it has a line editor, which knows `KEY`."""
    pastes: bool | None = None
    """Whether its line editor asks for bracketed paste while it reads; None: not known yet."""


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

    `rows`: so many rows above the cursor the first line was typed; they are wiped. It begins with a word of its own,
    since what a line editor asks the terminal (busybox: where the cursor is) may be answered just before it.
    """
    begin = f': ; if [ "${{__rp_p-}}" != "$$" ]; then __rp_p=$$; __rp_a={aid}; __rp_n=0; fi; __rp_i=; __rp_e=; '
    wrap = "__rp_h=$(printf '\\033P'); __rp_t=$(printf '\\033\\134'); " if wrapped else "__rp_h=; __rp_t=; "
    shells = (
        f'if [ -n "${{BASH_VERSION-}}" ]; then __rp_k=bash; eval {quoted(_BASH)};'
        f' elif [ -n "${{ZSH_VERSION-}}" ]; then __rp_k=zsh; eval {quoted(_ZSH)};'
        f" else __rp_k=sh; eval {quoted(_SH)}; fi; "
    )
    answer = (
        f"printf '%s\\033]133;R;{nonce};kind=%s;aid=%s;p=%s;edits=%s\\007%s{_wipe(rows)}'"
        ' "$__rp_h" "$__rp_k" "$__rp_a" "$$" "$__rp_e" "$__rp_t"'
    )
    return begin + wrap + shells + answer


def setup_fish(nonce: str, aid: str, rows: int, *, wrapped: bool) -> str:
    """The second line where the shell is fish; it is echoed, and wiped, too."""
    wrap = "'\\033P' '\\033\\134'" if wrapped else "'' ''"
    return (
        f' if test "$__rp_p" != $fish_pid; set -g __rp_p $fish_pid; set -g __rp_a {aid}; set -g __rp_n 0; end;'
        " set -g __rp_i ''; function __rp_m; printf $__rp_w[1]; printf '\\033]133;%s;aid=%s' $argv[1] $__rp_a;"
        " printf ';%s' $argv[2..] i=$__rp_i p=$fish_pid; printf '\\007'; printf $__rp_w[2]; end;"
        f" set -g __rp_w {wrap};"
        " function __rp_d --on-event fish_prompt; set -l s $status; set -g __rp_n (math $__rp_n + 1);"
        " __rp_m D $s n=$__rp_n; end;"
        " function __rp_c --on-event fish_preexec; __rp_m C; end;"
        " function __rp_e --on-event fish_postexec; __rp_m E; end;"
        " function __rp_x; set -g __rp_i (commandline | string match -r '__rp:([0-9a-f]+):')[2]; commandline '';"
        " __rp_m K; end;"
        " for m in default insert; bind -M $m \\x18\\x1e __rp_x; end;"
        f" __rp_m R {nonce} kind=fish edits=1; printf '{_wipe(rows)}'"
    )


def _wipe(rows: int) -> str:
    """For printf, with a length that does not depend on the number."""
    return f"\\r\\033[{rows:02}A\\033[J" if rows else ""


_MARK_C = 'printf \'%s\\033]133;C;aid=%s;i=%s\\007%s\' "$__rp_h" "$__rp_a" "$__rp_i" "$__rp_t"'
_MARK_K = _MARK_C.replace("133;C;", "133;K;")
_MARK_D = (
    "printf '%s\\033]133;D;%s;aid=%s;n=%s;i=%s;p=%s\\007%s'"
    ' "$__rp_h" "$__rp_s" "$__rp_a" "$__rp_n" "$__rp_i" "$$" "$__rp_t"'
)
_RUN = f"__rp() {{ __rp_s=$?; __rp_i=$1; {_MARK_C}; return $__rp_s; }}; "
"""Takes a command's word in the line itself, where there is no line editor, and gives back the status there was."""
_HOOK = f"__rp_d() {{ __rp_s=$?; __rp_n=$((__rp_n+1)); {_MARK_D}; "
# The hook gives the status on to what else stands in PROMPT_COMMAND. `&& :` changes none, but with it a status other
# than 0 ends no shell that has `set -e`. The hook's name is in a variable that no other shell inherits, which may well
# inherit PROMPT_COMMAND.
_BASH = (
    _RUN + _HOOK + "return $__rp_s; }; __rp_f=__rp_d; "
    'case "${PROMPT_COMMAND-}" in *__rp_f*) ;; *)'
    ' PROMPT_COMMAND=\'eval "${__rp_f-(exit $?)}" && :;\'"${PROMPT_COMMAND-}";; esac; '
    'case "${PS0-}" in *__rp_a*) ;; *)'
    " PS0='${__rp_h}\\e]133;C;aid=${__rp_a};i=${__rp_i}\\a${__rp_t}'\"${PS0-}\";; esac; "
    'case "${PS2-}" in *__rp_a*) ;; *)'
    " PS2='\\[${__rp_h}\\e]133;P;k=s;aid=${__rp_a}\\a${__rp_t}\\]'\"${PS2-}\";; esac; "
    "__rp_x() { __rp_i=${READLINE_LINE##*__rp:}; __rp_i=${__rp_i%%:*}; READLINE_LINE=; READLINE_POINT=0; "
    f"{_MARK_K}; }}; "
    'case ":$SHELLOPTS:" in *:emacs:*|*:vi:*) if [ "${BASH_VERSINFO[0]}" -ge 4 ]; then __rp_e=1; '
    "bind -m emacs -x '\"\\030\\036\": __rp_x'; bind -m vi-insert -x '\"\\030\\036\": __rp_x'; fi;; esac"
)
# zsh keeps the status by itself, and READLINE_LINE is no news before bash 4.
_ZSH = (
    _RUN + _HOOK + f"}}; __rp_c() {{ {_MARK_C}; }}; "
    "precmd_functions=(__rp_d ${precmd_functions:#__rp_d}); preexec_functions=(${preexec_functions:#__rp_c} __rp_c); "
    "case $PS2 in *$__rp_a*) ;; *)"
    " PS2=%{$__rp_h$'\\e]133;P;k=s;aid='$__rp_a$'\\a'$__rp_t%}$PS2;; esac; "
    "if [[ -o zle ]]; then __rp_e=1; __rp_x() { __rp_i=${BUFFER##*__rp:}; __rp_i=${__rp_i%%:*}; BUFFER=; "
    f"{_MARK_K}; }}; "
    "zle -N __rp_x; for __rp_m in emacs viins; do bindkey -M $__rp_m '\\030\\036' __rp_x; done; fi"
)
_SH = (
    _RUN + "__rp_o=$(printf '\\033'); __rp_b=$(printf '\\007'); "
    'case "$PS1" in *__rp_a*) ;; *) '
    'PS1="\\${__rp_h}$__rp_o]133;D;\\$?;aid=\\${__rp_a};n=\\$((__rp_n=__rp_n+1));i=\\${__rp_i};'
    'p=\\$\\$$__rp_b\\${__rp_t}$PS1"; '
    'PS2="\\${__rp_h}$__rp_o]133;P;k=s;aid=\\${__rp_a}$__rp_b\\${__rp_t}$PS2";; esac'
)


def quoted(text: str) -> str:
    """One word of POSIX's shell language."""
    return "'" + text.replace("'", "'\\''") + "'"


def line(shell: Shell, command: str) -> str:
    """A command as one line: itself, or where a line editor would make something else of it, a way to say it.

    Raises ValueError where there is none.
    """
    plain = {"fish": _FISH_PLAIN, "sh": _SH_PLAIN}.get(shell.kind, _PLAIN)
    if plain.fullmatch(command):
        return command
    if "\0" in command:
        raise ValueError("no command has a NUL in it")
    if shell.kind == "fish":
        return f"eval (printf '{_escaped(command)}' | string collect)"
    return f"eval \"$(printf '{_escaped(command)}')\""


def take(word: str) -> str:
    """What to type so that a line editor takes this word out of its line, with all else that is there; it answers K."""
    return f"__rp:{word}:{KEY}"


def typed(shell: Shell, word: str, text: str) -> str:
    """What to type so that a shell runs a line, and its marks repeat the word."""
    if shell.edits:
        return f"{take(word)}{text}\r"
    return f"{CLEAR_INPUT}__rp {word}&&:;{text}\r"


def without_end_of_line(shell: Shell, output: bytes) -> bytes:
    """Output without what zsh prints behind it to show that it had no line's end (PROMPT_SP), before its hooks."""
    if shell.kind != "zsh" or not output.endswith(b"\r \r"):
        return output
    start = max(len(output) - _LONGEST_END_OF_LINE, 0)
    found = _END_OF_LINE.search(output, start)
    return output[: found.start()] if found is not None else output


def _escaped(command: str) -> str:
    """As printf's format, in single quotes, and without anything that a line editor acts on."""
    return "".join(_escape(character) for character in command)


def _escape(character: str) -> str:
    if character == "%":
        return "%%"
    if character in "\\'!" or character < " " or character == "\x7f":
        return f"\\{ord(character):03o}"
    return character
