"""Numbers as text: with a unit, and no more digits than their source allows."""

from __future__ import annotations

import math
import re

from watchdeck.console.lines.line import NO_VALUE
from watchdeck.domain.board.board import SignalValue
from watchdeck.domain.values.format import digits, format_value
from watchdeck.domain.values.units import Unit

_EXPONENT_FROM = 1e15

_DECIMALS = re.compile(r"(>?[1-9][0-9]*)(\.[0-9]+)(\D*)")
"""A number of at least 1 with decimals, and its unit."""


def cell_text(signal: SignalValue | None) -> str:
    """A value in at most six cells: `412ms`, `99.9%`, `1.2k`; a dash when it is unknown."""
    if signal is None or math.isnan(signal.value):
        return NO_VALUE
    if signal.unit is Unit.RATIO:
        return _cell_percent(signal.value)
    return describe_value(signal, bounds=False).removesuffix("/s").replace(" ", "")


def marked_text(text: str, cells: int) -> str:
    """The text of a value with a final `*`, in `cells`; decimals are left out to make room.

    Without a mark where there is no room even so: a value must not become 0, or lose its unit.
    """
    if len(text) < cells:
        return f"{text}*"
    match = _DECIMALS.fullmatch(text)
    if match is None:
        return text
    whole, decimals, unit = match.groups()
    room = cells - len(whole) - len(unit) - 1
    return f"{whole}{decimals[:room].rstrip('.')}{unit}*" if room >= 0 else text


def _cell_percent(value: float) -> str:
    if 0 < value < 0.0001:
        return "<.01%"
    if 0.99 <= value < 1:
        return f"{math.floor(value * 1_000) / 10:g}%"
    return amount(value, Unit.RATIO).replace(" ", "")


def percent(signal: SignalValue | None) -> str:
    """A ratio in whole percent, never rounded up: `98%`; a dash when it is unknown."""
    if signal is None or not math.isfinite(signal.value):
        return NO_VALUE
    return f"{math.floor(signal.value * 100 + 1e-9)}%"


def describe_value(signal: SignalValue | None, *, bounds: bool = True) -> str:
    """A value and its bucket's bounds: `20 ms in 10-25 ms`, `> 10 s`; a dash when unknown."""
    if signal is None or math.isnan(signal.value):
        return NO_VALUE
    low, high = signal.low, signal.high
    if low is None or math.isnan(low):
        return amount(signal.value, signal.unit)
    if high is None or not math.isfinite(high):
        return f"> {amount(low, signal.unit)}"
    text = amount(round_to_bucket(signal.value, low, high), signal.unit)
    return f"{text} in {interval(low, high, signal.unit)}" if bounds else text


def round_to_bucket(value: float, low: float, high: float) -> float:
    """The value, rounded to the power of ten at or below a tenth of its bucket's width."""
    if high <= low:
        return value
    step = 10.0 ** math.floor(math.log10((high - low) / 10))
    return min(high, max(low, round(value / step) * step))


def interval(low: float, high: float, unit: Unit) -> str:
    """Two bounds, with the unit only once when both have the same: `10-25 ms`."""
    first, second = amount(low, unit), amount(high, unit)
    number, _, name = first.partition(" ")
    shared = name and second.endswith(f" {name}")
    if low == 0:
        return f"0-{second}"
    return f"{number if shared else first}-{second}"


def amount(value: float, unit: Unit) -> str:
    """A value with its unit; a ratio just below 100 % is never rounded up to it.

    From 1e15 on, in scientific notation: a metrics page may contain 1e305.
    """
    if _EXPONENT_FROM <= abs(value) < math.inf:
        return f"{value:.0e}"
    if unit is Unit.RATIO and 0.99 <= value < 1:
        return f"{math.floor(value * 10_000) / 100:.2f}".rstrip("0").rstrip(".") + " %"
    if unit is Unit.RATIO and 0 < value < 0.0001:
        return "< 0.01 %"
    if unit is Unit.RATIO and math.isfinite(value):
        return f"{digits(round(value * 100, 2))} %"
    return format_value(value, unit)
