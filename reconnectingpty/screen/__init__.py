"""The backend on GNU screen: sessions that outlive the server.

setup.py      how screen is configured, and the terminals around and inside it
runner.py     what runs in a session's window
directory.py  where sessions are kept, and who owns one
window.py     a daemon and its command, seen from outside
session.py    ScreenPTY
adoption.py   the sessions that a killed server left
"""

from .adoption import adopt
from .session import ScreenPTY
from .setup import installed

__all__ = ["ScreenPTY", "adopt", "installed"]
