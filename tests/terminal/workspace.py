"""The folder of files that recorded programs work on: always the same, made of nothing but what is here."""

# ruff: noqa: E501 - texts
from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
from pathlib import Path

_WORDS = [
    "a",
    "the",
    "one",
    "some",
    "of",
    "to",
    "in",
    "by",
    "with",
    "for",
    "and",
    "or",
    "but",
    "not",
    "line",
    "river",
    "stone",
    "light",
    "house",
    "garden",
    "winter",
    "morning",
    "old",
    "small",
    "long",
    "blue",
    "quiet",
    "open",
    "carries",
    "finds",
    "keeps",
    "turns",
    "follows",
    "holds",
    "grows",
    "falls",
    "under",
    "over",
    "before",
    "after",
    "slowly",
    "again",
]
_WIDE = (
    "漢字",
    "かな交じり文",
    "한글",
    "😀😃😄",
    "👍🏽",
    "e\u0301a\u0308",
    "ﬁ",
    "Ωμέγα",
    "кириллица",
    "→ ↔ ∀x∈ℝ",
    "│┌─┐░▒▓",
    "🇩🇪",
    "ZWJ 👨\u200d👩\u200d👧",
    "नमस्ते",
)
_TREE = '''"""A tree of words."""

from __future__ import annotations


class Node:
    """One word, and those that come before and after it."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.left: Node | None = None
        self.right: Node | None = None

    def add(self, word: str) -> None:
        if word == self.word:
            return
        side = "left" if word < self.word else "right"
        below = getattr(self, side)
        if below is None:
            setattr(self, side, Node(word))
        else:
            below.add(word)

    def walk(self, depth: int = 0) -> None:
        if self.left:
            self.left.walk(depth + 1)
        print("  " * depth + self.word)
        if self.right:
            self.right.walk(depth + 1)


if __name__ == "__main__":
    root = Node("m")
    for word in "quick brown fox jumps over the lazy dog".split():
        root.add(word)
    root.walk()
'''
_COLOURS = """for i in $(seq 0 255); do printf '\\e[48;5;%dm%4d\\e[m' $i $i; [ $((i % 16)) = 15 ] && echo; done
for s in 1 2 3 4 4:3 5 7 8 9 21 53; do printf '\\e[%sm style %s \\e[m ' $s $s; done; echo
for c in red green blue; do printf '\\e[31m%s\\e[39m \\e[4;58;5;5m%s\\e[m\\n' $c $c; done
for i in $(seq 30 37) $(seq 90 97); do printf '\\e[%sm\\e[%sm  %s  \\e[m' $i $((i + 10)) $i; done; echo
printf '\\e[44mto the edge\\e[K\\e[m\\n\\e[7mreverse\\e[K\\n\\e[m'
printf '\\e]8;;http://example.com/\\e\\\\a link\\e]8;;\\e\\\\ and text\\n'
"""
_GRADIENT = """for y in $(seq 0 15 255); do
  for x in $(seq 0 3 255); do printf '\\e[38;2;%d;%d;%d;48;2;%d;%d;%dm▀' $x $y 99 $y $x 33; done; printf '\\e[m\\n'
done
"""
_PAGE = """.TH PAGE 1
.SH NAME
page \\- shows what a page of a manual looks like
.SH SYNOPSIS
.B page
[\\fB\\-a\\fR] [\\fB\\-\\-long\\fR \\fIvalue\\fR] \\fIfile\\fR ...
.SH DESCRIPTION
"""
_SCREENS = """import curses, sys


def main(screen):
    curses.start_color()
    curses.use_default_colors()
    for pair in range(1, 8):
        curses.init_pair(pair, pair, -1 if pair % 2 else 7 - pair)
    count = 0
    while True:
        rows, columns = screen.getmaxyx()
        screen.attrset(0)
        if count % 4 == 0:
            screen.erase()
        screen.border()
        for row in range(1, rows - 1):
            screen.addstr(row, 2 + (row + count) % 7, "row %d of %d" % (row, count), curses.color_pair(row % 8) | (curses.A_BOLD if row % 3 else curses.A_REVERSE))
            screen.addstr(row, min(40, columns - 12), "漢字ß"[row % 3 :], curses.A_UNDERLINE)
        if count % 4 == 1:
            screen.setscrreg(3, rows - 4)
            screen.scrollok(True)
            screen.scroll(2)
            screen.scroll(-1)
            screen.scrollok(False)
        elif count % 4 == 2:
            screen.move(4, 6)
            screen.insertln()
            screen.insch("i")
            screen.move(7, 6)
            screen.deleteln()
            screen.delch()
            screen.clrtoeol()
        elif count % 4 == 3:
            window = curses.newwin(rows // 2, columns // 2, rows // 4, columns // 4)
            window.bkgd(" ", curses.color_pair(2))
            window.box()
            window.addstr(1, 2, "a window")
            screen.refresh()
            window.refresh()
            curses.curs_set(0)
        curses.beep() if count == 2 else None
        key = screen.getch()
        if key == ord("q"):
            return
        count += 1


curses.wrapper(main)
"""


