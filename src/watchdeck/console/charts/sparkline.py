"""Sparklines in text: a shape a slice of time, a gap where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchdeck.console.lines.glyphs import DotStyle

_LEVELS = {DotStyle.ASCII: "_.-=^"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = " "


def spark(values: Sequence[float], dots: DotStyle, top: float | None = None) -> str:
    """One character a value, from 0 to `top` or else the highest; unknown values are gaps.

    A line that lies at 0 is drawn lowest, and is not empty.
    """
    levels = _LEVELS.get(dots, _BLOCKS)
    known = [value for value in values if math.isfinite(value)]
    highest = max([*known, top or 0.0], default=0.0)
    return "".join(
        _GAP if not math.isfinite(value) else levels[_level(value, highest, len(levels))]
        for value in values
    )


def _level(value: float, highest: float, count: int) -> int:
    if highest <= 0:
        return 0
    return min(count - 1, max(0, int(value / highest * count)))
