"""The programs that are recorded, with the keys that drive them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Key: TypeAlias = "str | tuple[int, int]"
"""What is typed in one go, or a size to take: columns and rows."""

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
APP_UP, APP_DOWN, APP_RIGHT, APP_LEFT = "\x1bOA", "\x1bOB", "\x1bOC", "\x1bOD"
PAGE_UP, PAGE_DOWN, HOME, END = "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F"
F1, F2, F3, F4, F5, F6, F9, F10 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[20~", "\x1b[21~"
ESC, TAB, ENTER, CTRL_C, CTRL_R, CTRL_X = "\x1b", "\t", "\r", "\x03", "\x12", "\x18"


@dataclass(frozen=True)
class Program:
    """A command for `sh -c`, what is typed, Debian's package and the program in it that tells whether it is here."""

    name: str
    command: str
    keys: tuple[Key, ...]
    cols: int = 80
    rows: int = 24
    package: str = ""
    package_has: str = ""
    quiet: float = 0.0
    environment: Mapping[str, str] = field(default_factory=dict)


def _programs() -> list[Program]:
    found: list[Program] = []

    def record(
        name: str, command: str, *keys: Key, size: tuple[int, int] = (80, 24), quiet: float = 0, **more: str
    ) -> None:
        program = name.split("-")[0]
        package, has = PACKAGES.get(program, (program, program))
        found.append(Program(name, command, keys, *size, package, has, quiet, more))

    # fmt: off
    bash = "bash --norc --noprofile"
    record('bash-edit', bash, 'echo one two three', '\x01', '\x1bf', '\x0b', '\x19\x19', '\x17', ENTER, 'ls no\t\t',
           '\x15', 'for i in 1 2 3; do', ENTER, 'echo $i', ENTER, 'done', ENTER, CTRL_R, 'one', ENTER, UP, UP, CTRL_C)
    record('bash-wrap', bash, 'echo ' + 'a long line of words that goes on and on ' * 5, '\x01', '\x1b[3~' * 4,
           'X' * 30, END, '\x17' * 3, LEFT * 40, 'inserted ', ENTER, size=(60, 15))
    record('bash-colours', bash, 'ls --color=always -la . code', ENTER, 'grep --color=always -rn a code', ENTER,
           'bash colours.sh', ENTER)
    record('bash-gradient', bash, 'bash gradient.sh', ENTER, 'echo done', ENTER, size=(120, 40))
    record('bash-flood', bash, 'seq 3000', ENTER, 'for i in {1..400}; do echo -e "\\e[3$((i%8))mline $i\\e[m"; done',
           ENTER)
    record('bash-resized', bash, 'cat notes.txt', ENTER, (60, 24), 'ls', ENTER, (100, 30), 'cat wide.txt', ENTER,
           (47, 12), ENTER, (80, 24), 'echo end', ENTER)
    record('bash-wide', bash, 'cat wide.txt', ENTER, 'echo 中文字 😀 é', LEFT * 3, 'ü', ENTER, 'cat wide.txt wide.txt',
           ENTER, size=(40, 12))
    record('bash-prompt', bash, "PS1='\\[\\e]0;\\w — shell\\a\\]\\[\\e[48;5;24;38;5;231m\\] \\w \\[\\e[m\\]\\n❯ '",
           ENTER, 'cd code', ENTER, 'clear', ENTER, 'pwd', ENTER, '\x0c', 'tput smcup; echo in; tput sgr0', ENTER,
           'tput rmcup', ENTER)
    record('bash-progress', bash,
           "for i in $(seq 0 5 100); do printf '\\r%3d%% [%-20s]' $i $(printf '#%.0s' $(seq 0 5 $i)); done; echo",
           ENTER, 'select f in one two three; do echo $f; break; done', ENTER, '2', ENTER,
           'cat <<E\nfirst\nsecond\nE\n')
    record('bash-bytes', bash, 'cat latin1.txt', ENTER, 'head -c 3000 random.bin', ENTER, 'echo after', ENTER)
    record('bash-jobs', bash, 'sleep 100 &', ENTER, 'jobs', ENTER, 'cat', ENTER, 'typed', ENTER, '\x1a', 'jobs',
           ENTER, 'kill %1 %2', ENTER, 'history', ENTER)
    record('bash-paste', bash, '\x1b[200~echo pasted\necho twice\x1b[201~', ENTER, 'stty -a', ENTER, '\x16\x1b',
           '\x04', CTRL_C)
    record('bash-nested', 'bash --norc', 'bash --norc', ENTER, 'echo $SHLVL; seq 40', ENTER, 'exit', ENTER, 'exit',
           ENTER)

    vim = "vim -u vimrc -i NONE -n"
    record('vim-edit', f'{vim} code/tree.py', 'Gokept = 1\x1b', 'gg', '/def\r', 'n', 'n', 'cwname\x1b', 'u', 'dd',
           'P', ':w! x\r', '\x06', '\x02', '>>', 'J')
    record('vim-insert', f'{vim}', 'iHello, world.\rA second line, \x1b[D\x1b[D\x1b[3~', '\x1b', 'yyp',
           'A and more\x1b', '5p', 'gg', '\x16jjI# \x1b', ':q!\r')
    record('vim-split', f'{vim} code/tree.py', ':vsplit notes.txt\r', ':split wide.txt\r', '\x17w', '\x17=', '\x06',
           '\x17c', ':set nu hls\r', '/a\r', ':q\r', size=(120, 40))
    record('vim-visual', f'{vim} notes.txt', 'VGd', 'u', 'wvee', '~', 'gv', '\x1b', '\x16jjlld', ':%s/a/XX/g\r',
           ':nohl\r', 'u')
    record('vim-resized', f'{vim} code/tree.py', ':set nu wrap\r', (60, 20), 'G', (100, 30), 'gg', ':set nowrap\r',
           (80, 24), ':q!\r')
    record('vim-wide', f'{vim} wide.txt', 'A 漢字\x1b', 'x', '0x', 'jp', ':set list\r', 'eá\x1b', 'dw', 'G',
           size=(50, 14))
    record('vim-complete', f'{vim} code/tree.py', 'Godef \x0e', '\x0e\x0e', '\x19', '\x1b', ':reg\r', ' ', ':marks\r',
           ' ', 'zfgg', 'zo', ':se\t\t', '\x1b')
    record('vim-diff', f'{vim} -d code/tree.py code/tree2.py', ']c', 'dp', '\x17w', ']c', 'do', ':qa!\r',
           size=(100, 30))
    record('vim-terminal', f'{vim} notes.txt', ':terminal\r', 'ls --color=always\r', 'exit\r', ':q!\r', ':q!\r',
           quiet=0.3)
    record('vim-scroll', f'{vim} long.txt', *['\x05'] * 6, *['\x19'] * 3, '\x04', '\x15', 'zt', 'zb', '50%', 'ggdG',
           'u', size=(132, 43))

    record('nano-edit', 'nano -I code/tree.py', '# new\r', '\x0b', DOWN * 5, '\x15', '\x17def\r', '\x1b/', '\x0f',
           CTRL_C, CTRL_X, 'n')
    record('nano-wide', 'nano -I wide.txt', DOWN, END, ' 漢字 x', LEFT * 2, '\x7f', '\x1bA' + DOWN, '\x1b6', '\x15',
           size=(50, 15))
    record('nano-resized', 'nano -I -l -S notes.txt', PAGE_DOWN, (60, 12), PAGE_DOWN, (110, 35), PAGE_UP, '\x03',
           '\x07', '\x18', CTRL_X)
    record('nano-colours', 'nano -I -Y python code/tree.py', PAGE_DOWN, '\x1cself\rSELF\rY', '\x1bu', '\x1b3',
           '\x1be', CTRL_X, 'n', size=(90, 28))

    record('less-scroll', 'less long.txt', ' ', ' ', 'b', 'j', 'j', 'k', 'd', 'u', 'G', 'g', '50p', 'q')
    record('less-search', 'less -N notes.txt', '/the\r', 'n', 'N', '&a\r', '&\r', '-i\r', '?x\r', 'q')
    record('less-colours', "sh -c 'bash colours.sh | less -R'", ' ', '/red\r', 'b', '-S\r', RIGHT, LEFT, 'q')
    record('less-resized', 'less wide.txt', ' ', (50, 10), 'b', (100, 30), 'G', '=', (80, 24), 'g')
    record('less-long-lines', 'less -S long.txt', RIGHT, RIGHT, ' ', LEFT, '-S\r', '-N\r', ' ', 'h', 'q',
           size=(60, 18))
    record('less-bytes', 'less -f random.bin', ' ', ' ', 'y', 'q', 'q')
    record('less-plain', 'less -X -F notes.txt', ' ', 'q', 'q')

    record('htop-main', 'htop -d 3', DOWN * 3, 't', 'I', 'u' + ESC + ESC, 'H', 'K', 'q', size=(100, 30), quiet=0.5)
    record('htop-setup', 'htop -d 50', F2, DOWN, RIGHT, DOWN, ' ', ESC + ESC, F6, DOWN, ENTER, '/sh' + ENTER, F10,
           quiet=0.3)
    record('htop-resized', 'htop -d 3 --no-mouse', (60, 15), DOWN, (120, 40), 'l' + ESC, (80, 24), quiet=0.5)

    mc = "mc --nosubshell -u"
    record('mc-panels', f'{mc} /srv /srv/code', APP_DOWN, APP_DOWN, TAB, ENTER, TAB, '\x14', '+' + ENTER, F9,
           APP_RIGHT, APP_DOWN, ESC + ESC, F10, ENTER, quiet=0.3)
    record('mc-view', f'{mc} /srv/code /srv', END, F3, APP_DOWN, PAGE_DOWN, F4, F10, F4, 'edited', F2 + ESC + ESC,
           F10, 'n', quiet=0.3, size=(100, 30))
    record('mc-resized', f'{mc} /srv /srv/code', (60, 16), APP_DOWN, (120, 40), F5, ESC + ESC, (80, 24), F10,
           quiet=0.3)
    record('mc-ascii', 'mc --nosubshell -u -a -b /srv /srv', F9, ENTER, APP_DOWN, ESC + ESC, F2, ESC + ESC, '\x0f',
           quiet=0.3)
    record('mc-edit', 'mcedit code/tree.py', APP_DOWN * 3, 'new text\r', F3, APP_DOWN, F3, F6, F9, ESC + ESC, '\x19',
           F10, 'n', quiet=0.3)

    tmux = "tmux -f /dev/null -S /srv/socket -u"
    record('tmux-splits', f'{tmux} new {bash}', 'ls --color\r', '\x02"', 'seq 60\r', '\x02%',
           'vim -u vimrc -n notes.txt\r', '\x02o', '\x02z', '\x02z', '\x02x', 'y', quiet=0.3)
    record('tmux-copy', f'{tmux} new {bash}', 'seq 200\r', '\x02[', '\x1b[5~', '\x1b[5~', ' ', UP, 'q', '\x02?', 'q',
           '\x02t', 'q', quiet=0.3)
    record('tmux-resized', f'{tmux} new {bash}', 'cat notes.txt\r', '\x02%', (100, 30), 'cat wide.txt\r', (60, 20),
           '\x02o', (80, 24), quiet=0.3)
    record('tmux-windows', f'{tmux} new {bash}', 'bash colours.sh\r', '\x02c', 'echo two\r', '\x02w', 'q', '\x02,',
           '\x7f' * 6 + 'name\r', '\x02p', '\x02:', 'kill-server\r', quiet=0.3)
    record('tmux-status', f'{tmux} new {bash}', '\x02:set status-position top\r', '\x02:set mouse on\r',
           '\x02:set -g status-style bg=colour24\r', 'clear\r', '\x02"', '\x02{', '\x02 ', '\x02 ', '\x02d',
           quiet=0.3, size=(110, 32))

    record('man-page', 'man ./page.1', ' ', '/OPTIONS\r', 'n', 'b', 'q')
    record('man-resized', 'man ./page.1', (60, 20), ' ', (100, 30), 'b', 'G', PAGER='less')
    record('man-colours', 'man ./page.1', ' ', ' ', 'q', MANPAGER='less -R --use-color -Dd+r -Du+b', MANROFFOPT='-c',
           GROFF_NO_SGR='1')

    git = "git -C repository"
    record('git-log', f'{git} log --color', ' ', '/first\r', 'G', 'b', 'q')
    record('git-graph', f'{git} log --graph --oneline --decorate --all --color', ' ', 'G', 'q', size=(100, 30))
    record('git-patch', f'{git} log -p --color', ' ', ' ', 'j', 'j', '/def\r', 'G', 'q', size=(90, 28))
    record('git-diff', f'{git} -c core.pager=cat diff --color --stat HEAD~5', ENTER)
    record('git-word-diff', f'{git} -c core.pager=cat log -p -3 --color --word-diff', ENTER)
    record('git-add', f'{git} add -p', 's', 'y', 'n', '?', 'q')
    record('git-status',
           "sh -c 'cd repository; git status; git branch -a; git stash; git status -s; git show --color | cat'",
           ENTER)

    record('top-main', 'top -d 1', 'c', 't', 'm', 'z', 'x', '1', 'q', quiet=0.4)
    record('top-help', 'top -d 5', 'h', 'q', 'f', DOWN, ' ', 'q', 'V', 'G', 'W', 'q', quiet=0.4, size=(100, 30))
    record('top-resized', 'top -d 1', (60, 20), 'V', (120, 40), 'q', quiet=0.5)

    record('dialog-menu',
           "dialog --title Choose --menu 'One of these' 15 50 5 1 One 2 Two 3 Three 4 Four 5 Five 6 Six", APP_DOWN,
           APP_DOWN, '5', TAB, ENTER)
    record('dialog-checklist',
           "dialog --colors --checklist '\\Z1Some\\Zn of \\Zbthese' 15 60 6 a Apple on b Pear off c Plum off", ' ',
           APP_DOWN, ' ', TAB, TAB, ENTER)
    record('dialog-form', "dialog --form 'Fill in' 12 60 3 Name: 1 1 '' 1 10 20 0 Town: 2 1 '' 2 10 20 0",
           'Some Name', APP_DOWN, '漢字', TAB, TAB, ENTER)
    record('dialog-calendar', 'dialog --begin 3 5 --calendar When 4 40 24 12 2020', TAB, APP_RIGHT, APP_DOWN, TAB,
           TAB, ENTER, size=(100, 30))
    record('dialog-gauge',
           "sh -c 'for i in 0 20 40 60 80 100; do echo $i; sleep 0.02; done | dialog --gauge Progress 8 50'", ENTER)
    record('dialog-text', 'dialog --textbox notes.txt 18 70', PAGE_DOWN, APP_DOWN, '/a\r', ENTER)
    record('dialog-ascii', "dialog --ascii-lines --no-shadow --yesno 'Do you want that?' 8 40", TAB, ENTER)
    record('dialog-files', 'dialog --fselect /srv/ 10 60', TAB, APP_DOWN, ' ', TAB, TAB, ENTER)
    record('whiptail-menu', 'whiptail --menu Choose 15 50 5 1 One 2 Two 3 Three', DOWN, TAB, ENTER)
    record('whiptail-gauge',
           "sh -c 'for i in 0 30 60 100; do echo $i; sleep 0.02; done | whiptail --gauge Progress 8 50 0'", ENTER)

    record('python-prompt', 'python3 -q', 'def f(x):\r    return 1/x\r\r', 'f(0)\r', '[x for x in range(200)]\r',
           "'é漢😀' * 9\r", 'help(len)\r', 'q', '\x04')
    record('python-rich', 'python3 table.py', ENTER, size=(120, 40))
    record('python-progress', 'python3 -m rich.progress_bar', ENTER, quiet=0.5)
    record('python-markdown', 'python3 -m rich.markdown -c notes.md', ENTER, size=(90, 28))
    record('python-curses', 'python3 screens.py', *['x'] * 12, size=(90, 28))
    record('python-curses-resized', 'python3 screens.py', 'x', 'x', (60, 20), 'x', (110, 35), 'x', 'x', 'x', 'q')
    record('python-pdb', 'python3 -m pdb code/tree.py', 'b 10\r', 'l\r', 'n\r', 'n\r', 'w\r', 'p 1\r', 'q\r')

    def vttest(name: str, *keys: str, size: tuple[int, int] = (80, 24)) -> None:
        record(f"vttest-{name}", f"vttest {size[1]}x{size[0]}.{size[0]}", *keys, size=size, quiet=0.25)

    push = (ENTER,)
    vttest('cursor', '1\r', *push * 8)
    vttest('screen', '2\r', *push * 15)
    vttest('charsets', '3\r', '8\r', *push * 2, '9\r', *push * 2, '10\r', *push * 2)
    vttest('double-size', '4\r', *push * 6)
    vttest('reports', '6\r', '1\r', *push, '2\r', *push, '3\r', *push, '4\r', *push)
    vttest('vt102', '8\r', *push * 16)
    vttest('vt102-wide', '8\r', *push * 16, size=(132, 30))
    vttest('reset', '10\r', '1\r', *push * 2, '2\r', *push * 2)
    vttest('vt220', '11\r', '1\r', '2\r', '1\r', *push * 3, '2\r', *push * 3, '0\r', '4\r', *push * 3)
    vttest('iso6429-cursor', '11\r', '5\r', '1\r', *push * 2, '2\r', *push * 2, '3\r', *push * 2, '4\r', *push * 2,
           '5\r', *push * 2, '6\r', *push * 2)
    vttest('iso6429-colours', '11\r', '6\r', '2\r', *push * 3, '3\r', *push * 2, '4\r', *push * 3, '5\r', *push * 2,
           '6\r', *push * 2)
    vttest('iso6429-other', '11\r', '7\r', '1\r', *push, '2\r', *push * 2, '3\r', *push * 2, '4\r', *push * 2, '5\r',
           *push * 2, '6\r', *push * 2)
    vttest('xterm', '11\r', '8\r', '4\r', *push * 2, '7\r', '1\r', *push * 2, '2\r', *push * 2, '3\r', *push * 2)

    record('fish-edit', 'fish --no-config', 'echo hel', '\x01', '\x05', "lo 'wor", "ld'", ENTER, 'ls -', TAB, TAB,
           ESC, CTRL_C, 'cat no', TAB, ENTER, 'echo (date +%Y', CTRL_C, UP, ENTER, 'exit\r', quiet=0.3)
    record('fish-resized', 'fish --no-config', 'seq 30\r', (50, 15),
           'echo a long line that will wrap around the edge of it', (100, 30), ENTER, (80, 24), 'pwd\r', quiet=0.3)
    record('zsh-edit', 'zsh -f', "PROMPT='%F{green}%n%f %1~ %# ' RPROMPT='%K{blue}%T%k'\r",
           'autoload -U compinit; compinit -D\r', 'ls --', TAB, TAB, CTRL_C, 'print $(', CTRL_C, 'cat no', TAB, ENTER,
           (50, 15), 'echo ' + 'wide 漢字 ' * 6, ENTER, quiet=0.3)
    record('tig-log', "sh -c 'cd repository; exec tig --all'", DOWN, DOWN, ENTER, ' ', TAB, 'q', 'h', 'q', 'q',
           quiet=0.3, size=(110, 32))
    record('w3m-page', 'w3m page.html', ' ', TAB, TAB, ENTER, 'B', 'q', 'y', quiet=0.3)
    record('ncdu-tree', 'ncdu -0 --exclude proc /srv', DOWN, ENTER, 'g', 'n', 'i', 'i', 'q', quiet=0.3)
    record('screen-windows', 'screen -q -c /dev/null -S recorded bash --norc', 'seq 50\r', '\x01c',
           'ls --color=always\r', '\x01S', '\x01\t', '\x01n', '\x01[', UP * 30, ESC, '\x01Q', '\x01\\', 'y',
           quiet=0.3, SCREENDIR='/srv/.screen')
    # fmt: on
    return found


PACKAGES = {
    "python": ("python3", "python3"),
    "man": ("man-db", "man"),
    "top": ("procps", "top"),
    "git": ("git", "git"),
}
"""Where the package or its program has another name than the recording begins with."""

PROGRAMS = _programs()
