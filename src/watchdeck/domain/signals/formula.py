"""The builder of formulas: signal specs of a kind become functions over one page's positions."""

import math
from collections.abc import Iterator

from msgspec import Struct, field

from watchdeck.domain.kinds.kind import SignalSpec
from watchdeck.domain.metrics.selector import SeriesIndex
from watchdeck.domain.metrics.series import LabelPairs, Series
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.functions import (
    Slot,
    gauge,
    gauge_share,
    mean,
    quantiles,
    rate,
    rate_share,
    share,
    slot_of,
)
from watchdeck.domain.signals.plan import (
    Fallback,
    GaugeFormula,
    IncreaseFormula,
    OperandBlock,
    RateShareFormula,
)
from watchdeck.domain.values.units import Unit

MINIMUM_EVENTS = 20
"""The least events in a window for an error ratio or a quantile: three requests are too few."""

_CANARY_SIGNALS = (
    *("request_rate", "error_ratio", "client_error_ratio"),
    *("latency_p50", "latency_p95", "latency_p99"),
)

_FEW_EVENTS_MISLEAD = ("error_ratio", "client_error_ratio", "truncated_ratio", "cache_hit_ratio")
"""Shares that need MINIMUM_EVENTS."""


class Histogram(Struct, frozen=True):
    """The buckets that all label sets have: upper bounds, and a row of positions for each set."""

    bounds: tuple[float, ...]
    rows: tuple[tuple[int, ...], ...]


