"""Derivation of signals: the values of a page become one signal frame, once for all readers."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, Identity, Outcome
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.functions import finite_values, slot_of
from watchdeck.domain.signals.plan import NO_POSSIBLE_VALUE, Plan, column_slots
from watchdeck.domain.signals.plan_builder import kind_signals
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.values.format import format_duration

_NOTHING: Mapping[str, float] = {}

_LATEST_START = 1e11
"""Seconds since 1970 from which a start time is implausible: milliseconds, or a wrong value."""


class ProbeFacts(Struct, frozen=True):
    """What a scrape knows besides its page; None where it is unknown.

    `scrape_duration` is in seconds.
    """

    outcome: Outcome = Outcome.OK
    ready: bool | None = None
    scrape_duration: float = math.nan
    tls_days_left: float | None = None
    signals_missing: int | None = None
    stale_age: int = 0
    """The age (ms) of samples that the page marks as older than the present; 0 for none."""


_NO_FACTS = ProbeFacts()


class DerivedSignals(Struct, frozen=True):
    """The signals of a page in the order of `plan.signal_layout`; an unknown one is NaN.

    `remarks` says why, or what makes a value doubtful, by signal. `out_of_range` counts values of
    the page that a measurement in their unit cannot have.
    """

    values: array[float]
    remarks: dict[str, str] = field(default_factory=dict)
    out_of_range: int = 0


def derive_signals(  # noqa: PLR0913 - one argument for each thing a scrape brings
    plan: Plan,
    window: CounterWindow,
    probes: ProbeWindow,
    at: int,
    values: array[float],
    facts: ProbeFacts = _NO_FACTS,
    *,
    canaries_sent: int = 0,
    probe_signals: Mapping[str, float] = _NOTHING,
) -> DerivedSignals:
    """Derive the signals of a page that shows the state at `at` (ms UTC).

    The caller adds the result of the probe to `probes` itself.

    - `values`: the values of the page, in the order of `plan.layout`
    - `canaries_sent`: all canaries sent so far, which the server counts as requests
    - `probe_signals`: signals from probe responses, used where the page has none
    """
    window.push(plan, at, values, canaries_sent)
    out = plan.blank_frame[:]
    for increase_formula in plan.increase_formulas:
        increase_formula(window, out)
    out_of_range = 0 if window.has_several else _write_gauges(plan, window, values, out)
    remarks = _fall_back(plan, window, values, out, _given_remarks(plan, out))
    if out_of_range:
        remarks = _add_remarks(plan, out, plan.gauge_signals, NO_POSSIBLE_VALUE, remarks)
    if window.has_gap:
        remarks = _add_remarks(plan, out, plan.increase_signals, _GAP, remarks)
    for name, value in probe_signals.items():
        slot = plan.slots.get(name)
        if slot is not None and math.isnan(out[slot]):
            out_of_range += not slot_of(name, plan.slots).write(out, value)
    _fill_common(out, plan.slots, window, probes, at, facts)
    remarks = _add_window_remarks(plan, window, remarks)
    if facts.stale_age:
        why = (
            f"the page's own time says that its samples are {format_duration(facts.stale_age)} old"
        )
        remarks = _add_remarks(plan, out, plan.present, why, remarks)
    return DerivedSignals(out, remarks, out_of_range)


def _fall_back(
    plan: Plan,
    window: CounterWindow,
    values: Sequence[float],
    out: array[float],
    remarks: dict[str, str],
) -> dict[str, str]:
    """Write the rates whose counters stand at 0 by what else grows; returns the remarks on them."""
    for fallback in plan.fallbacks:
        if any(values[place] for place in fallback.positions):
            continue
        found = window.recent()
        if found is not None and found.values[fallback.operand] > 0:
            fallback.formula(window, out)
            remarks = {**remarks, fallback.signal: fallback.remark}
    return remarks


_GAP = "a counter of it left the page, fell, or had no count: known after a window without that"


def _add_remarks(
    plan: Plan, out: array[float], signals: Iterable[str], why: str, remarks: dict[str, str]
) -> dict[str, str]:
    """The remarks, with why those of some signals on the page are unknown which have no value."""
    unknown = (name for name in signals if math.isnan(out[plan.slots[name]]))
    return {**remarks, **dict.fromkeys(unknown, why)}


def _write_gauges(
    plan: Plan, window: CounterWindow, values: Sequence[float], out: array[float]
) -> int:
    """Write the signals of a page's present values; returns how many values were left out."""
    left_out = sum(formula(values, out) for formula in plan.gauge_formulas)
    return left_out + sum(formula(window, values, out) for formula in plan.rate_share_formulas)


def _given_remarks(plan: Plan, out: array[float]) -> dict[str, str]:
    """The remarks of the plan, without those on values that there are not."""
    if not plan.value_remarks:
        return plan.remarks
    return {
        name: text
        for name, text in plan.remarks.items()
        if name not in plan.value_remarks or not math.isnan(out[plan.slots[name]])
    }


def _add_window_remarks(
    plan: Plan, window: CounterWindow, remarks: dict[str, str]
) -> dict[str, str]:
    """The remarks, with why rates and gauges are unknown where several processes answer."""
    if window.has_several:
        gauge_reason = "the page is that of one of several processes, which answer in turn"
        remarks = {**remarks, **dict.fromkeys(plan.gauge_signals, gauge_reason)}
    reason = window.reason
    if window.has_several and not reason and window.recent() is None:
        reason = f"{window.processes} processes answer here in turn, some not seen for long enough"
    return {**remarks, **dict.fromkeys(plan.increase_signals, reason)} if reason else remarks


def failed_signals(
    kind: Kind | None,
    endpoint: Endpoint,
    window: CounterWindow,
    probes: ProbeWindow,
    at: int,
    facts: ProbeFacts,
) -> Frame:
    """The signal frame of a scrape that read no page: only the signals of the scrape are known."""
    names = kind_signals(kind, endpoint)
    slots = column_slots(names)
    out = array("d", [math.nan] * len(slots))
    _fill_common(out, slots, window, probes, at, facts)
    return Frame(signal_layout(names), out)


def _fill_common(
    out: array[float],
    slots: Mapping[str, int],
    window: CounterWindow,
    probes: ProbeWindow,
    at: int,
    facts: ProbeFacts,
) -> None:
    """Write the signals of the scrape itself."""
    missing, days = facts.signals_missing, facts.tls_days_left
    out[slots["outcome"]] = OUTCOME_CODES[facts.outcome]
    out[slots["up"]] = float(facts.outcome is Outcome.OK)
    out[slots["ready"]] = math.nan if facts.ready is None else float(facts.ready)
    out[slots["availability"]] = probes.availability(at)
    out[slots["restarts"]] = float(window.restarts(at)) if window.last_at else math.nan
    out[slots["signals_missing"]] = math.nan if missing is None else float(missing)
    out[slots["tls_days_left"]] = math.nan if days is None else days
    out[slots["scrape_duration"]] = facts.scrape_duration


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
    It has no start time either while several processes answer in turn.
    """
    shown = None if plan.version_pending else plan.version or version
    replica_counts = finite_values(values[place] for place in plan.replicas)
    start = max(finite_values(values[place] for place in plan.started), default=started or 0.0)
    is_one = not window.has_several
    return Identity(
        version=shown,
        started_at=round(start * 1_000) if is_one and 0 < start < _LATEST_START else None,
        replicas=round(sum(replica_counts)) if replica_counts else replicas,
        resets=window.resets,
        server_version=version if plan.version else None,
    )
