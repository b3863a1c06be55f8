"""A real terminal for tests: a window of tmux, with a shell in it, that one types into and looks at."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from .attached import PATIENCE

MODES = (
    "alternate_on cursor_flag insert_flag keypad_cursor_flag keypad_flag mouse_all_flag mouse_any_flag "
    "mouse_button_flag mouse_sgr_flag mouse_standard_flag origin_flag wrap_flag scroll_region_upper scroll_region_lower"
)
"""What tmux tells of a terminal's modes."""
PROMPT = "outer$ "


class Window:
    """A terminal with a shell in it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment) | {"TMUX_TMPDIR": str(folder)}
        self._changed = asyncio.Event()
        self.pid = 0

    async def tmux(self, *arguments: str) -> str:
        """What tmux answers to a command."""
        process = await asyncio.create_subprocess_exec(
            "tmux", "-f", "/dev/null", *arguments, env=self._environment, stdin=-3, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err
        return out.decode()

    async def type(self, *keys: str) -> None:
        """Press keys by tmux's names; a text is typed key by key."""
        for key in keys:
            literal = len(key) > 1 and (" " in key or not key[0].isupper())
            await self.tmux("send-keys", *(("-l",) if literal else ()), "--", key)

    async def line(self, text: str) -> None:
        """Type a line."""
        await self.tmux("send-keys", "-l", "--", text)
        await self.tmux("send-keys", "Enter")

    async def screen(self) -> list[str]:
        """What is shown, row by row."""
        return (await self.tmux("capture-pane", "-p")).split("\n")[:-1]

    async def coloured(self) -> str:
        """The same with its colours."""
        return await self.tmux("capture-pane", "-p", "-e")

    async def history(self) -> str:
        """All lines, those above the screen, too."""
        return await self.tmux("capture-pane", "-p", "-S", "-")

    async def tell(self, words: str) -> list[str]:
        """The values of tmux's variables."""
        return (await self.tmux("display-message", "-p", " ".join(f"#{{{word}}}," for word in words.split()))).split(
            ","
        )

    async def resize(self, rows: int, cols: int) -> None:
        """Take another size."""
        await self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    async def when(self, condition: Callable[[list[str]], object], what: str = "it") -> list[str]:
        """Wait until what is shown makes that true; what is shown then."""
        shown: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._changed.clear()
                    shown = await self.screen()
                    if condition(shown):
                        return shown
                    await self._changed.wait()
        except TimeoutError:
            pytest.fail(f"{what} was not seen:\n" + "\n".join(shown))

    async def until(self, text: str) -> list[str]:
        """Wait until a text is shown."""
        return await self.when(lambda rows: any(text in row for row in rows), repr(text))

    async def watch(self, reader: asyncio.StreamReader) -> None:
        """Notice whatever happens, by tmux's control mode."""
        while await reader.readline():
            self._changed.set()


@asynccontextmanager
async def window(rows: int = 24, cols: int = 80, environment: Mapping[str, str] | None = None) -> AsyncIterator[Window]:
    """A terminal of its own, whose shell is at its prompt."""
    if shutil.which("tmux") is None:
        pytest.fail("this test needs a real terminal: apt-get install tmux")
    folder = Path(tempfile.mkdtemp(prefix=f"tmux-{secrets.token_hex(2)}-"))
    usual = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "PS1": PROMPT, "SHELL": "/bin/sh"}
    it = Window(folder, usual | dict(environment or {}))
    size = ("-x", str(cols), "-y", str(rows))
    await it.tmux("new-session", "-d", *size, "-s", "test", "env -u TMUX bash --norc --noprofile")
    it.pid = int(await it.tmux("display-message", "-p", "#{pid}"))
    control = await asyncio.create_subprocess_exec(
        *("tmux", "-C", "attach", "-f", "ignore-size", "-t", "test"),
        env=it._environment,
        stdin=-1,
        stdout=-1,
        limit=1 << 20,
    )
    assert control.stdout is not None
    watching = asyncio.create_task(it.watch(control.stdout))
    try:
        await it.tmux("set-option", "-g", "window-size", "manual")
        await it.until(PROMPT.strip())
        yield it
    finally:
        with suppress(AssertionError):
            await it.tmux("kill-server")
        await control.wait()
        await watching
        shutil.rmtree(folder, ignore_errors=True)
