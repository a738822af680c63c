"""Text as glyphs, one for each cell: the gate that no control sequence from data passes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import split_graphemes

REPLACEMENT = "\ufffd"

_SIMPLE = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u0400-\u0482\u2010-\u2015\u2018-\u2027\u2030-\u203a"
    "\u20a0-\u20bf\u2190-\u2199\u2500-\u25fc\u2713-\u2718\u2800-\u28ff\ufffd]*"
)
"""Text of which every character takes one cell, on any terminal."""

_RAW = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""What a terminal obeys, what turns text around, and what nobody sees."""

_LONGEST = 12
"""Characters of one cluster that are sent; a heap of a thousand accents is an attack."""


def glyphs(text: str) -> tuple[str, ...] | list[str]:
    """One glyph for each cell of the text; the second cell of a wide glyph is empty.

    Control, bidi, invisible and surrogate characters become U+FFFD, each in a cell of its own.
    """
    if _SIMPLE.fullmatch(text):
        return list(text)
    return _cells(text)


@lru_cache(1_024)
def _cells(text: str) -> tuple[str, ...]:
    shown = _RAW.sub(REPLACEMENT, text)
    found: list[str] = []
    for start, end, width in split_graphemes(shown)[0]:
        found.extend(_cell(shown[start:end], width))
    return tuple(found)


def _cell(cluster: str, width: int) -> tuple[str, ...]:
    """A cluster in its cells; one without any width has nothing to stand on, so it is shown."""
    if width == 0:
        return (REPLACEMENT,)
    return (cluster[:_LONGEST], *[""] * (width - 1))


def within(found: list[str] | tuple[str, ...], charset: str) -> list[str]:
    """The glyphs, with a question mark in each cell of those that this charset does not have."""
    shown: list[str] = []
    for glyph in found:
        fits = glyph.encode(charset, "ignore") if glyph else shown[-1:] != ["?"]
        shown.append(glyph if fits else "?")
    return shown


def is_steady(glyph: str) -> bool:
    """Whether every terminal moves its cursor as far as we think after this glyph."""
    return bool(_SIMPLE.fullmatch(glyph)) or _is_steady(glyph)


@lru_cache(4_096)
def _is_steady(glyph: str) -> bool:
    """Letters of wide scripts are; emoji, clusters and what is not assigned are not."""
    return len(glyph) == 1 and unicodedata.category(glyph) in ("Lo", "Lu", "Ll", "Nd")
