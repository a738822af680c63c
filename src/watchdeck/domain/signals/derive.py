"""Signals from a scrape: one frame in, one small frame out, worked out once for every reader."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, Identity, Outcome
from watchdeck.domain.metrics.signal import columns, signal_layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.functions import finite_values
from watchdeck.domain.signals.plan import Plan, slots
from watchdeck.domain.signals.plan_builder import kind_signals

_OUTCOME, _UP, _READY, _AVAILABILITY = (
    columns(()).index(name) for name in ("outcome", "up", "ready", "availability")
)
_TLS, _DURATION = (
    columns(()).index(name) - len(columns(())) for name in ("tls_days_left", "scrape_duration")
)

_NOTHING: Mapping[str, float] = {}

_LATEST_START = 1e11
"""Seconds since 1970 that are no process start: they are milliseconds, or nonsense."""


def derive_signals(  # noqa: PLR0913 - one argument for each thing a scrape brings
    plan: Plan,
    window: CounterWindow,
    at: int,
    values: array[float],
    *,
    outcome: Outcome = Outcome.OK,
    up: bool = True,
    ready: bool | None = None,
    scrape_duration: float = math.nan,
    tls_days_left: float | None = None,
    canaries_sent: int = 0,
    answered: Mapping[str, float] = _NOTHING,
) -> array[float]:
    """The signals of the page of `at` (ms UTC), in the order of `plan.signal_layout`.

    `values` is aligned with the plan's layout. `canaries_sent` is the number of canaries ever sent
    to this endpoint, which the server counted too. `answered` are signals that probes brought; the
    page's own go before them. What is not known is NaN. The probe itself is the caller's to
    remember: `window.probe()`.
    """
    window.push(plan, at, values, canaries_sent)
    out = plan.blank[:]
    moved = window.increases()
    if moved is not None:
        increases, seconds, sent = moved
        for flow in plan.flows:
            flow(increases, seconds, sent, out)
    for level in plan.levels:
        level(values, out)
    for name, value in answered.items():
        slot = plan.slots.get(name)
        if slot is not None and math.isnan(out[slot]):
            out[slot] = value
    _common(out, window, at, outcome, up=up, ready=ready)
    out[_DURATION] = scrape_duration
    out[_TLS] = math.nan if tls_days_left is None else tls_days_left
    return out


def failed_signals(  # noqa: PLR0913 - same
    kind: Kind | None,
    endpoint: Endpoint,
    window: CounterWindow,
    at: int,
    outcome: Outcome,
    *,
    ready: bool | None = None,
    scrape_duration: float = math.nan,
    tls_days_left: float | None = None,
) -> Frame:
    """The signals of a scrape that brought no page: only what the attempt itself tells."""
    names = kind_signals(kind, endpoint)
    out = array("d", [math.nan] * len(slots(names)))
    _common(out, window, at, outcome, up=False, ready=ready)
    out[_DURATION] = scrape_duration
    out[_TLS] = math.nan if tls_days_left is None else tls_days_left
    return Frame(signal_layout(names), out)


def _common(
    out: array[float],
    window: CounterWindow,
    at: int,
    outcome: Outcome,
    *,
    up: bool,
    ready: bool | None,
) -> None:
    out[_OUTCOME] = OUTCOME_CODES[outcome]
    out[_UP] = float(up)
    out[_READY] = math.nan if ready is None else float(ready)
    out[_AVAILABILITY] = window.availability(at)


def identity(
    plan: Plan,
    window: CounterWindow,
    values: Sequence[float],
    *,
    version: str | None = None,
    replicas: int | None = None,
    started: float | None = None,
) -> Identity:
    """Who answered. `version`, `replicas` and `started` (seconds UTC) are what other answers said.

    The model's version on the page goes before the server's own; while the page may yet tell one,
    none is told, so that the first prediction does not look like a deploy.
    """
    said = None if plan.version_pending else plan.version or version
    counted = finite_values(values[place] for place in plan.replicas)
    begun = max(finite_values(values[place] for place in plan.started), default=started or 0.0)
    return Identity(
        version=said,
        started_at=round(begun * 1_000) if 0 < begun < _LATEST_START else None,
        replicas=round(sum(counted)) if counted else replicas,
        resets=window.resets,
    )
