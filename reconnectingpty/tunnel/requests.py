"""What others ask of a running supervisor, from signals, from code, from the machine's waking up."""

from __future__ import annotations

import asyncio


class Requests:
    """Flags that the supervisor looks at whenever `wait` returns. Setting one never blocks."""

    def __init__(self) -> None:
        self.stop = False
        self.restart = False
        self.retry = False
        """Don't wait for the next try; probe at once where the tunnel stands."""
        self._news = asyncio.Event()

    def ask(self, *, stop: bool = False, restart: bool = False, retry: bool = False) -> None:
        """Ask for something."""
        self.stop = self.stop or stop
        self.restart = self.restart or restart
        self.retry = self.retry or retry
        self._news.set()

    async def wait(self, until: float | None = None) -> None:
        """Return when something was asked that nobody has waited for yet, or at that time of the loop's clock."""
        timer = None if until is None else asyncio.get_running_loop().call_at(until, self._news.set)
        try:
            await self._news.wait()
            self._news.clear()
        finally:
            if timer is not None:
                timer.cancel()

    def take_restart(self) -> bool:
        """Whether a restart was asked for; asked for once, it is done once."""
        asked, self.restart = self.restart, False
        return asked

    def take_retry(self) -> bool:
        """The same of a retry."""
        asked, self.retry = self.retry, False
        return asked

    def take_prod(self) -> bool:
        """Whether either was asked for: to whom waits they are the same."""
        return self.take_retry() | self.take_restart()
