"""How many columns a character takes: 0, 1 or 2, by wcwidth's tables."""

from __future__ import annotations

from functools import lru_cache

from wcwidth import wcwidth


@lru_cache(maxsize=8192)
def width(character: str) -> int:
    """0 for what joins onto the character before it, 2 for wide ones, else 1."""
    if character == "\u00ad":
        return 1
    return max(wcwidth(character, unicode_version="11.0.0"), 0)
