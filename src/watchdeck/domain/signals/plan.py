"""A Plan: how one layout of a page becomes signals, worked out once and followed every scrape."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Frame, ModelState
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.metrics.signal import columns

Flow = Callable[[Sequence[float], float, float, "array[float]"], None]
"""Fills signals from the increases of the window, its seconds and the canaries sent in it."""

PlanLevel = Callable[[Sequence[float], "array[float]"], None]
"""Fills signals from the values of the page."""


class OperandBlock(Struct, frozen=True):
    """A stretch of counters that becomes `width` operands: `layers` rows of equal width, summed."""

    start: int
    width: int
    layers: int


class PageState(Struct, frozen=True):
    """A state the page tells: a value at one of (or at every one of) `positions` is in `values`."""

    positions: tuple[int, ...]
    values: frozenset[float]
    state: ModelState
    why: str
    every: bool


class Plan(Struct, frozen=True, dict=True, weakref=True):
    """What to take from a page and what to make of it.

    An operand is a sum of counters that signals need (the requests, one bucket of a histogram);
    `operands` names them so that a window survives a change of layout. `keep` are the positions
    the store keeps, None for all. `version` is the model's version on the page; None with
    `version_pending` while no series tells it yet.
    """

    kind: str
    layout: Layout
    signals: tuple[str, ...]
    signal_layout: Layout
    not_measurable: tuple[str, ...]
    keep: tuple[int, ...] | None
    kept_layout: Layout
    counters: tuple[int, ...]
    operands: tuple[object, ...]
    blocks: tuple[OperandBlock, ...]
    flows: tuple[Flow, ...]
    levels: tuple[PlanLevel, ...]
    started: tuple[int, ...]
    replicas: tuple[int, ...]
    states: tuple[PageState, ...]
    version: str | None = None
    version_pending: bool = False

    @cached_property
    def take(self) -> Callable[[Sequence[float]], tuple[float, ...]]:
        """The counters of a page, in the plan's order."""
        return _taker(self.counters)

    @cached_property
    def plain(self) -> bool:
        """Whether every operand is one counter, so that nothing has to be summed."""
        return all(block.layers == 1 for block in self.blocks)

    @cached_property
    def counter_series(self) -> tuple[Series, ...]:
        """The series of the counters, in the plan's order."""
        return tuple(self.layout.series[position] for position in self.counters)

    @cached_property
    def blank(self) -> array[float]:
        """A signal frame in which nothing is known."""
        return array("d", [math.nan] * len(self.signal_layout))

    @cached_property
    def slots(self) -> dict[str, int]:
        """Where each column stands in a signal frame."""
        return slots(self.signals)

    @cached_property
    def _kept(self) -> Callable[[Sequence[float]], tuple[float, ...]]:
        return _taker(self.keep or ())

    def kept(self, values: array[float]) -> Frame:
        """The part of a page that the store keeps."""
        if self.keep is None:
            return Frame(self.kept_layout, values)
        return Frame(self.kept_layout, array("d", self._kept(values)))


def slots(signals: tuple[str, ...]) -> dict[str, int]:
    """The position of every column in a frame of these signals."""
    return {name: place for place, name in enumerate(columns(signals))}


def _taker(positions: tuple[int, ...]) -> Callable[[Sequence[float]], tuple[float, ...]]:
    if not positions:
        return lambda _values: ()
    if len(positions) == 1:
        only = positions[0]
        return lambda values: (values[only],)
    return itemgetter(*positions)
