"""Evaluation of a model's health and its reason, from its newest scrape and its alerts.

Limits are in rules only: the health comes from the scrape itself or from the worst alert.
"""

from collections.abc import Iterable, Iterator

from watchdeck.domain.alerts.alert import ActiveAlert, AlertState
from watchdeck.domain.board.board import (
    WORST_FIRST,
    Collector,
    CollectorState,
    Health,
    HealthChange,
    HealthResult,
    LatestScrape,
)
from watchdeck.domain.metrics.scrape import NOT_A_MODEL_SERVER, ModelState, Outcome
from watchdeck.domain.settings.endpoint import Slo
from watchdeck.domain.values.format import format_comparison, format_duration

STALE_INTERVALS = 3
"""A model without a fresh sample for this many intervals is unknown."""

DOWN_FAILURES = 2
"""Failed scrapes in a row that mean down; after fewer the health stays as it was."""

UNREADABLE_OUTCOMES = (
    Outcome.TOO_LARGE,
    Outcome.UNREADABLE,
    Outcome.REDIRECTED,
    Outcome.NOT_METRICS,
    Outcome.HTTP_STATUS,
)
"""Outcomes with a response that cannot be read: a model that reports ready is not down."""

_GOOD = "good"
"""The cause of a health without alerts and without a special state."""

_STATES = {
    ModelState.NOT_READY: (Health.DOWN, "the model says that it is not ready"),
    ModelState.LOADING: (Health.WARNING, "the model is loading"),
    ModelState.SLEEPING: (Health.OK, "the model sleeps, and wakes on a request"),
    ModelState.SCALED_TO_ZERO: (Health.OK, "scaled to zero, and starts on a request"),
}


def evaluate_health(
    latest: LatestScrape | None,
    previous: HealthResult | None,
    now: int,
    blind: str = "",
    alerts: Iterable[ActiveAlert] = (),
) -> HealthResult:
    """The health of a model by its newest scrape and its `alerts`, at `now` (ms UTC).

    `blind` is why the collector reaches no endpoint at all, or empty. After only one failed scrape
    the health stays `previous`. A model without fresh data is unknown, never ok.
    """
    if latest is None:
        return HealthResult(Health.UNKNOWN, "no_scrape", "no scrape yet")
    if blind:
        return HealthResult(Health.UNKNOWN, "blind", f"the collector is blind: {blind}")
    if is_stale(latest.at, latest.facts.every, now):
        return _stale_result(latest.at, latest.facts.every, now)
    if latest.failures:
        return _failure_result(latest, previous)
    found = (*_model_state_results(latest), *map(_alert_result, worst_first(alerts)))
    return min(found, key=_rank) if found else _good_result(latest)


def worst_first(alerts: Iterable[ActiveAlert]) -> list[ActiveAlert]:
    """The firing and clearing alerts, which decide the health, the worst first."""
    firing = (one for one in alerts if one.episode.is_firing)
    return sorted(firing, key=lambda one: (one.episode.severity, one.episode.id))


def _rank(result: HealthResult) -> int:
    return WORST_FIRST.index(result.health)


def _model_state_results(latest: LatestScrape) -> Iterator[HealthResult]:
    """The health by the state that the model reports, if that state decides one."""
    if latest.model_state in _STATES:
        health, words = _STATES[latest.model_state]
        why = _join_detail(words, latest.model_detail)
        yield HealthResult(health, latest.model_state.value, why)


def _alert_result(active: ActiveAlert) -> HealthResult:
    """The health by one alert; a clearing alert is no longer critical."""
    alert, episode = active.alert, active.episode
    if episode.condition is AlertState.CLEARING:
        return HealthResult(Health.WARNING, alert.rule, f"not yet surely over: {episode.why}")
    health = Health.CRITICAL if episode.severity.is_paging else Health.WARNING
    return HealthResult(health, alert.rule, episode.why)


def is_stale(at: int, every: int, now: int) -> bool:
    """Whether a scrape at `at` is too old at `now` (ms UTC); `every` is the interval (ms)."""
    return now - at > STALE_INTERVALS * every


