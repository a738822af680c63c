"""The signals of the past: what `domain.derive` makes of each scrape, for all scrapes at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from watchdeck.demo.fleet.metrics_pages import Page
from watchdeck.demo.fleet.traffic import Counts
from watchdeck.demo.history.signal_formulas import FORMULAS, CounterDeltas
from watchdeck.demo.history.timeline import EVERY
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Outcome
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS
from watchdeck.domain.signals.counter_window import MINIMUM_PROBES, span_of
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.values.units import Unit

if TYPE_CHECKING:
    from watchdeck.demo.history.array_types import Floats, Integers
    from watchdeck.demo.history.traffic import TrafficHistory

_HOUR = 3_600_000
_SPAN = span_of(EVERY)

PLACES = {Unit.SECONDS: 5, Unit.RATIO: 5, Unit.PER_SECOND: 3}
"""Decimals that are kept of a unit: finer ones are noise, and noise cannot be packed."""


def signals(
    plan: Plan, page: Page, course: TrafficHistory, counts: Counts[Integers], took: Floats
) -> Floats:
    """The signal frames of a course: a row a scrape, in the order of the plan's signal layout.

    `counts` are those of the answered scrapes alone; `took` is how long each scrape took (s).
    """
    import numpy as np

    out = np.full((len(plan.signal_layout), len(course.times)), np.nan)
    moved = _moved(counts, course.times[course.answered])
    with np.errstate(divide="ignore", invalid="ignore"):
        for formula in FORMULAS[page]:
            for name, values in formula(moved):
                out[plan.slots[name], course.answered] = _rounded(name, values)
    for name, values in _common(plan, course, took).items():
        out[plan.slots[name]] = _rounded(name, values)
    return out.T


def _rounded(name: str, values: Floats) -> Floats:
    signal = SIGNALS.get(name)
    return values if signal is None else values.round(PLACES.get(signal.unit, 0))


def _moved(counts: Counts[Integers], times: Integers) -> CounterDeltas:
    """As the window of `domain` does: the scrape a window ago, or the oldest within two."""
    import numpy as np

    a_window_ago = np.searchsorted(times, times - _SPAN, side="right") - 1
    oldest = np.searchsorted(times, times - 2 * _SPAN, side="left")
    since = np.maximum(a_window_ago, oldest)
    return CounterDeltas(counts, since, (times - times[since]) / 1_000)


def _common(plan: Plan, course: TrafficHistory, took: Floats) -> Mapping[str, Floats]:
    """What every scrape tells, answered or not."""
    import numpy as np

    answered = course.answered
    ok, late = OUTCOME_CODES[Outcome.OK], OUTCOME_CODES[Outcome.TIMED_OUT]
    ready = np.where(answered & ("ready" not in plan.not_measurable), course.loaded * 1.0, np.nan)
    return {
        OUTCOME_COLUMN: np.where(answered, ok, late),
        "up": answered * 1.0,
        "ready": ready,
        "availability": _availability(course),
        "scrape_duration": took,
    }


def _availability(course: TrafficHistory) -> Floats:
    """Good probes among all of the hour before."""
    import numpy as np

    good = np.concatenate([[0], np.cumsum(course.answered & course.loaded)])
    first = np.searchsorted(course.times, course.times - _HOUR, side="right")
    number = np.arange(1, len(good))
    probes = number - first
    return np.where(probes >= MINIMUM_PROBES, (good[number] - good[first]) / probes, np.nan)
