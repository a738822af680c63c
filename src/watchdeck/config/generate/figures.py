"""Figures of a page in words, with their units: what a server gave before anything is compared."""

import math

from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.lifetime import PageFigure
from watchdeck.domain.values.format import digits, format_value
from watchdeck.domain.values.units import Unit


def figure_text(figure: PageFigure) -> str:
    """A figure such as `0.4 % of 3,000 since its start`, or why there is none yet."""
    unit = SIGNALS[figure.signal].unit
    if math.isnan(figure.value):
        return _without_value(figure, unit)
    since = " since its start" if figure.since_start else ""
    of = f" of {digits(figure.events)}" if figure.events > 0 else ""
    return f"{_value_text(figure, unit)}{of}{since}"


def _value_text(figure: PageFigure, unit: Unit) -> str:
    value, low, high = (format_value(one, unit) for one in (figure.value, figure.low, figure.high))
    if math.isinf(figure.high):
        return f"more than {low}"
    return value if math.isnan(figure.high) else f"{value} ({low} to {high})"


def _without_value(figure: PageFigure, unit: Unit) -> str:
    if not figure.since_start:
        return "no value on the page now"
    if unit is not Unit.PER_SECOND or not figure.events >= 0:
        return "nothing was counted yet"
    return f"{digits(figure.events)} counted so far, a rate after a few pages"
