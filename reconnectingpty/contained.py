"""The backend of our own, for a command inside a container."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from .buffered import BufferedPTY
from .container import Container
from .errors import SessionClosed, StartFailed
from .options import Options
from .size import Size

log = logging.getLogger(__name__)


class ContainedPTY(BufferedPTY):
    """A session whose process is the container program's, and whose command runs inside."""

    def __init__(
        self, command: str | Sequence[str], options: Options, session_id: str, *, container: Container
    ) -> None:
        super().__init__(command, options, session_id)
        self.container = container

    async def _start(self, size: Size | None) -> None:
        assert self.container is not None
        self.command = await self.container.command_line(self.command)
        await super()._start(size)

    async def _finish(self, error: SessionClosed | None) -> None:
        if error is not None and self._process is not None and self.container is not None:
            try:
                await self.container.end(self.epoch, self.options.kill_grace, self._hurry)
            except StartFailed as failed:
                log.error("session %s: %s", self.id, failed)
        await super()._finish(error)
