"""One endpoint with the rules that are for it, and what they must remember of its scrapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from watchdeck.domain.alerts.alert import OURS, Alert, Episode
from watchdeck.domain.alerts.lifecycle import silent_after
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.rules.labels import alert_labels, labels_of
from watchdeck.domain.rules.rule import (
    Absent,
    Anomaly,
    Burn,
    Down,
    NoData,
    Rule,
    Threshold,
    WeekBefore,
)
from watchdeck.domain.settings.facts import Facts
from watchdeck.domain.values.matcher import matches
from watchdeck.engine.rules.anomaly_conditions import UnlikeLastWeek, Unusual, habit, stretch, weeks
from watchdeck.engine.rules.baseline import Habit, Weeks
from watchdeck.engine.rules.burn_rate import Budget, Burned
from watchdeck.engine.rules.conditions import (
    Burning,
    Check,
    Failing,
    Gone,
    Over,
    OverWindow,
    Sample,
    bound,
)
from watchdeck.engine.rules.sample_window import Window

_OK = Outcome.OK.value

LONGEST_STEP = 3
"""Intervals that one sample may stand for, when requests are counted by their rate."""


Truth = Callable[[Sample, int, bool], bool | None]
"""The question of a check: is it true of a scrape, now, having been true before or not?"""


@dataclass(slots=True, eq=False)
class Judged:
    """One rule on one endpoint: its check, its alert, and the episode that is open.

    `live` are the rules of its endpoint that have an open episode, by fingerprint. `ended` is the
    newest episode that is over; `timed` tells that time alone can make it true.
    """

    rule: Rule
    check: Check
    every: int
    alert: Alert
    timed: bool
    fires_on_silence: bool
    live: dict[str, Judged]
    episode: Episode | None = None
    ended: Episode | None = None
    saved_at: int = 0
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.truth = self.check.truth

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


@dataclass(slots=True, eq=False)
class Watched:
    """An endpoint, its newest sample, and what its rules look back on.

    `live` are those of its rules that have an open episode, by fingerprint. `good_at` is when it
    last gave a good sample, and `patience` for how long (ms) nothing may come before something is
    made of that. `restored` tells that windows and budgets know what was before this collector
    began, `recalled` that it is known how everything usually is.
    """

    facts: Facts
    kind: str | None
    judged: tuple[Judged, ...] = ()
    live: dict[str, Judged] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)
    burned: dict[str, Burned] = field(default_factory=dict)
    habits: dict[tuple[str, bool], Habit] = field(default_factory=dict)
    weeks: dict[tuple[str, int], Weeks] = field(default_factory=dict)
    sample: Sample | None = None
    good_at: int = 0
    patience: int = 0
    restored: bool = False
    recalled: bool = False

    def take(self, sample: Sample) -> None:
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

    def _seconds(self, before: Sample | None, at: int) -> float:
        """How long a sample stands for: since the one before it, but not over a gap."""
        most = LONGEST_STEP * self.facts.every
        passed = self.facts.every if before is None else at - before.at
        return max(0, min(passed, most)) / 1_000


Counted = tuple[float, float] | None
"""What a sample adds to a budget: bad, and all; None when it tells nothing."""


def _probed(sample: Sample, _: float) -> Counted:
    """A probe is good when it was answered and the model, where it can say so, was ready."""
    good = sample.outcome == _OK and sample.value("ready") != 0
    return (0.0 if good else 1.0), 1.0


def _requested(sample: Sample, seconds: float) -> Counted:
    """The requests since the sample before, and those of them that failed."""
    requests = sample.value("request_rate") * seconds
    failed = sample.value("error_ratio") * requests
    if math.isnan(requests) or (math.isnan(failed) and requests):
        return None
    return (failed if requests else 0.0), requests


COUNTS: dict[str, Callable[[Sample, float], Counted]] = {
    "availability": _probed,
    "error_ratio": _requested,
}
"""How a sample counts towards the budget of each signal that an SLO promises a share of."""


def watch(
    facts: Facts,
    kind: str | None,
    rules: Iterable[Rule],
    now: int,
    before: Watched | None = None,
) -> Watched:
    """An endpoint with the rules that are for it and can be judged on it, looked at since `now`.

    What is known of how it usually is it takes over from what it was `before`.
    """
    watched = Watched(facts, kind, good_at=now)
    if before is not None and stretch(before.facts.every) == stretch(facts.every):
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


def _judged(watched: Watched, rule: Rule, check: Check, labels: dict[str, str]) -> Judged:
    name, model = rule.name, watched.facts.name
    alert = Alert(0, OURS, f"{name}/{model}", name, model, alert_labels(rule, labels))
    timed = isinstance(check, Gone)
    return Judged(
        rule,
        check,
        watched.facts.every,
        alert,
        timed,
        rule.no_data is NoData.FIRE or timed,
        watched.live,
    )


def _patience(one: Judged) -> int:
    """How long (ms) nothing may come before something is made of it."""
    silent = silent_after(one.rule, one.every)
    return min(silent, one.check.after) if isinstance(one.check, Gone) else silent


def _checks(watched: Watched, rule: Rule, now: int) -> Iterator[Check]:
    """The check of a rule on an endpoint: none when it rests on a promise that was not made."""
    match rule.test:
        case Threshold():
            yield from _over(watched, rule, rule.test)
        case Burn():
            yield from _burning(watched, rule, rule.test)
        case Absent():
            yield Gone(rule.test, watched.facts.every, now)
        case Down():
            yield Failing(rule.test)
        case Anomaly():
            yield _unusual(watched, rule.test)
        case WeekBefore():
            yield _unlike_last_week(watched, rule.test)


def _over(watched: Watched, rule: Rule, test: Threshold) -> Iterator[Check]:
    slo = watched.facts.slo
    limit = bound(test.limit, test.signal, slo)
    clear = limit if test.clear is None else bound(test.clear, test.signal, slo)
    if limit is None or clear is None:
        return
    if not test.window:
        yield Over(test, test.signal, limit, clear)
        return
    window = watched.windows.setdefault(test.signal, Window(test.window, watched.facts.every))
    window.reach(max(test.window, window.span))
    window.heed(limit, above=test.above)
    yield OverWindow(test, limit, clear, rule.min_samples, window)


def _burning(watched: Watched, rule: Rule, test: Burn) -> Iterator[Check]:
    slo, every = watched.facts.slo, watched.facts.every
    promised = slo.availability if test.signal == "availability" else slo.error_ratio
    if promised is None:
        return
    share = 1 - promised if test.signal == "availability" else promised
    expected = 1 / every if test.signal == "availability" else 0.0
    burned = watched.burned.setdefault(test.signal, Burned())
    burned.heed(test.pairs, share)
    yield Burning(test, Budget(share, expected, rule.min_samples), burned)


def _unusual(watched: Watched, test: Anomaly) -> Check:
    kept, facts = (test.signal, test.seasonal), watched.facts
    if kept not in watched.habits:
        watched.habits[kept] = habit(facts.name, facts.every, test)
    return Unusual(test, watched.habits[kept])


def _unlike_last_week(watched: Watched, test: WeekBefore) -> Check:
    kept, facts = (test.signal, test.window), watched.facts
    if kept not in watched.weeks:
        watched.weeks[kept] = weeks(facts.name, facts.every, test)
    return UnlikeLastWeek(test, watched.weeks[kept])
