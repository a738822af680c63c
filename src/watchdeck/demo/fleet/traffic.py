"""Simulated traffic: what the counters of a server would show at a moment."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from watchdeck.demo.history.array_types import Integers

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histograms, in seconds; 200 ms is one, as the fraud SLO asks."""

DAY = 86_400
WEEK = 7 * DAY

ORDINARY = 0.75
"""The share of its highest rate at which a model has its ordinary latency."""

Whole = TypeVar("Whole", int, "Integers")


class Load(Struct, frozen=True):
    """How a model is used: requests a second at noon, median latency (s) and its spread, errors.

    `strain` is how much slower a busy model is than a quiet one. A `nightly` model is asked for two
    hours after midnight UTC, and never else.
    """

    rate: float
    latency: float
    spread: float = 0.5
    errors: float = 0.002
    nightly: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    strain: float = 0.2


class Counts(Struct, Generic[Whole]):
    """What a server has counted since it started: numbers now, or arrays of them over time.

    `micros` is the time spent on all requests, in microseconds; `buckets` are not cumulative.
    """

    good: Whole
    bad: Whole
    micros: Whole
    buckets: list[Whole]
    tokens_in: Whole
    tokens_out: Whole
    in_flight: Whole

    @property
    def served(self) -> Whole:
        """All requests that were answered, well or not."""
        return self.good + self.bad


def nothing() -> Counts[int]:
    """What a server that has just started has counted."""
    return Counts(0, 0, 0, [0] * (len(BUCKETS) + 1), 0, 0, 0)


class SimulatedServer(Struct):
    """A server that counts; `moment` is in seconds since the epoch."""

    load: Load
    random: Random
    moment: float
    counts: Counts[int]

    def advance(self, now: float, slowness: float = 1.0) -> None:
        """Count what came in since the last time, latencies multiplied by `slowness`."""
        elapsed = max(0.0, now - self.moment)
        self.moment = max(now, self.moment)
        asked = rate(self.load, now)
        median = self.load.latency * pace(self.load, now) * slowness
        count = self._drawn(asked * elapsed)
        failed = sum(self.random.random() < self.load.errors for _ in range(count))
        self.counts.bad += failed
        self.counts.good += count - failed
        self.counts.tokens_in += count * self.load.tokens_in
        self.counts.tokens_out += count * self.load.tokens_out
        self.counts.in_flight = self._drawn(asked * median)
        self._serve(count, median)

    def _drawn(self, expected: float) -> int:
        return max(0, round(self.random.gauss(expected, math.sqrt(expected))))

    def _serve(self, count: int, median: float) -> None:
        for _ in range(count):
            took = median * math.exp(self.random.gauss(0, self.load.spread))
            self.counts.micros += round(took * 1e6)
            place = next((n for n, bound in enumerate(BUCKETS) if took <= bound), len(BUCKETS))
            self.counts.buckets[place] += 1


def rate(load: Load, now: float) -> float:
    """Requests a second: most in the afternoon UTC, a third less at the week's end.

    Every week is like the one before.
    """
    hour = (now % DAY) / 3_600
    if load.nightly:
        return load.rate if hour < 2 else 0.0
    daily = 0.75 + 0.25 * math.cos(2 * math.pi * (hour - 14) / 24)
    weekly = 0.67 if (now + 3 * DAY) % WEEK >= 5 * DAY else 1.0
    return load.rate * daily * weekly


def pace(load: Load, now: float) -> float:
    """What the load of the moment multiplies a model's latency by."""
    return 1 + load.strain * (rate(load, now) / load.rate - ORDINARY)