def displayed_health(
    recorded: HealthChange | None,
    latest: LatestScrape | None,
    collector: Collector,
    now: int,
    every: int,
    alerts: Iterable[ActiveAlert] = (),
) -> tuple[Health, str, int | None]:
    """The health to display at `now` (ms UTC), its reason, and its start (None when unknown).

    It is the `recorded` health, but unknown once the newest scrape is stale, because nothing is
    recorded while no collector runs. A single failed scrape is only added to the reason. Numbers in
    the reason are those of the newest scrape.
    """
    if latest is None:
        return Health.UNKNOWN, _join_detail("no scrape yet", _COLLECTOR[collector.state]), None
    if is_stale(latest.at, every, now):
        why = _join_detail(_stale_result(latest.at, every, now).why, _COLLECTOR[collector.state])
        return Health.UNKNOWN, why, latest.at + STALE_INTERVALS * every
    if recorded is None:
        return Health.UNKNOWN, "not judged yet", None
    if _is_single_failure(latest, recorded):
        return recorded.health, f"{recorded.why}; {_failure_text(latest)}", recorded.began_at
    return recorded.health, _recorded_reason(recorded, latest, alerts), recorded.began_at


def _is_single_failure(latest: LatestScrape, recorded: HealthChange) -> bool:
    """Whether the newest scrape failed, and the recorded health does not say so."""
    is_recorded = recorded.health is Health.DOWN or recorded.cause == "failed_once"
    return 0 < latest.failures < DOWN_FAILURES and not is_recorded


def _recorded_reason(
    recorded: HealthChange, latest: LatestScrape, alerts: Iterable[ActiveAlert]
) -> str:
    """The recorded reason with the newest value; for a good health, that of a pending alert."""
    if recorded.cause == _GOOD:
        pending = (one for one in alerts if one.episode.condition is AlertState.PENDING)
        first = min(pending, key=lambda one: one.episode.severity, default=None)
        if first is None:
            return recorded.why
        return f"pending: {current_reason(first, latest) or first.episode.why}"
    for one in worst_first(alerts):
        result = _alert_result(one)
        if (result.cause, result.health) == (recorded.cause, recorded.health):
            return current_reason(one, latest) or result.why
    return recorded.why


def current_reason(active: ActiveAlert, latest: LatestScrape) -> str:
    """The reason of an alert (`latency_p95 412 ms > 200 ms`) with the value of the newest scrape.

    Empty when the reason is not just a comparison, or the newest value is within the limit.
    """
    episode, signal = active.episode, active.alert.labels.get("signal", "")
    reading, limit, value = latest.signals.get(signal), episode.limit, episode.value
    if reading is None or limit is None or value is None:
        return ""
    above, unit = value > limit, reading.unit
    is_past = (reading.value > limit) is above and reading.value != limit
    if format_comparison(signal, value, limit, unit, above=above) != episode.why or not is_past:
        return ""
    return format_comparison(signal, reading.value, limit, unit, above=above)


_COLLECTOR = {
    CollectorState.RUNNING: "",
    CollectorState.STALLED: "the collector is stalled",
    CollectorState.STOPPED: "no collector is running",
}


def _join_detail(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else words


def _stale_result(at: int, every: int, now: int) -> HealthResult:
    age = format_duration(now - at)
    why = f"no fresh sample for {age} (expected every {format_duration(every)})"
    return HealthResult(Health.UNKNOWN, "stale", why)


def _failure_result(latest: LatestScrape, previous: HealthResult | None) -> HealthResult:
    if latest.failures < DOWN_FAILURES and latest.model_state is not ModelState.NOT_READY:
        return previous or HealthResult(Health.UNKNOWN, "failed_once", _failure_text(latest))
    if latest.outcome in UNREADABLE_OUTCOMES and latest.model_state is ModelState.READY:
        why = f"ready, but its page cannot be read: {_failure_text(latest)}"
        return HealthResult(Health.UNKNOWN, latest.outcome.value, why)
    return HealthResult(Health.DOWN, latest.outcome.value, _failure_text(latest))


def _failure_text(latest: LatestScrape) -> str:
    times = "one failed scrape" if latest.failures == 1 else "failed scrapes in a row"
    return f"{times}: {_join_detail(latest.outcome.value, latest.detail)}"


def _good_result(latest: LatestScrape) -> HealthResult:
    if latest.model_detail == NOT_A_MODEL_SERVER:
        return HealthResult(Health.OK, _GOOD, f"answers: {NOT_A_MODEL_SERVER}")
    is_ready = latest.model_state is ModelState.READY
    words = "ready" if is_ready else "answers, readiness not measurable"
    slo = "no SLO set" if latest.facts.slo == Slo() else "within its SLO"
    return HealthResult(Health.OK, _GOOD, f"{words}, {slo}")
