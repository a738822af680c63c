"""The demo's past is what the collector would have stored and the engine would have said."""

import math
from array import array

import numpy as np
import pytest
from msgspec.structs import replace

from demo.history.histories import A_DAY, NOW, PARTS, Past, past, watched
from watchdeck.config.rules import rules_in_force
from watchdeck.demo.fleet.traffic import BUCKETS
from watchdeck.demo.history.endpoint import history, planned, scrapes
from watchdeck.demo.history.signals import PLACES
from watchdeck.demo.history.timeline import CHANGES, DAYS, EVERY, INCIDENTS, OPTIMISED
from watchdeck.domain.alerts.alert import ActiveAlert, AlertEvent, Transition
from watchdeck.domain.board.health import Health, HealthChange, HealthResult
from watchdeck.domain.board.health_evaluation import evaluate_health
from watchdeck.domain.metrics.quantile import quantile
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Anomaly, WeekBefore
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.engine.rules.evaluator import RuleEvaluator

AN_HOUR = 60
"""Scrapes: what the availability of one scrape looks back on."""


def moments(one: Past) -> dict[str, int]:
    """The last scrape of stretches in which something happens to an endpoint."""
    found = {
        "the first hour": 90,
        "after a midnight": one.scrape_at(30, 20),
        "the end": len(one.history.signals.times),
    }
    for incident in INCIDENTS:
        if incident.endpoint == one.part.name:
            start = one.scrape_at(incident.days, incident.minute)
            found[f"{incident.trouble.value} {incident.days}"] = start + incident.minutes + 15
    if one.part.name == OPTIMISED:
        found["an improvement"] = one.scrape_of(NOW - CHANGES[1].days * A_DAY) + 10
    return found


@pytest.mark.parametrize("name", PARTS)
def test_signals_and_series_are_those_that_the_collector_would_have_made(name: str) -> None:
    one = past(name)
    layout = one.history.signals.layout
    columns = [str(series) for series in layout.series]
    finest = [10 ** -PLACES.get(SIGNALS[c].unit, 0) if c in SIGNALS else 0.0 for c in columns]
    stored = dict(zip(one.history.series.times.tolist(), one.history.series.values, strict=True))
    for what, last in moments(one).items():
        first = max(0, last - 140)
        for number, scrape in watched(one, first, last):
            if first and number < first + AN_HOUR:
                continue
            frame = one.history.signals.values[number]
            assert scrape.signals.layout.digest == layout.digest
            for column, made, real, step in zip(
                columns, frame, scrape.signals.values, finest, strict=True
            ):
                assert made == pytest.approx(real, abs=0.51 * step, rel=0, nan_ok=True), (
                    what,
                    number,
                    column,
                )
            if scrape.series is None:
                assert scrape.at not in stored
            else:
                assert scrape.series.layout.digest == one.history.series.layout.digest
                assert list(scrape.series.values) == stored[scrape.at].tolist()


def played(one: Past, first: int, last: int) -> tuple[list[Transition], list[HealthChange]]:
    """What the engine finds in these scrapes when it looks at each, from nothing.

    The demo's past has no alerts of rules that look at how things usually are, or were last week.
    """
    rules = rules_in_force(Settings())
    kind, plan = planned(one.part)
    known = scrapes(one.part, kind, plan, one.life.run, one.history.signals.values)
    alerting = RuleEvaluator(
        [one for one in rules if not isinstance(one.test, (Anomaly, WeekBefore))]
    )
    watched = alerting.watch(replace(known.facts, every=EVERY), kind.name, 0)
    for burned in watched.burned.values():
        burned.complete = True
    places = {name: place for place, name in enumerate(known.columns)}
    steps: list[Transition] = []
    health: list[HealthChange] = []
    for number in range(first, last):
        latest = known.latest(number, known.values[number])
        sample = ScrapeValues(
            *(latest.at, array("d", known.values[number]), places, latest.outcome.value),
            *(latest.failures, latest.model_state.value, latest.detail, latest.model_detail),
        )
        watched.take(sample)
        for change in alerting.judge(watched, sample, latest.at):
            steps += change.steps
        raised = [
            ActiveAlert(each.alert, each.episode) for each in watched.live.values() if each.episode
        ]
        before = health[-1] if health else None
        previous = HealthResult(before.health, before.cause, before.why) if before else None
        verdict = evaluate_health(latest, previous, latest.at, alerts=raised)
        if before is None or (before.health, before.cause) != (verdict.health, verdict.cause):
            told = (verdict.health, verdict.cause, verdict.why)
            health.append(HealthChange(one.part.name, latest.at, *told))
    return steps, health


def eventful(name: str) -> list[int]:
    days = {incident.days for incident in INCIDENTS if incident.endpoint == name}
    return sorted(days, reverse=True)


def told(step: Transition) -> tuple[AlertEvent, int, str]:
    return step.verb, step.at, step.why


@pytest.mark.parametrize("name", PARTS)
def test_few_scrapes_are_looked_at_and_all_is_as_if_all_were(name: str) -> None:
    one = past(name)
    for days in eventful(name):
        first = max(0, one.scrape_at(days, 0) - 3 * 1_440)
        last = one.scrape_at(days, 0) + 1_440
        start, end = (int(one.life.run.times[n]) for n in (first + 10, last))
        steps, health = played(one, first, last)
        fired = {step.episode.started_at for step in steps if step.episode.fired_at}
        recorded = [step for alarm in one.history.alarms for step in alarm.steps]
        assert sorted(told(step) for step in steps if step.episode.started_at in fired) == sorted(
            told(step) for step in recorded if start < step.at < end
        )
        changes = [change for change in one.history.health if start < change.at < end]
        assert [replace(change, since=None) for change in changes] == health[1:]


