"""What people thought of alerts tells what a rule is worth, and which limit would be better."""

import pytest
from msgspec.structs import replace

from store.stores import NOW
from watchdeck.domain.alerts.alert import Alert, AlertState, Episode, Feedback
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.engine.backtest.replay import Firing
from watchdeck.engine.backtest.rule_stats import (
    LimitTrial,
    RatedEpisode,
    RuleQuality,
    best_limit,
    other_limits,
    rule_quality,
    try_limit,
)

HOUR = 3_600_000
MIDNIGHT = NOW - 5 * HOUR
"""NOW is five in the morning."""


def fired(
    at: int,
    opinion: Feedback | None = None,
    model: str = "fraud",
    severity: Severity = Severity.HIGH,
    rule: str = "slow",
) -> RatedEpisode:
    alert = Alert(1, "watchdeck", f"{rule}/{model}", rule, model)
    episode = Episode(1, 1, at, AlertState.OK, severity, severity, fired_at=at)
    told = replace(episode, paged_at=at if severity.is_paging else None, ended_at=at + HOUR)
    return told, alert, opinion


def hour_of(at: int) -> int:
    return (at // HOUR) % 24


def test_a_rule_is_worth_what_people_said_of_its_alerts() -> None:
    some = [
        fired(MIDNIGHT, Feedback.USEFUL),
        fired(MIDNIGHT + 12 * HOUR, Feedback.NOISE, model="churn"),
        fired(MIDNIGHT + 22 * HOUR, Feedback.LATE),
        fired(MIDNIGHT + 23 * HOUR),
    ]
    [worth] = rule_quality(some, hour_of)
    assert worth == RuleQuality("slow", 4, 2, 4, 3, useful=1, noise=1, late=1)
    assert worth.precision == pytest.approx(2 / 3)


def test_what_nobody_judged_has_no_precision_and_a_notice_is_no_page() -> None:
    [worth] = rule_quality([fired(MIDNIGHT, severity=Severity.MEDIUM)], hour_of)
    assert (worth.pages, worth.precision) == (0, None)


def test_the_noisiest_rule_comes_first() -> None:
    some = [
        fired(NOW, rule="calm", severity=Severity.LOW),
        fired(NOW, rule="pages"),
        fired(NOW, Feedback.NOISE, rule="noisy"),
    ]
    assert [one.rule for one in rule_quality(some, hour_of)] == ["noisy", "pages", "calm"]


def rule(words: str) -> Rule:
    when = read_condition(words)
    return Rule("slow", words, when.test, hold=when.hold)


@pytest.mark.parametrize(
    ("words", "others"),
    [
        pytest.param(
            "p95 > 200ms until < 100ms for 5m",
            [
                "latency_p95 > 160ms until < 80ms for 5m",
                "latency_p95 > 200ms until < 100ms for 5m",
                "latency_p95 > 250ms until < 125ms for 5m",
                "latency_p95 > 300ms until < 150ms for 5m",
                "latency_p95 > 400ms until < 200ms for 5m",
                "latency_p95 > 600ms until < 300ms for 5m",
            ],
            id="further up",
        ),
        pytest.param(
            "availability < slo",
            [
                "availability < 0.8x slo",
                "availability < slo",
                "availability < 1.25x slo",
                "availability < 1.5x slo",
                "availability < 2x slo",
                "availability < 3x slo",
            ],
            id="of a promise",
        ),
        pytest.param(
            "saturation > 90%", ["saturation > 72%", "saturation > 90%"], id="no more than all"
        ),
        pytest.param("up < 1", [], id="yes or no"),
        pytest.param("down", [], id="no limit"),
    ],
)
def test_other_limits_are_tried_nearer_and_further(words: str, others: list[str]) -> None:
    assert [other.when for other in other_limits(rule(words))] == others


def test_a_limit_keeps_the_alerts_that_it_would_have_raised_too() -> None:
    some = [
        fired(NOW, Feedback.USEFUL),
        fired(NOW + 10 * HOUR, Feedback.NOISE),
        fired(NOW + 20 * HOUR, Feedback.LATE, model="churn"),
        fired(NOW + 30 * HOUR),
    ]
    firings = [
        Firing("fraud", NOW - HOUR, NOW + 1, ""),
        Firing("fraud", NOW + 20 * HOUR, NOW + 21 * HOUR, ""),
        Firing("churn", NOW + 21 * HOUR, None, ""),
    ]
    assert try_limit("x", firings, some) == LimitTrial("x", 3, kept=2, noise=0)


def test_the_best_limit_loses_nothing_useful_and_has_less_noise() -> None:
    worth = RuleQuality("slow", useful=2, noise=3)
    few, same, lossy = (
        LimitTrial("few", 3, 2, 1),
        LimitTrial("same", 5, 2, 3),
        LimitTrial("lossy", 1, 1, 0),
    )
    assert best_limit(worth, [same, few, lossy]) == few
    assert best_limit(worth, [same, lossy]) is None
