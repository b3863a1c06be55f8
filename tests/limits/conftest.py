from __future__ import annotations

from ..screen.homes import _own_home

__all__ = ["_own_home"]
