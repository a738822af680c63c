"""Quantiles from the buckets of a histogram, with the interval that the buckets allow."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

UNKNOWN = (math.nan, math.nan, math.nan)
"""The quantile of nothing."""


def make_monotone(cumulative: Sequence[float]) -> Sequence[float]:
    """The cumulative counts, made monotone: buckets that were read torn must not go down.

    Prometheus does the same (`ensureMonotonicAndIgnoreSmallDeltas`).
    """
    if sorted(cumulative) == cumulative:
        return cumulative
    return list(accumulate(cumulative, max))


def quantile(
    share: float, bounds: Sequence[float], cumulative: Sequence[float]
) -> tuple[float, float, float]:
    """The value below which `share` of the observations lie, and the bounds of its bucket.

    `bounds` are the upper bounds, ascending, the last +Inf; `cumulative` are the increases of the
    buckets, monotone. As Prometheus `histogram_quantile`: rank = share x total; in the first bucket
    that reaches it, linear interpolation between its bounds, the first one beginning at 0. In the
    +Inf bucket the value is the last finite bound and the upper bound is infinite: read it as
    "more than". Nothing observed, or no finite bound, is NaN.
    """
    total = cumulative[-1]
    if not total > 0 or len(bounds) < 2:
        return UNKNOWN
    rank = share * total
    place = bisect_left(cumulative, rank)
    if place >= len(bounds) - 1:
        return bounds[-2], bounds[-2], math.inf
    if place == 0:
        return _first(rank, bounds[0], cumulative[0])
    low, high = bounds[place - 1], bounds[place]
    before = cumulative[place - 1]
    value = low + (high - low) * (rank - before) / (cumulative[place] - before)
    return min(value, high), low, high


def _first(rank: float, high: float, count: float) -> tuple[float, float, float]:
    if high <= 0:
        return high, -math.inf, high
    return min(high * rank / count, high), 0.0, high
