"""Recordings of sessions: asciicast files in a directory that is bounded.

A recorder is one more reader of a session's log. The session never waits for it: it notes when output came, and what
it does with that happens in a thread of its own. Where output came faster than it can be written down, the recording
says how much is missing, and shows the terminal as it is afterwards.
"""

from .directory import Recordings
from .recorder import Recorder

__all__ = ["Recorder", "Recordings"]
