import pytest
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, ActiveAlert, Alert, AlertState, Episode
from watchdeck.domain.board.board import (
    Collector,
    CollectorState,
    CollectorStatus,
    Health,
    HealthChange,
    HealthResult,
    LatestScrape,
    SignalValue,
)
from watchdeck.domain.board.health import displayed_health, evaluate_health
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio

NOW = 1_000_000
SLO = Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01))
FACTS = EndpointFacts("fraud", "http://fraud", 10_000, slo=SLO)
KEPT = {
    "availability": SignalValue(1.0, SIGNALS["availability"].unit),
    "latency_p95": SignalValue(0.09, SIGNALS["latency_p95"].unit, 0.05, 0.1),
    "error_ratio": SignalValue(0.001, SIGNALS["error_ratio"].unit, window=60, events=1_000),
}
GOOD = LatestScrape(FACTS, NOW, Outcome.OK, 0, KEPT, model_state=ModelState.READY, kind="vllm")
WAS_CRITICAL = HealthResult(Health.CRITICAL, "latency_p95", "latency_p95 412 ms > 400 ms")
RUNNING = Collector(CollectorState.RUNNING)


def reading(**values: float) -> LatestScrape:
    signals = {name: SignalValue(value, SIGNALS[name].unit) for name, value in values.items()}
    return replace(GOOD, signals={**KEPT, **signals})


def failed(outcome: Outcome, times: int, state: ModelState = ModelState.UNKNOWN) -> LatestScrape:
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
            reading(latency_p95=9.9, saturation=1.0),
            None,
            "ok",
            "ready, but latency_p95 9.9 s > 200 ms",
            id="no figure is judged but by rules, and a missed one is said",
        ),
    ],
)
def test_a_model_is_judged(
    latest: LatestScrape | None, previous: HealthResult | None, health: str, why: str
) -> None:
    verdict = evaluate_health(latest, previous, NOW)
    assert (verdict.health, verdict.why) == (health, why)


def raised(
    rule: str,
    severity: Severity,
    why: str = "latency_p95 412 ms > 200 ms",
    condition: AlertState = AlertState.FIRING,
) -> ActiveAlert:
    alert = Alert(1, OURS, f"{rule}/fraud", rule, "fraud", {"signal": "latency_p95"})
    episode = Episode(
        *(int(severity), 1, NOW, condition, severity, severity), value=0.412, limit=0.2, why=why
    )
    return ActiveAlert(alert, episode)


SLOW = raised("slow", Severity.HIGH)
FULL = raised("full", Severity.MEDIUM, "saturation 95 % > 90 %")


@pytest.mark.parametrize(
    ("latest", "alerts", "verdict"),
    [
        pytest.param(
            GOOD,
            (FULL, SLOW),
            HealthResult(Health.CRITICAL, "slow", "latency_p95 412 ms > 200 ms"),
            id="the worst alert is the health, in its own words",
        ),
        pytest.param(
            GOOD,
            (FULL,),
            HealthResult(Health.WARNING, "full", "saturation 95 % > 90 %"),
            id="an alert that pages nobody is a warning",
        ),
        pytest.param(
            GOOD,
            (raised("slow", Severity.HIGH, "it answers", AlertState.CLEARING),),
            HealthResult(Health.WARNING, "slow", "not yet surely over: it answers"),
            id="what is about to be over is no longer critical, and not yet ok",
        ),
        pytest.param(
            GOOD,
            (raised("slow", Severity.HIGH, condition=AlertState.PENDING),),
            HealthResult(Health.OK, "good", "ready, within its SLO"),
            id="what is only pending is no health",
        ),
        pytest.param(
            replace(GOOD, model_state=ModelState.NOT_READY),
            (SLOW,),
            HealthResult(Health.DOWN, "not_ready", "the model says that it is not ready"),
            id="not ready is worse than any alert",
        ),
        pytest.param(
            replace(GOOD, model_state=ModelState.SLEEPING),
            (SLOW,),
            HealthResult(Health.CRITICAL, "slow", "latency_p95 412 ms > 200 ms"),
            id="a sleeping model that is in trouble is not ok",
        ),
        pytest.param(
            failed(Outcome.REFUSED, 2),
            (SLOW,),
            HealthResult(Health.DOWN, "refused", "failed scrapes in a row: refused: why not"),
            id="down is down, whatever fired before",
        ),
        pytest.param(
            replace(GOOD, at=NOW - 30_001),
            (SLOW,),
            HealthResult(Health.UNKNOWN, "stale", "no fresh sample for 30s (expected every 10s)"),
            id="what fired before the silence is not known to fire still",
        ),
    ],
)
def test_a_health_is_that_of_the_worst_alert(
    latest: LatestScrape, alerts: tuple[ActiveAlert, ...], verdict: HealthResult
) -> None:
    assert evaluate_health(latest, None, NOW, alerts=alerts) == verdict


def test_a_blind_collector_says_so_instead_of_calling_models_down() -> None:
    verdict = evaluate_health(failed(Outcome.DNS, 9), None, NOW, blind="no name can be resolved")
    assert verdict == HealthResult(
        Health.UNKNOWN, "blind", "the collector is blind: no name can be resolved"
    )


