"""An SLO is kept, missed, or not known to be either."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from watchdeck.domain.board.board import Health, LatestScrape, SignalValue
from watchdeck.domain.board.health import evaluate_health
from watchdeck.domain.board.slo_status import Verdict, bounds_verdict, slo_status
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.signals.plan import FIRST_PAGES_TELL
from watchdeck.domain.values.units import Milliseconds, Ratio, Unit

NOW = 1_000_000
FACTS = EndpointFacts("chat", "http://chat", 10_000, slo=Slo(None, Milliseconds(15_000), None))
GOOD = LatestScrape(FACTS, NOW, Outcome.OK, 0, {}, kind="kserve", model_state=ModelState.READY)
ERRORS = replace(FACTS, slo=Slo(None, None, Ratio(0.01)))
BOTH = replace(FACTS, slo=Slo(None, Milliseconds(15_000), Ratio(0.01)))
RATE = SignalValue(2.0, Unit.PER_SECOND)


def seconds(value: float, low: float | None = None, high: float | None = None) -> SignalValue:
    return SignalValue(value, Unit.SECONDS, low, high, 60.0)


@pytest.mark.parametrize(
    ("value", "mean", "verdict"),
    [
        pytest.param(seconds(12, 10, 15), None, Verdict.KEPT, id="the whole bucket is below"),
        pytest.param(seconds(16, 15, 20), None, Verdict.MISSED, id="the whole bucket is above"),
        pytest.param(seconds(14, 10, 20), None, Verdict.UNSURE, id="the bucket holds the limit"),
        pytest.param(seconds(10, 10, math.inf), None, Verdict.UNSURE, id="above the last bucket"),
        pytest.param(seconds(10, 10, math.inf), seconds(40), Verdict.MISSED, id="the mean proves"),
        pytest.param(seconds(10, 10, math.inf), seconds(12), Verdict.UNSURE, id="it does not"),
        pytest.param(
            seconds(20, 20, math.inf), None, Verdict.MISSED, id="the last bucket is above"
        ),
        pytest.param(seconds(15), None, Verdict.KEPT, id="an exact value at the limit"),
        pytest.param(seconds(15.1), None, Verdict.MISSED, id="an exact value above"),
    ],
)
def test_a_quantile_is_compared_as_the_interval_that_it_is(
    value: SignalValue, mean: SignalValue | None, verdict: Verdict
) -> None:
    assert bounds_verdict(value, 15.0, mean) is verdict


@pytest.mark.parametrize(
    ("latest", "health", "why"),
    [
        pytest.param(
            replace(GOOD, signals={"latency_p95": seconds(0.2, 0.1, 0.25)}),
            Health.OK,
            "ready, within its SLO",
            id="kept",
        ),
        pytest.param(
            replace(GOOD, signals={"latency_p95": seconds(10, 10, math.inf)}),
            Health.UNKNOWN,
            "ready, unknown whether its SLO is kept: latency_p95 > 10 s: above the last bucket;"
            " SLO 15 s cannot be judged",
            id="above the last bucket",
        ),
        pytest.param(
            replace(
                GOOD,
                signals={"latency_p95": seconds(10, 10, math.inf), "latency_mean": seconds(40)},
            ),
            Health.OK,
            "ready, but latency_mean 40 s > 15 s, so latency_p95 is above it too",
            id="missed by the mean",
        ),
        pytest.param(
            replace(GOOD, signals={"latency_p95": seconds(14, 10, 25)}),
            Health.OK,
            "ready, unknown whether its SLO is kept: latency_p95 is between 10 s and 25 s;"
            " SLO 15 s cannot be judged",
            id="inside a bucket",
        ),
        pytest.param(
            replace(GOOD, not_measurable=("latency_p95",)),
            Health.UNKNOWN,
            "ready, unknown whether its SLO is kept: latency_p95 is not measurable here",
            id="not measurable",
        ),
        pytest.param(
            replace(
                GOOD, remarks={"latency_p95": "2 processes answer"}, signals={"in_flight": RATE}
            ),
            Health.UNKNOWN,
            "ready, unknown whether its SLO is kept: latency_p95: 2 processes answer",
            id="not known now",
        ),
        pytest.param(
            replace(
                GOOD,
                signals={"latency_p95": replace(seconds(0.2, 0.1, 0.25), server_wide=True)},
            ),
            Health.UNKNOWN,
            "ready, unknown whether its SLO is kept: latency_p95 also counts other models of the"
            " server",
            id="a figure of the whole server",
        ),
        pytest.param(
            replace(GOOD, signals={"request_rate": replace(RATE, value=0.0)}),
            Health.OK,
            "ready, unknown whether its SLO is kept: no requests",
            id="idle",
        ),
        pytest.param(
            replace(GOOD, facts=ERRORS, signals={"request_rate": RATE}),
            Health.OK,
            "ready, unknown whether its SLO is kept: too few requests",
            id="little traffic",
        ),
        pytest.param(
            replace(GOOD, remarks={"latency_p95": "the page tells of main, not of alias"}),
            Health.UNKNOWN,
            "ready, but the page tells of main, not of alias",
            id="a model that the page does not name",
        ),
        pytest.param(
            replace(GOOD, remarks={"latency_p95": "the page has no series of KServe"}),
            Health.UNKNOWN,
            "ready, but the page has no series of KServe",
            id="a page of something else",
        ),
        pytest.param(
            replace(
                GOOD, remarks={"latency_p95": "the page tells of a; of b from its first request on"}
            ),
            Health.OK,
            "ready, unknown whether its SLO is kept: no requests",
            id="a ready model that was not asked yet",
        ),
        pytest.param(
            replace(
                GOOD,
                facts=BOTH,
                signals={"error_ratio": SignalValue(0.5, Unit.RATIO), "request_rate": RATE},
            ),
            Health.OK,
            "ready, but error_ratio 50 % > 1 %",
            id="missed, and too few requests for the rest",
        ),
        pytest.param(
            replace(
                GOOD,
                facts=BOTH,
                signals={"error_ratio": SignalValue(0.5, Unit.RATIO)},
                not_measurable=("latency_p95",),
            ),
            Health.UNKNOWN,
            "ready, but error_ratio 50 % > 1 %; unknown whether the rest is kept:"
            " latency_p95 is not measurable here",
            id="missed, and the rest can never be judged",
        ),
        pytest.param(
            replace(GOOD, remarks={"latency_p95": FIRST_PAGES_TELL}),
            Health.OK,
            f"ready, unknown whether its SLO is kept: {FIRST_PAGES_TELL}",
            id="a model that was just found",
        ),
        pytest.param(
            replace(
                GOOD,
                model_state=ModelState.UNKNOWN,
                remarks={"latency_p95": "the page tells of a; of b from its first request on"},
            ),
            Health.UNKNOWN,
            "answers, readiness not measurable, but the page tells of a; of b from its first"
            " request on",
            id="a model of which nothing is known",
        ),
    ],
)
def test_a_promise_that_is_not_known_to_be_kept_is_not_called_kept(
    latest: LatestScrape, health: Health, why: str
) -> None:
    found = evaluate_health(latest, None, NOW)
    assert (found.health, found.why) == (health, why)


def test_every_objective_has_a_verdict() -> None:
    facts = replace(FACTS, slo=Slo(Ratio(0.99), Milliseconds(100), Ratio(0.01)))
    availability = SignalValue(0.5, Unit.RATIO)
    found = slo_status(replace(GOOD, facts=facts, signals={"availability": availability}))
    assert [(one.signal, one.verdict) for one in found] == [
        ("availability", Verdict.MISSED),
        ("latency_p95", Verdict.IDLE),
        ("error_ratio", Verdict.IDLE),
    ]
    assert found[0].why == "availability 50 % < 99 %"


@pytest.mark.parametrize(
    ("outcome", "detail", "health"),
    [
        pytest.param(Outcome.HTTP_STATUS, "/metrics: 404 Not Found", Health.UNKNOWN, id="404"),
        pytest.param(Outcome.NOT_METRICS, "an HTML or XML page", Health.UNKNOWN, id="HTML"),
        pytest.param(
            Outcome.HTTP_STATUS, "/metrics: 503 Service Unavailable", Health.DOWN, id="503"
        ),
        pytest.param(Outcome.REFUSED, "127.0.0.1:1", Health.DOWN, id="refused"),
    ],
)
def test_an_address_that_answers_without_a_model_server_is_not_down(
    outcome: Outcome, detail: str, health: Health
) -> None:
    latest = replace(
        *(GOOD,),
        outcome=outcome,
        detail=detail,
        failures=2,
        kind=None,
        model_state=ModelState.UNKNOWN,
    )
    found = evaluate_health(latest, None, NOW)
    assert found.health is health
    assert ("not a model server" in found.why) is (health is Health.UNKNOWN)
