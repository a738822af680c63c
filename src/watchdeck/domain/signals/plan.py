"""Plans: how one layout of a page becomes signals, built once and run on every scrape."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple, Protocol

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Frame, ModelState
from watchdeck.domain.metrics.series import Layout, SeriesKey, series_key
from watchdeck.domain.metrics.signal import frame_columns

WAITS_FOR_REQUEST = "from its first request on"
"""The end of the remark on signals of a model that the page may name from its first request."""

FIRST_PAGES_TELL = "the first scrapes tell whether several processes answer here"
"""The remark on rates, ratios and quantiles for the first pages of an endpoint."""

NO_POSSIBLE_VALUE = "the page has no value now that its unit can have"
"""The remark on a gauge whose values on the page are none that a measurement can have."""

NOT_ON_PAGE = "its series are not on the page"
"""The remark on a signal whose series may come with the first event."""


class Increases(NamedTuple):
    """The increase of each operand in a window of `seconds`, and the canaries sent in it.

    An increase that is not known is NaN.
    """

    values: list[float]
    seconds: float
    canaries: float


class Window(Protocol):
    """The recent increases of an endpoint's counters, as formulas read them."""

    def recent(self) -> Increases | None:
        """The increases in the usual window; None while they are unknown."""

    def grown(self, operand: int, minimum: float, *, canaries: bool = False) -> Increases | None:
        """The increases in the shortest window in which an operand has `minimum` events.

        With `canaries`, those sent do not count as events. None when an hour has fewer.
        """


IncreaseFormula = Callable[[Window, "array[float]"], None]
"""Writes signals to a frame, from the increases in a window."""

GaugeFormula = Callable[[Sequence[float], "array[float]"], int]
"""Writes signals to a frame, from the values of a page; returns how many values it left out."""


RateShareFormula = Callable[[Window, Sequence[float], "array[float]"], int]
"""Writes a rate divided by gauges to a frame; returns how many values it left out."""


class Fallback(Struct, frozen=True):
    """What counts for a signal while its own counters stand at 0, where they should not.

    `positions` are its counters on the page; `operand` counts the same events, per `slot`.
    """

    signal: str
    positions: tuple[int, ...]
    operand: int
    formula: IncreaseFormula
    remark: str


class OperandBlock(Struct, frozen=True):
    """Consecutive counters in `layers` rows of `width`; the sum of each column is one operand."""

    start: int
    width: int
    layers: int


class PageState(Struct, frozen=True):
    """A model state; it holds when a value at `positions` (`every`: each value) is in `values`."""

    positions: tuple[int, ...]
    values: frozenset[float]
    state: ModelState
    why: str
    every: bool


class Plan(Struct, frozen=True, dict=True, weakref=True):
    """The values to read from pages of one layout, and the formulas that make signals of them.

    An operand is a sum of counters that signals need: all requests, or one bucket of a histogram.
    """

    kind: str
    layout: Layout
    signals: tuple[str, ...]
    signal_layout: Layout
    not_measurable: tuple[str, ...]
    stored: tuple[int, ...] | None
    """Positions of the series to store; None for all."""
    stored_layout: Layout
    counters: tuple[int, ...]
    """Positions of the counters, in the order of `blocks`."""
    operands: tuple[object, ...]
    """Keys of the operands, by which a CounterWindow finds its totals after a change of layout."""
    event_operands: frozenset[object]
    """Keys of the operands that count requests, and not durations, tokens or bytes."""
    blocks: tuple[OperandBlock, ...]
    increase_formulas: tuple[IncreaseFormula, ...]
    gauge_formulas: tuple[GaugeFormula, ...]
    rate_share_formulas: tuple[RateShareFormula, ...]
    gauge_signals: tuple[str, ...]
    """The signals that `gauge_formulas` write."""
    increase_signals: tuple[str, ...]
    """The signals that `increase_formulas` write."""
    fallbacks: tuple[Fallback, ...]
    process_labels: tuple[str, ...]
    """Values of labels that all counters share, and that differ between processes."""
    remarks: dict[str, str]
    """Why the page does not give a signal that the kind has, by signal."""
    server_wide: tuple[str, ...]
    """Signals that also count other models of the server."""
    names_model: bool
    """Whether the page names the watched model."""
    started: tuple[int, ...]
    """Positions of process start times."""
    replicas: tuple[int, ...]
    states: tuple[PageState, ...]
    version: str | None = None
    """The model's version on the page."""
    version_pending: bool = False
    """True while no series of the page shows a version yet."""

    @cached_property
    def counter_values(self) -> Callable[[Sequence[float]], tuple[float, ...]]:
        """A function that picks the counters from the values of a page, in `counters` order."""
        return _value_getter(self.counters)

    @cached_property
    def has_plain_operands(self) -> bool:
        """Whether every operand is a single counter, so that nothing is summed."""
        return all(block.layers == 1 for block in self.blocks)

    @cached_property
    def counter_keys(self) -> tuple[SeriesKey, ...]:
        """The name and labels of each counter, in the order of `counters`."""
        return tuple(series_key(self.layout.series[position]) for position in self.counters)

    @cached_property
    def counter_operands(self) -> tuple[object, ...]:
        """The key of the operand of each counter, in the order of `counters`."""
        found: list[object] = []
        first = 0
        for block in self.blocks:
            found += self.operands[first : first + block.width] * block.layers
            first += block.width
        return tuple(found)

    @cached_property
    def event_counters(self) -> tuple[int, ...]:
        """The places, in the order of `counters`, of those that count requests."""
        keys = enumerate(self.counter_operands)
        return tuple(place for place, key in keys if key in self.event_operands)

    @cached_property
    def blank_frame(self) -> array[float]:
        """A signal frame in which every value is NaN."""
        return array("d", [math.nan] * len(self.signal_layout))

    @cached_property
    def slots(self) -> dict[str, int]:
        """The position of each column in a signal frame, by the column's name."""
        return column_slots(self.signals)

    @cached_property
    def present(self) -> frozenset[str]:
        """The signals whose series the page has."""
        return frozenset((*self.increase_signals, *self.gauge_signals))

    @cached_property
    def value_remarks(self) -> frozenset[str]:
        """The signals whose remark is about their value, and means nothing without one."""
        return frozenset(self.remarks) & self.present

    @cached_property
    def _stored_values(self) -> Callable[[Sequence[float]], tuple[float, ...]]:
        return _value_getter(self.stored or ())

    def stored_frame(self, values: array[float]) -> Frame:
        """The frame of the series to store, from the values of a page."""
        if self.stored is None:
            return Frame(self.stored_layout, values)
        return Frame(self.stored_layout, array("d", self._stored_values(values)))


def column_slots(signals: tuple[str, ...]) -> dict[str, int]:
    """The position of every column in a frame of these signals, by the column's name."""
    return {name: slot for slot, name in enumerate(frame_columns(signals))}


def _value_getter(positions: tuple[int, ...]) -> Callable[[Sequence[float]], tuple[float, ...]]:
    if not positions:
        return lambda _values: ()
    if len(positions) == 1:
        only = positions[0]
        return lambda values: (values[only],)
    return itemgetter(*positions)
