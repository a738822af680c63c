"""Colours as this terminal can show them: all, 256, 16, or none."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from rich.color import Color, ColorType

RGB = tuple[int, int, int]


class Depth(StrEnum):
    """How many colours a terminal shows."""

    FULL = "truecolor"
    MANY = "256"
    FEW = "standard"
    NONE = "none"


_COLOURLESS = ("vt52", "vt100", "vt102", "vt220", "vt320")
"""Terminals from before colour; each would print the codes or drop them."""

_FEW: tuple[RGB, ...] = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0),
    (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
    (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
"""The sixteen as xterm has them; a person may have set others."""

_STEPS = (0, 95, 135, 175, 215, 255)
_CUBE: tuple[RGB, ...] = tuple((r, g, b) for r in _STEPS for g in _STEPS for b in _STEPS)
_GREYS: tuple[RGB, ...] = tuple((8 + 10 * n,) * 3 for n in range(24))
_MANY = _CUBE + _GREYS
"""Colours 16 to 255: the same on every terminal, unlike the first sixteen."""

_FIRST = 16

_HUES = (1, 3, 2, 6, 4, 5)
"""Red, yellow, green, cyan, blue and magenta among the sixteen."""

_BLACK, _GREY, _BRIGHT = 0.2, 0.25, 0.85
"""Below this value a colour is black, below this saturation grey; above this value it is bright."""


def depth_of(environ: Mapping[str, str], system: str | None) -> Depth:
    """The depth to use where rich found this colour system; NO_COLOR and old terminals win."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in _COLOURLESS or term.endswith("-m") or "-mono" in term:
        return Depth.NONE
    if system is None:
        return Depth.NONE
    return Depth(system) if system in {*Depth} else Depth.FEW


@lru_cache(4_096)
def codes(foreground: Color | None, background: Color | None, depth: Depth) -> tuple[str, str]:
    """The SGR parameters of a text colour and its ground; empty is the terminal's own.

    Two colours that differ never become one: on few colours the text would be invisible.
    """
    fore, back = _number(foreground, depth), _number(background, depth)
    if fore == back and fore is not None and background is not None and foreground != background:
        fore = _readable(rgb_of(background), depth)
    return _code(fore, 30), _code(back, 40)


_Number = int | RGB | None


def _number(colour: Color | None, depth: Depth) -> _Number:
    """An index into the terminal's colours, a triple, or None for its own."""
    if colour is None or depth is Depth.NONE or colour.type is ColorType.DEFAULT:
        return None
    if colour.type in (ColorType.STANDARD, ColorType.WINDOWS):
        return colour.number
    if depth is Depth.FULL:
        return rgb_of(colour) if colour.triplet else colour.number
    if depth is Depth.MANY and colour.number is not None:
        return colour.number
    return nearest(rgb_of(colour), depth)


def rgb_of(colour: Color) -> RGB:
    """Red, green and blue of a colour, 0 to 255 each."""
    if colour.triplet is not None:
        return colour.triplet.red, colour.triplet.green, colour.triplet.blue
    number = colour.number or 0
    return _FEW[number] if number < _FIRST else _MANY[number - _FIRST]


@lru_cache(4_096)
def nearest(wanted: RGB, depth: Depth) -> int:
    """The index of the colour that looks most like this one."""
    if depth is Depth.FEW:
        return _among_few(wanted)
    return min(range(_FIRST, 256), key=lambda number: _distance(wanted, _MANY[number - _FIRST]))


def _among_few(wanted: RGB) -> int:
    """By hue: by distance all soft colours would be grey, and all dark grounds black."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in wanted))
    if value < _BLACK:
        return 0
    if saturation < _GREY:
        return min(0, 7, 8, 15, key=lambda number: _distance(wanted, _FEW[number]))
    return _HUES[round(6 * hue) % 6] + (8 if value > _BRIGHT else 0)


def _distance(one: RGB, other: RGB) -> float:
    """The eye sees green best, and red better among the bright: plain distances look wrong."""
    red = (one[0] + other[0]) / 512
    dr, dg, db = (a - b for a, b in zip(one, other, strict=True))
    return (2 + red) * dr * dr + 4 * dg * dg + (3 - red) * db * db


def _readable(ground: RGB, depth: Depth) -> int:
    """White on a dark ground, black on a bright one."""
    bright = 2 * ground[0] + 5 * ground[1] + ground[2] > 8 * 127
    return nearest((0, 0, 0) if bright else (255, 255, 255), depth)


def _code(number: _Number, base: int) -> str:
    """The parameters that choose a colour; the base is 30 for text and 40 for the ground."""
    if number is None:
        return ""
    if isinstance(number, tuple):
        return f"{base + 8};2;{number[0]};{number[1]};{number[2]}"
    if number < 8:
        return str(base + number)
    if number < _FIRST:
        return str(base + 52 + number)
    return f"{base + 8};5;{number}"
