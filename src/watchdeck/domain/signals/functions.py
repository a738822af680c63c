"""The formulas of signals, as small functions that are made once and run on every scrape.

Rates, ratios of increases and means follow Prometheus: `rate()` without extrapolation (the increase
divided by the time really between the two samples), `increase(a) / increase(b)`, and
`rate(x_sum) / rate(x_count)`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from watchdeck.domain.metrics.quantile import make_monotone, quantile
from watchdeck.domain.signals.plan import Flow, PlanLevel

UNSUPPORTED = 9.2e18
"""Values from here on are no measurements: a full 64-bit integer is how DCGM says "unsupported"."""

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "max": max,
    "mean": lambda values: sum(values) / len(values),
}
"""How several gauges become one value."""


def rate(slot: int, operand: int, scale: float, *, canaries: bool) -> Flow:
    """The increase a second; 0 is a real 0, when the counters stood still."""

    def flow(increases: Sequence[float], seconds: float, sent: float, out: array[float]) -> None:
        increase = increases[operand]
        if canaries:
            increase = max(0.0, increase - sent)
        out[slot] = increase * scale / seconds

    return flow


def share(
    slot: int,
    part: int | None,
    less: int | None,
    whole: int,
    minimum: float,
    *,
    canaries: bool,
) -> Flow:
    """(part - less) / whole, between 0 and 1; unknown under `minimum` events.

    A part that is None has not happened yet. Own canaries are taken from the whole alone: on a
    quiet model a failing canary is then no ratio, and the canary tells of itself.
    """

    def flow(increases: Sequence[float], _: float, sent: float, out: array[float]) -> None:
        events = increases[whole] - (sent if canaries else 0.0)
        if events < minimum or events <= 0:
            return
        counted = increases[part] if part is not None else 0.0
        counted -= increases[less] if less is not None else 0.0
        out[slot] = min(1.0, max(0.0, counted / events))

    return flow


def mean(slot: int, total: int, count: int, scale: float, minimum: float) -> Flow:
    """The increase of a sum over the increase of its count; unknown under `minimum` events."""

    def flow(increases: Sequence[float], _: float, __: float, out: array[float]) -> None:
        events = increases[count]
        if events >= minimum and events > 0:
            out[slot] = increases[total] / events * scale

    return flow


def quantiles(
    wanted: tuple[tuple[int, float], ...],
    start: int,
    bounds: tuple[float, ...],
    minimum: float,
    *,
    canaries: bool,
) -> Flow:
    """Each (slot, share) of `wanted` from one histogram, its bounds in the two next slots."""
    stop = start + len(bounds)

    def flow(increases: Sequence[float], _: float, sent: float, out: array[float]) -> None:
        if increases[stop - 1] - (sent if canaries else 0.0) < minimum:
            return
        counts = make_monotone(increases[start:stop])
        for slot, share_ in wanted:
            out[slot], out[slot + 1], out[slot + 2] = quantile(share_, bounds, counts)

    return flow


def gauge(slot: int, positions: tuple[int, ...], aggregate: str, scale: float) -> PlanLevel:
    """The gauges of now, aggregated; values that are no measurements are left out."""
    together = AGGREGATES[aggregate]
    if len(positions) == 1:
        return _one_gauge(slot, positions[0], scale)

    def level(values: Sequence[float], out: array[float]) -> None:
        found = finite_values(values[place] for place in positions)
        if found:
            out[slot] = together(found) * scale

    return level


def _one_gauge(slot: int, position: int, scale: float) -> PlanLevel:
    def level(values: Sequence[float], out: array[float]) -> None:
        value = values[position]
        if -UNSUPPORTED < value < UNSUPPORTED:
            out[slot] = value * scale

    return level


def gauge_share(
    slot: int, part: tuple[int, ...], whole: tuple[int, ...], scale: float
) -> PlanLevel:
    """One sum of gauges over another; unknown while the whole is not above 0."""

    def level(values: Sequence[float], out: array[float]) -> None:
        parts = finite_values(values[place] for place in part)
        wholes = sum(finite_values(values[place] for place in whole))
        if parts and wholes > 0:
            out[slot] = sum(parts) / wholes * scale

    return level


def finite_values(values: Iterable[float]) -> list[float]:
    """The values that are measurements: NaN, infinite and "unsupported" ones are none."""
    return [value for value in values if -UNSUPPORTED < value < UNSUPPORTED]
