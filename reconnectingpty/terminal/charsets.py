"""The character sets that `ESC (` and its like can designate, and what they make of ASCII.

DEC special graphics and the national replacement sets are those of DEC's VT220 and VT320 manuals, in the choice and
with the deviations of xterm.js. Only tables; the drawing methods translate by them, the snapshot names them.
"""

from __future__ import annotations

from typing import Final

ASCII: Final = "B"

_GRAPHICS = "".join(map(chr, range(0x60, 0x7F)))
_SETS: tuple[tuple[str, str, str], ...] = (
    ("0", _GRAPHICS, "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"),
    ("A", "#", "£"),  # United Kingdom
    ("4", "#@[\\]{|}~", "£¾i½|¨f¼´"),  # Dutch; one cell has no room for the ligature ij
    ("C5", "[\\]^`{|}~", "ÄÖÅÜéäöåü"),  # Finnish
    ("R", "#@[\\]{|}~", "£à°ç§éùè¨"),  # French
    ("Q", "@[\\]^`{|}~", "àâçêîôéùèû"),  # French Canadian
    ("K", "@[\\]{|}~", "§ÄÖÜäöüß"),  # German
    ("Y", "#@[\\]`{|}~", "£§°çéùàòèì"),  # Italian
    ("E6", "@[\\]^`{|}~", "ÄÆØÅÜäæøåü"),  # Norwegian and Danish
    ("Z", "#@[\\]{|}", "£§¡Ñ¿°ñç"),  # Spanish
    ("H7", "@[\\]^`{|}~", "ÉÄÖÅÜéäöåü"),  # Swedish
    ("=", "#@[\\]^_`{|}~", "ùàéçêîèôäöüû"),  # Swiss
)

TRANSLATIONS: Final[dict[str, dict[int, str]]] = {
    name: dict(zip(map(ord, source), target, strict=True)) for names, source, target in _SETS for name in names
}
"""Final character of the designation: what becomes of ASCII characters. US ASCII ("B") has no entry."""

DESIGNATIONS: Final = frozenset(TRANSLATIONS) | {ASCII}
SLOTS: Final = {"(": 0, ")": 1, "*": 2, "+": 3, "-": 1, ".": 2}
"""The intermediate of a designation: which of G0 to G3 it fills."""
SHIFTS: Final = ("\x0f", "\x0e", "\x1bn", "\x1bo")
"""What calls G0 to G3 into use: SI, SO, LS2, LS3."""


def untranslated(glyph: str, charset: str) -> str:
    """The character that has to be sent for this glyph to appear while the set is in use."""
    table = TRANSLATIONS.get(charset)
    if table is not None and (glyph in table.values() or ord(glyph) in table):
        return next((chr(code) for code, shown in table.items() if shown == glyph), glyph)
    return glyph
