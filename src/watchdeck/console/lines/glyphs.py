"""The shapes that a terminal can draw."""

from __future__ import annotations

from enum import StrEnum


class DotStyle(StrEnum):
    """What a terminal can draw dots with, finest first."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"
