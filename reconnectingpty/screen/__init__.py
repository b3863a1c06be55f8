"""The backend on GNU screen: sessions that outlive the server.

setup.py      how screen is configured, and the terminals around and inside it
runner.py     what runs in a session's window
directory.py  where sessions are kept, and who owns one
window.py     a daemon and its command, seen from outside
session.py    ScreenPTY
adoption.py   the sessions that a killed server left
"""

import shutil
import sys

from .adoption import adopt
from .directory import can_keep
from .session import ScreenPTY
from .setup import PROGRAM, knows_this_user

__all__ = ["ScreenPTY", "adopt", "usable"]


def usable() -> bool:
    """Whether sessions can be had here: on Linux, with a `screen` on the PATH that takes this user, and a place."""
    return sys.platform == "linux" and shutil.which(PROGRAM) is not None and knows_this_user() and can_keep()