def test_the_past_has_few_short_incidents() -> None:
    troubles = {}
    for name in PARTS:
        changes = past(name).history.health
        troubles[name] = [change.health for change in changes if change.health is not Health.OK]
        assert changes[-1].health is Health.OK
        assert all(change.at < NOW - 7 * A_DAY for change in changes)
    assert len(troubles.pop(OPTIMISED)) < 80
    assert {name: len(found) for name, found in troubles.items()} == {
        "churn-score": 6,
        "support-chat": 1,
        "image-tagger": 2,
        "demand-forecast": 0,
        "search-ranker": 2,
        "gpu-node": 2,
        "legacy [/nope] scorer": 0,
    }


def test_the_past_has_alerts_and_few_of_them_page() -> None:
    pages = [
        alarm.episode
        for name in PARTS
        for alarm in past(name).history.alarms
        if alarm.episode.severity.pages
    ]
    assert 20 <= len(pages) <= 40
    assert all(episode.ended_at is not None for episode in pages)


def test_one_unanswered_scrape_is_in_the_past_and_changes_no_health() -> None:
    one = past("legacy [/nope] scorer")
    assert one.column("up").count(0.0) == 1
    assert [change.health for change in one.history.health] == [Health.OK]


def test_the_night_model_was_not_asked_one_night() -> None:
    one = past("demand-forecast")
    rates = one.column("request_rate")
    nights = {days: rates[one.scrape_at(days, 60)] for days in (25, 24, 23)}
    assert nights[24] == 0
    assert min(nights[25], nights[23]) > 6
    assert rates[one.scrape_at(24, 12 * 60)] == 0


def between(one: Past, days_from: int, days_to: int) -> slice:
    return slice(one.scrape_of(NOW - days_from * A_DAY), one.scrape_of(NOW - days_to * A_DAY) + 1)


def p95_of_buckets(one: Past, within: slice) -> float:
    """The 95th percentile of all requests of a stretch, from its histogram series alone."""
    series = one.history.series.layout.series
    places = [place for place, one in enumerate(series) if one.name.endswith("_bucket")]
    rows = one.history.series.values[within][:, places]
    return quantile(0.95, (*BUCKETS, math.inf), list(rows[-1] - rows[0]))[0]


@pytest.mark.parametrize(
    ("days_from", "days_to", "seconds"),
    [
        pytest.param(84, 56, 0.200, id="the four weeks before the first change"),
        pytest.param(84, 77, 0.200, id="a week before"),
        pytest.param(28, 0, 0.050, id="the last four weeks"),
        pytest.param(7, 0, 0.050, id="the last week"),
    ],
)
def test_the_fraud_detector_became_four_times_as_fast(
    days_from: int, days_to: int, seconds: float
) -> None:
    one = past(OPTIMISED)
    within = between(one, days_from, days_to)
    signal = one.history.signals.values[within, one.place("latency_p95")]
    assert np.nanmean(signal) == pytest.approx(seconds, rel=0.01)
    assert p95_of_buckets(one, within) == pytest.approx(seconds, rel=0.01)


def test_every_change_made_it_faster_and_was_one_a_week() -> None:
    one = past(OPTIMISED)
    signal = np.array(one.column("latency_p95"))
    weeks = [np.nanmedian(signal[between(one, d, d - 7)]) for d in (63, 56, 49, 42, 35)]
    assert weeks == sorted(weeks, reverse=True)
    assert [change.days for change in CHANGES] == [56, 49, 42, 35]


def test_days_nights_and_weeks_can_be_told_apart() -> None:
    one = past("search-ranker")
    rates = np.array(one.column("request_rate"))
    times = one.life.run.times
    hours = times // 3_600_000 % 24
    weekend = (times // A_DAY + 3) % 7 >= 5
    assert np.nanmean(rates[hours == 14]) > 1.9 * np.nanmean(rates[hours == 2])
    assert np.nanmean(rates[weekend]) == pytest.approx(0.67 * np.nanmean(rates[~weekend]), rel=0.03)


def test_the_same_seed_and_moment_make_the_same_past() -> None:
    part = PARTS["image-tagger"]
    one, same = history(part, 7, NOW, days=2), history(part, 7, NOW, days=2)
    assert np.array_equal(one.series.values, same.series.values)
    assert np.array_equal(one.signals.values, same.signals.values, equal_nan=True)
    assert (one.health, one.counts) == (same.health, same.counts)
    other, later = history(part, -7, NOW, days=2), history(part, 7, NOW + EVERY, days=2)
    assert not np.array_equal(one.series.values, other.series.values)
    assert later.signals.times[-1] == one.signals.times[-1] + EVERY


@pytest.mark.parametrize("name", PARTS)
def test_a_past_has_a_scrape_a_minute_until_now(name: str) -> None:
    one = past(name)
    times = one.history.signals.times
    assert len(times) == DAYS * 24 * 60
    assert times[-1] == NOW
    assert set(np.diff(times)) == {EVERY}
    assert len(times) - len(one.history.series.times) == one.column("up").count(0.0)
