"""Axes of a chart, with round labels."""

from __future__ import annotations

import math

from msgspec import Struct

from watchdeck.domain.values.units import Unit

_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

TIME_STEPS = (
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

    def fraction(self, value: float) -> float:
        """The position of a value on the axis: 0 at the bottom, 1 at the top."""
        return (value - self.bottom) / (self.top - self.bottom)

    def labels(self) -> tuple[float, ...]:
        """The labelled values, from the bottom."""
        count = round((self.top - self.bottom) / self.step)
        return tuple(self.bottom + place * self.step for place in range(count + 1))


def value_axis(
    low: float, high: float, unit: Unit, steps: int, *, floating: bool = False
) -> ValueAxis:
    """An axis for values from `low` to `high`, with about `steps` steps; it starts at 0.

    A `floating` axis starts just under `low` instead: on an axis from 0, 99.5 % and 99.9 % look
    alike.
    """
    if unit is Unit.STATE:
        return ValueAxis(0.0, 1.0, 1.0)
    bottom = low if floating or low < 0 else 0.0
    least = max(abs(low), abs(high)) * 1e-6
    extent = high - bottom if high - bottom > least else abs(high) * 0.1 or 1.0
    step = _round_up(extent / steps)
    start = math.floor(bottom / step) * step
    top = start + math.ceil((bottom + extent - start) / step - 1e-9) * step
    ends_at_whole = unit is Unit.RATIO and high <= 1.0 < top  # no ratio passes 100 %
    return ValueAxis(start, 1.0 if ends_at_whole else top, step)


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next((r * power for r in _ROUND_STEPS if r * power >= value * (1 - 1e-9)), 10 * power)


def time_step(span: int, most: int) -> int:
    """The distance (ms) between labels of a time axis: at most `most` of them on `span` ms."""
    return next((step for step in TIME_STEPS if span / step <= most), TIME_STEPS[-1])
