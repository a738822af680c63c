"""One rule on one endpoint: is it true of a scrape, false, or can it not be told?

A truth is asked for ten thousand times a second and makes no object; a finding, which says why in
words, is made only where an episode is open or opens.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from msgspec import Struct

from watchdeck.domain.alerts.lifecycle import Evaluation
from watchdeck.domain.board.health_evaluation import CANNOT_READ
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.limits import decimal
from watchdeck.domain.rules.rule import Absent, Burn, FailedScrapes, Limit, Threshold
from watchdeck.domain.values.format import format_comparison, format_duration
from watchdeck.domain.values.slo import Slo
from watchdeck.engine.rules.burn_rate import BudgetConsumption, BurnRate, ErrorBudget
from watchdeck.engine.rules.sample_window import SampleWindow


class ScrapeValues(NamedTuple):
    """One scrape as checks read it; `places` tells where the value of each column stands."""

    at: int
    values: array[float]
    places: Mapping[str, int]
    outcome: str = Outcome.OK.value
    failures: int = 0
    state: str = ModelState.UNKNOWN.value
    detail: str = ""
    state_detail: str = ""

    def value(self, signal: str) -> float:
        """The value of a signal; NaN where the scrape has none."""
        place = self.places.get(signal)
        return math.nan if place is None else self.values[place]


class EndpointCondition(Protocol):
    """A test of a rule, made for one endpoint."""

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: FBT001
        """Whether it is true at `now` (ms UTC); `held` tells that it was true before."""

    def said(self, sample: ScrapeValues, now: int) -> Measurement:
        """The figures and the words of it, whether true or not."""


class Measurement(NamedTuple):
    """What a finding says besides its truth."""

    value: float | None
    limit: float | None
    why: str
    samples: int = 1


def evaluate(
    check: EndpointCondition,
    truth: bool | None,  # noqa: FBT001 - unknown is a third value
    sample: ScrapeValues,
    now: int,
) -> Evaluation:
    """A truth with its figures and words."""
    said = check.said(sample, now)
    return Evaluation(truth, said.value, said.limit, said.why, now, said.samples)


def limit_for(limit: Limit, signal: str, slo: Slo) -> float | None:
    """What a limit is for an endpoint; None when it is of a promise that was not made."""
    if limit.promises is None:
        return limit.value
    if signal == "availability":
        return None if slo.availability is None else 1 - limit.promises * (1 - slo.availability)
    if signal == "latency_p95":
        return None if slo.latency_p95 is None else limit.promises * slo.latency_p95.seconds
    share = slo.error_ratio if signal == "error_ratio" else None
    return None if share is None else limit.promises * share


class ThresholdCondition(Struct, frozen=True):
    """The newest value of a signal past a limit; once true, until it is back past `clear`."""

    test: Threshold
    signal: str
    limit: float
    clear: float

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the value is past the limit; None when there is no value."""
        place = sample.places.get(self.signal)
        value = math.nan if place is None else sample.values[place]
        limit = self.clear if held else self.limit
        if value > limit:
            return self.test.above
        return None if value != value else value < limit and not self.test.above  # noqa: PLR0124

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The value against the limit: `latency_p95 412 ms > 200 ms`."""
        return comparison(self.test, sample.value(self.signal), self.limit)


class WindowCondition(Struct, frozen=True):
    """An aggregate of a signal over a window past a limit, of `least` samples or more."""

    test: Threshold
    limit: float
    clear: float
    least: int
    window: SampleWindow

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the aggregate is past the limit; None when too little was seen."""
        if not held and self.window.quiet(now):
            return False if self.window.knows(self.test.window, now, self.least) else None
        value = self.window.read(self.test.aggregate, self.test.window, now, self.least)
        if value is None:
            return None
        limit = self.clear if held else self.limit
        return value > limit if self.test.above else value < limit

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The aggregate against the limit: `latency_p95 412 ms > 200 ms (avg over 10m)`."""
        value = self.window.read(self.test.aggregate, self.test.window, now, self.least)
        return self.told(math.nan if value is None else value)

    def told(self, value: float) -> Measurement:
        """A known aggregate against the limit."""
        said = comparison(self.test, value, self.limit)
        over = f" ({self.test.aggregate} over {format_duration(self.test.window)})"
        return said._replace(why=said.why + over, samples=self.least)


def comparison(test: Threshold, value: float, limit: float) -> Measurement:
    """A value against a limit, in words that tell on which side it is."""
    known = None if math.isnan(value) else value
    past = known is None or (known > limit if test.above else known < limit)
    words = format_comparison(
        test.signal, known, limit, SIGNALS[test.signal].unit, above=test.above is past
    )
    return Measurement(known, limit, words)


class BurnRateCondition(Struct, frozen=True):
    """The error budget burns too fast in both windows of any pair."""

    test: Burn
    budget: ErrorBudget
    burned: BudgetConsumption

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether any pair is too fast; None when too little was seen to say that none is."""
        if not held and self.burned.quiet:
            return False if self.burned.complete else None
        return self.burned.too_fast(self.test.pairs, self.budget)

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """How fast the worst pair burns, over either window, against its limit."""
        return self.told(self.burned.speeds(self.test.pairs, self.budget))

    def told(self, speeds: tuple[BurnRate, ...]) -> Measurement:
        """Known speeds, the worst of them in words."""
        if not speeds:
            return Measurement(None, None, f"{self.test.signal} budget: too little was seen")
        worst = max(speeds, key=_share)
        pair = worst.pair
        words = (
            f"{self.test.signal} budget burns {_times(worst.least)}"
            f" {'>' if worst.least > pair.factor else '<'} {_times(pair.factor)}"
            f" ({_times(worst.long)} over {format_duration(pair.long)},"
            f" {_times(worst.short)} over {format_duration(pair.short)})"
        )
        return Measurement(worst.least, pair.factor, words, self.budget.least)