class FormulaBuilder(Struct):
    """Collects the formulas of signals; those that need the same sum of counters share it."""

    view: SeriesIndex
    slots: dict[str, int]
    canaries: bool
    operands: list[object] = field(default_factory=list)
    gauges: set[int] = field(default_factory=set)
    gauge_formulas: list[GaugeFormula] = field(default_factory=list)
    rate_share_formulas: list[RateShareFormula] = field(default_factory=list)
    gauge_signals: list[str] = field(default_factory=list)
    increase_signals: list[str] = field(default_factory=list)
    server_wide: list[str] = field(default_factory=list)
    event_operands: set[int] = field(default_factory=set)
    """The operands that count requests, and not durations, tokens or bytes."""
    remarks: dict[str, str] = field(default_factory=dict)
    _rows: list[tuple[tuple[int, ...], ...]] = field(default_factory=list)
    _widths: list[int] = field(default_factory=list)
    _operand_by_key: dict[object, int] = field(default_factory=dict)
    _increase_formulas: list[IncreaseFormula] = field(default_factory=list)
    _histograms: dict[tuple[str, ...], Histogram | None] = field(default_factory=dict)
    _quantiles: dict[tuple[int, tuple[float, ...], float], list[tuple[Slot, float]]] = field(
        default_factory=dict
    )

    def add(self, spec: SignalSpec) -> bool:
        """Add the formula of a spec; False when the page does not have its series."""
        if not self._is_told(spec):
            return False
        is_gauge = bool(spec.gauge or spec.summary)
        if not (self._add_gauge(spec) if is_gauge else self._add_increases(spec)):
            return False
        (self.gauge_signals if is_gauge else self.increase_signals).append(spec.signal)
        if self.view.is_server_wide(self._positions(spec)):
            self.server_wide.append(spec.signal)
        if spec.remark:
            self.remarks[spec.signal] = spec.remark
        return True

    def _is_told(self, spec: SignalSpec) -> bool:
        """Whether this page can tell what a spec reads, apart from its own series."""
        if spec.one_model and self.view.has_other_models:
            return False
        return spec.needs is None or bool(self.view.find(spec.needs))

    def fallback(self, spec: SignalSpec, other: SignalSpec) -> Fallback | None:
        """What counts for a rate when its counters stand at 0: the events of another spec.

        None when the page does not have the series of both, or those of the other count other
        models too.
        """
        positions, found = self.view.find_counters(spec.rate), self._count_positions(other)
        if not (spec.rate and positions and found) or self.view.is_server_wide(found):
            return None
        if {*positions} & {*found}:
            return None
        operand = self._operand(("count", found), tuple((place,) for place in found))
        series = self.view.layout.series
        remark = f"{series[positions[0]].name} stands at 0 while {series[found[0]].name} grows"
        own = self._subtracts_canaries(spec)
        formula = rate(slot_of(spec.signal, self.slots), operand, spec.scale, canaries=own)
        return Fallback(spec.signal, positions, operand, formula, remark)

    def _count_positions(self, spec: SignalSpec) -> tuple[int, ...]:
        """The counters of the events of a rate, a histogram or a mean."""
        if spec.rate:
            return self.view.find_counters(spec.rate)
        selectors = spec.histogram or spec.mean
        return tuple(place for text in selectors for place in self.view.find(text, "_count"))

    def _positions(self, spec: SignalSpec) -> tuple[int, ...]:
        """The positions of the series that a spec reads, whatever its form."""
        if spec.histogram or spec.mean:
            return self._count_positions(spec)
        if spec.gauge or spec.summary:
            return self._find_all((*spec.gauge, *spec.summary, *spec.over))
        return self.view.find_counters((*spec.rate, *spec.increase, *spec.over))

    def _add_increases(self, spec: SignalSpec) -> bool:
        if spec.rate:
            return self._add_rate(spec)
        if spec.increase:
            return self._add_increase(spec)
        return self._add_mean(spec) if spec.mean else self._add_histogram(spec)

    def increase_formulas(self) -> Iterator[IncreaseFormula]:
        """The formulas that use increases; all quantiles of a histogram share one."""
        yield from self._increase_formulas
        for (start, bounds, minimum), targets in self._quantiles.items():
            yield quantiles(tuple(targets), start, bounds, minimum, canaries=self.canaries)

    def blocks(self) -> tuple[tuple[OperandBlock, ...], tuple[int, ...]]:
        """The blocks of counters to sum, and the counters' positions on the page in that order."""
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

    def _add_rate(self, spec: SignalSpec) -> bool:
        operand = self._sum_operand(spec.rate)
        if operand is None:
            return False
        if spec.over:
            return self._add_rate_share(spec, operand)
        if spec.signal == "request_rate" and not self.event_operands:
            self.event_operands.add(operand)
        slot, own = slot_of(spec.signal, self.slots), self._subtracts_canaries(spec)
        parts = len(self.view.find_counters(spec.rate)) if spec.aggregate == "mean" else 1
        self._increase_formulas.append(rate(slot, operand, spec.scale / parts, canaries=own))
        return True

    def _add_rate_share(self, spec: SignalSpec, operand: int) -> bool:
        whole, unit = self._find_all(spec.over), self._find_all(spec.over_unit)
        if not whole or (spec.over_unit and not unit):
            return False
        self.gauges |= {*whole, *unit}
        slot = slot_of(spec.signal, self.slots)
        self.rate_share_formulas.append(rate_share(slot, operand, whole, unit, spec.scale))
        return True

    def _add_increase(self, spec: SignalSpec) -> bool:
        whole, part = self._sum_operand(spec.over), self._sum_operand(spec.increase)
        less = self._sum_operand(spec.minus) if spec.minus else None
        late = spec.late or self.view.has_names(spec.increase)
        lacks_less = spec.minus and less is None and not (spec.late and part is not None)
        if whole is None or (part is None and not late) or lacks_less:
            return False
        if spec.signal == "error_ratio" and not self.event_operands:
            self.event_operands.add(whole)
        slot, minimum = slot_of(spec.signal, self.slots), self._minimum_events(spec)
        if SIGNALS[spec.signal].unit is Unit.RATIO:
            own = self._subtracts_canaries(spec)
            self._increase_formulas.append(share(slot, part, less, whole, minimum, canaries=own))
            return True
        if part is None:
            return False
        self._increase_formulas.append(mean(slot, part, whole, spec.scale, minimum))
        return True

    def _add_mean(self, spec: SignalSpec) -> bool:
        total = self._suffix_operand(spec.mean, "_sum")
        count = self._suffix_operand(spec.mean, "_count")
        if total is None or count is None:
            return False
        slot = slot_of(spec.signal, self.slots)
        self._increase_formulas.append(
            mean(slot, total, count, spec.scale, self._minimum_events(spec))
        )
        return True

    def _add_histogram(self, spec: SignalSpec) -> bool:
        if spec.histogram not in self._histograms:
            self._histograms[spec.histogram] = _buckets(self.view, spec.histogram)
        found = self._histograms[spec.histogram]
        if found is None or spec.quantile is None:
            return False
        start = self._operand(("bucket", spec.histogram, found.bounds), found.rows)
        bounds = tuple(bound * spec.scale for bound in found.bounds)
        minimum = self._minimum_events(spec)
        targets = self._quantiles.setdefault((start, bounds, minimum), [])
        targets.append((slot_of(spec.signal, self.slots), spec.quantile))
        return True

    def _add_gauge(self, spec: SignalSpec) -> bool:
        """Add a gauge, a ratio of gauges, or a quantile that a summary reports.

        Summaries cannot be summed: the highest value of several counts.
        """
        positions = self._find_summary(spec) if spec.summary else self._find_all(spec.gauge)
        whole, less = self._find_all(spec.over), self._find_all(spec.minus)
        if not positions or (spec.over and not whole) or (spec.minus and not less):
            return False
        slot = slot_of(spec.signal, self.slots)
        aggregate = "max" if spec.summary else spec.aggregate
        self.gauges |= {*positions, *whole, *less}
        if spec.over:
            self.gauge_formulas.append(gauge_share(slot, positions, less, whole, spec.scale))
        else:
            self.gauge_formulas.append(gauge(slot, positions, aggregate, spec.scale, spec.own))
        return True

    def _find_summary(self, spec: SignalSpec) -> tuple[int, ...]:
        series = self.view.layout.series
        return tuple(
            place
            for place in self._find_all(spec.summary)
            if _parse_float(series[place].label("quantile")) == spec.quantile
        )

    def _find_all(self, selectors: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(place for text in selectors for place in self.view.find(text))

    def _suffix_operand(self, selectors: tuple[str, ...], suffix: str) -> int | None:
        found = tuple(place for text in selectors for place in self.view.find(text, suffix))
        rows = tuple((place,) for place in found)
        return self._operand((suffix, selectors), rows) if rows else None

    def _sum_operand(self, selectors: tuple[str, ...]) -> int | None:
        rows = tuple((place,) for place in self.view.find_counters(selectors))
        return self._operand(("total", selectors), rows) if rows else None

    def _operand(self, key: object, rows: tuple[tuple[int, ...], ...]) -> int:
        """The first operand of these rows, one row for each label set; made once for each key."""
        if key not in self._operand_by_key:
            self._operand_by_key[key] = len(self.operands)
            self.operands += ((key, column) for column in range(len(rows[0])))
            self._rows.append(rows)
            self._widths.append(len(rows[0]))
        return self._operand_by_key[key]

    def _subtracts_canaries(self, spec: SignalSpec) -> bool:
        return self.canaries and spec.signal in _CANARY_SIGNALS

    def _minimum_events(self, spec: SignalSpec) -> float:
        if spec.minimum is not None:
            return spec.minimum
        few_mislead = spec.histogram or spec.signal in _FEW_EVENTS_MISLEAD
        return MINIMUM_EVENTS if few_mislead else 1


def _buckets(view: SeriesIndex, selectors: tuple[str, ...]) -> Histogram | None:
    """The buckets that all label sets share; None without a finite bound and +Inf."""
    sets = [found for text in selectors for found in _bucket_sets(view, text)]
    if not sets:
        return None
    bounds = tuple(sorted(set(sets[0]).intersection(*sets[1:])))
    if len(bounds) < 2 or not math.isinf(bounds[-1]):
        return None
    return Histogram(bounds, tuple(tuple(found[bound] for bound in bounds) for found in sets))


def _bucket_sets(view: SeriesIndex, selector: str) -> list[dict[float, int]]:
    """The positions of the upper bounds, by label set; the count stands in for a missing +Inf."""
    series = view.layout.series
    found: dict[LabelPairs, dict[float, int]] = {}
    for place in view.find(selector, "_bucket"):
        bound = _parse_float(series[place].label("le"))
        if bound is not None and not math.isnan(bound):
            found.setdefault(_without_le(series[place]), {}).setdefault(bound, place)
    for place in view.find(selector, "_count"):
        bounds = found.get(series[place].labels)
        if bounds:
            bounds.setdefault(math.inf, place)
    return list(found.values())


def _without_le(series: Series) -> LabelPairs:
    return tuple(pair for pair in series.labels if pair[0] != "le")


def _parse_float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
