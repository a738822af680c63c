"""Derivation of signals: the values of a page become one signal frame, once for all readers."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, Identity, Outcome
from watchdeck.domain.metrics.signal import frame_columns, signal_layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.functions import finite_values
from watchdeck.domain.signals.plan import Plan, column_slots
from watchdeck.domain.signals.plan_builder import kind_signals

_OUTCOME, _UP, _READY, _AVAILABILITY = (
    frame_columns(()).index(name) for name in ("outcome", "up", "ready", "availability")
)
_TLS, _DURATION = (
    frame_columns(()).index(name) - len(frame_columns(()))
    for name in ("tls_days_left", "scrape_duration")
)

_NOTHING: Mapping[str, float] = {}

_LATEST_START = 1e11
"""Seconds since 1970 from which a start time is implausible: milliseconds, or a wrong value."""


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
    probe_signals: Mapping[str, float] = _NOTHING,
) -> array[float]:
    """Derive the signals of a page read at `at` (ms UTC), in the order of `plan.signal_layout`.

    An unknown signal is NaN. The caller calls `window.add_probe` itself.

    - `values`: the values of the page, in the order of `plan.layout`
    - `scrape_duration`: in seconds
    - `canaries_sent`: all canaries sent so far, which the server counts as requests
    - `probe_signals`: signals from probe responses, used where the page has none
    """
    window.push(plan, at, values, canaries_sent)
    out = plan.blank_frame[:]
    found = window.increases()
    if found is not None:
        increases, seconds, sent = found
        for increase_formula in plan.increase_formulas:
            increase_formula(increases, seconds, sent, out)
    for gauge_formula in plan.gauge_formulas:
        gauge_formula(values, out)
    for name, value in probe_signals.items():
        slot = plan.slots.get(name)
        if slot is not None and math.isnan(out[slot]):
            out[slot] = value
    _fill_common(out, window, at, outcome, up=up, ready=ready)
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
    """The signal frame of a scrape that read no page: only the signals of the scrape are known."""
    names = kind_signals(kind, endpoint)
    out = array("d", [math.nan] * len(column_slots(names)))
    _fill_common(out, window, at, outcome, up=False, ready=ready)
    out[_DURATION] = scrape_duration
    out[_TLS] = math.nan if tls_days_left is None else tls_days_left
    return Frame(signal_layout(names), out)


def _fill_common(
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
    """The identity of a server by its page, else by the keyword arguments (`started` in s UTC).

    The model's version on the page wins over the server's own. While the page shows no
    version yet but may later, the result has none: its first version must not look like a deploy.
    """
    shown = None if plan.version_pending else plan.version or version
    replica_counts = finite_values(values[place] for place in plan.replicas)
    start = max(finite_values(values[place] for place in plan.started), default=started or 0.0)
    return Identity(
        version=shown,
        started_at=round(start * 1_000) if 0 < start < _LATEST_START else None,
        replicas=round(sum(replica_counts)) if replica_counts else replicas,
        resets=window.resets,
    )