def _share(speed: BurnRate) -> float:
    return speed.least / speed.pair.factor


def _times(speed: float) -> str:
    return "∞x" if math.isinf(speed) else f"{decimal(float(f'{speed:.3g}'))}x"


class AbsentCondition(Struct):
    """No scrape for too long, not even a failed one; `seen_at` is the last, or our first look."""

    test: Absent
    every: int
    seen_at: int

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool:  # noqa: ARG002, FBT001
        """Whether the last scrape is too old."""
        self.seen_at = max(sample.at, self.seen_at)
        return now - self.seen_at > self.after

    @property
    def after(self) -> int:
        """How old (ms) is too old."""
        return self.test.after or 3 * self.every

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """For how long there was none."""
        quiet = now - self.seen_at
        words = (
            f"no sample for {format_duration(quiet)} (expected every {format_duration(self.every)})"
        )
        if quiet <= self.after:
            words = f"samples come every {format_duration(self.every)} again"
        return Measurement(quiet / 1_000, self.after / 1_000, words)


class DownCondition(Struct, frozen=True):
    """So many failed scrapes in a row, or a model that says itself that it is not ready."""

    test: FailedScrapes

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Fewer failures tell nothing; nor does a page that cannot be read of a ready model."""
        if sample.state == _NOT_READY:
            return True
        if not sample.failures:
            return False
        unread = sample.outcome in CANNOT_READ and sample.state == _READY
        return True if sample.failures >= self.test.failures and not unread else None

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """How often it failed and why, or what the model says."""
        if sample.failures:
            words = f"{sample.failures} failed scrapes in a row: {_failure(sample)}"
            return Measurement(float(sample.failures), float(self.test.failures), words)
        if sample.state == _NOT_READY:
            told = f": {sample.state_detail}" if sample.state_detail else ""
            return Measurement(None, None, f"the model says that it is not ready{told}")
        return Measurement(0.0, float(self.test.failures), "it answers")


def _failure(sample: ScrapeValues) -> str:
    return f"{sample.outcome}: {sample.detail}" if sample.detail else sample.outcome


_OK, _NOT_READY, _READY = Outcome.OK.value, ModelState.NOT_READY.value, ModelState.READY.value
