"""The traffic of one endpoint in the past: its request rate, latency, faults and counters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.demo import scenario
from watchdeck.demo.fleet.endpoints import DemoEndpoint
from watchdeck.demo.fleet.traffic import (
    BUCKETS,
    DAY,
    ORDINARY_LOAD,
    WEEK,
    Counts,
    Load,
    latency_factor,
    request_rate,
)
from watchdeck.demo.scenario import INTERVAL, FaultKind

if TYPE_CHECKING:
    import numpy as np

    from watchdeck.demo.fleet.traffic import Flags, Floats, Integers

_AN_HOUR = 3_600_000
_A_DAY = DAY * 1_000
_SCRAPES_A_WEEK = WEEK * 1_000 // INTERVAL

_KNEE = 0.003
"""The share of load over which a crowded model becomes slow: 15 minutes of a working morning."""

_RATE_DRIFT = 0.04
_LATENCY_DRIFT = 0.006
"""Standard deviations of the hourly drift, as shares."""

_DRIFT_END = 180 * INTERVAL
"""Milliseconds before the end in which the drift dies away: the live fleet starts without it."""

_MEDIAN_STEP = 0.002
"""The step between two medians in the table of bucket shares, in natural logarithms."""


class TrafficHistory(Struct, frozen=True):
    """The past traffic of a server: arrays with one value per scrape."""

    times: Integers
    """Milliseconds UTC."""

    rate: Floats
    """Requests a second."""

    median: Floats
    """Median latency in seconds."""

    answered: Flags
    """Whether the server answered the scrape."""

    loaded: Flags
    """Whether the model was loaded."""


def traffic_history(
    endpoint: DemoEndpoint, random: np.random.Generator, now: int, days: int
) -> TrafficHistory:
    """The traffic of the `days` before `now` (ms UTC), the time of the last scrape."""
    import numpy as np

    load, times = endpoint.load, scrape_times(endpoint.name, now, days)
    active = {fault: np.zeros(len(times), np.bool_) for fault in FaultKind}
    median = load.latency * _weekly_profile(lambda at: latency_factor(load, at), times)
    median *= _drift(random, times, _LATENCY_DRIFT)
    for incident in scenario.INCIDENTS:
        if incident.endpoint == endpoint.name:
            during = (times >= incident.start(now)) & (times < incident.end(now))
            active[incident.fault] |= during
            if incident.fault is FaultKind.SLOW:
                median[during] *= _incident_curve(incident.peak, int(during.sum()))
    rate = _weekly_profile(lambda at: request_rate(load, at), times)
    if endpoint.name == scenario.OPTIMISED:
        median *= _phase_factors(times, rate / load.rate, now)
    rate *= _drift(random, times, _RATE_DRIFT)
    rate[active[FaultKind.QUIET]] = 0
    answered, loaded = ~active[FaultKind.HANGS], ~active[FaultKind.UNLOADED]
    return TrafficHistory(times, rate, median, answered, loaded)


def scrape_times(name: str, now: int, days: int) -> Integers:
    """The times of an endpoint's scrapes in the last `days` (ms UTC); the last one is `now`."""
    import numpy as np

    ages = INTERVAL * np.arange(days * _A_DAY // INTERVAL - 1, -1, -1, dtype=np.int64)
    intervals = scenario.SCRAPE_INTERVALS
    number = np.searchsorted([one.days * _A_DAY for one in intervals[:-1]], ages, side="right")
    scraped = ages % np.array([one.every for one in intervals])[number] == 0
    times, margin = now - ages, scenario.INCIDENT_MARGIN
    for incident in scenario.INCIDENTS:
        if incident.endpoint == name:
            first, last = incident.start(now) - margin, incident.end(now) + margin
            scraped |= (times >= first) & (times < last)
    selected: Integers = times[scraped]
    return selected


def _weekly_profile(profile: Callable[[float], float], times: Integers) -> Floats:
    """The values of a profile (of seconds UTC) that repeats every week, computed for one week."""
    import numpy as np

    end = int(times[-1])
    week = (profile((end - INTERVAL * minutes) / 1_000) for minutes in range(_SCRAPES_A_WEEK))
    return np.fromiter(week, np.float64)[(end - times) // INTERVAL % _SCRAPES_A_WEEK]


def _drift(random: np.random.Generator, times: Integers, share: float) -> Floats:
    """Factors around 1 that drift from hour to hour, and return to 1 at the end."""
    import numpy as np

    hours = (times - times[0]) / _AN_HOUR
    drift = random.standard_normal(int(hours[-1]) + 2) * share
    damping = np.minimum(1.0, (times[-1] - times) / _DRIFT_END)
    factors: Floats = 1 + np.interp(hours, np.arange(len(drift)), drift) * damping
    return factors


def _incident_curve(peak: float, count: int) -> Floats:
    """Latency factors of a slow incident: they rise from 1 to `peak` and fall again."""
    import numpy as np

    factors: Floats = 1 + (peak - 1) * np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
    return factors


def _phase_factors(times: Integers, busy: Floats, now: int) -> Floats:
    """The latency factors of the optimisation's phases; `busy` is the share of the highest load."""
    import numpy as np

    starts = [now - phase.days * _A_DAY for phase in scenario.PHASES[1:]]
    number = np.searchsorted(starts, times, side="right")
    crowd = 1 / (1 + np.exp((ORDINARY_LOAD - busy) / _KNEE))
    slower = np.array([phase.slower for phase in scenario.PHASES])[number]
    crowded = np.array([phase.crowded for phase in scenario.PHASES])[number]
    factors: Floats = slower * (1 + crowded * crowd)
    return factors


def count_history(
    traffic: TrafficHistory, load: Load, random: np.random.Generator
) -> Counts[Integers]:
    """The cumulative counts of a server at each scrape.

    The server starts to count one interval before the first scrape.
    """
    import numpy as np

    level = np.round(np.log(traffic.median) / _MEDIAN_STEP).astype(np.int64)
    lowest = int(level.min())
    shares, means = _bucket_table(load, lowest, int(level.max()) - lowest + 1)
    seconds = np.diff(traffic.times, prepend=traffic.times[0] - INTERVAL) / 1_000
    fresh = random.poisson(shares[:, level - lowest] * (traffic.rate * seconds))
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
        in_flight=random.poisson(traffic.rate * traffic.median),
    )


def _bucket_table(load: Load, lowest: int, count: int) -> tuple[Floats, Floats]:
    """For each bucket and median: its share of the requests, and their mean latency (s)."""
    import numpy as np

    medians = np.exp(_MEDIAN_STEP * np.arange(lowest, lowest + count))
    bounds = np.log(np.array(BUCKETS)[:, None] / medians) / load.spread
    shares = _bucket_shares(bounds)
    times = _bucket_shares(bounds - load.spread) * (medians * math.exp(load.spread**2 / 2))
    return shares, np.divide(times, shares, out=np.zeros_like(times), where=shares > 0)


def _bucket_shares(bounds: Floats) -> Floats:
    """The shares of a normal distribution below, between and above bounds."""
    import numpy as np

    scaled = (bounds / math.sqrt(2)).ravel().tolist()
    below = np.fromiter(map(math.erf, scaled), np.float64).reshape(bounds.shape) / 2 + 0.5
    return np.diff(below, axis=0, prepend=0.0, append=1.0)


def counts_at(counts: Counts[Integers], number: int) -> Counts[int]:
    """The counts of scrape `number` as plain numbers, from which a live server can continue."""
    return Counts(
        good=int(counts.good[number]),
        bad=int(counts.bad[number]),
        micros=int(counts.micros[number]),
        buckets=[int(bucket[number]) for bucket in counts.buckets],
        tokens_in=int(counts.tokens_in[number]),
        tokens_out=int(counts.tokens_out[number]),
        in_flight=int(counts.in_flight[number]),
    )
