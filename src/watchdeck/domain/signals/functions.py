"""Formulas of signals: functions made once for a plan and run on every scrape.

Rates, ratios of increases and means follow Prometheus: `rate()` without extrapolation (the increase
divided by the time really between the two samples), `increase(a) / increase(b)`, and
`rate(x_sum) / rate(x_count)`. An increase of NaN is unknown, and so is what follows from it.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from msgspec import Struct

from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.plan import (
    GaugeFormula,
    IncreaseFormula,
    Increases,
    RateShareFormula,
    Window,
)
from watchdeck.domain.values.units import BOUNDS, Unit

UNSUPPORTED = 9.2e18
"""Values this large are not measurements: DCGM sends a full 64-bit integer for "unsupported"."""

BLANKS = (
    (2_147_483_632.0, 2_147_483_647.0),
    (4_294_967_280.0, 4_294_967_295.0),
    (140_737_488_355_328.0, 140_737_488_355_343.0),
)
"""Ranges that exporters write for "no value": DCGM's blanks of 32 bits and of doubles
(`dcgm_structs.h`: DCGM_INT32_BLANK, DCGM_FP64_BLANK), and a 32-bit -1 that lost its sign."""

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "max": max,
    "min": min,
    "mean": lambda values: sum(values) / len(values),
}
"""Functions that combine several gauges, by the `aggregate` of a signal spec."""

_EXCESS = 1.01
"""A share up to this is 1: parts of a whole that are read one after the other exceed it a bit."""


class Slot(Struct, frozen=True):
    """The place of a signal in a frame, and the bounds of its values.

    `window` and `events` are the places of these details, None for a signal without them.
    """

    place: int
    low: float
    high: float
    is_ratio: bool = False
    window: int | None = None
    events: int | None = None

    def write(self, out: array[float], value: float) -> bool:
        """Write a value within the bounds; returns False, and writes nothing, for another."""
        if self.is_ratio and 1.0 < value <= _EXCESS:
            value = 1.0
        if not self.low <= value <= self.high:
            return math.isnan(value)
        out[self.place] = value
        return True

    def write_details(self, out: array[float], found: Increases, events: float) -> None:
        """Write the length of the window (whole seconds) and the number of its events."""
        if self.window is not None:
            out[self.window] = float(round(found.seconds))
        if self.events is not None:
            out[self.events] = events


def slot_of(signal: str, slots: dict[str, int]) -> Slot:
    """The slot of a signal; `slots` are the places of the columns of a frame, by name."""
    unit = SIGNALS[signal].unit
    details = slots.get(f"{signal}.window"), slots.get(f"{signal}.events")
    return Slot(slots[signal], *BOUNDS[unit], unit is Unit.RATIO, *details)


def rate(slot: Slot, operand: int, scale: float, *, canaries: bool) -> IncreaseFormula:
    """Make a formula that writes the increase of an operand per second.

    With `canaries`, the canaries sent are subtracted, down to 0.
    """

    def formula(window: Window, out: array[float]) -> None:
        found = window.recent()
        if found is not None:
            increase = found.values[operand]
            if canaries and found.canaries:
                increase = max(increase - found.canaries, 0.0)
            slot.write(out, increase * scale / found.seconds)

    return formula


def share(
    slot: Slot, part: int | None, less: int | None, whole: int, minimum: float, *, canaries: bool
) -> IncreaseFormula:
    """Make a formula for (part - less) / whole, from 0 to 1.

    It is unknown when the whole has fewer than `minimum` events, and when the part has more events
    than the whole. A part of None counts 0: its series does not exist yet. With `canaries`, those
    sent are subtracted from the whole only.
    """

    def formula(window: Window, out: array[float]) -> None:
        found = _events_window(window, slot, whole, minimum, canaries=canaries)
        if found is None:
            return
        values = found.values
        events = values[whole] - (found.canaries if canaries else 0.0)
        counted = values[part] if part is not None else 0.0
        if less is not None:
            counted = 0.0 if counted < values[less] else counted - values[less]
        if counted <= max(events * _EXCESS, events + 1):
            slot.write(out, min(1.0, counted / events))
            slot.write_details(out, found, events)

    return formula


def mean(slot: Slot, total: int, count: int, scale: float, minimum: float) -> IncreaseFormula:
    """Make a formula for a mean: the increase of a sum / that of its count.

    The mean is unknown when the count increased by less than `minimum`.
    """

    def formula(window: Window, out: array[float]) -> None:
        found = _events_window(window, slot, count, minimum)
        if found is not None:
            events = found.values[count]
            slot.write(out, found.values[total] / events * scale)
            slot.write_details(out, found, events)

    return formula


def _events_window(
    window: Window, slot: Slot, operand: int, minimum: float, *, canaries: bool = False
) -> Increases | None:
    """The window in which an operand has enough events; None without one.

    It grows only for signals that tell its length, so that no old value passes for a present one.
    """
    if slot.window is not None:
        return window.grown(operand, minimum, canaries=canaries)
    found = window.recent()
    events = math.nan if found is None else found.values[operand]
    return found if events >= max(minimum, 1e-9) else None


def quantiles(
    targets: tuple[tuple[Slot, float], ...],
    start: int,
    bounds: tuple[float, ...],
    minimum: float,
    *,
    canaries: bool,
) -> IncreaseFormula:
    """Make a formula for quantiles of one histogram, one for each (slot, share) of `targets`.

    The quantile is written to its slot, and the bounds of its bucket to the next two places.
    Unknown when the histogram has fewer than `minimum` new observations.
    """
    stop = start + len(bounds)

    def formula(window: Window, out: array[float]) -> None:
        found = window.grown(stop - 1, minimum, canaries=canaries)
        if found is None:
            return
        increases = found.values[start:stop]
        if math.isnan(sum(increases)):
            return
        counts = make_monotone(increases)
        for slot, share_ in targets:
            place = slot.place
            out[place], out[place + 1], out[place + 2] = quantile(share_, bounds, counts)
            slot.write_details(out, found, counts[-1])

    return formula


def gauge(
    slot: Slot, positions: tuple[int, ...], aggregate: str, scale: float, own: int = 0
) -> GaugeFormula:
    """Make a formula that writes an aggregate of gauges.

    Values that are not measurements are left out: NaN, infinite, blank, and those outside the
    bounds of the signal's unit. `own` requests of our own are subtracted, down to 0.
    """
    combine = AGGREGATES[aggregate]
    if len(positions) == 1 and not own:
        return _single_gauge(slot, positions[0], scale)

    def formula(values: Sequence[float], out: array[float]) -> int:
        given = [value for place in positions if (value := values[place]) == value]
        found = measured_values(given, scale, slot)
        if found:
            value = combine(found)
            slot.write(out, max(value - own, 0.0) if own else value)
        return len(given) - len(found)

    return formula


def _single_gauge(slot: Slot, position: int, scale: float) -> GaugeFormula:
    def formula(values: Sequence[float], out: array[float]) -> int:
        value = values[position]
        if not is_blank(value):
            return 0 if slot.write(out, value * scale) else 1
        return 1

    return formula


def gauge_share(
    slot: Slot,
    part: tuple[int, ...],
    less: tuple[int, ...],
    whole: tuple[int, ...],
    scale: float,
) -> GaugeFormula:
    """Make a formula for (part - less) / whole, each a sum of gauges.

    It is unknown unless the whole is above 0.
    """

    def formula(values: Sequence[float], out: array[float]) -> int:
        parts, lesses, wholes = ([values[p] for p in places] for places in (part, less, whole))
        blanks = sum(map(is_blank, (*parts, *lesses, *wholes)))
        divisor = sum(wholes)
        if blanks or not divisor > 0:
            return blanks
        return not slot.write(out, (sum(parts) - sum(lesses)) / divisor * scale)

    return formula


def rate_share(
    slot: Slot, operand: int, whole: tuple[int, ...], unit: tuple[int, ...], scale: float
) -> RateShareFormula:
    """Make a formula for the increase of an operand per second, divided by a sum of gauges.

    `unit` are gauges whose mean is the unit of the sum. The share is unknown when any gauge is not
    above 0, which stands for no limit.
    """

    def formula(window: Window, values: Sequence[float], out: array[float]) -> int:
        wholes, units = ([values[place] for place in places] for places in (whole, unit))
        blanks = sum(map(is_blank, (*wholes, *units)))
        found = window.recent()
        if blanks or found is None or not all(value > 0 for value in (*wholes, *units)):
            return blanks
        divisor = sum(wholes) / (sum(units) / len(units) if units else 1.0)
        return not slot.write(out, found.values[operand] / found.seconds / divisor * scale)

    return formula


def is_blank(value: float) -> bool:
    """Whether an exporter writes this value, infinity included, where it has no measurement."""
    if -BLANKS[0][0] < value < BLANKS[0][0]:
        return False
    if abs(value) >= UNSUPPORTED:
        return True
    return any(low <= value <= high for low, high in BLANKS)


def measured_values(values: Iterable[float], scale: float, slot: Slot) -> list[float]:
    """The values in the unit of the signal, without blanks and those outside its bounds."""
    scaled = (value * scale for value in values if not is_blank(value))
    high = _EXCESS if slot.is_ratio else slot.high
    return [value for value in scaled if slot.low <= value <= high]


def finite_values(values: Iterable[float]) -> list[float]:
    """The values without NaN, infinite and "unsupported" ones."""
    return [value for value in values if -UNSUPPORTED < value < UNSUPPORTED]


UNKNOWN = (math.nan, math.nan, math.nan)
"""The quantile of an empty histogram."""


def make_monotone(cumulative: Sequence[float]) -> Sequence[float]:
    """Raise each count to at least the one before: buckets read during an update may decrease.

    As Prometheus does (`ensureMonotonicAndIgnoreSmallDeltas`).
    """
    if sorted(cumulative) == cumulative:
        return cumulative
    return list(accumulate(cumulative, max))


def quantile(
    share: float, bounds: Sequence[float], cumulative: Sequence[float]
) -> tuple[float, float, float]:
    """The value below which `share` of the observations lie, and the bounds of its bucket.

    `bounds` are the upper bounds, ascending, the last +Inf; `cumulative` are the increases of the
    buckets, monotone. As Prometheus `histogram_quantile`: rank = share x total; linear
    interpolation in the first bucket that reaches the rank; the first bucket begins at 0. In the
    +Inf bucket the value is the last finite bound and the upper bound infinite: "more than" the
    value. NaN without observations or without a finite bound.
    """
    total = cumulative[-1]
    if not total > 0 or len(bounds) < 2:
        return UNKNOWN
    rank = share * total
    place = bisect_left(cumulative, rank)
    if place >= len(bounds) - 1:
        return bounds[-2], bounds[-2], math.inf
    if place == 0:
        return _first_bucket(rank, bounds[0], cumulative[0])
    low, high = bounds[place - 1], bounds[place]
    before = cumulative[place - 1]
    value = low + (high - low) * (rank - before) / (cumulative[place] - before)
    return min(value, high), low, high


def _first_bucket(rank: float, high: float, count: float) -> tuple[float, float, float]:
    if high <= 0:
        return high, -math.inf, high
    return min(high * rank / count, high), 0.0, high
