"""Formulas of signals: functions made once for a plan and run on every scrape.

Rates, ratios of increases and means follow Prometheus: `rate()` without extrapolation (the increase
divided by the time really between the two samples), `increase(a) / increase(b)`, and
`rate(x_sum) / rate(x_count)`.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from watchdeck.domain.signals.plan import GaugeFormula, IncreaseFormula

UNSUPPORTED = 9.2e18
"""Values this large are not measurements: DCGM sends a full 64-bit integer for "unsupported"."""

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "max": max,
    "mean": lambda values: sum(values) / len(values),
}
"""Functions that combine several gauges, by the `aggregate` of a signal spec."""


def rate(slot: int, operand: int, scale: float, *, canaries: bool) -> IncreaseFormula:
    """Make a formula that writes the increase of an operand per second to the position `slot`.

    With `canaries`, the canaries sent are subtracted, down to 0.
    """

    def formula(increases: Sequence[float], seconds: float, sent: float, out: array[float]) -> None:
        increase = increases[operand]
        if canaries:
            increase = max(0.0, increase - sent)
        out[slot] = increase * scale / seconds

    return formula


def share(
    slot: int, part: int | None, less: int | None, whole: int, minimum: float, *, canaries: bool
) -> IncreaseFormula:
    """Make a formula for (part - less) / whole, from 0 to 1, written to the position `slot`.

    It is unknown when the whole has fewer than `minimum` events. A part of None counts 0: its
    series does not exist yet. With `canaries`, those sent are subtracted from the whole only.
    """

    def formula(increases: Sequence[float], _: float, sent: float, out: array[float]) -> None:
        events = increases[whole] - (sent if canaries else 0.0)
        if events < minimum or events <= 0:
            return
        counted = increases[part] if part is not None else 0.0
        counted -= increases[less] if less is not None else 0.0
        out[slot] = min(1.0, max(0.0, counted / events))

    return formula


def mean(slot: int, total: int, count: int, scale: float, minimum: float) -> IncreaseFormula:
    """Make a formula for a mean, written to `slot`: the increase of a sum / that of its count.

    The mean is unknown when the count increased by less than `minimum`.
    """

    def formula(increases: Sequence[float], _: float, __: float, out: array[float]) -> None:
        events = increases[count]
        if events >= minimum and events > 0:
            out[slot] = increases[total] / events * scale

    return formula


def quantiles(
    targets: tuple[tuple[int, float], ...],
    start: int,
    bounds: tuple[float, ...],
    minimum: float,
    *,
    canaries: bool,
) -> IncreaseFormula:
    """Make a formula for quantiles of one histogram, one for each (slot, share) of `targets`.

    A slot is a position in the signal frame: the quantile is written there, and the bounds of its
    bucket to the next two. Unknown when the histogram has fewer than `minimum` new observations.
    """
    stop = start + len(bounds)

    def formula(increases: Sequence[float], _: float, sent: float, out: array[float]) -> None:
        if increases[stop - 1] - (sent if canaries else 0.0) < minimum:
            return
        counts = make_monotone(increases[start:stop])
        for slot, share_ in targets:
            out[slot], out[slot + 1], out[slot + 2] = quantile(share_, bounds, counts)

    return formula


def gauge(slot: int, positions: tuple[int, ...], aggregate: str, scale: float) -> GaugeFormula:
    """Make a formula that writes an aggregate of gauges to the position `slot`.

    Values that are not measurements are left out: NaN, infinite and `UNSUPPORTED` ones.
    """
    combine = AGGREGATES[aggregate]
    if len(positions) == 1:
        return _single_gauge(slot, positions[0], scale)

    def formula(values: Sequence[float], out: array[float]) -> None:
        found = finite_values(values[place] for place in positions)
        if found:
            out[slot] = combine(found) * scale

    return formula


def _single_gauge(slot: int, position: int, scale: float) -> GaugeFormula:
    def formula(values: Sequence[float], out: array[float]) -> None:
        value = values[position]
        if -UNSUPPORTED < value < UNSUPPORTED:
            out[slot] = value * scale

    return formula


def gauge_share(
    slot: int, part: tuple[int, ...], whole: tuple[int, ...], scale: float
) -> GaugeFormula:
    """Make a formula for a ratio of two sums of gauges; unknown unless the divisor is above 0."""

    def formula(values: Sequence[float], out: array[float]) -> None:
        parts = finite_values(values[place] for place in part)
        wholes = sum(finite_values(values[place] for place in whole))
        if parts and wholes > 0:
            out[slot] = sum(parts) / wholes * scale

    return formula


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
