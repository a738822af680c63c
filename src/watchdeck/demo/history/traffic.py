"""The course of one endpoint's past: how much was asked, how fast it was, whether it answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.demo.fleet.endpoints import DemoEndpoint
from watchdeck.demo.fleet.scenario import FaultKind
from watchdeck.demo.fleet.traffic import DAY, ORDINARY, WEEK, pace, rate
from watchdeck.demo.history.timeline import AROUND, EVERY, INCIDENTS, OPTIMISED, PACES, PHASES

if TYPE_CHECKING:
    import numpy as np

    from watchdeck.demo.history.array_types import Flags, Floats, Integers

_AN_HOUR = 3_600_000
_A_DAY = DAY * 1_000
_IN_A_WEEK = WEEK * 1_000 // EVERY

_KNEE = 0.003
"""How sharply a crowded model becomes slow: within a quarter of an hour of a working morning."""

_ASKED_WANDERS = 0.04
_LATENCY_WANDERS = 0.006

_HOME = 180 * EVERY
"""Milliseconds before the end in which all wandering dies away: the live fleet goes on there."""


class TrafficHistory(Struct, frozen=True):
    """One array a fact, one value a scrape; `times` are in ms UTC.

    `asked` is in requests a second, `median` is the median latency in seconds.
    """

    times: Integers
    asked: Floats
    median: Floats
    answered: Flags
    loaded: Flags


def traffic_history(
    part: DemoEndpoint, random: np.random.Generator, now: int, days: int
) -> TrafficHistory:
    """The last `days` before `now` (ms UTC), which is the last scrape."""
    import numpy as np

    times = scrape_times(part.name, now, days)
    of = {trouble: np.zeros(len(times), np.bool_) for trouble in FaultKind}
    median = part.load.latency * _weekly(lambda at: pace(part.load, at), times)
    median *= _wandering(random, times, _LATENCY_WANDERS)
    for incident in INCIDENTS:
        if incident.endpoint == part.name:
            during = (times >= incident.start(now)) & (times < incident.end(now))
            of[incident.trouble] |= during
            if incident.trouble is FaultKind.SLOW:
                median[during] *= _climb(incident.peak, int(during.sum()))
    asked = _weekly(lambda at: rate(part.load, at), times)
    if part.name == OPTIMISED:
        median *= _optimised(times, asked / part.load.rate, now)
    asked *= _wandering(random, times, _ASKED_WANDERS)
    asked[of[FaultKind.QUIET]] = 0
    return TrafficHistory(times, asked, median, ~of[FaultKind.HANGS], ~of[FaultKind.UNLOADED])


def scrape_times(name: str, now: int, days: int) -> Integers:
    """When an endpoint was scraped in the last `days` (ms UTC), the last time at `now`."""
    import numpy as np

    ages = EVERY * np.arange(days * _A_DAY // EVERY - 1, -1, -1, dtype=np.int64)
    pace = np.searchsorted([pace.days * _A_DAY for pace in PACES[:-1]], ages, side="right")
    scraped = ages % np.array([pace.every for pace in PACES])[pace] == 0
    times = now - ages
    for incident in INCIDENTS:
        if incident.endpoint == name:
            first, last = incident.start(now) - AROUND, incident.end(now) + AROUND
            scraped |= (times >= first) & (times < last)
    kept: Integers = times[scraped]
    return kept


def _weekly(profile: Callable[[float], float], times: Integers) -> Floats:
    """A profile that is the same every week, worked out for one."""
    import numpy as np

    end = int(times[-1])
    week = (profile((end - EVERY * minutes) / 1_000) for minutes in range(_IN_A_WEEK))
    return np.fromiter(week, np.float64)[(end - times) // EVERY % _IN_A_WEEK]


def _wandering(random: np.random.Generator, times: Integers, share: float) -> Floats:
    """Factors around 1 that drift from hour to hour, and come home to 1 at the end."""
    import numpy as np

    hours = (times - times[0]) / _AN_HOUR
    drift = random.standard_normal(int(hours[-1]) + 2) * share
    home = np.minimum(1.0, (times[-1] - times) / _HOME)
    wandered: Floats = 1 + np.interp(hours, np.arange(len(drift)), drift) * home
    return wandered


def _climb(peak: float, count: int) -> Floats:
    import numpy as np

    risen: Floats = 1 + (peak - 1) * np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
    return risen


def _optimised(times: Integers, busy: Floats, now: int) -> Floats:
    """What each phase of the optimisation multiplies the latency by."""
    import numpy as np

    starts = [now - phase.days * _A_DAY for phase in PHASES[1:]]
    number = np.searchsorted(starts, times, side="right")
    crowd = 1 / (1 + np.exp((ORDINARY - busy) / _KNEE))
    slower = np.array([phase.slower for phase in PHASES])[number]
    factors: Floats = slower * (1 + np.array([phase.crowded for phase in PHASES])[number] * crowd)
    return factors
