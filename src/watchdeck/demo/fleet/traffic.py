"""Simulated traffic, and the counters of a server that receives it."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:  # the live demo starts without numpy
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histograms, in seconds; the fraud SLO needs the 200 ms."""

DAY = 86_400
WEEK = 7 * DAY

ORDINARY_LOAD = 0.75
"""The share of its highest request rate at which a model has its ordinary latency."""

Count = TypeVar("Count", int, "Integers")


class Load(Struct, frozen=True):
    """The simulated load of one model: request rate, latency, errors and tokens."""

    rate: float
    """Requests a second at the busiest hour, 14:00 UTC on a working day."""

    latency: float
    """Median latency in seconds at ordinary load."""

    spread: float = 0.5
    """Standard deviation of the logarithm of the latency."""

    errors: float = 0.002
    """The share of requests that fail."""

    nightly: bool = False
    """The model gets requests in the two hours after midnight UTC alone."""

    tokens_in: int = 0
    tokens_out: int = 0

    strain: float = 0.2
    """The share by which the latency rises from no load to the highest load."""


class Counts(Struct, Generic[Count]):
    """Cumulative counts of a server since it started: numbers, or arrays of them over time.

    Only `in_flight` is not cumulative.
    """

    good: Count
    bad: Count

    micros: Count
    """The time spent on all requests, in microseconds."""

    buckets: list[Count]
    """Requests in each latency bucket, not cumulative."""

    tokens_in: Count
    tokens_out: Count
    in_flight: Count

    @property
    def served(self) -> Count:
        """All requests that got a response, good or bad."""
        return self.good + self.bad


def zero_counts() -> Counts[int]:
    """The counts of a server that has just started."""
    return Counts(0, 0, 0, [0] * (len(BUCKETS) + 1), 0, 0, 0)


class SimulatedServer(Struct):
    """A simulated server that counts requests; `moment` (s UTC) is the time of the last update."""

    load: Load
    random: Random
    moment: float
    counts: Counts[int]

    def advance(self, now: float, slowness: float = 1.0) -> None:
        """Simulate and count the requests from the last update until `now` (s UTC).

        Their latencies are multiplied by `slowness`.
        """
        elapsed = max(0.0, now - self.moment)
        self.moment = max(now, self.moment)
        rate = request_rate(self.load, now)
        median = self.load.latency * latency_factor(self.load, now) * slowness
        count = self._random_count(rate * elapsed)
        failed = sum(self.random.random() < self.load.errors for _ in range(count))
        self.counts.bad += failed
        self.counts.good += count - failed
        self.counts.tokens_in += count * self.load.tokens_in
        self.counts.tokens_out += count * self.load.tokens_out
        self.counts.in_flight = self._random_count(rate * median)
        self._count_latencies(count, median)

    def _random_count(self, expected: float) -> int:
        return max(0, round(self.random.gauss(expected, math.sqrt(expected))))

    def _count_latencies(self, count: int, median: float) -> None:
        for _ in range(count):
            latency = median * math.exp(self.random.gauss(0, self.load.spread))
            self.counts.micros += round(latency * 1e6)
            place = next((n for n, bound in enumerate(BUCKETS) if latency <= bound), len(BUCKETS))
            self.counts.buckets[place] += 1


def request_rate(load: Load, now: float) -> float:
    """A model's requests a second at `now` (s UTC); every week is the same.

    Most come at 14:00 UTC, and a third less at the weekend. A nightly model has requests in the two
    hours after midnight alone.
    """
    hour = (now % DAY) / 3_600
    if load.nightly:
        return load.rate if hour < 2 else 0.0
    daily = 0.75 + 0.25 * math.cos(2 * math.pi * (hour - 14) / 24)
    weekly = 0.67 if (now + 3 * DAY) % WEEK >= 5 * DAY else 1.0
    return load.rate * daily * weekly


def latency_factor(load: Load, now: float) -> float:
    """The factor on a model's latency for its load at `now` (s UTC); 1 at ordinary load."""
    return 1 + load.strain * (request_rate(load, now) / load.rate - ORDINARY_LOAD)
