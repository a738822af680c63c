"""The shapes that a terminal can draw."""

from __future__ import annotations

from enum import StrEnum


class Dots(StrEnum):
    """What a terminal can draw dots with, finest first."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"
