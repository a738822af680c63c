"""Evaluation of a model's health and its reason, from its newest scrape and its alerts.

Limits are in rules only: the health comes from the scrape itself or from the worst alert.
"""

import math
import re
from collections.abc import Iterable, Iterator

from watchdeck.domain.alerts.alert import ActiveAlert, AlertState, DataState
from watchdeck.domain.board.board import (
    WORST_FIRST,
    Collector,
    Health,
    HealthChange,
    HealthResult,
    LatestScrape,
)
from watchdeck.domain.board.slo_status import Verdict, slo_status, worst_objective
from watchdeck.domain.metrics.scrape import NOT_A_MODEL_SERVER, ModelState, Outcome
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.signals.plan import WAITS_FOR_REQUEST
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

_GATEWAY_FAILURE = re.compile(r"\b50[234]\b")
"""Statuses by which a gateway says that the server behind it does not answer."""

_GOOD = "good"
"""The cause of a health without alerts and without a special state."""

_SLO_UNKNOWN = "slo_unknown"
"""The cause of a health that is unknown because an objective of the SLO cannot be judged."""

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
    return min(found, key=_rank) if found else good_result(latest)


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
        return Health.UNKNOWN, _join_detail("no scrape yet", collector.trouble), None
    if is_stale(latest.at, every, now):
        why = _join_detail(_stale_result(latest.at, every, now).why, collector.trouble)
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
    """The recorded reason with the newest value; without a firing alert, that of a pending one."""
    if recorded.cause in (_GOOD, _SLO_UNKNOWN):
        pending = (one for one in alerts if one.episode.condition is AlertState.PENDING)
        first = min(pending, key=lambda one: one.episode.severity, default=None)
        reason = _good_reason(recorded, latest)
        if first is None:
            return reason
        text = f"pending: {current_reason(first, latest) or first.episode.why}"
        return text if recorded.cause == _GOOD else f"{text}; {reason}"
    for one in worst_first(alerts):
        result = _alert_result(one)
        if (result.cause, result.health) == (recorded.cause, recorded.health):
            return current_reason(one, latest) or result.why
    return recorded.why


def _good_reason(recorded: HealthChange, latest: LatestScrape) -> str:
    """The reason of a health without alerts by the newest scrape; of the past, the recorded one.

    What is said of the SLO changes with every scrape, and is not recorded each time.
    """
    if latest.failures or latest.kind is None:
        return recorded.why
    now = good_result(latest)
    return now.why if now.cause == recorded.cause else recorded.why


def current_reason(active: ActiveAlert, latest: LatestScrape) -> str:
    """The reason of an alert (`latency_p95 412 ms > 200 ms`) with the value of the newest scrape.

    Empty when the reason is not just a comparison, or the newest value is within the limit.
    """
    episode, signal = active.episode, active.alert.labels.get("signal", "")
    reading, limit, value = latest.signals.get(signal), episode.limit, episode.value
    if reading is None or limit is None or value is None:
        return ""
    if episode.data is DataState.NONE:
        return ""
    above, unit = value > limit, reading.unit
    is_past = (reading.value > limit) is above and reading.value != limit
    if format_comparison(signal, value, limit, unit, above=above) != episode.why or not is_past:
        return ""
    return format_comparison(signal, reading.value, limit, unit, above=above)