_TABLE = """from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

console = Console(force_terminal=True, color_system="truecolor")
table = Table(title="Rivers", show_lines=True, style="cyan")
for name in ("Name", "Länge", "漢字"):
    table.add_column(name, style="bold magenta" if name == "Name" else "#af5f00")
for row in range(12):
    table.add_row(f"river {row}", f"[green]{row * 137}[/] km", "川" * (row % 5 + 1))
console.print(table)
tree = Tree("[link=http://example.com/]root[/link]")
for branch in range(4):
    tree.add(f"branch {branch} :seedling:").add("[u]leaf[/u] [s]gone[/s] [dim]dim[/dim] [reverse]reverse[/reverse]")
console.print(Panel(tree, title="Tree", border_style="rgb(200,100,50)"))
console.print(Syntax.from_path("code/tree.py", line_numbers=True, theme="monokai"))
with console.status("working"):
    for step in range(3):
        console.log("step", step, {"values": list(range(step))})
"""


def _prose(chance: random.Random, paragraphs: int, words: int, width: int = 72) -> str:
    lines = []
    for _ in range(paragraphs):
        line = ""
        for word in chance.choices(_WORDS, k=words):
            if len(line) + len(word) >= width:
                lines.append(line.strip())
                line = ""
            line += word + " "
        lines += [line.strip().capitalize() + ".", ""]
    return "\n".join(lines)


def furnish(folder: Path) -> None:
    """Put the files there that the programs work on: always the same."""
    chance = random.Random(1)
    notes = _prose(chance, 12, 60)
    texts = {
        "notes.txt": notes,
        "notes.md": f"# Heading\n\n{notes[:300]}\n\n- *one*\n- **two**\n\n> a quotation\n\n```python\n{_TREE[:400]}\n```\n",
        "long.txt": _prose(chance, 60, 90, 160),
        "wide.txt": "\n".join(" ".join(chance.choices(_WIDE, k=chance.randint(1, 9))) for _ in range(40)) + "\n",
        "code/tree.py": _TREE,
        "code/tree2.py": _TREE.replace("word", "name").replace("    root.walk()\n", "") + "# the end\n",
        "colours.sh": _COLOURS,
        "gradient.sh": _GRADIENT,
        "screens.py": _SCREENS,
        "table.py": _TABLE,
        "page.1": _PAGE + _prose(chance, 3, 50) + ".SH OPTIONS\n" + "".join(f".TP\n.B \\-{letter}\n{_prose(chance, 1, 25)}" for letter in "abcdefgh"),
        "page.html": f"<h1>A page</h1><p>{notes[:600]}<p><a href=notes.txt>notes</a> <b>bold</b><table border=1><tr><td>1<td>2</table><form><input name=x><input type=submit></form>",
        "vimrc": "set nocompatible background=dark ruler showcmd wildmenu incsearch noswapfile encoding=utf-8\nsyntax on\n",
        "bin/python3": f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n',
        ".hushlogin": "",
    }  # fmt: skip
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (folder / "latin1.txt").write_bytes("Äpfel, Öl und Übermut; café, naïve\n".encode("latin-1") * 6)
    (folder / "random.bin").write_bytes(chance.randbytes(6000))
    (folder / "bin/python3").chmod(0o755)
    (folder / ".screen").mkdir(mode=0o700)
    _make_repository(folder / "repository", chance)
    for path in [folder, *folder.rglob("*")]:
        if ".git" not in path.parts:
            os.utime(path, (1_600_000_000, 1_600_000_000))


def _make_repository(folder: Path, chance: random.Random) -> None:
    """Thirty commits on two branches."""
    folder.mkdir()
    who = {"NAME": "A Person", "EMAIL": "person@example.com"}

    def git(*arguments: str, at: int = 0) -> None:
        date = f"{1_600_000_000 + at * 3600} +0000"
        names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        environment = {**os.environ, **names, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date,
                       "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}  # fmt: skip
        subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, env=environment)

    git("init", "-b", "main")
    text = _prose(chance, 10, 60).splitlines()
    for number in range(30):
        if number == 12:
            git("checkout", "-b", "side")
        elif number == 20:
            git("checkout", "main")
        elif number == 24:
            git("merge", "--no-ff", "-m", "Take what the side has", "-X", "theirs", "side", at=number)
        text[chance.randrange(len(text))] = f"changed {number}: " + " ".join(chance.choices(_WORDS, k=8))
        (folder / "text.txt").write_text("\n".join(text) + "\n")
        (folder / f"file{number % 7}.py").write_text(_TREE.replace("word", f"word{number}"))
        git("add", ".")
        git(
            "commit",
            "-m",
            f"{'The first' if not number else 'Change number ' + str(number)}\n\n{_prose(chance, 1, 20)}",
            at=number,
        )
        if number % 10 == 5:
            git("tag", f"v0.{number // 10}")
    text[5:6] = ["an added line", "another"]
    del text[40:42]
    (folder / "text.txt").write_text("\n".join(text) + "\n")
    (folder / "new.txt").write_text("new\n")
