"""One rule on one endpoint: is it true of a scrape, false, or can it not be told?

A truth is asked for ten thousand times a second and makes no object; a finding, which says why in
words, is made only where an episode is open or opens.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from watchdeck.domain.endpoint import Slo
from watchdeck.domain.judge import CANNOT_READ
from watchdeck.domain.lifecycle import Finding
from watchdeck.domain.limits import decimal
from watchdeck.domain.rule import Absent, Burn, Down, Limit, Threshold
from watchdeck.domain.scrape import ModelState, Outcome
from watchdeck.domain.signal import SIGNALS
from watchdeck.domain.words import quantity, span
from watchdeck.engine.burning import Budget, Burned, Speed
from watchdeck.engine.windows import Window


class Sample(NamedTuple):
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


class Check(Protocol):
    """A test of a rule, made for one endpoint."""

    def truth(self, sample: Sample, now: int, held: bool) -> bool | None:  # noqa: FBT001
        """Whether it is true at `now` (ms UTC); `held` tells that it was true before."""

    def said(self, sample: Sample, now: int) -> Said:
        """The figures and the words of it, whether true or not."""


class Said(NamedTuple):
    """What a finding says besides its truth."""

    value: float | None
    limit: float | None
    why: str
    samples: int = 1


def finding(check: Check, truth: bool | None, sample: Sample, now: int) -> Finding:  # noqa: FBT001
    """A truth with its figures and words."""
    said = check.said(sample, now)
    return Finding(truth, said.value, said.limit, said.why, now, said.samples)


def bound(limit: Limit, signal: str, slo: Slo) -> float | None:
    """What a limit is for an endpoint; None when it is of a promise that was not made."""
    if limit.promises is None:
        return limit.value
    if signal == "availability":
        return None if slo.availability is None else 1 - limit.promises * (1 - slo.availability)
    if signal == "latency_p95":
        return None if slo.latency_p95 is None else limit.promises * slo.latency_p95.seconds
    share = slo.error_ratio if signal == "error_ratio" else None
    return None if share is None else limit.promises * share


@dataclass(frozen=True, slots=True)
class Over:
    """A signal past a limit; `window` is None where only the newest sample counts.

    Once true it is true until it is back past `clear`.
    """

    test: Threshold
    limit: float
    clear: float
    least: int = 1
    window: Window | None = None

    def truth(self, sample: Sample, now: int, held: bool) -> bool | None:  # noqa: FBT001
        """Whether the value is past the limit; None when there is no value."""
        value = self._value(sample, now)
        if value is None or value != value:  # noqa: PLR0124 - only NaN is not itself
            return None
        limit = self.clear if held else self.limit
        return value > limit if self.test.above else value < limit

    def said(self, sample: Sample, now: int) -> Said:
        """The value against the limit: `latency_p95 412 ms > 200 ms (avg over 10m)`."""
        value = self._value(sample, now)
        known = None if value is None or math.isnan(value) else value
        test, unit = self.test, SIGNALS[self.test.signal].unit
        past = known is None or (known > self.limit if test.above else known < self.limit)
        sign = ">" if test.above is past else "<"
        over = f" ({test.aggregate} over {span(test.window)})" if test.window else ""
        words = f"{test.signal} {quantity(known, unit)} {sign} {quantity(self.limit, unit)}{over}"
        return Said(known, self.limit, words)

    def _value(self, sample: Sample, now: int) -> float | None:
        if self.window is None:
            place = sample.places.get(self.test.signal)
            return None if place is None else sample.values[place]
        return self.window.read(self.test.aggregate, self.test.window, now, self.least)


@dataclass(frozen=True, slots=True)
class Burning:
    """The error budget burns too fast in both windows of any pair."""

    test: Burn
    budget: Budget
    burned: Burned

    def truth(self, sample: Sample, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether any pair is too fast; None when too little was seen to say that none is."""
        speeds = self.burned.speeds(self.test.pairs, self.budget)
        if speeds is None:
            return False
        if any(speed.too_fast for speed in speeds):
            return True
        known = len(speeds) == len(self.test.pairs) and self.burned.complete
        return False if known else None

    def said(self, sample: Sample, now: int) -> Said:  # noqa: ARG002
        """How fast the worst pair burns, over either window, against its limit."""
        speeds = self.burned.speeds(self.test.pairs, self.budget) or ()
        if not speeds:
            return Said(None, None, f"{self.test.signal} budget: nothing lost in 3d")
        worst = max(speeds, key=_share)
        pair = worst.pair
        words = (
            f"{self.test.signal} budget burns {_times(worst.least)}"
            f" {'>' if worst.too_fast else '<'} {_times(pair.factor)}"
            f" ({_times(worst.long)} over {span(pair.long)},"
            f" {_times(worst.short)} over {span(pair.short)})"
        )
        return Said(worst.least, pair.factor, words)


def _share(speed: Speed) -> float:
    return speed.least / speed.pair.factor


def _times(speed: float) -> str:
    return "∞x" if math.isinf(speed) else f"{decimal(float(f'{speed:.3g}'))}x"


@dataclass(slots=True)
class Gone:
    """No good sample for too long; `good_at` is when the last one came, or we began to look."""

    test: Absent
    every: int
    good_at: int

    def truth(self, sample: Sample, now: int, held: bool) -> bool:  # noqa: ARG002, FBT001
        """Whether the last good sample is too old."""
        if sample.outcome == _OK:
            self.good_at = max(sample.at, self.good_at)
        return now - self.good_at > self.after

    @property
    def after(self) -> int:
        """How old (ms) is too old."""
        return self.test.after or 3 * self.every

    def said(self, sample: Sample, now: int) -> Said:
        """For how long there was none, and why."""
        quiet = now - self.good_at
        reason = f": {_failure(sample)}" if sample.failures else ""
        words = f"no good sample for {span(quiet)} (expected every {span(self.every)}){reason}"
        if quiet <= self.after:
            words = f"a good sample {span(quiet)} ago"
        return Said(quiet / 1_000, self.after / 1_000, words)


@dataclass(frozen=True, slots=True)
class Failing:
    """So many failed scrapes in a row, or a model that says itself that it is not ready."""

    test: Down

    def truth(self, sample: Sample, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Fewer failures tell nothing; nor does a page that cannot be read of a ready model."""
        if sample.state == _NOT_READY:
            return True
        if not sample.failures:
            return False
        unread = sample.outcome in CANNOT_READ and sample.state == _READY
        return True if sample.failures >= self.test.failures and not unread else None

    def said(self, sample: Sample, now: int) -> Said:  # noqa: ARG002
        """How often it failed and why, or what the model says."""
        if sample.failures:
            words = f"{sample.failures} failed scrapes in a row: {_failure(sample)}"
            return Said(float(sample.failures), float(self.test.failures), words)
        if sample.state == _NOT_READY:
            told = f": {sample.state_detail}" if sample.state_detail else ""
            return Said(None, None, f"the model says that it is not ready{told}")
        return Said(0.0, float(self.test.failures), "it answers")


def _failure(sample: Sample) -> str:
    return f"{sample.outcome}: {sample.detail}" if sample.detail else sample.outcome


_OK, _NOT_READY, _READY = Outcome.OK.value, ModelState.NOT_READY.value, ModelState.READY.value
