"""Simulated traffic: what the counters of a server would show at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histograms, in seconds; 200 ms is one, as the fraud SLO asks."""

_DAY = 86_400
_WEEK = 7 * _DAY


@dataclass(frozen=True, slots=True)
class Load:
    """How a model is used: requests a second at noon, median latency (s) and its spread, errors.

    A `nightly` model is asked for two hours after midnight UTC, and never else.
    """

    rate: float
    latency: float
    spread: float = 0.5
    errors: float = 0.002
    nightly: bool = False
    tokens_in: float = 0.0
    tokens_out: float = 0.0


@dataclass(slots=True)
class Counters:
    """What a server has counted since it started; `moment` is in seconds since the epoch."""

    load: Load
    random: Random
    moment: float
    good: int = 0
    bad: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    tokens_in: int = 0
    tokens_out: int = 0
    in_flight: int = 0

    def advance(self, now: float, slowness: float = 1.0) -> None:
        """Count what came in since the last time, latencies multiplied by `slowness`."""
        elapsed = max(0.0, now - self.moment)
        self.moment = max(now, self.moment)
        expected = rate(self.load, now) * elapsed
        count = max(0, round(self.random.gauss(expected, math.sqrt(expected))))
        failed = sum(self.random.random() < self.load.errors for _ in range(count))
        self.bad += failed
        self.good += count - failed
        self.tokens_in += round(count * self.load.tokens_in)
        self.tokens_out += round(count * self.load.tokens_out)
        self._serve(count, self.load.latency * slowness)
        self.in_flight = round(rate(self.load, now) * self.load.latency * slowness)

    def _serve(self, count: int, median: float) -> None:
        for _ in range(count):
            took = median * math.exp(self.random.gauss(0, self.load.spread))
            self.seconds += took
            place = next((n for n, bound in enumerate(BUCKETS) if took <= bound), len(BUCKETS))
            self.buckets[place] += 1

    @property
    def served(self) -> int:
        """All requests that were answered, well or not."""
        return self.good + self.bad


def rate(load: Load, now: float) -> float:
    """Requests a second: most in the afternoon UTC, a third less at the week's end."""
    hour = (now % _DAY) / 3_600
    if load.nightly:
        return load.rate if hour < 2 else 0.0
    daily = 0.75 + 0.25 * math.cos(2 * math.pi * (hour - 14) / 24)
    weekly = 0.67 if (now + 3 * _DAY) % _WEEK >= 5 * _DAY else 1.0
    return load.rate * daily * weekly
