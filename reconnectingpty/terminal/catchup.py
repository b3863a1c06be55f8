"""Moves an emulator along the log, behind everybody's back, by slices of time, and over what has scrolled away."""

from __future__ import annotations

from collections.abc import Callable

from ..output_log import OutputLog
from ..size import Size
from .emulator import Emulator
from .modes import AUTOWRAP
from .parser import Parser
from .screen import Screen
from .skipping import Skipping
from .snapshot import snapshot

PARSE = 4 << 10
"""Bytes parsed between two looks at the clock: well under a millisecond of most streams."""


class TerminalModel:
    """An emulator that follows a log. `clock` counts seconds and is only ever compared with itself."""

    __slots__ = ("_clock", "_log", "_parser", "_reader", "_skipping")

    def __init__(self, log: OutputLog, size: Size, *, scrollback: int = 5000, clock: Callable[[], float]) -> None:
        self._log = log
        self._reader = log.reader(log.start)
        self._parser = Parser(Emulator(size, scrollback))
        self._clock = clock
        self._skipping = Skipping(log)

    @property
    def emulator(self) -> Emulator:
        """The terminal as of `lag` bytes before the log's end."""
        return self._parser.emulator

    @property
    def lag(self) -> int:
        """Bytes of the log that the emulator has not seen."""
        return self._reader.lag

    def advance(self, seconds: float, lag: int = 0) -> bool:
        """Catch up for about that long, or until at most `lag` bytes behind.

        True where the log's end, and every change of size, is reached.
        """
        until = self._clock() + seconds
        while not self._reader.at_end:
            self._skip()
            if self.lag < lag:
                break
            data = self._reader.read(PARSE)
            if isinstance(data, Size):
                self.emulator.resize(data.rows, data.cols)
            else:
                self._parser.feed(data)
            if self._clock() >= until:
                break
        return self._reader.at_end

    def snapshot(self, lines: int | None = None) -> bytes:
        """What draws the terminal on a fresh one. Raises ValueError unless the model has caught up."""
        if not self._reader.at_end:
            raise ValueError("the model has not caught up with the log")
        return snapshot(self._parser, lines)

    def screen(self) -> Screen:
        """What the terminal shows, as of `lag` bytes before the log's end."""
        return Screen.of(self.emulator)

    # -- skipping

    def _skip(self) -> None:
        """Jump over what will have scrolled away, if there is anything of that kind ahead."""
        reader, emulator = self._reader, self.emulator
        if not self._skipping.worth_a_look(reader.offset) or not self._plain_state():
            return
        change = reader.next_size_change()
        kept = emulator.lines + emulator.scrollback_limit
        skip = self._skipping.find(reader.offset, self._log.end if change is None else change, kept)
        if skip is None:
            return
        if skip.reset:
            emulator.sgr("")
        for sequence in skip.sequences:
            emulator.sgr(sequence[2:-1].decode("ascii"))
        # A line end came last: the cursor is where that leaves it. On which row does not matter any more.
        emulator.active.row, emulator.active.column = emulator.lines - 1, 0
        reader.skip_to(skip.to)

    def _plain_state(self) -> bool:
        """Whether text and line ends do now what they do on a fresh terminal."""
        emulator = self.emulator
        buffer = emulator.active
        return (
            emulator.alternate is None
            and (buffer.top, buffer.bottom) == (0, emulator.lines - 1)
            and not emulator.insert
            and emulator.charsets[emulator.shift] == "B"
            and bool(emulator.modes.get(AUTOWRAP))
            and not self._parser.pending
        )
