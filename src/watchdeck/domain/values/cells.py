"""The width of text in terminal cells, for commands: they do not import what draws the console.

It is the console's width for every character that `clean` lets through.
"""

import unicodedata
from functools import lru_cache

_ZERO = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF), (0x1F3FB, 0x1F3FF))
"""Parts of Hangul syllables, and skin tones: they join the character before them."""

_WIDE = (
    *((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D356)),
    *((0x1D360, 0x1D376), (0x1F6D8, 0x1F6DF), (0x1FA70, 0x1FAFF)),
)
"""Characters that became wide, or will be, in later versions of Unicode than a Python knows."""

_FIRST_FORMAT = 0x13430
"""Format characters from here on have no width; earlier ones, such as U+0600, show a sign."""


def cell_width(text: str) -> int:
    """The number of terminal cells that clean text takes."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def pad(text: str, cells: int) -> str:
    """The text with blanks after it, `cells` wide or as wide as it is."""
    return text + " " * (cells - cell_width(text))


@lru_cache(maxsize=4_096)
def _character_width(character: str) -> int:
    code, category = ord(character), unicodedata.category(character)
    if category.startswith("M") or _is_in(code, _ZERO):
        return 0
    if category == "Cf":
        return int(code < _FIRST_FORMAT)
    if _is_in(code, _WIDE):
        return 2
    return 1 + (category != "Cn" and unicodedata.east_asian_width(character) in "WF")


def _is_in(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)
