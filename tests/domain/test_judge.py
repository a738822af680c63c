from dataclasses import replace

import pytest

from watchdeck.domain.board import Collector, CollectorState, Facts, Latest, Reading
from watchdeck.domain.endpoint import Slo
from watchdeck.domain.health import Health, HealthChange, Verdict
from watchdeck.domain.judge import as_seen, judge
from watchdeck.domain.scrape import ModelState, Outcome
from watchdeck.domain.signal import SIGNALS
from watchdeck.domain.units import Milliseconds, Ratio

NOW = 1_000_000
SLO = Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01))
FACTS = Facts("fraud", "http://fraud", 10_000, slo=SLO)
GOOD = Latest(FACTS, NOW, Outcome.OK, 0, {}, model_state=ModelState.READY)
WAS_CRITICAL = Verdict(Health.CRITICAL, "latency_p95", "latency_p95 412 ms > 400 ms")
RUNNING = Collector(CollectorState.RUNNING)


def reading(**values: float) -> Latest:
    signals = {name: Reading(value, SIGNALS[name].unit) for name, value in values.items()}
    return replace(GOOD, signals=signals)


def failed(outcome: Outcome, times: int, state: ModelState = ModelState.UNKNOWN) -> Latest:
    return replace(GOOD, outcome=outcome, failures=times, model_state=state, detail="why not")


@pytest.mark.parametrize(
    ("latest", "previous", "health", "why"),
    [
        pytest.param(None, None, "unknown", "no scrape yet", id="no data is never ok"),
        pytest.param(GOOD, None, "ok", "ready, within its SLO", id="a ready model is ok"),
        pytest.param(
            replace(GOOD, model_state=ModelState.UNKNOWN),
            None,
            "ok",
            "answers, readiness not measurable, within its SLO",
            id="a server that cannot say ready is ok, and that is said",
        ),
        pytest.param(
            replace(GOOD, at=NOW - 30_001),
            WAS_CRITICAL,
            "unknown",
            "no fresh sample for 30s (expected every 10s)",
            id="three intervals without a sample are unknown",
        ),
        pytest.param(
            replace(GOOD, at=NOW - 30_000),
            None,
            "ok",
            "ready, within its SLO",
            id="three intervals are not yet stale",
        ),
        pytest.param(
            failed(Outcome.TIMED_OUT, 1),
            WAS_CRITICAL,
            "critical",
            "latency_p95 412 ms > 400 ms",
            id="one failure keeps the health",
        ),
        pytest.param(
            failed(Outcome.TIMED_OUT, 1),
            None,
            "unknown",
            "one failed scrape: timed_out: why not",
            id="one failure of a model never seen is unknown",
        ),
        pytest.param(
            failed(Outcome.REFUSED, 2),
            None,
            "down",
            "failed scrapes in a row: refused: why not",
            id="two failures are down",
        ),
        pytest.param(
            failed(Outcome.NOT_METRICS, 2, ModelState.READY),
            None,
            "unknown",
            "ready, but its page cannot be read: failed scrapes in a row: not_metrics: why not",
            id="a ready model with an unreadable page is not down",
        ),
        pytest.param(
            replace(GOOD, model_state=ModelState.NOT_READY, model_detail="404"),
            None,
            "down",
            "the model says that it is not ready: 404",
            id="not ready is down at once",
        ),
        pytest.param(
            replace(GOOD, model_state=ModelState.LOADING),
            None,
            "warning",
            "the model is loading",
            id="loading is not down",
        ),
        pytest.param(
            replace(GOOD, model_state=ModelState.SLEEPING),
            None,
            "ok",
            "the model sleeps, and wakes on a request",
            id="sleeping is not down",
        ),
        pytest.param(
            reading(latency_p95=0.2),
            None,
            "ok",
            "ready, within its SLO",
            id="the bound itself is kept",
        ),
        pytest.param(
            reading(latency_p95=0.201),
            None,
            "warning",
            "latency_p95 201 ms > 200 ms",
            id="over the promise is a warning",
        ),
        pytest.param(
            reading(latency_p95=0.412, error_ratio=0.02),
            None,
            "critical",
            "latency_p95 412 ms > 400 ms",
            id="twice the promise is critical, and the worst is told",
        ),
        pytest.param(
            reading(availability=0.98),
            None,
            "critical",
            "availability 98 % < 99 %",
            id="ten times the allowed loss is critical",
        ),
        pytest.param(
            reading(tls_days_left=5.0),
            None,
            "warning",
            "tls_days_left 5 d < 14 d",
            id="a certificate about to expire is a warning",
        ),
        pytest.param(
            reading(error_ratio=float("nan")),
            None,
            "ok",
            "ready, within its SLO",
            id="an absent value breaks no promise",
        ),
    ],
)
def test_a_model_is_judged(
    latest: Latest | None, previous: Verdict | None, health: str, why: str
) -> None:
    verdict = judge(latest, previous, NOW)
    assert (verdict.health, verdict.why) == (health, why)


def test_a_blind_collector_says_so_instead_of_calling_models_down() -> None:
    verdict = judge(failed(Outcome.DNS, 9), None, NOW, blind="no name can be resolved")
    assert verdict == Verdict(
        Health.UNKNOWN, "blind", "the collector is blind: no name can be resolved"
    )


RECORDED = HealthChange("fraud", NOW - 60_000, Health.OK, "good", "ready, within its SLO")


def test_a_recorded_ok_does_not_outlive_its_sample() -> None:
    later = NOW + 45_000
    seen = as_seen(RECORDED, GOOD, Collector(CollectorState.STOPPED), later, 10_000)
    assert seen == (
        Health.UNKNOWN,
        "no fresh sample for 45s (expected every 10s): no collector is running",
        NOW + 30_000,
    )


def test_one_failed_scrape_keeps_the_health_and_is_said() -> None:
    latest = failed(Outcome.TIMED_OUT, 1)
    assert as_seen(RECORDED, latest, RUNNING, NOW, 10_000) == (
        Health.OK,
        "ready, within its SLO; one failed scrape: timed_out: why not",
        NOW - 60_000,
    )


def test_a_model_without_a_scrape_is_unknown() -> None:
    assert as_seen(RECORDED, None, RUNNING, NOW, 10_000) == (
        Health.UNKNOWN,
        "no scrape yet",
        None,
    )


def test_a_model_without_a_verdict_is_unknown() -> None:
    assert as_seen(None, GOOD, RUNNING, NOW, 10_000)[0] is Health.UNKNOWN


@pytest.mark.parametrize(
    ("p95", "why"),
    [
        pytest.param(0.31, "latency_p95 310 ms > 200 ms", id="as bad: the figure of now"),
        pytest.param(0.9, "latency_p95 250 ms > 200 ms", id="worse: not judged so yet"),
        pytest.param(0.1, "latency_p95 250 ms > 200 ms", id="good again: not judged so yet"),
    ],
)
def test_a_reason_has_the_figure_of_now_while_the_same_bound_is_crossed(
    p95: float, why: str
) -> None:
    recorded = HealthChange(
        "fraud", NOW - 60_000, Health.WARNING, "latency_p95", "latency_p95 250 ms > 200 ms"
    )
    seen = as_seen(recorded, reading(latency_p95=p95), RUNNING, NOW, 10_000)
    assert seen[:2] == (Health.WARNING, why)
