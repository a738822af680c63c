"""Whether the objectives of an SLO can be judged by what a server gives, before anything happens.

A quantile is known no finer than the buckets of its histogram. An objective above the last finite
bucket is never judged by it, and one inside a bucket is not while the quantile is in that bucket.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.selector import SeriesIndex
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Endpoint, Slo
from watchdeck.domain.signals.custom_mapping import mapped_specs, valid_entries
from watchdeck.domain.values.format import format_value
from watchdeck.domain.values.units import Milliseconds, Unit

_BY_ANSWERS = "judged by whether the server answers, since nothing tells whether the model is ready"


class SignalLimits(Struct, frozen=True):
    """What is known of the signals of one endpoint that may keep an objective from being judged.

    Each table is by signal.
    """

    not_measurable: Mapping[str, str] = field(default_factory=dict)
    """Why the server does not have a signal."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Why a signal that the server could have is not known now."""
    server_wide: Sequence[str] = ()
    """Signals that also count other models of the server."""
    bounds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The finite upper bounds of a quantile's buckets (s), ascending."""


class Objective(Struct, frozen=True):
    """One objective of an SLO; `problem` says why it cannot be judged, and is empty when it can.

    `remark` says when an objective that can be judged is not.
    """

    signal: str
    limit: float
    """In the unit of the signal."""
    problem: str = ""
    remark: str = ""

    @property
    def text(self) -> str:
        """The signal and the limit, as `latency_p95 15 s`."""
        return f"{self.signal} {format_value(self.limit, SIGNALS[self.signal].unit)}"


def objectives(slo: Slo, limits: SignalLimits) -> tuple[Objective, ...]:
    """The objectives of an SLO, each with why it cannot be judged."""
    named = {name: getattr(slo, name) for name in Slo.__struct_fields__}
    return tuple(
        objective(name, _in_unit(value), limits)
        for name, value in named.items()
        if value is not None
    )


def _in_unit(value: float) -> float:
    return value.seconds if isinstance(value, Milliseconds) else float(value)


def objective(signal: str, limit: float, limits: SignalLimits, words: str = "SLO") -> Objective:
    """An upper limit (in the unit of its signal) with why it cannot be judged.

    `words` name the limit: an SLO, or the limit of a rule.
    """
    if reason := limits.not_measurable.get(signal):
        return Objective(signal, limit, f"can never be judged: {reason}")
    if reason := limits.unknown.get(signal):
        return Objective(signal, limit, f"cannot be judged now: {reason}")
    if signal in limits.server_wide:
        return Objective(
            signal, limit, "can never be judged: the figure also counts other models of the server"
        )
    if signal == "availability" and "ready" in (*limits.unknown, *limits.not_measurable):
        return Objective(signal, limit, remark=_BY_ANSWERS)
    bounds = limits.bounds.get(signal, ())
    if bounds and limit > bounds[-1]:
        last = format_value(bounds[-1], Unit.SECONDS)
        return Objective(
            signal,
            limit,
            f"{words} {format_value(limit, Unit.SECONDS)} is above the last bucket ({last}) and can"
            f" never be judged by it{_mean_advice(limits, words)}",
        )
    return Objective(signal, limit, remark=_bucket_remark(limit, bounds))


def _mean_advice(limits: SignalLimits, words: str) -> str:
    if "latency_mean" in (*limits.not_measurable, *limits.unknown, *limits.server_wide):
        return ""
    return f"; only a latency_mean above the {words} proves that it is exceeded"


def _bucket_remark(limit: float, bounds: tuple[float, ...]) -> str:
    """When an objective inside a bucket is not judged; empty at a bound, or without buckets."""
    place = bisect_left(bounds, limit)
    if not bounds or math.isclose(bounds[min(place, len(bounds) - 1)], limit):
        return ""
    low, high = (bounds[place - 1] if place else 0.0), bounds[place]
    if math.isclose(low, limit):
        return ""
    shown = [format_value(bound, Unit.SECONDS) for bound in (low, high)]
    better = " or ".join(shown if place else shown[1:])
    return (
        f"not judged while it is between {shown[0]} and {shown[1]}, the bounds of one bucket;"
        f" an SLO of {better} always is"
    )


def histogram_bounds(
    kind: Kind, endpoint: Endpoint, layout: Layout
) -> dict[str, tuple[float, ...]]:
    """The finite upper bounds (s) of the buckets of each quantile, by signal.

    A signal whose histogram is not on the page is left out.
    """
    index = SeriesIndex(layout, endpoint.model, kind.model_labels, older_names=kind.older_names)
    mapped = mapped_specs(kind, valid_entries(kind, endpoint.map), index.type_of)
    found: dict[str, tuple[float, ...]] = {}
    for spec in (*mapped, *kind.signals):
        if spec.histogram and spec.signal not in found and (bounds := _bounds(index, spec)):
            found[spec.signal] = bounds
    return found


def _bounds(index: SeriesIndex, spec: SignalSpec) -> tuple[float, ...]:
    places = (place for text in spec.histogram for place in index.find(text, "_bucket"))
    texts = {index.layout.series[place].label("le") or "" for place in places}
    return tuple(sorted({bound * spec.scale for bound in _finite_bounds(texts)}))


def _finite_bounds(texts: set[str]) -> Iterator[float]:
    for text in texts:
        try:
            bound = float(text)
        except ValueError:
            continue
        if math.isfinite(bound):
            yield bound
