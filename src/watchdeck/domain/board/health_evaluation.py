"""From a model's newest scrape and its alerts to its health, and the reason in words.

What is too slow, too full or too wrong is decided by rules alone: a health that is not of the
scrape itself is that of the worst alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchdeck.domain.alerts.alert import ActiveAlert, AlertState
from watchdeck.domain.board.board import Collector, CollectorState, LatestScrape
from watchdeck.domain.board.health import WORST_FIRST, Health, HealthChange, HealthResult
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.format import format_comparison, format_duration
from watchdeck.domain.values.slo import Slo

STALE_INTERVALS = 3
"""A model without a fresh sample for this many intervals is unknown."""

DOWN_FAILURES = 2
"""This many failed scrapes in a row are down; fewer keep the health that was."""

CANNOT_READ = (
    Outcome.TOO_LARGE,
    Outcome.UNREADABLE,
    Outcome.REDIRECTED,
    Outcome.NOT_METRICS,
    Outcome.HTTP_STATUS,
)
"""Answers that came, but cannot be read: a model that calls itself ready is then not down."""

_GOOD = "good"
"""The cause of a health that no alert and no state speaks against."""

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
    """The health that follows from the newest scrape and the model's `alerts`, at `now` (ms UTC).

    `blind` is the reason why the collector can reach nothing at all, or empty. One failed scrape
    keeps `previous`. No data is never ok.
    """
    if latest is None:
        return HealthResult(Health.UNKNOWN, "no_scrape", "no scrape yet")
    if blind:
        return HealthResult(Health.UNKNOWN, "blind", f"the collector is blind: {blind}")
    if is_stale(latest.at, latest.facts.every, now):
        return _stale(latest.at, latest.facts.every, now)
    if latest.failures:
        return _failed(latest, previous)
    found = (*_stated(latest), *map(_alerted, worst_first(alerts)))
    return min(found, key=_badness) if found else _good(latest)


def worst_first(alerts: Iterable[ActiveAlert]) -> list[ActiveAlert]:
    """The alerts that a health rests on: those that fire, and those not yet surely over."""
    burning = (one for one in alerts if one.episode.condition in _BURNING)
    return sorted(burning, key=lambda one: (one.episode.severity, one.episode.id))


_BURNING = (AlertState.FIRING, AlertState.CLEARING)


def _badness(verdict: HealthResult) -> int:
    return WORST_FIRST.index(verdict.health)


def _stated(latest: LatestScrape) -> Iterator[HealthResult]:
    """What the model itself says of its state, where that settles its health."""
    if latest.model_state in _STATES:
        health, words = _STATES[latest.model_state]
        yield HealthResult(health, latest.model_state.value, _with(words, latest.model_detail))


def _alerted(raised: ActiveAlert) -> HealthResult:
    """The health that an alert makes; what is about to be over is no longer critical."""
    alert, episode = raised.alert, raised.episode
    if episode.condition is AlertState.CLEARING:
        return HealthResult(Health.WARNING, alert.rule, f"not yet surely over: {episode.why}")
    health = Health.CRITICAL if episode.severity.pages else Health.WARNING
    return HealthResult(health, alert.rule, episode.why)


def is_stale(at: int, every: int, now: int) -> bool:
    """Whether a scrape of `at` is too old at `now` to say anything."""
    return now - at > STALE_INTERVALS * every


def displayed_health(
    recorded: HealthChange | None,
    latest: LatestScrape | None,
    collector: Collector,
    now: int,
    every: int,
    alerts: Iterable[ActiveAlert] = (),
) -> tuple[Health, str, int | None]:
    """Health, why and since when, as a reader of the store must see them at `now`.

    The engine records health only while a collector runs; what it recorded last must not look
    fresh for ever, so a stale scrape is unknown here too, since the moment it became stale. One
    failed scrape keeps the health, and is said. A figure in the reason is the newest scrape's.
    """
    if latest is None:
        return Health.UNKNOWN, _with("no scrape yet", _COLLECTOR[collector.state]), None
    if is_stale(latest.at, every, now):
        why = _with(_stale(latest.at, every, now).why, _COLLECTOR[collector.state])
        return Health.UNKNOWN, why, latest.at + STALE_INTERVALS * every
    if recorded is None:
        return Health.UNKNOWN, "not judged yet", None
    if _failed_once(latest, recorded):
        return recorded.health, f"{recorded.why}; {_failure(latest)}", recorded.began
    return recorded.health, _why_now(recorded, latest, alerts), recorded.began


def _failed_once(latest: LatestScrape, recorded: HealthChange) -> bool:
    """Whether the newest scrape failed, and the health does not tell so already."""
    told = recorded.health is Health.DOWN or recorded.cause == "failed_once"
    return 0 < latest.failures < DOWN_FAILURES and not told


def _why_now(recorded: HealthChange, latest: LatestScrape, alerts: Iterable[ActiveAlert]) -> str:
    """The recorded reason, in the alert's newest words, with today's figure where that holds.

    What is good, but past a bound and not yet for long enough to fire, is not within its SLO.
    """
    if recorded.cause == _GOOD:
        pending = [one for one in alerts if one.episode.condition is AlertState.PENDING]
        first = min(pending, key=lambda one: one.episode.severity, default=None)
        return (
            f"pending: {current_reason(first, latest) or first.episode.why}"
            if first
            else recorded.why
        )
    for one in worst_first(alerts):
        verdict = _alerted(one)
        if (verdict.cause, verdict.health) == (recorded.cause, recorded.health):
            return current_reason(one, latest) or verdict.why
    return recorded.why


def current_reason(raised: ActiveAlert, latest: LatestScrape) -> str:
    """The reason of an alert with the newest value, while that is past its limit; else nothing.

    Only where the reason is no more than such a comparison.
    """
    episode, signal = raised.episode, raised.alert.labels.get("signal", "")
    reading, limit, value = latest.signals.get(signal), episode.limit, episode.value
    if reading is None or limit is None or value is None:
        return ""
    said = format_comparison(signal, value, limit, reading.unit, above=value > limit)
    past = (reading.value > limit) is (value > limit) and reading.value != limit
    if said != episode.why or not past:
        return ""
    return format_comparison(signal, reading.value, limit, reading.unit, above=value > limit)


_COLLECTOR = {
    CollectorState.RUNNING: "",
    CollectorState.STALLED: "the collector is stalled",
    CollectorState.STOPPED: "no collector is running",
}


def _with(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else words


def _stale(at: int, every: int, now: int) -> HealthResult:
    why = (
        f"no fresh sample for {format_duration(now - at)} (expected every {format_duration(every)})"
    )
    return HealthResult(Health.UNKNOWN, "stale", why)


def _failed(latest: LatestScrape, previous: HealthResult | None) -> HealthResult:
    if latest.failures < DOWN_FAILURES and latest.model_state is not ModelState.NOT_READY:
        return previous or HealthResult(Health.UNKNOWN, "failed_once", _failure(latest))
    if latest.outcome in CANNOT_READ and latest.model_state is ModelState.READY:
        why = f"ready, but its page cannot be read: {_failure(latest)}"
        return HealthResult(Health.UNKNOWN, latest.outcome.value, why)
    return HealthResult(Health.DOWN, latest.outcome.value, _failure(latest))


def _failure(latest: LatestScrape) -> str:
    times = "one failed scrape" if latest.failures == 1 else "failed scrapes in a row"
    return f"{times}: {_with(latest.outcome.value, latest.detail)}"


def _good(latest: LatestScrape) -> HealthResult:
    if latest.model_state is ModelState.READY:
        return HealthResult(Health.OK, _GOOD, f"ready, {_promised(latest.facts)}")
    return HealthResult(
        Health.OK, _GOOD, f"answers, readiness not measurable, {_promised(latest.facts)}"
    )


def _promised(facts: EndpointFacts) -> str:
    return "no SLO set" if facts.slo == Slo() else "within its SLO"
