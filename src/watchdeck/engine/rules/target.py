"""An endpoint as evaluation target: its rules, and the history that their conditions need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import OURS, Alert, Episode
from watchdeck.domain.alerts.lifecycle import no_data_timeout
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.rules.rule import (
    Absent,
    Anomaly,
    Burn,
    FailedScrapes,
    NoData,
    Rule,
    Threshold,
    WeekBefore,
    alert_labels,
    labels_of,
)
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.matcher import matches
from watchdeck.engine.rules.anomaly_conditions import (
    AnomalyCondition,
    WeekOverWeekCondition,
    baseline_for,
    bucket_width,
    week_over_week_for,
)
from watchdeck.engine.rules.baseline import SampleHistory, SignalBaseline, WeekOverWeek
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

MAX_INTERVALS = 3
"""Limit of scrape intervals that one sample stands for, when a rate is turned into a count."""


TruthFunction = Callable[[ScrapeValues, int, bool], bool | None]
"""`EndpointCondition.truth`, bound once: saves an attribute look-up for each sample."""


class RuleState(Struct, eq=False):
    """One rule on one endpoint, with its alert and its open episode."""

    rule: Rule
    condition: EndpointCondition
    truth: TruthFunction
    every: int
    """The scrape interval of the endpoint (ms)."""
    alert: Alert
    depends_on_time: bool
    """Whether the condition can become true without a new scrape."""
    fires_on_no_data: bool
    open_states: dict[str, RuleState]
    """The rule states of this endpoint with an open episode, by fingerprint; shared by all."""
    episode: Episode | None = None
    last_ended: Episode | None = None
    saved_at: int = 0
    """When the episode was last written (ms UTC)."""

    def set_episode(self, episode: Episode | None) -> None:
        """Set the open episode; None when there is none."""
        self.episode = episode
        if episode is None:
            self.open_states.pop(self.alert.fingerprint, None)
        else:
            self.open_states[self.alert.fingerprint] = self

    def update_episode(self, episode: Episode) -> None:
        """Store a changed episode: as the open one, or as `last_ended` when it has ended."""
        if episode.is_open:
            self.set_episode(episode)
        else:
            self.set_episode(None)
            self.last_ended = episode


class Target(Struct, eq=False):
    """An endpoint, its newest sample, its rules, and the history that they need."""

    facts: EndpointFacts
    kind: str | None
    """The kind of server; None while it is unknown."""
    rule_states: tuple[RuleState, ...] = ()
    open_states: dict[str, RuleState] = field(default_factory=dict)
    """The rule states that have an open episode, by fingerprint."""
    windows: dict[str, SampleWindow] = field(default_factory=dict)
    """Recent samples, by signal."""
    budgets: dict[str, BudgetConsumption] = field(default_factory=dict)
    """Error budgets, by SLO signal."""
    baselines: dict[tuple[str, bool], SignalBaseline] = field(default_factory=dict)
    """Baselines, by signal and whether seasonal."""
    week_comparisons: dict[tuple[str, int], WeekOverWeek] = field(default_factory=dict)
    """Comparisons with the week before, by signal and window (ms)."""
    sample: ScrapeValues | None = None
    last_good_at: int = 0
    """When the last successful scrape began (ms UTC)."""
    silence_limit: int = 0
    """Milliseconds without a scrape after which the first rule reacts."""
    windows_restored: bool = False
    """Whether windows and budgets include the history before this collector started."""
    baselines_restored: bool = False

    def add_sample(self, sample: ScrapeValues) -> None:
        """Add a new sample, before rules are evaluated; a repeated one is ignored."""
        before, self.sample, at = self.sample, sample, sample.at
        if before is not None and before.at == at:
            return
        if sample.outcome == _OK:
            self.last_good_at = max(self.last_good_at, at)
        for signal, window in self.windows.items():
            place = sample.places.get(signal)
            if place is not None:
                window.add(at, sample.values[place])
        for history in self.histories:
            history.add(at, sample.value(history.signal))
        if self.budgets:
            seconds = self._seconds(before, at)
            for signal, budget in self.budgets.items():
                count = BUDGET_COUNTERS[signal](sample, seconds)
                if count is not None:
                    budget.add(at, *count)

    @property
    def histories(self) -> tuple[SampleHistory, ...]:
        """All baselines and week-over-week comparisons."""
        return (*self.baselines.values(), *self.week_comparisons.values())

    def _seconds(self, before: ScrapeValues | None, at: int) -> float:
        """Seconds since the sample before, at most MAX_INTERVALS scrape intervals."""
        longest = MAX_INTERVALS * self.facts.every
        passed = self.facts.every if before is None else at - before.at
        return max(0, min(passed, longest)) / 1_000


BudgetCount = tuple[float, float] | None
"""The bad events and all events that a sample adds to a budget; None when unknown."""


def _count_probe(sample: ScrapeValues, _: float) -> BudgetCount:
    """One probe; good when the scrape succeeded and the model did not report "not ready"."""
    good = sample.outcome == _OK and sample.value("ready") != 0
    return (0.0 if good else 1.0), 1.0


def _count_requests(sample: ScrapeValues, seconds: float) -> BudgetCount:
    """The failed requests and all requests since the sample before."""
    requests = sample.value("request_rate") * seconds
    failed = sample.value("error_ratio") * requests
    if math.isnan(requests) or (math.isnan(failed) and requests):
        return None
    return (failed if requests else 0.0), requests


BUDGET_COUNTERS: dict[str, Callable[[ScrapeValues, float], BudgetCount]] = {
    "availability": _count_probe,
    "error_ratio": _count_requests,
}
"""The counter of each SLO signal that has an error budget."""


def target_for(
    facts: EndpointFacts,
    kind: str | None,
    rules: Iterable[Rule],
    now: int,
    before: Target | None = None,
) -> Target:
    """Build the target of an endpoint, with the enabled rules that match and apply to it.

    `now` (ms UTC) counts as the time of its last good scrape. `before` is the former target of the
    endpoint, whose baselines are kept if their buckets have the same width.
    """
    target = Target(facts, kind, last_good_at=now)
    if before is not None and bucket_width(before.facts.every) == bucket_width(facts.every):
        target.baselines, target.week_comparisons = before.baselines, before.week_comparisons
    labels = labels_of(facts, kind)
    target.rule_states = tuple(
        _rule_state(target, rule, condition, labels)
        for rule in rules
        if rule.enabled and matches(rule.match, labels)
        for condition in _conditions(target, rule, now)
    )
    target.silence_limit = min(map(_silence_limit, target.rule_states), default=0)
    return target


def _rule_state(
    target: Target, rule: Rule, condition: EndpointCondition, labels: dict[str, str]
) -> RuleState:
    name, model = rule.name, target.facts.name
    alert = Alert(0, OURS, f"{name}/{model}", name, model, alert_labels(rule, labels))
    depends_on_time = isinstance(condition, AbsentCondition)
    return RuleState(
        rule,
        condition,
        condition.truth,
        target.facts.every,
        alert,
        depends_on_time,
        rule.no_data is NoData.FIRE or depends_on_time,
        target.open_states,
    )


def _silence_limit(one: RuleState) -> int:
    """Milliseconds without a scrape after which the rule reacts."""
    silent = no_data_timeout(one.rule, one.every)
    return (
        min(silent, one.condition.after) if isinstance(one.condition, AbsentCondition) else silent
    )


def _conditions(target: Target, rule: Rule, now: int) -> Iterator[EndpointCondition]:
    """The condition of a rule on an endpoint; none when the rule needs an SLO that is not set."""
    match rule.test:
        case Threshold():
            yield from _threshold_condition(target, rule, rule.test)
        case Burn():
            yield from _burn_rate_condition(target, rule, rule.test)
        case Absent():
            yield AbsentCondition(rule.test, target.facts.every, now)
        case FailedScrapes():
            yield DownCondition(rule.test)
        case Anomaly():
            yield _anomaly_condition(target, rule.test)
        case WeekBefore():
            yield _week_over_week_condition(target, rule.test)


def _threshold_condition(
    target: Target, rule: Rule, test: Threshold
) -> Iterator[EndpointCondition]:
    slo = target.facts.slo
    limit = limit_for(test.limit, test.signal, slo)
    clear = limit if test.clear is None else limit_for(test.clear, test.signal, slo)
    if limit is None or clear is None:
        return
    if not test.window:
        is_promise = test.limit.promises is not None
        yield ThresholdCondition(test, test.signal, limit, clear, is_promise)
        return
    window = target.windows.setdefault(test.signal, SampleWindow(test.window, target.facts.every))
    window.set_span(max(test.window, window.span))
    window.register_limit(limit, above=test.above)
    yield WindowCondition(test, limit, clear, rule.min_samples, window)


def _burn_rate_condition(target: Target, rule: Rule, test: Burn) -> Iterator[EndpointCondition]:
    slo, every = target.facts.slo, target.facts.every
    objective = slo.availability if test.signal == "availability" else slo.error_ratio
    if objective is None:
        return
    share = 1 - objective if test.signal == "availability" else objective
    expected = 1 / every if test.signal == "availability" else 0.0
    consumption = target.budgets.setdefault(test.signal, BudgetConsumption())
    consumption.register_pairs(test.pairs, share)
    yield BurnRateCondition(test, ErrorBudget(share, expected, rule.min_samples), consumption)


def _anomaly_condition(target: Target, test: Anomaly) -> EndpointCondition:
    key, facts = (test.signal, test.seasonal), target.facts
    if key not in target.baselines:
        target.baselines[key] = baseline_for(facts.name, facts.every, test)
    return AnomalyCondition(test, target.baselines[key])


def _week_over_week_condition(target: Target, test: WeekBefore) -> EndpointCondition:
    key, facts = (test.signal, test.window), target.facts
    if key not in target.week_comparisons:
        target.week_comparisons[key] = week_over_week_for(facts.name, facts.every, test)
    return WeekOverWeekCondition(test, target.week_comparisons[key])
