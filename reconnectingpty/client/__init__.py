"""A terminal on a server, from a program: it survives its connections, and loses and repeats nothing.

async with connect("http://127.0.0.1:7681/#token=...", session="work") as terminal:
    await terminal.send("make\\r")
    async for data in terminal:
        ...
"""

from .address import Address
from .backoff import Backoff
from .commands import Completed
from .errors import AddressError, Busy, ConnectFailed, Incomplete, NoShell, OutputLost, SessionEnded
from .events import Closed, Connected, Down, Event, Exited, Resized, Resynced, Watched
from .keys import Key, UnknownKey
from .link import Settings
from .output import OutputReader
from .terminal import Terminal, connect
from .view import Mark
from .waiting import Condition, Ended, Found, Quiet

__all__ = [
    "Address",
    "AddressError",
    "Backoff",
    "Busy",
    "Closed",
    "Completed",
    "Condition",
    "ConnectFailed",
    "Connected",
    "Down",
    "Ended",
    "Event",
    "Exited",
    "Found",
    "Incomplete",
    "Key",
    "Mark",
    "NoShell",
    "OutputLost",
    "OutputReader",
    "Quiet",
    "Resized",
    "Resynced",
    "SessionEnded",
    "Settings",
    "Terminal",
    "UnknownKey",
    "Watched",
    "connect",
]
