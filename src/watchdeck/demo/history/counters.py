"""What a server counted on the course of its past: `traffic`, for all scrapes at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from watchdeck.demo.fleet.traffic import BUCKETS, Counts, Load
from watchdeck.demo.history.timeline import EVERY

if TYPE_CHECKING:
    import numpy as np

    from watchdeck.demo.history.array_types import Floats, Integers
    from watchdeck.demo.history.traffic import TrafficHistory

_STEP = 0.002
"""How much two neighbouring medians of the table of buckets differ, by their logarithms."""


def count_history(
    course: TrafficHistory, load: Load, random: np.random.Generator
) -> Counts[Integers]:
    """The counts at every scrape, from a server that started just before the first."""
    import numpy as np

    level = np.round(np.log(course.median) / _STEP).astype(np.int64)
    lowest = int(level.min())
    shares, means = _buckets(load, lowest, int(level.max()) - lowest + 1)
    seconds = np.diff(course.times, prepend=course.times[0] - EVERY) / 1_000
    expected = shares[:, level - lowest] * (course.asked * seconds)
    fresh = random.poisson(expected)
    count = fresh.sum(axis=0)
    micros = np.einsum("bn,bn->n", fresh, means[:, level - lowest]) * 1e6
    failed = random.binomial(count, load.errors)
    return Counts(
        good=np.cumsum(count - failed),
        bad=np.cumsum(failed),
        micros=np.cumsum(np.round(micros).astype(np.int64)),
        buckets=list(np.cumsum(fresh, axis=1)),
        tokens_in=np.cumsum(count * load.tokens_in),
        tokens_out=np.cumsum(count * load.tokens_out),
        in_flight=random.poisson(course.asked * course.median),
    )


def _buckets(load: Load, lowest: int, count: int) -> tuple[Floats, Floats]:
    """For each bucket and median: its share of the requests, and their mean latency (s)."""
    import numpy as np

    medians = np.exp(_STEP * np.arange(lowest, lowest + count))
    reach = np.log(np.array(BUCKETS)[:, None] / medians) / load.spread
    shares = _between(reach)
    whole = medians * math.exp(load.spread**2 / 2)
    times = _between(reach - load.spread) * whole
    return shares, np.divide(times, shares, out=np.zeros_like(times), where=shares > 0)


def _between(reach: Floats) -> Floats:
    """The shares of a normal distribution below, between and above bounds."""
    import numpy as np

    scaled = (reach / math.sqrt(2)).ravel().tolist()
    below = np.fromiter(map(math.erf, scaled), np.float64).reshape(reach.shape) / 2 + 0.5
    return np.diff(below, axis=0, prepend=0.0, append=1.0)


def moment(counts: Counts[Integers], number: int) -> Counts[int]:
    """The counts of one scrape, as a server has them that goes on from there."""
    return Counts(
        good=int(counts.good[number]),
        bad=int(counts.bad[number]),
        micros=int(counts.micros[number]),
        buckets=[int(bucket[number]) for bucket in counts.buckets],
        tokens_in=int(counts.tokens_in[number]),
        tokens_out=int(counts.tokens_out[number]),
        in_flight=int(counts.in_flight[number]),
    )
