"""Signals over the whole life of a server process, as one single page tells them.

A collector compares two pages. One page alone has what was counted since the process started, from
which follow the ratios, means and quantiles of all its requests, and the mean rate.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.signals.functions import UNSUPPORTED, finite_values, slot_of
from watchdeck.domain.signals.plan import Increases, Plan

_NO_SIGNALS: Mapping[str, float] = {}


class PageFigure(Struct, frozen=True):
    """The value of a signal by one page; NaN while the page has none, such as before requests.

    A value `since_start` is of all that the process has counted, else it is the value now. The
    bounds are those of a quantile's bucket, NaN for other signals.
    """

    signal: str
    value: float
    low: float = math.nan
    high: float = math.nan
    events: float = math.nan
    """The number of events of a share, or of a rate whose value is unknown; NaN for others."""
    since_start: bool = False


class _LifetimeWindow(Struct, frozen=True):
    """The counters of one page as increases since the process started."""

    increases: Increases

    def recent(self) -> Increases | None:
        return self.increases

    def grown(self, operand: int, minimum: float, *, canaries: bool = False) -> Increases | None:
        del minimum, canaries  # all events there are: one is enough to say what it was
        return self.increases if self.increases.values[operand] >= 1 else None


def page_figures(
    plan: Plan,
    at: int,
    values: Sequence[float],
    probe_signals: Mapping[str, float] = _NO_SIGNALS,
) -> tuple[PageFigure, ...]:
    """The figures of a page read at `at` (ms UTC), for each signal that the page has.

    `probe_signals` are those that the responses to probes told.
    """
    out = plan.blank_frame[:]
    age = _process_age(plan, at, values)
    window = _LifetimeWindow(Increases(_operand_sums(plan, values), age or 1.0, 0.0))
    for increase_formula in plan.increase_formulas:
        increase_formula(window, out)
    for fallback in plan.fallbacks:
        stands_at_0 = not any(values[place] for place in fallback.positions)
        if stands_at_0 and window.increases.values[fallback.operand] > 0:
            fallback.formula(window, out)
    for gauge_formula in plan.gauge_formulas:
        gauge_formula(values, out)
    for name, value in probe_signals.items():
        if name in plan.slots:
            slot_of(name, plan.slots).write(out, value)
    return tuple(_figures(plan, out, {*plan.present, *probe_signals}, is_aged=age is not None))


def _figures(
    plan: Plan, out: array[float], names: set[str], *, is_aged: bool
) -> Iterator[PageFigure]:
    for name, signal in SIGNALS.items():
        if name not in names or name not in plan.slots or name in PROBE_SIGNALS:
            continue
        place, is_counted = plan.slots[name], name in plan.increase_signals
        bounds = (out[place + 1], out[place + 2]) if signal.bounded else (math.nan, math.nan)
        is_unknown_rate = is_counted and not signal.windowed and not is_aged
        value = math.nan if is_unknown_rate else out[place]
        events = out[plan.slots[f"{name}.events"]] if signal.counted else math.nan
        if is_unknown_rate:
            events = out[place]  # as counted in one second
        yield PageFigure(name, value, *bounds, events, is_counted)


def _operand_sums(plan: Plan, values: Sequence[float]) -> list[float]:
    """The sums of the counters of each operand; those without a value count 0."""
    counters = [value if 0 <= value < UNSUPPORTED else 0.0 for value in plan.counter_values(values)]
    sums: list[float] = []
    for block in plan.blocks:
        stop = block.start + block.width * block.layers
        rows = [
            counters[start : start + block.width] for start in range(block.start, stop, block.width)
        ]
        sums += map(sum, zip(*rows, strict=True))
    return sums


def _process_age(plan: Plan, at: int, values: Sequence[float]) -> float | None:
    """Seconds since the process started; None when the page does not tell."""
    started = max(finite_values(values[place] for place in plan.started), default=0.0)
    age = at / 1_000 - started
    return age if started > 0 and age > 0 else None
