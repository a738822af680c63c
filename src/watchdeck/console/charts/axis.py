"""The axes of a chart: round numbers a person would have chosen."""

from __future__ import annotations

import math

from msgspec import Struct

from watchdeck.domain.values.units import Unit

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)

TIMES = (
    *(minutes * 60_000 for minutes in (1, 5, 10, 15, 30)),
    *(hours * 3_600_000 for hours in (1, 2, 3, 6, 12)),
    *(days * 86_400_000 for days in (1, 2, 7, 14, 28)),
)
"""Distances between two labels of a time axis, in milliseconds."""


class ValueAxis(Struct, frozen=True):
    """A value axis from `bottom` to `top`, with a label every `step`."""

    bottom: float
    top: float
    step: float

    def share(self, value: float) -> float:
        """How far up the axis a value lies, 0 to 1."""
        return (value - self.bottom) / (self.top - self.bottom)

    def labels(self) -> tuple[float, ...]:
        """The labelled values, from the bottom."""
        count = round((self.top - self.bottom) / self.step)
        return tuple(self.bottom + place * self.step for place in range(count + 1))


def scale(low: float, high: float, unit: Unit, steps: int, *, floating: bool = False) -> ValueAxis:
    """An axis for values from `low` to `high` in about `steps` steps; it starts at 0.

    A `floating` axis starts just under the lowest value: 99.5 and 99.9 % look alike from 0.
    """
    if unit is Unit.STATE:
        return ValueAxis(0.0, 1.0, 1.0)
    bottom = low if floating or low < 0 else 0.0
    least = max(abs(low), abs(high)) * 1e-6
    extent = high - bottom if high - bottom > least else abs(high) * 0.1 or 1.0
    step = _round_up(extent / steps)
    start = math.floor(bottom / step) * step
    top = start + math.ceil((bottom + extent - start) / step - 1e-9) * step
    return ValueAxis(start, 1.0 if _is_whole(unit, high, top) else top, step)


def _is_whole(unit: Unit, high: float, top: float) -> bool:
    """A share never has room above 100 % that it cannot reach."""
    return unit is Unit.RATIO and high <= 1.0 < top


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next((r * power for r in _ROUND if r * power >= value * (1 - 1e-9)), 10 * power)


def time_step(span: int, most: int) -> int:
    """The distance of at most `most` labels over so many milliseconds."""
    return next((step for step in TIMES if span / step <= most), TIMES[-1])