def _join_detail(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else words


def _stale_result(at: int, every: int, now: int) -> HealthResult:
    age = format_duration(now - at)
    why = f"no fresh sample for {age} (expected every {format_duration(every)})"
    return HealthResult(Health.UNKNOWN, "stale", why)


def _failure_result(latest: LatestScrape, previous: HealthResult | None) -> HealthResult:
    if latest.failures < DOWN_FAILURES and latest.model_state is not ModelState.NOT_READY:
        return previous or HealthResult(Health.UNKNOWN, "failed_once", _failure_text(latest))
    if latest.model_state is ModelState.LOADING:
        why = _join_detail("the model is loading", latest.model_detail or latest.detail)
        return HealthResult(Health.WARNING, latest.model_state.value, why)
    if latest.outcome in UNREADABLE_OUTCOMES and latest.model_state is ModelState.READY:
        why = f"ready, but its page cannot be read: {_failure_text(latest)}"
        return HealthResult(Health.UNKNOWN, latest.outcome.value, why)
    if is_foreign_answer(latest.kind, latest.outcome, latest.detail):
        why = f"answers, but is not a model server that watchdeck knows: {latest.detail}"
        return HealthResult(Health.UNKNOWN, "not_a_model_server", why)
    return HealthResult(Health.DOWN, latest.outcome.value, _failure_text(latest))


def is_foreign_answer(kind: str | None, outcome: str, detail: str) -> bool:
    """Whether an address of no known kind answered with something else than a model server's page.

    A process is there, so the failure says nothing of its end. A gateway that answers for a server
    which does not is the end of that server.
    """
    if kind is not None or outcome not in (Outcome.HTTP_STATUS, Outcome.NOT_METRICS):
        return False
    return _GATEWAY_FAILURE.search(detail) is None


def _failure_text(latest: LatestScrape) -> str:
    times = "one failed scrape" if latest.failures == 1 else "failed scrapes in a row"
    return f"{times}: {_join_detail(latest.outcome.value, latest.detail)}"


def good_result(latest: LatestScrape) -> HealthResult:
    """The health of a model that answers and has no alert: ok, or unknown when too little is known.

    An SLO that cannot be judged at all makes it unknown. One that only has too few requests, or
    whose limit lies in the bucket of the quantile, leaves it ok: the reason says so.
    """
    if latest.model_detail == NOT_A_MODEL_SERVER:
        return HealthResult(Health.OK, _GOOD, f"answers: {NOT_A_MODEL_SERVER}")
    is_ready = latest.model_state is ModelState.READY
    words = "ready" if is_ready else "answers, readiness not measurable"
    if absent := _absence(latest, is_ready=is_ready):
        return HealthResult(Health.UNKNOWN, "not_on_page", f"{words}, but {absent}")
    return _slo_result(latest, words)


def _slo_result(latest: LatestScrape, words: str) -> HealthResult:
    statuses = slo_status(latest)
    missed = "".join(f", but {one.why}" for one in statuses if one.verdict is Verdict.MISSED)
    unjudged = [one for one in statuses if one.verdict not in (Verdict.KEPT, Verdict.MISSED)]
    if not unjudged:
        kept = "within its SLO" if statuses else "no SLO set"
        return HealthResult(Health.OK, _GOOD, words + (missed or f", {kept}"))
    worst = worst_objective(unjudged)
    what = "; unknown whether the rest is kept" if missed else ", unknown whether its SLO is kept"
    why = f"{words}{missed}{what}: {worst.why}"
    if worst.verdict is Verdict.UNKNOWN or (worst.verdict is Verdict.UNSURE and _is_above(latest)):
        return HealthResult(Health.UNKNOWN, _SLO_UNKNOWN, why)
    return HealthResult(Health.OK, _GOOD, words + missed if missed else why)


def _is_above(latest: LatestScrape) -> bool:
    """Whether the latency is above the last bucket of its histogram: any SLO may be missed."""
    value = latest.signals.get("latency_p95")
    return value is not None and value.high is not None and math.isinf(value.high)


def _absence(latest: LatestScrape, *, is_ready: bool) -> str:
    """Why the page says nothing of the model at all; empty when it does, or may from a request on.

    A model that is ready may show its series only from its first request.
    """
    if any(name not in PROBE_SIGNALS for name in latest.signals):
        return ""
    remarks = [text for name, text in latest.remarks.items() if name in SIGNALS]
    said = next((text for text in remarks if text.startswith("the page ")), "")
    return "" if is_ready and said.endswith(WAITS_FOR_REQUEST) else said
