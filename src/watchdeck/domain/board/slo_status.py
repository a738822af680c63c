"""Whether a model keeps the objectives of its SLO now: kept, missed, or not known, and why.

Three results, not two: an objective whose signal has no value, or whose interval straddles the
limit, is neither kept nor missed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from watchdeck.domain.board.board import LatestScrape, SignalValue
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.plan import FIRST_PAGES_TELL, NOT_ON_PAGE, WAITS_FOR_REQUEST
from watchdeck.domain.values.format import format_value
from watchdeck.domain.values.units import Unit


class Verdict(StrEnum):
    """What the newest figures say of one objective."""

    KEPT = "kept"
    MISSED = "missed"
    UNSURE = "unsure"
    """The bucket of the quantile holds the limit."""
    IDLE = "idle"
    """There were too few requests to tell; nothing shows that it is missed."""
    UNKNOWN = "unknown"
    """The signal cannot be measured here, or is not known now."""


class ObjectiveStatus(Struct, frozen=True):
    """The verdict on one objective, with the reason in words; empty when it is kept."""

    signal: str
    verdict: Verdict
    why: str = ""


def slo_status(latest: LatestScrape) -> tuple[ObjectiveStatus, ...]:
    """The status of each objective of a model's SLO, by its newest scrape."""
    return tuple(_status(latest, signal, limit) for signal, limit in _objectives(latest))


def worst_objective(statuses: Sequence[ObjectiveStatus]) -> ObjectiveStatus:
    """The objective to name first, of those that cannot be judged; at least one is given."""
    return max(statuses, key=lambda one: _ORDER.index(one.verdict))


_ORDER = (Verdict.IDLE, Verdict.UNSURE, Verdict.UNKNOWN)


def bounds_verdict(value: SignalValue, limit: float, mean: SignalValue | None = None) -> Verdict:
    """Whether a value is surely at most `limit`, surely above, or neither (UNSURE).

    A quantile of a histogram lies in its bucket. While the bucket holds the limit, a `mean` of the
    same durations above the limit proves that the quantile is above, too.
    """
    if value.low is None and value.high is None:
        return Verdict.MISSED if value.value > limit else Verdict.KEPT
    if (value.low or 0.0) >= limit:
        return Verdict.MISSED
    if value.high is not None and value.high <= limit:
        return Verdict.KEPT
    if mean is not None and not mean.server_wide and mean.value > limit:
        return Verdict.MISSED
    return Verdict.UNSURE


def _objectives(latest: LatestScrape) -> Iterator[tuple[str, float]]:
    slo = latest.facts.slo
    if slo.availability is not None:
        yield "availability", float(slo.availability)
    if slo.latency_p95 is not None:
        yield "latency_p95", slo.latency_p95.seconds
    if slo.error_ratio is not None:
        yield "error_ratio", float(slo.error_ratio)


def _status(latest: LatestScrape, signal: str, limit: float) -> ObjectiveStatus:
    value = latest.signals.get(signal)
    if value is None:
        return _status_without_value(latest, signal)
    if value.server_wide:
        why = f"{signal} also counts other models of the server"
        return ObjectiveStatus(signal, Verdict.UNKNOWN, why)
    if signal == "availability":
        is_kept = value.value >= limit
        verdict = Verdict.KEPT if is_kept else Verdict.MISSED
        return ObjectiveStatus(signal, verdict, "" if is_kept else _text(signal, value, limit, "<"))
    verdict = bounds_verdict(value, limit, latest.signals.get("latency_mean"))
    return ObjectiveStatus(signal, verdict, _why(latest, signal, value, limit, verdict))


def _status_without_value(latest: LatestScrape, signal: str) -> ObjectiveStatus:
    if signal in latest.not_measurable:
        return ObjectiveStatus(signal, Verdict.UNKNOWN, f"{signal} is not measurable here")
    remark = latest.remarks.get(signal, "")
    if remark == FIRST_PAGES_TELL:
        return ObjectiveStatus(signal, Verdict.IDLE, remark)
    waits = remark == NOT_ON_PAGE or remark.endswith(WAITS_FOR_REQUEST)
    if remark and not waits:
        return ObjectiveStatus(signal, Verdict.UNKNOWN, f"{signal}: {remark}")
    if signal == "availability":
        return ObjectiveStatus(signal, Verdict.IDLE, "too few probes so far")
    rate = latest.signals.get("request_rate")
    is_idle = waits or (rate is not None and rate.value == 0)
    return ObjectiveStatus(signal, Verdict.IDLE, "no requests" if is_idle else "too few requests")


def _why(
    latest: LatestScrape, signal: str, value: SignalValue, limit: float, verdict: Verdict
) -> str:
    if verdict is Verdict.KEPT:
        return ""
    if verdict is Verdict.MISSED:
        mean = latest.signals.get("latency_mean")
        is_by_mean = value.value <= limit and mean is not None
        if is_by_mean and mean is not None:
            return f"{_text('latency_mean', mean, limit, '>')}, so {signal} is above it too"
        return _text(signal, value, limit, ">")
    shown = format_value(limit, SIGNALS[signal].unit)
    if value.high is None or math.isinf(value.high):
        above = format_value(value.value, Unit.SECONDS)
        return f"{signal} > {above}: above the last bucket; SLO {shown} cannot be judged"
    low, high = (format_value(one, Unit.SECONDS) for one in (value.low or 0.0, value.high))
    return f"{signal} is between {low} and {high}; SLO {shown} cannot be judged"


def _text(signal: str, value: SignalValue, limit: float, sign: str) -> str:
    unit = SIGNALS[signal].unit
    return f"{signal} {format_value(value.value, unit)} {sign} {format_value(limit, unit)}"
