"""One endpoint with the rules that are for it, and what they must remember of its scrapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import OURS, Alert, Episode
from watchdeck.domain.alerts.lifecycle import silent_after
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.rules.labels import alert_labels, labels_of
from watchdeck.domain.rules.rule import (
    Absent,
    Anomaly,
    Burn,
    FailedScrapes,
    NoData,
    Rule,
    Threshold,
    WeekBefore,
)
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.matcher import matches
from watchdeck.engine.rules.anomaly_conditions import (
    AnomalyCondition,
    WeekOverWeekCondition,
    baseline_for,
    bucket_width,
    week_over_week_for,
)
from watchdeck.engine.rules.baseline import SignalBaseline, WeekOverWeek
from watchdeck.engine.rules.burn_rate import BudgetConsumption, ErrorBudget
from watchdeck.engine.rules.conditions import (
    AbsentCondition,
    BurnRateCondition,
    DownCondition,
    EndpointCondition,
    ScrapeValues,
    ThresholdCondition,
    WindowCondition,
    limit_for,
)
from watchdeck.engine.rules.sample_window import SampleWindow

_OK = Outcome.OK.value

LONGEST_STEP = 3
"""Intervals that one sample may stand for, when requests are counted by their rate."""


CheckTruth = Callable[[ScrapeValues, int, bool], bool | None]
"""The question of a check: is it true of a scrape, now, having been true before or not?"""


class RuleState(Struct, eq=False):
    """One rule on one endpoint: its check, its alert, and the episode that is open.

    `live` are the rules of its endpoint that have an open episode, by fingerprint. `ended` is the
    newest episode that is over; `timed` tells that time alone can make it true.
    """

    rule: Rule
    check: EndpointCondition
    truth: CheckTruth
    every: int
    alert: Alert
    timed: bool
    fires_on_silence: bool
    live: dict[str, RuleState]
    episode: Episode | None = None
    ended: Episode | None = None
    saved_at: int = 0

    def hold(self, episode: Episode | None) -> None:
        """Have this episode open, or none."""
        self.episode = episode
        if episode is None:
            self.live.pop(self.alert.fingerprint, None)
        else:
            self.live[self.alert.fingerprint] = self

    def keep(self, episode: Episode) -> None:
        """Remember what became of an episode: it is the one that is open, or the one before."""
        if episode.is_open:
            self.hold(episode)
        else:
            self.hold(None)
            self.ended = episode


class Target(Struct, eq=False):
    """An endpoint, its newest sample, and what its rules look back on.

    `live` are those of its rules that have an open episode, by fingerprint. `good_at` is when it
    last gave a good sample, and `patience` for how long (ms) nothing may come before something is
    made of that. `restored` tells that windows and budgets know what was before this collector
    began, `recalled` that it is known how everything usually is.
    """

    facts: EndpointFacts
    kind: str | None
    judged: tuple[RuleState, ...] = ()
    live: dict[str, RuleState] = field(default_factory=dict)
    windows: dict[str, SampleWindow] = field(default_factory=dict)
    burned: dict[str, BudgetConsumption] = field(default_factory=dict)
    habits: dict[tuple[str, bool], SignalBaseline] = field(default_factory=dict)
    weeks: dict[tuple[str, int], WeekOverWeek] = field(default_factory=dict)
    sample: ScrapeValues | None = None
    good_at: int = 0
    patience: int = 0
    restored: bool = False
    recalled: bool = False

    def take(self, sample: ScrapeValues) -> None:
        """Remember a new sample, before it is judged; the same one counts once."""
        before, self.sample, at = self.sample, sample, sample.at
        if before is not None and before.at == at:
            return
        if sample.outcome == _OK:
            self.good_at = max(self.good_at, at)
        for signal, window in self.windows.items():
            place = sample.places.get(signal)
            if place is not None:
                window.add(at, sample.values[place])
        for usual in self.habits.values():
            usual.add(at, sample.value(usual.signal))
        for week in self.weeks.values():
            week.add(at, sample.value(week.signal))
        if self.burned:
            seconds = self._seconds(before, at)
            for measure, burned in self.burned.items():
                counted = COUNTS[measure](sample, seconds)
                if counted is not None:
                    burned.add(at, *counted)

    def _seconds(self, before: ScrapeValues | None, at: int) -> float:
        """How long a sample stands for: since the one before it, but not over a gap."""
        most = LONGEST_STEP * self.facts.every
        passed = self.facts.every if before is None else at - before.at
        return max(0, min(passed, most)) / 1_000


Counted = tuple[float, float] | None
"""What a sample adds to a budget: bad, and all; None when it tells nothing."""


def _probed(sample: ScrapeValues, _: float) -> Counted:
    """A probe is good when it was answered and the model, where it can say so, was ready."""
    good = sample.outcome == _OK and sample.value("ready") != 0
    return (0.0 if good else 1.0), 1.0


def _requested(sample: ScrapeValues, seconds: float) -> Counted:
    """The requests since the sample before, and those of them that failed."""
    requests = sample.value("request_rate") * seconds
    failed = sample.value("error_ratio") * requests
    if math.isnan(requests) or (math.isnan(failed) and requests):
        return None
    return (failed if requests else 0.0), requests


COUNTS: dict[str, Callable[[ScrapeValues, float], Counted]] = {
    "availability": _probed,
    "error_ratio": _requested,
}
"""How a sample counts towards the budget of each signal that an SLO promises a share of."""


def target_for(
    facts: EndpointFacts,
    kind: str | None,
    rules: Iterable[Rule],
    now: int,
    before: Target | None = None,
) -> Target:
    """An endpoint with the rules that are for it and can be judged on it, looked at since `now`.

    What is known of how it usually is it takes over from what it was `before`.
    """
    watched = Target(facts, kind, good_at=now)
    if before is not None and bucket_width(before.facts.every) == bucket_width(facts.every):
        watched.habits, watched.weeks = before.habits, before.weeks
    labels = labels_of(facts, kind)
    watched.judged = tuple(
        _judged(watched, rule, check, labels)
        for rule in rules
        if rule.enabled and matches(rule.match, labels)
        for check in _checks(watched, rule, now)
    )
    watched.patience = min(map(_patience, watched.judged), default=0)
    return watched


def _judged(
    watched: Target, rule: Rule, check: EndpointCondition, labels: dict[str, str]
) -> RuleState:
    name, model = rule.name, watched.facts.name
    alert = Alert(0, OURS, f"{name}/{model}", name, model, alert_labels(rule, labels))
    timed = isinstance(check, AbsentCondition)
    return RuleState(
        rule,
        check,
        check.truth,
        watched.facts.every,
        alert,
        timed,
        rule.no_data is NoData.FIRE or timed,
        watched.live,
    )


def _patience(one: RuleState) -> int:
    """How long (ms) nothing may come before something is made of it."""
    silent = silent_after(one.rule, one.every)
    return min(silent, one.check.after) if isinstance(one.check, AbsentCondition) else silent


def _checks(watched: Target, rule: Rule, now: int) -> Iterator[EndpointCondition]:
    """The check of a rule on an endpoint: none when it rests on a promise that was not made."""
    match rule.test:
        case Threshold():
            yield from _over(watched, rule, rule.test)
        case Burn():
            yield from _burning(watched, rule, rule.test)
        case Absent():
            yield AbsentCondition(rule.test, watched.facts.every, now)
        case FailedScrapes():
            yield DownCondition(rule.test)
        case Anomaly():
            yield _unusual(watched, rule.test)
        case WeekBefore():
            yield _unlike_last_week(watched, rule.test)


def _over(watched: Target, rule: Rule, test: Threshold) -> Iterator[EndpointCondition]:
    slo = watched.facts.slo
    limit = limit_for(test.limit, test.signal, slo)
    clear = limit if test.clear is None else limit_for(test.clear, test.signal, slo)
    if limit is None or clear is None:
        return
    if not test.window:
        yield ThresholdCondition(test, test.signal, limit, clear)
        return
    window = watched.windows.setdefault(test.signal, SampleWindow(test.window, watched.facts.every))
    window.reach(max(test.window, window.span))
    window.heed(limit, above=test.above)
    yield WindowCondition(test, limit, clear, rule.min_samples, window)


def _burning(watched: Target, rule: Rule, test: Burn) -> Iterator[EndpointCondition]:
    slo, every = watched.facts.slo, watched.facts.every
    promised = slo.availability if test.signal == "availability" else slo.error_ratio
    if promised is None:
        return
    share = 1 - promised if test.signal == "availability" else promised
    expected = 1 / every if test.signal == "availability" else 0.0
    burned = watched.burned.setdefault(test.signal, BudgetConsumption())
    burned.heed(test.pairs, share)
    yield BurnRateCondition(test, ErrorBudget(share, expected, rule.min_samples), burned)


def _unusual(watched: Target, test: Anomaly) -> EndpointCondition:
    kept, facts = (test.signal, test.seasonal), watched.facts
    if kept not in watched.habits:
        watched.habits[kept] = baseline_for(facts.name, facts.every, test)
    return AnomalyCondition(test, watched.habits[kept])


def _unlike_last_week(watched: Target, test: WeekBefore) -> EndpointCondition:
    kept, facts = (test.signal, test.window), watched.facts
    if kept not in watched.weeks:
        watched.weeks[kept] = week_over_week_for(facts.name, facts.every, test)
    return WeekOverWeekCondition(test, watched.weeks[kept])
