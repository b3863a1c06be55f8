"""A terminal on a server, from a program: it survives its connections, and loses and repeats nothing.

async with connect("http://127.0.0.1:7681/#token=...", session="work") as terminal:
    await terminal.send("make\\r")
    async for data in terminal:
        ...
"""

from .address import Address
from .backoff import Backoff
from .errors import AddressError, ConnectFailed, OutputLost, SessionEnded
from .events import Closed, Connected, Down, Event, Exited, Resized, Resynced, Watched
from .output import OutputReader
from .terminal import Settings, Terminal, connect

__all__ = [
    "Address",
    "AddressError",
    "Backoff",
    "Closed",
    "ConnectFailed",
    "Connected",
    "Down",
    "Event",
    "Exited",
    "OutputLost",
    "OutputReader",
    "Resized",
    "Resynced",
    "SessionEnded",
    "Settings",
    "Terminal",
    "Watched",
    "connect",
]
