"""The course of one endpoint's past: how much was asked, how fast it was, whether it answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.demo.fleet.endpoints import DemoEndpoint
from watchdeck.demo.fleet.scenario import FaultKind
from watchdeck.demo.fleet.traffic import DAY, ORDINARY, WEEK, pace, rate
from watchdeck.demo.history.timeline import EVERY, INCIDENTS, OPTIMISED, PHASES, Incident

if TYPE_CHECKING:
    import numpy as np

    from watchdeck.demo.history.array_types import Flags, Floats, Integers

_A_DAY = DAY * 1_000
_IN_A_WEEK = WEEK * 1_000 // EVERY

_KNEE = 0.003
"""How sharply a crowded model becomes slow: within a quarter of an hour of a working morning."""

_ASKED_WANDERS = 0.04
_LATENCY_WANDERS = 0.006

_HOME = 180
"""Scrapes before the end in which all wandering dies away, so that the live fleet goes on there."""


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

    count = days * _A_DAY // EVERY
    times = now - EVERY * np.arange(count - 1, -1, -1, dtype=np.int64)
    of = {trouble: np.zeros(count, np.bool_) for trouble in FaultKind}
    median = part.load.latency * _weekly(lambda at: pace(part.load, at), times)
    median *= _wandering(random, count, _LATENCY_WANDERS)
    for incident, minutes in _incidents(part.name, times, now):
        of[incident.trouble] |= minutes
        if incident.trouble is FaultKind.SLOW:
            median[minutes] *= _climb(incident.peak, int(minutes.sum()))
    asked = _weekly(lambda at: rate(part.load, at), times)
    if part.name == OPTIMISED:
        median *= _optimised(times, asked / part.load.rate, now)
    asked *= _wandering(random, count, _ASKED_WANDERS)
    asked[of[FaultKind.QUIET]] = 0
    return TrafficHistory(times, asked, median, ~of[FaultKind.HANGS], ~of[FaultKind.UNLOADED])


def _weekly(profile: Callable[[float], float], times: Integers) -> Floats:
    """A profile that is the same every week, worked out for one."""
    import numpy as np

    week = np.fromiter(map(profile, (times[:_IN_A_WEEK] / 1_000).tolist()), np.float64)
    return np.resize(week, len(times))


def _wandering(random: np.random.Generator, count: int, share: float) -> Floats:
    """Factors around 1 that drift from hour to hour, and come home to 1 at the end."""
    import numpy as np

    hours = random.standard_normal(count // 60 + 2) * share
    drift = np.interp(np.arange(count) / 60, np.arange(len(hours)), hours)
    home = np.minimum(1.0, np.arange(count - 1, -1, -1) / _HOME)
    wandered: Floats = 1 + drift * home
    return wandered


def _incidents(name: str, times: Integers, now: int) -> Iterator[tuple[Incident, Flags]]:
    midnight = now - now % _A_DAY
    for incident in INCIDENTS:
        start = midnight - incident.days * _A_DAY + incident.minute * 60_000
        minutes = (times >= start) & (times < start + incident.minutes * 60_000)
        if incident.endpoint == name and minutes.any():
            yield incident, minutes


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
