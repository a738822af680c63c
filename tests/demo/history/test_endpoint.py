"""The demo's past is what the collector would have stored and the engine would have said."""

import math

import numpy as np
import pytest

from demo.history.histories import A_DAY, NOW, PARTS, Past, past, watched
from watchdeck.config.rules import rules_in_force
from watchdeck.demo.fleet.traffic import BUCKETS
from watchdeck.demo.history.alerts import is_evaluated
from watchdeck.demo.history.endpoint import history, kind_and_plan
from watchdeck.demo.scenario import CHANGES, DAYS, INCIDENTS, INTERVAL, OPTIMISED, SCRAPE_INTERVALS
from watchdeck.domain.alerts.alert import AlertEvent
from watchdeck.domain.board.board import Health
from watchdeck.domain.rules.rule import Burn
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import public_facts
from watchdeck.domain.signals.functions import quantile
from watchdeck.engine.backtest.replay import replay
from watchdeck.engine.rules.target import target_for
from watchdeck.store.metrics.raw import Block

SCRAPES = 20
"""How many scrapes of the start, of each incident and of the end are compared."""

AN_HOUR = 60
"""Scrapes at one a minute: what the availability of one scrape looks back on."""


def starts(one: Past) -> list[int]:
    """The first scrape of every stretch in which something happens to an endpoint."""
    incidents = [incident for incident in INCIDENTS if incident.endpoint == one.part.name]
    begun = [one.scrape_of(incident.start(NOW)) - 3 for incident in incidents]
    return [0, *begun, len(one.server.traffic.times) - SCRAPES]


@pytest.mark.parametrize("name", PARTS)
def test_signals_and_series_are_those_that_the_collector_would_have_made(name: str) -> None:
    one = past(name)
    signals, series = one.history.signals, one.history.series
    stored = dict(zip(series.times.tolist(), series.values.tolist(), strict=True))
    for start in starts(one):
        for number, scrape in watched(one, max(0, start - AN_HOUR), start + SCRAPES):
            if number < start:
                continue
            assert scrape.signals.layout.digest == signals.layout.digest
            assert np.array_equal(signals.values[number], scrape.signals.values, equal_nan=True)
            kept = None if scrape.series is None else list(scrape.series.values)
            assert stored.get(scrape.at) == kept
            assert scrape.series is None or scrape.series.layout.digest == series.layout.digest


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
        for alarm in past(name).history.episodes
        if alarm.episode.severity.is_paging
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
    times = one.server.traffic.times
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
    other, later = history(part, -7, NOW, days=2), history(part, 7, NOW + INTERVAL, days=2)
    assert not np.array_equal(one.series.values, other.series.values)
    assert later.signals.times[-1] == one.signals.times[-1] + INTERVAL


@pytest.mark.parametrize("name", PARTS)
def test_scrapes_are_a_minute_apart_in_the_last_days_and_around_incidents(name: str) -> None:
    one = past(name)
    times = one.history.signals.times
    assert times[0] == NOW - DAYS * A_DAY + SCRAPE_INTERVALS[-1].every
    assert times[-1] == NOW
    assert set(np.diff(times[times >= NOW - SCRAPE_INTERVALS[0].days * A_DAY])) == {INTERVAL}
    assert set(np.diff(times)) <= {*range(INTERVAL, SCRAPE_INTERVALS[-1].every + 1, INTERVAL)}
    for incident in INCIDENTS:
        if incident.endpoint == name:
            within = (times >= incident.start(NOW)) & (times < incident.end(NOW))
            assert within.sum() == incident.minutes
    assert len(times) - len(one.history.series.times) == one.column("up").count(0.0)


@pytest.mark.parametrize("name", PARTS)
def test_an_availability_is_known_for_the_thirty_days_that_charts_show(name: str) -> None:
    one = past(name)
    availability = np.array(one.column("availability"))[between(one, 30, 0)]
    assert not np.isnan(availability).any()


@pytest.mark.parametrize("name", PARTS)
def test_a_replay_of_each_rule_finds_the_alerts_of_the_past_and_no_burning_budget(
    name: str,
) -> None:
    one = past(name)
    signals, kind, known = (
        one.history.signals,
        kind_and_plan(one.part)[0].name,
        public_facts(one.part.config),
    )
    columns = tuple(str(series) for series in signals.layout.series)
    block = Block(columns, signals.times.tolist(), signals.values)
    rules = [
        rule
        for rule in rules_in_force(Settings())
        if is_evaluated(rule, columns) or isinstance(rule.test, Burn)
    ]
    found = [
        (rule.name, firing.at, firing.until)
        for rule in rules
        if target_for(known, kind, [rule], 0).rule_states
        for firing in replay(rule, known, kind, [block], 0).firings
    ]
    recorded = [
        (alarm.alert.rule, fired.at, alarm.episode.ended_at)
        for alarm in one.history.episodes
        for fired in alarm.transitions
        if fired.verb is AlertEvent.FIRED
    ]
    assert sorted(found) == sorted(recorded)
