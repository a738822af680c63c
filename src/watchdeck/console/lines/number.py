"""Numbers in cells and sentences: with a unit, and no finer than their source allows."""

from __future__ import annotations

import math

from watchdeck.console.lines.line import NOTHING
from watchdeck.domain.board.board import SignalValue
from watchdeck.domain.values.format import digits, format_value
from watchdeck.domain.values.units import Unit

_ABSURD = 1e15


def cell(reading: SignalValue | None) -> str:
    """A reading in six cells at most: `412ms`, `99.9%`, `1.2k`; a dash when there is none."""
    if reading is None or math.isnan(reading.value):
        return NOTHING
    if reading.unit is Unit.RATIO:
        return _share(reading.value)
    return describe_reading(reading, bounds=False).removesuffix("/s").replace(" ", "")


def _share(value: float) -> str:
    if 0 < value < 0.0001:
        return "<.01%"
    if 0.99 <= value < 1:
        return f"{math.floor(value * 1_000) / 10:g}%"
    return amount(value, Unit.RATIO).replace(" ", "")


def percent(reading: SignalValue | None) -> str:
    """A share in whole percents, never rounded up: `98%`; a dash when there is none."""
    if reading is None or not math.isfinite(reading.value):
        return NOTHING
    return f"{math.floor(reading.value * 100 + 1e-9)}%"


def describe_reading(reading: SignalValue | None, *, bounds: bool = True) -> str:
    """A reading with its unit and what its bucket allows: `20 ms in 10-25 ms`, `> 10 s`."""
    if reading is None or math.isnan(reading.value):
        return NOTHING
    low, high = reading.low, reading.high
    if low is None or math.isnan(low):
        return amount(reading.value, reading.unit)
    if high is None or not math.isfinite(high):
        return f"> {amount(low, reading.unit)}"
    text = amount(round_to_bucket(reading.value, low, high), reading.unit)
    return f"{text} in {interval(low, high, reading.unit)}" if bounds else text


def round_to_bucket(value: float, low: float, high: float) -> float:
    """The value rounded to what its bucket allows: a tenth of it, down to a power of ten."""
    if high <= low:
        return value
    step = 10.0 ** math.floor(math.log10((high - low) / 10))
    return min(high, max(low, round(value / step) * step))


def interval(low: float, high: float, unit: Unit) -> str:
    """Two bounds with their unit said once, where it is the same: `10-25 ms`."""
    first, second = amount(low, unit), amount(high, unit)
    number, _, name = first.partition(" ")
    shared = name and second.endswith(f" {name}")
    if low == 0:
        return f"0-{second}"
    return f"{number if shared else first}-{second}"


def amount(value: float, unit: Unit) -> str:
    """A value with its unit; a share close to the whole is never rounded up to it.

    A page may claim 1e305 of anything: beyond 1e15 a value is its power of ten.
    """
    if _ABSURD <= abs(value) < math.inf:
        return f"{value:.0e}"
    if unit is Unit.RATIO and 0.99 <= value < 1:
        return f"{math.floor(value * 10_000) / 100:.2f}".rstrip("0").rstrip(".") + " %"
    if unit is Unit.RATIO and 0 < value < 0.0001:
        return "< 0.01 %"
    if unit is Unit.RATIO and math.isfinite(value):
        return f"{digits(round(value * 100, 2))} %"
    return format_value(value, unit)
