"""Rules over all scrapes of an endpoint at once: where each is true, where it cannot be told."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from watchdeck.domain.board.board import LatestScrape
from watchdeck.domain.metrics.scrape import OUTCOMES, ModelState
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN
from watchdeck.domain.rules.rule import Aggregate
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.engine.restore import COUNTED, budget_counts
from watchdeck.engine.rules.burn_rate import LEVELS, BurnRate, ErrorBudget
from watchdeck.engine.rules.conditions import (
    BurnRateCondition,
    DownCondition,
    EndpointCondition,
    Measurement,
    ScrapeValues,
    ThresholdCondition,
    WindowCondition,
    comparison,
)
from watchdeck.store.metrics.latest import readings

if TYPE_CHECKING:
    from watchdeck.demo.history.array_types import Flags, Floats, Integers


class ReportedState(Struct, frozen=True):
    """What a server says of its model, and why."""

    state: ModelState = ModelState.UNKNOWN
    why: str = ""


class Scrapes(Struct, frozen=True):
    """The scrapes of an endpoint: `columns` names what stands in a row of `values`.

    `failures` counts the failed scrapes in a row; `detail` is why they failed. `told` is what is
    known of the model when it is ready, when it is not, and when nothing was answered.
    """

    facts: EndpointFacts
    columns: tuple[str, ...]
    times: Integers
    values: Floats
    failures: Integers
    detail: str
    told: tuple[ReportedState, ReportedState]

    def latest(self, number: int, values: Floats) -> LatestScrape:
        """A scrape as the judge reads it, with these values."""
        failures = int(self.failures[number])
        ready = values[self.columns.index("ready")] != 0
        told = ReportedState() if failures else self.told[0 if ready else 1]
        return LatestScrape(
            facts=self.facts,
            at=int(self.times[number]),
            outcome=OUTCOMES[int(values[self.columns.index(OUTCOME_COLUMN)])],
            failures=failures,
            signals=readings(self.columns, array("d", values.tobytes())),
            detail=self.detail if failures else "",
            model_state=told.state,
            model_detail=told.why,
        )


class ConditionTrack(Struct, frozen=True):
    """A rule at every scrape: whether it begins to be true, goes on to be, and can be told at all.

    `said` are its figures and words at a scrape.
    """

    begins: Flags
    goes_on: Flags
    known: Flags
    values: Floats
    said: Callable[[int], Measurement]


def evaluate_condition(
    check: EndpointCondition, scrapes: Scrapes, every: int
) -> ConditionTrack | None:
    """A check over scrapes that are `every` so many ms; None of one that is not played."""
    make = _TRACKS.get(type(check))
    return None if make is None else make(check, scrapes, every)


def _over(check: ThresholdCondition, scrapes: Scrapes, _: int) -> ConditionTrack | None:
    import numpy as np

    if check.signal not in scrapes.columns:
        return None
    values = scrapes.values[:, scrapes.columns.index(check.signal)]
    return ConditionTrack(
        _past(values, check.limit, above=check.test.above),
        _past(values, check.clear, above=check.test.above),
        ~np.isnan(values),
        values,
        lambda number: comparison(check.test, float(values[number]), check.limit),
    )


def _past(values: Floats, limit: float, *, above: bool) -> Flags:
    import numpy as np

    with np.errstate(invalid="ignore"):
        return values > limit if above else values < limit


def _over_window(check: WindowCondition, scrapes: Scrapes, every: int) -> ConditionTrack | None:
    import numpy as np

    test = check.test
    if test.signal not in scrapes.columns:
        return None
    column = scrapes.values[:, scrapes.columns.index(test.signal)]
    width = -(-test.window // every)
    count = np.arange(1, len(column) + 1)
    first = np.maximum(count - width, 0)
    there = ~np.isnan(column)
    seen = _sums(there, first)
    values = _aggregated(test.aggregate, column, there, first, width)
    reach = (count - np.minimum(_next(there)[first], count)) * every
    known = (seen >= max(1, check.least)) & (2 * reach >= test.window)
    return ConditionTrack(
        _past(values, check.limit, above=test.above),
        _past(values, check.clear, above=test.above),
        known,
        values,
        lambda number: check.told(float(values[number])),
    )


def _sums(values: Floats | Flags, first: Integers) -> Floats:
    """The sum from `first` to each."""
    import numpy as np

    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    found: Floats = sums[1:] - sums[first]
    return found


def _next(there: Flags) -> Integers:
    """For each, the number of the next one that is there, itself included."""
    import numpy as np

    numbers = np.where(there, np.arange(len(there)), len(there))
    found: Integers = np.minimum.accumulate(numbers[::-1])[::-1]
    return found


def _aggregated(
    aggregate: Aggregate, column: Floats, there: Flags, first: Integers, width: int
) -> Floats:
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    if aggregate is Aggregate.MEAN:
        with np.errstate(invalid="ignore"):
            return _sums(np.where(there, column, 0.0), first) / _sums(there, first)
    sign = 1.0 if aggregate is Aggregate.MOST else -1.0
    padded = np.concatenate([np.full(width - 1, -np.inf), np.where(there, sign * column, -np.inf)])
    found: Floats = sign * sliding_window_view(padded, width).max(axis=1)
    return found


def _burning(check: BurnRateCondition, scrapes: Scrapes, every: int) -> ConditionTrack:
    import numpy as np

    missing = np.full(len(scrapes.times), np.nan)
    columns = {
        name: scrapes.values[:, scrapes.columns.index(name)] if name in scrapes.columns else missing
        for name in COUNTED
    }
    counts = budget_counts(check.test.signal, scrapes.times, columns, every)
    speeds = [
        (
            pair,
            _speed(check.budget, counts, scrapes.times, pair.long),
            _speed(check.budget, counts, scrapes.times, pair.short),
        )
        for pair in check.test.pairs
    ]
    least = np.array([np.minimum(long, short) for _, long, short in speeds])
    factors = np.array([[pair.factor] for pair, _, _ in speeds])
    fast: Flags = np.asarray((least > factors).any(axis=0))
    known = fast | ~np.isnan(least).any(axis=0)

    def said(number: int) -> Measurement:
        found = (
            BurnRate(pair, float(long[number]), float(short[number]))
            for pair, long, short in speeds
        )
        return check.told(tuple(one for one in found if one.least == one.least))

    return ConditionTrack(fast, fast, known, np.nan_to_num(least).max(axis=0), said)


def _speed(
    budget: ErrorBudget, counts: tuple[Floats, Floats], times: Integers, span: int
) -> Floats:
    """How fast a budget burned over a window before each scrape; NaN where too little came."""
    import numpy as np

    width = next(width for width, reach in LEVELS if reach >= span)
    first = times.searchsorted(((times - span) // width + 1) * width)
    bad, total = (_sums(part, first) for part in counts)
    lost = budget.share * np.maximum(total, budget.expected * span)
    enough = (total >= budget.least) & (total > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(enough, np.where(bad > 0, bad / lost, 0.0), np.nan)


def _failing(check: DownCondition, scrapes: Scrapes, _: int) -> ConditionTrack:
    import numpy as np

    not_ready = (scrapes.values[:, scrapes.columns.index("ready")] == 0) & (scrapes.failures == 0)
    failed = scrapes.failures >= check.test.failures
    true = failed | not_ready

    def said(number: int) -> Measurement:
        latest = scrapes.latest(number, scrapes.values[number])
        sample = ScrapeValues(
            *(latest.at, array("d"), {}, latest.outcome.value, latest.failures),
            *(latest.model_state.value, latest.detail, latest.model_detail),
        )
        return check.said(sample, latest.at)

    known = true | (scrapes.failures == 0)
    return ConditionTrack(true, true, known, scrapes.failures.astype(np.float64), said)


_TRACKS: Mapping[type, Callable[[Any, Scrapes, int], ConditionTrack | None]] = {
    ThresholdCondition: _over,
    WindowCondition: _over_window,
    BurnRateCondition: _burning,
    DownCondition: _failing,
}
