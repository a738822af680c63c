"""The conditions of rules, each evaluated on the scrapes of one endpoint: true, false or unknown.

`truth` runs ten thousand times a second and makes no object. A `Measurement`, with the reason in
words, is made only where an episode is open or opens.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from msgspec import Struct

from watchdeck.domain.alerts.lifecycle import Evaluation
from watchdeck.domain.board.health import UNREADABLE_OUTCOMES, is_foreign_answer
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Absent, Burn, FailedScrapes, Limit, Threshold
from watchdeck.domain.rules.tokens import decimal
from watchdeck.domain.settings.endpoint import Slo
from watchdeck.domain.values.format import distinct_texts, format_comparison, format_duration
from watchdeck.domain.values.units import Unit
from watchdeck.engine.rules.burn_rate import BudgetConsumption, BurnRate, ErrorBudget
from watchdeck.engine.rules.sample_window import SampleWindow


class ScrapeValues(NamedTuple):
    """One scrape as conditions read it."""

    at: int
    """When the scrape began (ms UTC)."""
    values: array[float]
    places: Mapping[str, int]
    """The index of each signal in `values`."""
    outcome: str = Outcome.OK.value
    failures: int = 0
    """The failed scrapes in a row up to this one."""
    state: str = ModelState.UNKNOWN.value
    detail: str = ""
    """Why the scrape failed; empty when it succeeded."""
    state_detail: str = ""
    """Details of the state; empty when the server gives none."""
    kind: str | None = None
    """The kind of server; None while it is unknown."""
    server_wide: frozenset[str] = frozenset()
    """Signals that also count other models of the server."""

    def value(self, signal: str) -> float:
        """The value of a signal; NaN where the scrape has none."""
        place = self.places.get(signal)
        return math.nan if place is None else self.values[place]


class EndpointCondition(Protocol):
    """The condition of a rule, bound to one endpoint."""

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: FBT001
        """Whether the condition is true at `now` (ms UTC); None when unknown.

        `held` says whether the condition was true before.
        """

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:
        """The value, the limit and the reason in words, also while the condition is false."""


class Measurement(NamedTuple):
    """The value, limit and reason of an evaluation; `samples` is the number of samples it needs."""

    value: float | None
    limit: float | None
    why: str
    samples: int = 1


def evaluate(
    condition: EndpointCondition,
    truth: bool | None,  # noqa: FBT001 - unknown is a third value
    sample: ScrapeValues,
    now: int,
) -> Evaluation:
    """Measure a condition whose `truth` is known already, and return both as one evaluation."""
    measured = condition.measure(sample, now)
    return Evaluation(truth, measured.value, measured.limit, measured.why, now, measured.samples)


def limit_for(limit: Limit, signal: str, slo: Slo) -> float | None:
    """A limit as a number for an endpoint; None when it depends on an SLO that is not set."""
    if limit.promises is None:
        return limit.value
    if signal == "availability":
        return None if slo.availability is None else 1 - limit.promises * (1 - slo.availability)
    if signal == "latency_p95":
        return None if slo.latency_p95 is None else limit.promises * slo.latency_p95.seconds
    share = slo.error_ratio if signal == "error_ratio" else None
    return None if share is None else limit.promises * share


MINIMUM_FAILURES = 3
"""Failed events that a share of failures needs to pass a limit: one of four proves little."""

_FAILURE_SHARES = ("error_ratio", "client_error_ratio")


class ThresholdCondition(Struct, frozen=True):
    """True from when a signal passes `limit` until it is back past `clear`.

    A quantile passes a limit only when its whole bucket does, or the mean of the same durations;
    while the limit lies in the bucket, the condition is unknown. A limit that depends on the SLO of
    a model is never compared with a figure of the whole server.
    """

    test: Threshold
    signal: str
    limit: float
    clear: float
    is_promise: bool = False
    """Whether the limit depends on the SLO."""

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the value is past the limit; None without a value, or while it cannot be told."""
        place = sample.places.get(self.signal)
        value = math.nan if place is None else sample.values[place]
        if value != value or (self.is_promise and self.signal in sample.server_wide):  # noqa: PLR0124
            return None
        limit = self.clear if held else self.limit
        if SIGNALS[self.signal].bounded:
            return self._bounded_truth(sample, value, limit)
        if value > limit:
            return self.test.above and (held or self._has_failures(sample, value))
        return value < limit and not self.test.above

    def _bounded_truth(self, sample: ScrapeValues, value: float, limit: float) -> bool | None:
        low, high = sample.value(f"{self.signal}.low"), sample.value(f"{self.signal}.high")
        if math.isnan(low) and math.isnan(high):
            return value > limit if self.test.above else value < limit
        if low >= limit:
            return self.test.above
        if high <= limit:
            return not self.test.above
        is_latency = self.signal.startswith("latency_")
        if is_latency and sample.value("latency_mean") > limit:
            return self.test.above
        return None

    def _has_failures(self, sample: ScrapeValues, value: float) -> bool:
        """Whether a share of failures has enough of them; true of every other signal."""
        if self.signal not in _FAILURE_SHARES:
            return True
        events = sample.value(f"{self.signal}.events")
        return math.isnan(events) or value * events >= MINIMUM_FAILURES - 0.5

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The value against the limit: `latency_p95 412 ms > 200 ms`."""
        value = sample.value(self.signal)
        if self.signal == "up":
            return Measurement(value, self.limit, _page_words(sample))
        measured = threshold_measurement(self.test, value, self.limit)
        mean = sample.value("latency_mean")
        if self.signal.startswith("latency_") and value <= self.limit < mean and self.test.above:
            by_mean = format_comparison("latency_mean", mean, self.limit, Unit.SECONDS, above=True)
            measured = measured._replace(why=f"{by_mean}, so {self.signal} is above it too")
        if self.signal in sample.server_wide:
            return measured._replace(why=f"{measured.why} (server-wide)")
        return measured


def _page_words(sample: ScrapeValues) -> str:
    """Whether the page of a server could be read, and why not."""
    if sample.outcome == Outcome.OK:
        return "its page can be read"
    return f"its page cannot be read: {sample.detail or sample.outcome}"


class WindowCondition(Struct, frozen=True):
    """True when an aggregate over a window of at least `min_samples` samples is past a limit."""

    test: Threshold
    limit: float
    clear: float
    min_samples: int
    window: SampleWindow

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the aggregate is past the limit; None without enough samples."""
        if not held and self.window.is_quiet(now):
            return (
                False if self.window.has_enough(self.test.window, now, self.min_samples) else None
            )
        value = self.window.aggregate(self.test.aggregate, self.test.window, now, self.min_samples)
        if value is None:
            return None
        limit = self.clear if held else self.limit
        return value > limit if self.test.above else value < limit

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The aggregate against the limit: `latency_p95 412 ms > 200 ms (avg over 10m)`."""
        value = self.window.aggregate(self.test.aggregate, self.test.window, now, self.min_samples)
        value = math.nan if value is None else value
        measured = threshold_measurement(self.test, value, self.limit)
        over = f" ({self.test.aggregate} over {format_duration(self.test.window)})"
        return measured._replace(why=measured.why + over, samples=self.min_samples)


def threshold_measurement(test: Threshold, value: float, limit: float) -> Measurement:
    """The value (None for NaN), the limit, and both in words: `latency_p95 412 ms > 200 ms`.

    `test` names the signal, and whether values above or below the limit are bad.
    """
    known = None if math.isnan(value) else value
    past = known is None or (known > limit if test.above else known < limit)
    words = format_comparison(
        test.signal, known, limit, SIGNALS[test.signal].unit, above=test.above is past
    )
    return Measurement(known, limit, words)


class BurnRateCondition(Struct, frozen=True):
    """True when the error budget burns too fast in both windows of any pair."""

    test: Burn
    budget: ErrorBudget
    consumption: BudgetConsumption

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether any pair burns too fast; None when there are too few events to say no."""
        if not held and self.consumption.is_quiet:
            return False if self.consumption.complete else None
        return self.consumption.burns_too_fast(self.test.pairs, self.budget)

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The burn rate of the worst pair against its factor; no value with too few events."""
        rates = self.consumption.burn_rates(self.test.pairs, self.budget)
        if not rates:
            return Measurement(None, None, f"{self.test.signal} budget: too few events")
        worst = max(rates, key=_relative_rate)
        pair = worst.pair
        rate, factor = _rate_text(worst.slower), _rate_text(pair.factor)
        if rate == factor and worst.slower != pair.factor:
            rate, factor = distinct_texts(worst.slower, pair.factor, "{}x".format)
        words = (
            f"{self.test.signal} budget burns {rate}"
            f" {'>' if worst.slower > pair.factor else '<'} {factor}"
            f" ({_rate_text(worst.long)} over {format_duration(min(pair.long, worst.covered))},"
            f" {_rate_text(worst.short)} over {format_duration(min(pair.short, worst.covered))})"
        )
        return Measurement(worst.slower, pair.factor, words, self.budget.min_samples)


def _relative_rate(rate: BurnRate) -> float:
    return rate.slower / rate.pair.factor


def _rate_text(rate: float) -> str:
    return "∞x" if math.isinf(rate) else f"{decimal(float(f'{rate:.3g}'))}x"


class AbsentCondition(Struct):
    """True when there was no scrape for too long, not even a failed one."""

    test: Absent
    every: int
    """The scrape interval (ms)."""
    seen_at: int
    """When the last scrape began (ms UTC); until the first one, when the observation began."""

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool:  # noqa: ARG002, FBT001
        """Whether the last scrape is older than `after`; never unknown."""
        self.seen_at = max(sample.at, self.seen_at)
        return now - self.seen_at > self.after

    @property
    def after(self) -> int:
        """Milliseconds without a scrape after which the condition is true."""
        return self.test.after or 3 * self.every

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The seconds since the last scrape, against the most that are allowed."""
        quiet = now - self.seen_at
        words = (
            f"no sample for {format_duration(quiet)} (expected every {format_duration(self.every)})"
        )
        if quiet <= self.after:
            words = f"samples come every {format_duration(self.every)} again"
        return Measurement(quiet / 1_000, self.after / 1_000, words)


