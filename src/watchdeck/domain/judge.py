"""From a model's newest scrape to its health, and the reason in words.

The bounds are the model's own promises (its SLO) and a few limits that hold for every server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watchdeck.domain.board import Collector, CollectorState, Facts, Latest, Reading
from watchdeck.domain.endpoint import Slo
from watchdeck.domain.health import WORST_FIRST, Health, HealthChange, Verdict
from watchdeck.domain.scrape import ModelState, Outcome
from watchdeck.domain.words import quantity, span

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

_STATES = {
    ModelState.NOT_READY: (Health.DOWN, "the model says that it is not ready"),
    ModelState.LOADING: (Health.WARNING, "the model is loading"),
    ModelState.SLEEPING: (Health.OK, "the model sleeps, and wakes on a request"),
    ModelState.SCALED_TO_ZERO: (Health.OK, "scaled to zero, and starts on a request"),
}


@dataclass(frozen=True, slots=True)
class _Bound:
    """A signal's limits; `above` tells whether more is worse."""

    signal: str
    warning: float
    critical: float
    above: bool = True


_LIMITS = (
    _Bound("saturation", 0.9, 0.98),
    _Bound("kv_cache_usage", 0.95, 0.995),
    _Bound("gpu_memory_ratio", 0.97, 0.995),
    _Bound("tls_days_left", 14, 2, above=False),
)


def judge(latest: Latest | None, previous: Verdict | None, now: int, blind: str = "") -> Verdict:
    """The health that follows from the newest scrape, at `now` (ms UTC).

    `blind` is the reason why the collector can reach nothing at all, or empty. One failed scrape
    keeps `previous`. No data is never ok.
    """
    if latest is None:
        return Verdict(Health.UNKNOWN, "no_scrape", "no scrape yet")
    if blind:
        return Verdict(Health.UNKNOWN, "blind", f"the collector is blind: {blind}")
    if is_stale(latest.at, latest.facts.every, now):
        return _stale(latest.at, latest.facts.every, now)
    if latest.failures:
        return _failed(latest, previous)
    if latest.model_state in _STATES:
        health, words = _STATES[latest.model_state]
        return Verdict(health, latest.model_state.value, _with(words, latest.model_detail))
    found = sorted(_breaches(latest), key=lambda verdict: WORST_FIRST.index(verdict.health))
    return found[0] if found else _good(latest)


def is_stale(at: int, every: int, now: int) -> bool:
    """Whether a scrape of `at` is too old at `now` to say anything."""
    return now - at > STALE_INTERVALS * every


def as_seen(
    recorded: HealthChange | None,
    latest: Latest | None,
    collector: Collector,
    now: int,
    every: int,
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
    return recorded.health, _why_now(recorded, latest, now), recorded.began


def _failed_once(latest: Latest, recorded: HealthChange) -> bool:
    """Whether the newest scrape failed, and the health does not tell so already."""
    told = recorded.health is Health.DOWN or recorded.cause == "failed_once"
    return 0 < latest.failures < DOWN_FAILURES and not told


def _why_now(recorded: HealthChange, latest: Latest, now: int) -> str:
    """The recorded reason, with today's figure while the same bound is still crossed as far."""
    if recorded.cause in latest.signals:
        verdict = judge(latest, None, now)
        if (verdict.cause, verdict.health) == (recorded.cause, recorded.health):
            return verdict.why
    return recorded.why


_COLLECTOR = {
    CollectorState.RUNNING: "",
    CollectorState.STALLED: "the collector is stalled",
    CollectorState.STOPPED: "no collector is running",
}


def _with(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else words


def _stale(at: int, every: int, now: int) -> Verdict:
    why = f"no fresh sample for {span(now - at)} (expected every {span(every)})"
    return Verdict(Health.UNKNOWN, "stale", why)


def _failed(latest: Latest, previous: Verdict | None) -> Verdict:
    if latest.failures < DOWN_FAILURES and latest.model_state is not ModelState.NOT_READY:
        return previous or Verdict(Health.UNKNOWN, "failed_once", _failure(latest))
    if latest.outcome in CANNOT_READ and latest.model_state is ModelState.READY:
        why = f"ready, but its page cannot be read: {_failure(latest)}"
        return Verdict(Health.UNKNOWN, latest.outcome.value, why)
    return Verdict(Health.DOWN, latest.outcome.value, _failure(latest))


def _failure(latest: Latest) -> str:
    times = "one failed scrape" if latest.failures == 1 else "failed scrapes in a row"
    return f"{times}: {_with(latest.outcome.value, latest.detail)}"


def _bounds(slo: Slo) -> Iterator[_Bound]:
    if slo.latency_p95 is not None:
        limit = slo.latency_p95.seconds
        yield _Bound("latency_p95", limit, 2 * limit)
    if slo.error_ratio is not None:
        yield _Bound("error_ratio", slo.error_ratio, 5 * slo.error_ratio)
    if slo.availability is not None:
        lost = 1 - slo.availability
        yield _Bound("availability", slo.availability, 1 - 10 * lost, above=False)
    yield from _LIMITS


def _breaches(latest: Latest) -> Iterator[Verdict]:
    for bound in _bounds(latest.facts.slo):
        reading = latest.signals.get(bound.signal)
        if reading is not None and _crossed(reading.value, bound.warning, above=bound.above):
            yield _breach(reading, bound)


def crossed(latest: Latest) -> tuple[str, ...]:
    """Every bound that a scrape crosses, in words, the worst first."""
    found = sorted(_breaches(latest), key=lambda verdict: WORST_FIRST.index(verdict.health))
    return tuple(verdict.why for verdict in found)


def _crossed(value: float, limit: float, *, above: bool) -> bool:
    return value > limit if above else value < limit


def _breach(reading: Reading, bound: _Bound) -> Verdict:
    critical = _crossed(reading.value, bound.critical, above=bound.above)
    limit = bound.critical if critical else bound.warning
    value, text = quantity(reading.value, reading.unit), quantity(limit, reading.unit)
    why = f"{bound.signal} {value} {'>' if bound.above else '<'} {text}"
    health = Health.CRITICAL if critical else Health.WARNING
    return Verdict(health, bound.signal, why)


def _good(latest: Latest) -> Verdict:
    if latest.model_state is ModelState.READY:
        return Verdict(Health.OK, "good", f"ready, {_promised(latest.facts)}")
    return Verdict(
        Health.OK, "good", f"answers, readiness not measurable, {_promised(latest.facts)}"
    )


def _promised(facts: Facts) -> str:
    return "no SLO set" if facts.slo == Slo() else "within its SLO"
