"""Who looks at a session now: whom its terminal's size and its questions go by, and what each client has typed."""

from __future__ import annotations

from collections.abc import Iterator

from .sizing import Claim
from .viewer import ClientInput, Viewer
from .wire.messages import Viewers

REMEMBERED_CLIENTS = 64
"""Client ids whose input offsets a session keeps, the latest ones."""


def kept_for_writers(most: int) -> int:
    """Of so many places, those that read-only viewers can't have: a quarter, but never the only one."""
    return (most + 2) // 4


class Audience:
    """The viewers of one session, in the order in which they came."""

    __slots__ = ("_inputs", "_ticks", "_viewers")

    def __init__(self) -> None:
        # Dictionaries keep an order, and weigh a quarter of a set and an OrderedDict in a session without viewers.
        self._viewers: dict[Viewer, None] = {}
        self._inputs: dict[str, ClientInput] = {}
        self._ticks = 0

    def __len__(self) -> int:
        return len(self._viewers)

    def __iter__(self) -> Iterator[Viewer]:
        """Them, whoever comes or goes meanwhile."""
        return iter((*self._viewers,))

    def add(self, viewer: Viewer) -> None:
        """One has come."""
        self._viewers[viewer] = None

    def remove(self, viewer: Viewer) -> None:
        """One has gone."""
        del self._viewers[viewer]
        if not self._viewers:
            self._viewers.clear()  # whose room stays taken otherwise

    # -- all of them

    def wake(self) -> None:
        """There is something new for all: output, a change of size, the end."""
        for viewer in self._viewers:
            viewer.wake()

    def announce(self) -> None:
        """Tell them how many they are."""
        message = Viewers(len(self._viewers))
        for viewer in self._viewers:
            viewer.notify(message)

    @property
    def furthest(self) -> int | None:
        """The offset of the most advanced one that the program waits for; None where nobody such reads."""
        offsets = [viewer.reader.offset for viewer in self._viewers if viewer.reader is not None and viewer.paces]
        return max(offsets) if offsets else None

    @property
    def progress(self) -> list[tuple[int, int]]:
        """Another one whenever any of them has taken output, has come or gone."""
        return [viewer.progress for viewer in self._viewers]

    # -- one among them

    def acted(self, viewer: Viewer) -> None:
        """It is this one that has done something now."""
        self._ticks += 1
        viewer.active = self._ticks

    @property
    def claims(self) -> list[Claim]:
        """The sizes that those want who may have a say."""
        return [Claim(v.size, v.active) for v in self._viewers if v.size is not None and not v.readonly]

    def leader(self) -> Viewer | None:
        """The viewer whose terminal answers: the last that did something, of those that may, and see what is asked."""
        able = [v for v in self._viewers if v.live and v.is_terminal and not v.readonly]
        return max(able, key=lambda viewer: viewer.active, default=None)

    # -- clients, over all their connections

    def of_client(self, client: str) -> Viewer | None:
        """The viewer that is a client's present connection."""
        return next((viewer for viewer in self._viewers if viewer.client == client), None)

    def input_of(self, client: str, *, keep: bool) -> ClientInput:
        """What a client has typed, over all its connections; forgotten where many others have come since.

        Without `keep` nobody's is forgotten for it.
        """
        viewer = self.of_client(client)
        state = self._inputs.get(client) or (viewer.input if viewer is not None else ClientInput())
        if keep:
            self.remember(client, state)
        return state

    def remember(self, client: str, state: ClientInput) -> None:
        """Keep what a client has typed as the last that is forgotten; of those attached, nothing is."""
        self._inputs.pop(client, None)
        self._inputs[client] = state
        if len(self._inputs) > REMEMBERED_CLIENTS:
            attached = {viewer.client for viewer in self._viewers} | {client}
            self._inputs.pop(next((name for name in self._inputs if name not in attached), ""), None)

    @property
    def remembered(self) -> int:
        """Clients whose input is."""
        return len(self._inputs)
