"""Sparklines in text: one character for each value, a space where no value is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchdeck.console.lines.line import DotStyle

_LEVELS = {DotStyle.ASCII: "_.-=^"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = " "


def sparkline(values: Sequence[float], dots: DotStyle, top: float | None = None) -> str:
    """A text with one character per value, from 0 to `top` or the highest value, if higher.

    A value of 0 gets the lowest character; an unknown value (NaN) gets a space.
    """
    levels = _LEVELS.get(dots, _BLOCKS)
    known = [value for value in values if math.isfinite(value)]
    highest = max([*known, top or 0.0], default=0.0)
    return "".join(
        levels[_level(value, highest, len(levels))] if math.isfinite(value) else _GAP
        for value in values
    )


def _level(value: float, highest: float, count: int) -> int:
    if highest <= 0:
        return 0
    return min(count - 1, max(0, int(value / highest * count)))
