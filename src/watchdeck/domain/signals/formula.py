"""From the specs of a kind to formulas over the positions of one page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct, field

from watchdeck.domain.kinds.kind import SignalSpec
from watchdeck.domain.metrics.series import LabelPairs, Series
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.functions import gauge, gauge_share, mean, quantiles, rate, share
from watchdeck.domain.signals.page_view import SeriesIndex
from watchdeck.domain.signals.plan import Flow, OperandBlock, PlanLevel
from watchdeck.domain.values.units import Unit

MINIMUM_EVENTS = 20
"""Fewer events in the window are no ratio and no quantile: three requests are no error ratio."""

_COUNTS_CANARIES = ("request_rate", "error_ratio", "latency_p50", "latency_p95", "latency_p99")


class Histogram(Struct, frozen=True):
    """The buckets of one or more histograms: upper bounds, and for each label set its positions."""

    bounds: tuple[float, ...]
    rows: tuple[tuple[int, ...], ...]


class FormulaBuilder(Struct):
    """The formulas found so far; operands are shared between the signals that need the same."""

    view: SeriesIndex
    slots: dict[str, int]
    canaries: bool
    operands: list[object] = field(default_factory=list)
    gauges: set[int] = field(default_factory=set)
    levels: list[PlanLevel] = field(default_factory=list)
    _rows: list[tuple[tuple[int, ...], ...]] = field(default_factory=list)
    _widths: list[int] = field(default_factory=list)
    _places: dict[object, int] = field(default_factory=dict)
    _flows: list[Flow] = field(default_factory=list)
    _histograms: dict[tuple[str, ...], Histogram | None] = field(default_factory=dict)
    _quantiles: dict[tuple[int, tuple[float, ...], float], list[tuple[int, float]]] = field(
        default_factory=dict
    )

    def read(self, spec: SignalSpec) -> bool:
        """Add the formula of a spec; False when the page has not the series for it."""
        if spec.whole_server and self.view.crowded:
            return False
        if spec.rate:
            return self._rate(spec)
        if spec.increase:
            return self._increase(spec)
        if spec.mean:
            return self._mean(spec)
        if spec.histogram:
            return self._histogram(spec)
        return self._gauge(spec)

    def flows(self) -> Iterator[Flow]:
        """The formulas over increases; all quantiles of a histogram are one."""
        yield from self._flows
        for (start, bounds, minimum), wanted in self._quantiles.items():
            yield quantiles(tuple(wanted), start, bounds, minimum, canaries=self.canaries)

    def blocks(self) -> tuple[tuple[OperandBlock, ...], tuple[int, ...]]:
        """How the counters become operands, and the positions of the counters in that order."""
        blocks: list[OperandBlock] = []
        positions: list[int] = []
        for rows, width in zip(self._rows, self._widths, strict=True):
            last = blocks[-1] if blocks else None
            if last and last.layers == len(rows) == 1:
                blocks[-1] = OperandBlock(last.start, last.width + width, 1)
            else:
                blocks.append(OperandBlock(len(positions), width, len(rows)))
            positions += (place for row in rows for place in row)
        return tuple(blocks), tuple(positions)

    def _rate(self, spec: SignalSpec) -> bool:
        operand = self._sum(spec.rate)
        if operand is None:
            return False
        slot, own = self.slots[spec.signal], self._own(spec)
        self._flows.append(rate(slot, operand, spec.scale, canaries=own))
        return True

    def _increase(self, spec: SignalSpec) -> bool:
        whole, part = self._sum(spec.over), self._sum(spec.increase)
        less = self._sum(spec.minus) if spec.minus else None
        late = spec.late or self.view.shows(spec.increase)
        if whole is None or (part is None and not late) or (spec.minus and less is None):
            return False
        slot, minimum = self.slots[spec.signal], self._minimum(spec)
        if SIGNALS[spec.signal].unit is Unit.RATIO:
            own = self._own(spec)
            self._flows.append(share(slot, part, less, whole, minimum, canaries=own))
            return True
        if part is None:
            return False
        self._flows.append(mean(slot, part, whole, spec.scale, minimum))
        return True

    def _mean(self, spec: SignalSpec) -> bool:
        total = self._named(spec.mean, "_sum")
        count = self._named(spec.mean, "_count")
        if total is None or count is None:
            return False
        slot = self.slots[spec.signal]
        self._flows.append(mean(slot, total, count, spec.scale, self._minimum(spec)))
        return True

    def _histogram(self, spec: SignalSpec) -> bool:
        if spec.histogram not in self._histograms:
            self._histograms[spec.histogram] = _buckets(self.view, spec.histogram)
        found = self._histograms[spec.histogram]
        if found is None or spec.quantile is None:
            return False
        start = self._place(("bucket", spec.histogram, found.bounds), found.rows)
        bounds = tuple(bound * spec.scale for bound in found.bounds)
        minimum = self._minimum(spec)
        wanted = self._quantiles.setdefault((start, bounds, minimum), [])
        wanted.append((self.slots[spec.signal], spec.quantile))
        return True

    def _gauge(self, spec: SignalSpec) -> bool:
        """A gauge, a share of gauges, or the quantile that a summary tells.

        Summaries cannot be added up: of several the slowest speaks.
        """
        positions = self._summary(spec) if spec.summary else self._all(spec.gauge)
        whole = self._all(spec.over)
        if not positions or (spec.over and not whole):
            return False
        slot = self.slots[spec.signal]
        aggregate = "max" if spec.summary else spec.aggregate
        self.gauges |= {*positions, *whole}
        if spec.over:
            self.levels.append(gauge_share(slot, positions, whole, spec.scale))
        else:
            self.levels.append(gauge(slot, positions, aggregate, spec.scale))
        return True

    def _summary(self, spec: SignalSpec) -> tuple[int, ...]:
        series = self.view.layout.series
        return tuple(
            place
            for place in self._all(spec.summary)
            if _number(series[place].label("quantile")) == spec.quantile
        )

    def _all(self, selectors: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(place for text in selectors for place in self.view.find(text))

    def _named(self, selectors: tuple[str, ...], suffix: str) -> int | None:
        found = tuple(place for text in selectors for place in self.view.find(text, suffix))
        rows = tuple((place,) for place in found)
        return self._place((suffix, selectors), rows) if rows else None

    def _sum(self, selectors: tuple[str, ...]) -> int | None:
        rows = tuple((place,) for place in self.view.counters(selectors))
        return self._place(("total", selectors), rows) if rows else None

    def _place(self, key: object, rows: tuple[tuple[int, ...], ...]) -> int:
        """The first operand of these rows, each row a label set; made once for each key."""
        if key not in self._places:
            self._places[key] = len(self.operands)
            self.operands += ((key, column) for column in range(len(rows[0])))
            self._rows.append(rows)
            self._widths.append(len(rows[0]))
        return self._places[key]

    def _own(self, spec: SignalSpec) -> bool:
        return self.canaries and spec.signal in _COUNTS_CANARIES

    def _minimum(self, spec: SignalSpec) -> float:
        if spec.minimum is not None:
            return spec.minimum
        return MINIMUM_EVENTS if spec.histogram or spec.signal == "error_ratio" else 1


def _buckets(view: SeriesIndex, selectors: tuple[str, ...]) -> Histogram | None:
    """The buckets that all label sets have in common; None without a finite one."""
    sets = [found for text in selectors for found in _bucket_sets(view, text)]
    if not sets:
        return None
    bounds = tuple(sorted(set(sets[0]).intersection(*sets[1:])))
    if len(bounds) < 2 or not math.isinf(bounds[-1]):
        return None
    return Histogram(bounds, tuple(tuple(found[bound] for bound in bounds) for found in sets))


def _bucket_sets(view: SeriesIndex, selector: str) -> list[dict[float, int]]:
    """For each label set the position of every upper bound; a missing +Inf is the count."""
    series = view.layout.series
    found: dict[LabelPairs, dict[float, int]] = {}
    for place in view.find(selector, "_bucket"):
        bound = _number(series[place].label("le"))
        if bound is not None and not math.isnan(bound):
            found.setdefault(_without_le(series[place]), {}).setdefault(bound, place)
    for place in view.find(selector, "_count"):
        bounds = found.get(series[place].labels)
        if bounds:
            bounds.setdefault(math.inf, place)
    return list(found.values())


def _without_le(series: Series) -> LabelPairs:
    return tuple(pair for pair in series.labels if pair[0] != "le")


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
