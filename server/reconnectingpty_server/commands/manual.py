"""The manual page reconnectingpty(1), made from the parsers: what `scripts/docs` writes and the wheel has."""

from __future__ import annotations

import argparse
import re
import textwrap

from .grammar import Argument, Command, commands

ABOUT = """\
reconnectingpty runs shells that survive: sessions that go on when a connection breaks, with everything that was on
their screen, and that any number of people can look at from a browser or a terminal. `reconnectingpty serve` without
flags is there for this machine alone, on the loopback interface, and wants a token, which the link that it prints
carries. The other commands find a server that runs here, and its token, by themselves."""
ENVIRONMENT = (
    ("RECONNECTINGPTY_URL", "The server that commands are for."),
    ("RECONNECTINGPTY_TOKEN", "Its token; for serve, the admin token."),
    ("RECONNECTINGPTY_FLAG", "For serve: any flag's value, as RECONNECTINGPTY_MAX_SESSIONS is that of --max-sessions."),
    ("XDG_RUNTIME_DIR", "Where a server leaves its link for the commands, and where sessions on GNU screen are."),
)
STATUS = (
    ("0", "All went well."),
    ("1", "It did not; why is on standard error."),
    ("2", "The command line or the configuration is wrong."),
    ("124", "wait, run: it did not come within --timeout."),
    ("125", "run: the session can't run it."),
    ("128 + N", "Ended by signal N."),
    ("another", "run: that of the command. attach, wait --exit: that of the session, where it ended by itself."),
)


def page(parser: argparse.ArgumentParser) -> str:
    """The page in man(7)'s macros."""
    lines = ['.TH RECONNECTINGPTY 1 "" "reconnectingpty" "User Commands"', ".SH NAME"]
    lines += [r"reconnectingpty \- shells that survive", ".SH SYNOPSIS"]
    lines += [r".B reconnectingpty", r".I COMMAND", r"[\fIOPTIONS\fR] [\fIARGUMENTS\fR]", ".SH DESCRIPTION"]
    lines += _paragraphs(ABOUT)
    lines.append(".SH COMMANDS")
    for command in commands(parser):
        lines += _section(command)
    for title, rows in (("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", STATUS)):
        lines.append(f".SH {title}" if " " not in title else f'.SH "{title}"')
        for name, text in rows:
            lines += [".TP", rf"\fB{_escaped(name)}\fR", _line(text)]
    lines += [".SH SEE ALSO", ".BR screen (1),", ".BR ssh (1),", ".BR autossh (1),", ".BR haproxy (1)"]
    return "\n".join(lines) + "\n"


def _section(command: Command) -> list[str]:
    words = " ".join(_word(word) for word in command.words)
    lines = [f'.SS "{_escaped(f"reconnectingpty {command.name} [OPTIONS] {words}".strip())}"']
    text = command.description or f"{command.help[:1].upper()}{command.help[1:]}."
    lines += _paragraphs(text)
    for argument in (*command.words, *command.flags):
        if argument.help and "--help" not in argument.names:
            lines += [".TP", _names(argument), _line(argument.help)]
    return lines


def _word(word: Argument) -> str:
    shown = word.value + (" ..." if word.several else "")
    return f"[{shown}]" if word.optional else shown


def _names(argument: Argument) -> str:
    value = rf"\fI{_escaped(argument.value)}\fR"
    if not argument.names:
        return value
    names = ", ".join(rf"\fB{_escaped(name)}\fR" for name in argument.names)
    return f"{names} {value}" if argument.value else names


def _paragraphs(text: str) -> list[str]:
    """Text whose indented lines are shown as they are."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if paragraph.startswith(" "):
            shown = textwrap.dedent(paragraph).splitlines()
            lines += [".PP", ".RS 4", ".nf", *(_line(line) for line in shown), ".fi", ".RE"]
        else:
            lines += [".PP", *(_line(line) for line in paragraph.splitlines())]
    return lines


def _line(text: str) -> str:
    """A line of text, which is no macro whatever it begins with."""
    shown = _escaped(text)
    return rf"\&{shown}" if shown[:1] in (".", "'") else shown


def _escaped(text: str) -> str:
    shown = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("`", "")
    return (
        shown.replace("'", r"\(aq")
        .replace("^", r"\(ha")
        .replace("~", r"\(ti")
        .replace("…", "...")
        .replace("–", r"\(en")
    )