RECORDED = HealthChange("fraud", NOW - 60_000, Health.OK, "good", "ready, within its SLO")


def test_a_recorded_ok_does_not_outlive_its_sample() -> None:
    later = NOW + 45_000
    seen = displayed_health(RECORDED, GOOD, Collector(CollectorState.STOPPED), later, 10_000)
    assert seen == (
        Health.UNKNOWN,
        "no fresh sample for 45s (expected every 10s): no collector is running",
        NOW + 30_000,
    )


def test_one_failed_scrape_keeps_the_health_and_is_said() -> None:
    latest = failed(Outcome.TIMED_OUT, 1)
    assert displayed_health(RECORDED, latest, RUNNING, NOW, 10_000) == (
        Health.OK,
        "ready, within its SLO; one failed scrape: timed_out: why not",
        NOW - 60_000,
    )


def test_a_model_without_a_scrape_is_unknown() -> None:
    assert displayed_health(RECORDED, None, RUNNING, NOW, 10_000) == (
        Health.UNKNOWN,
        "no scrape yet",
        None,
    )


def test_a_model_without_a_verdict_is_unknown() -> None:
    assert displayed_health(None, GOOD, RUNNING, NOW, 10_000)[0] is Health.UNKNOWN


@pytest.mark.parametrize(
    ("p95", "why"),
    [
        pytest.param(0.31, "latency_p95 310 ms > 200 ms", id="still past it: the figure of now"),
        pytest.param(0.1, "latency_p95 412 ms > 200 ms", id="good again: not judged so yet"),
    ],
)
def test_a_reason_has_the_figure_of_now_while_the_same_limit_is_passed(
    p95: float, why: str
) -> None:
    recorded = HealthChange("fraud", NOW, Health.CRITICAL, "slow", "latency_p95 250 ms > 200 ms")
    seen = displayed_health(recorded, reading(latency_p95=p95), RUNNING, NOW, 10_000, (SLOW,))
    assert seen[:2] == (Health.CRITICAL, why)


def test_a_reason_that_is_no_comparison_is_told_in_the_alerts_newest_words() -> None:
    recorded = HealthChange("fraud", NOW, Health.CRITICAL, "slow", "burns 15x")
    burning = raised("slow", Severity.HIGH, "burns 20x")
    seen = displayed_health(recorded, reading(latency_p95=0.3), RUNNING, NOW, 10_000, (burning,))
    assert seen[1] == "burns 20x"


@pytest.mark.parametrize(
    ("latest", "why"),
    [
        pytest.param(
            reading(latency_p95=0.31), "pending: latency_p95 310 ms > 200 ms", id="its value now"
        ),
        pytest.param(GOOD, "pending: latency_p95 412 ms > 200 ms", id="no value now: its own"),
    ],
)
def test_a_good_health_names_the_most_severe_pending_alert(latest: LatestScrape, why: str) -> None:
    pending = (
        raised("full", Severity.MEDIUM, "saturation 95 % > 90 %", AlertState.PENDING),
        raised("slow", Severity.HIGH, condition=AlertState.PENDING),
    )
    assert displayed_health(RECORDED, latest, RUNNING, NOW, 10_000, pending)[1] == why


def test_an_slo_that_cannot_be_judged_hides_no_pending_alert() -> None:
    slow = SignalValue(0.31, SIGNALS["latency_p95"].unit)
    latest = replace(GOOD, signals={"latency_p95": slow}, not_measurable=("error_ratio",))
    latest = replace(latest, facts=replace(FACTS, slo=Slo(None, Milliseconds(200), Ratio(0.01))))
    recorded = HealthChange("fraud", NOW, Health.UNKNOWN, "slo_unknown", "")
    pending = (raised("slow", Severity.HIGH, condition=AlertState.PENDING),)
    why = displayed_health(recorded, latest, RUNNING, NOW, 10_000, pending)[1]
    assert why.startswith("pending: latency_p95 310 ms > 200 ms; ready, but latency_p95 310 ms")
    assert why.endswith("unknown whether the rest is kept: error_ratio is not measurable here")


def test_a_reason_is_that_of_the_alert_that_was_recorded_not_of_a_newer_one() -> None:
    recorded = HealthChange("fraud", NOW, Health.WARNING, "full", "saturation 91 % > 90 %")
    seen = displayed_health(recorded, GOOD, RUNNING, NOW, 10_000, (SLOW, FULL))
    assert seen[:2] == (Health.WARNING, "saturation 95 % > 90 %")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        pytest.param(CollectorState.RUNNING, "its own figures of then were not kept", id="past"),
        pytest.param(CollectorState.STOPPED, "never seen on this store", id="none ever ran"),
    ],
)
def test_a_collector_without_a_heartbeat_says_why(state: CollectorState, reason: str) -> None:
    assert Collector(state).missing_reason == reason
    assert Collector(state, CollectorStatus(1, "0", NOW, NOW)).missing_reason == ""
