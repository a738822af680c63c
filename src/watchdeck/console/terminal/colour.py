"""Colours converted to SGR parameters that this terminal can show: all, 256, 16, or none."""

from __future__ import annotations

import colorsys
from functools import lru_cache
from itertools import product

from rich.color import Color, ColorType

from watchdeck.console.terminal.capabilities import ColourDepth

RGB = tuple[int, int, int]

_ANSI_16: tuple[RGB, ...] = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0),
    (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
    (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
"""The sixteen colours with xterm's values; users may have configured others."""

_CUBE_STEPS = (0, 95, 135, 175, 215, 255)
_CUBE: tuple[RGB, ...] = tuple(product(_CUBE_STEPS, _CUBE_STEPS, _CUBE_STEPS))
_GREYS: tuple[RGB, ...] = tuple((8 + 10 * n,) * 3 for n in range(24))
_FIXED = _CUBE + _GREYS
"""Colours 16 to 255: the same on every terminal, unlike the first sixteen."""

_FIRST_FIXED = 16

_HUES = (1, 3, 2, 6, 4, 5)
"""Indexes of red, yellow, green, cyan, blue and magenta among the sixteen colours."""

_BLACK, _GREY, _BRIGHT = 0.2, 0.25, 0.85
"""Below this value a colour is black, below this saturation grey; above this value it is bright."""


@lru_cache(4_096)
def sgr_parameters(
    foreground: Color | None, background: Color | None, depth: ColourDepth
) -> tuple[str, str]:
    """The SGR parameters of a text and a background colour; empty is the terminal's default.

    Two different colours never become the same one, which would make the text invisible.
    """
    text, behind = _colour_index(foreground, depth), _colour_index(background, depth)
    if text == behind and text is not None and background is not None and foreground != background:
        text = _readable_text(rgb_of(background), depth)
    return _parameters(text, 30), _parameters(behind, 40)


_ColourIndex = int | RGB | None
"""An index into the terminal's colours, a true colour, or None for the default colour."""


def _colour_index(colour: Color | None, depth: ColourDepth) -> _ColourIndex:
    if colour is None or depth is ColourDepth.NONE or colour.type is ColorType.DEFAULT:
        return None
    if colour.type in (ColorType.STANDARD, ColorType.WINDOWS):
        return colour.number
    if depth is ColourDepth.TRUECOLOUR:
        return rgb_of(colour) if colour.triplet else colour.number
    if depth is ColourDepth.ANSI_256 and colour.number is not None:
        return colour.number
    return nearest_colour(rgb_of(colour), depth)


def rgb_of(colour: Color) -> RGB:
    """Red, green and blue of a colour, 0 to 255 each."""
    if colour.triplet is not None:
        return colour.triplet.red, colour.triplet.green, colour.triplet.blue
    number = colour.number or 0
    return _ANSI_16[number] if number < _FIRST_FIXED else _FIXED[number - _FIRST_FIXED]


@lru_cache(4_096)
def nearest_colour(wanted: RGB, depth: ColourDepth) -> int:
    """The index of the colour that looks most like this one, among 16 or 256 colours."""
    if depth is ColourDepth.ANSI_16:
        return _nearest_of_16(wanted)
    numbers = range(_FIRST_FIXED, 256)
    return min(numbers, key=lambda number: _distance(wanted, _FIXED[number - _FIRST_FIXED]))


def _nearest_of_16(wanted: RGB) -> int:
    """The index of the colour nearest in hue; by distance, soft colours would become grey."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in wanted))
    if value < _BLACK:
        return 0
    if saturation < _GREY:
        return min(0, 7, 8, 15, key=lambda number: _distance(wanted, _ANSI_16[number]))
    return _HUES[round(6 * hue) % 6] + (8 if value > _BRIGHT else 0)


def _distance(one: RGB, other: RGB) -> float:
    """The perceived distance: the eye sees green best, and red better in bright colours."""
    red = (one[0] + other[0]) / 512
    dr, dg, db = (a - b for a, b in zip(one, other, strict=True))
    return (2 + red) * dr * dr + 4 * dg * dg + (3 - red) * db * db


def _readable_text(background: RGB, depth: ColourDepth) -> int:
    """The index of white on a dark background, of black on a bright one."""
    is_bright = 2 * background[0] + 5 * background[1] + background[2] > 8 * 127
    return nearest_colour((0, 0, 0) if is_bright else (255, 255, 255), depth)


def _parameters(colour: _ColourIndex, base: int) -> str:
    """The parameters that select a colour; `base` is 30 for text and 40 for the background."""
    if colour is None:
        return ""
    if isinstance(colour, tuple):
        return f"{base + 8};2;{colour[0]};{colour[1]};{colour[2]}"
    if colour < 8:
        return str(base + colour)
    if colour < _FIRST_FIXED:
        return str(base + 52 + colour)
    return f"{base + 8};5;{colour}"