class DownCondition(Struct, frozen=True):
    """True after several failed scrapes in a row, or when the model says that it is not ready."""

    test: FailedScrapes

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the model is down; None when it is unknown.

        Unknown after too few failures, while the model is loading, when the metrics page of a ready
        model cannot be read, and when what answers is not a model server.
        """
        if sample.state == _NOT_READY:
            return True
        if sample.state == _LOADING:
            return None if held or sample.failures else False
        if not sample.failures:
            return False
        if is_foreign_answer(sample.kind, sample.outcome, sample.detail):
            return None
        unread = sample.outcome in UNREADABLE_OUTCOMES and sample.state == _READY
        return True if sample.failures >= self.test.failures and not unread else None

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The number of failed scrapes with the reason, or the report of the model."""
        if sample.failures:
            words = f"{sample.failures} failed scrapes in a row: {_failure_text(sample)}"
            return Measurement(float(sample.failures), float(self.test.failures), words)
        if sample.state == _NOT_READY:
            detail = f": {sample.state_detail}" if sample.state_detail else ""
            return Measurement(None, None, f"the model says that it is not ready{detail}")
        words = "the model is loading" if sample.state == _LOADING else "the last scrape succeeded"
        return Measurement(0.0, float(self.test.failures), words)


def _failure_text(sample: ScrapeValues) -> str:
    return f"{sample.outcome}: {sample.detail}" if sample.detail else sample.outcome


_NOT_READY, _READY, _LOADING = (
    state.value for state in (ModelState.NOT_READY, ModelState.READY, ModelState.LOADING)
)
