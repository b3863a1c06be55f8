"""What can be waited for on a terminal's screen, and how it is looked for in what comes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..terminal.screen import Screen
from .events import Closed, Exited
from .view import Mark, View

LOOK_BACK = 200
"""Rows above the screen that are looked at again, for a match that began there."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing has come for so many seconds, while there was a connection."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over."""


Condition: TypeAlias = "str | re.Pattern[str] | Callable[[Screen], object] | Quiet | Ended"
"""A pattern that the text on the screen has to match somewhere, `^` and `$` being ends of lines; a function of the
screen that has to be true; quiet; the session's end."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was waited for: `index` tells which of several, `match` where, `end` how it ended, and the screen then."""

    index: int
    screen: Screen
    match: re.Match[str] | None = None
    end: Exited | Closed | None = None

    def __getitem__(self, group: int | str) -> str:
        """A group of the match; 0 is all of it."""
        if self.match is None:
            raise IndexError("nothing was matched")
        text = self.match[group]
        return text if text is not None else ""


def compiled(condition: Condition) -> Condition:
    """The same, with a string as the pattern that it is. Raises re.error."""
    return re.compile(condition, re.MULTILINE) if isinstance(condition, str) else condition


class Search:
    """Looks for patterns in what was written since a mark, or is on the screen, whenever more has come.

    What has scrolled off the screen stays as it is; so it is looked at once, but for the last of it.
    """

    def __init__(self, view: View, since: Mark | None, conditions: list[Condition]) -> None:
        self._view = view
        self._since = since
        self._mark = since or view.mark_top()
        self._patterns = [(n, c) for n, c in enumerate(conditions) if isinstance(c, re.Pattern)]
        self._predicates = [
            (n, c) for n, c in enumerate(conditions) if callable(c) and not isinstance(c, (re.Pattern, Quiet, Ended))
        ]
        self._seen: int | None = None
        self._resizes = view.resizes
        self.found: Found | None = None

    def look(self) -> None:
        """Keep the first of the patterns that matches."""
        if not self._patterns or self.found is not None or (self._since and self._mark.lost):
            return
        view = self._view
        if view.resizes != self._resizes:
            self._resizes, self._seen = view.resizes, None
        text, at = view.text_from(self._mark, self._seen)
        self._seen = view.top - LOOK_BACK
        for index, pattern in self._patterns:
            match = pattern.search(text, at)
            if match is not None:
                self.found = Found(index, view.screen(), match)
                return

    def judge(self) -> Found | None:
        """What was found, or the first of the predicates that is true; to be asked when all has been seen."""
        if self.found is not None or not self._predicates:
            return self.found
        screen = self._view.screen()
        for index, predicate in self._predicates:
            if predicate(screen):
                return Found(index, screen)
        return None
